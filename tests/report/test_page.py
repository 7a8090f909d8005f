"""The shell of every page: what it says first, where it leads, and that nothing in it is obeyed or fetched."""

import base64
import hashlib
import re

import pytest

from deseptr.report.html import (
    Answer,
    Origin,
    Section,
    figure,
    heading,
    markup,
    paragraph,
    render_page,
    table,
    verdict,
)
from deseptr.report.html.page import PAGE_START

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="360pt"><g id="axes_1"/></svg>'


def between(page: str, tag: str) -> str:
    return re.sub(r"\s*\n\s*", "", page[page.index(f"<{tag}") : page.index(f"</{tag}>") + len(tag) + 3])


def test_the_answer_comes_first_and_what_speaks_against_it():
    page = render_page("A & B", Answer("It is < 3.", ("One < two.", "Few & far.")), [], note="Read > this")
    assert between(page, "header") == (
        '<header><h1>A &amp; B</h1><p class="answer">It is &lt; 3.</p>'
        '<div class="against"><b>What speaks against it</b>'
        "<ul><li>One &lt; two.</li><li>Few &amp; far.</li></ul></div>"
        '<p class="note">Read &gt; this</p></header>'
    )
    assert "<title>A &amp; B</title>" in page
    alone = render_page("A", Answer("It is."), [])
    assert between(alone, "header") == '<header><h1>A</h1><p class="answer">It is.</p></header>'
    assert "<footer>" not in alone


def test_pages_begin_as_those_of_earlier_versions_did():
    # A page may be written over a page only; it is known by its first bytes.
    assert PAGE_START == (
        b'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        b'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>'
    )
    assert render_page("t", Answer("a"), []).encode().startswith(PAGE_START)


def test_every_section_has_an_anchor_of_its_own():
    sections = [Section(title, [paragraph("x")]) for title in ("Time & size", "Time, size", "µ", "Time size 2")]
    page = render_page("t", Answer("a"), sections)
    assert re.findall('<section id="([^"]*)">', page) == ["time-size", "time-size-2", "part", "time-size-2-2"]
    assert between(page, "nav") == (
        '<nav aria-label="Contents"><ul><li><a href="#time-size">Time &amp; size</a></li>'
        '<li><a href="#time-size-2">Time, size</a></li><li><a href="#part">µ</a></li>'
        '<li><a href="#time-size-2-2">Time size 2</a></li></ul></nav>'
    )
    assert '<h2>Time &amp; size</h2><a href="#time-size" aria-label="Link to Time &amp; size">#</a>' in page
    assert "<nav" not in render_page("t", Answer("a"), sections[:2])


def test_the_footer_names_command_version_and_time():
    page = render_page("t", Answer("a"), [], origin=Origin("deseptr demo -o 'a & b'", "1.2", "2026-11-27 12:00 UTC"))
    assert between(page, "footer") == (
        "<footer>Made by <code>deseptr demo -o &#x27;a &amp; b&#x27;</code>, deseptr 1.2, 2026-11-27 12:00 UTC. "
        "This file needs no network.</footer>"
    )


def test_blocks_escape_their_text():
    page = render_page(
        "t",
        Answer("a"),
        [
            Section(
                "<One>",
                [paragraph("<script>"), verdict("good & well", good=True), verdict("b", good=False), heading("h&h")],
            )
        ],
    )
    assert "<h2>&lt;One&gt;</h2>" in page
    assert "<p>&lt;script&gt;</p>" in page
    assert '<p class="verdict good">good &amp; well</p>' in page
    assert '<p class="verdict bad">b</p>' in page
    assert "<h3>h&amp;h</h3>" in page
    assert "<script" not in page


def test_a_script_is_there_once_and_only_it_may_run():
    blocks = [markup("<b>1</b>", "let a = 1;"), markup("<b>2</b>", "let a = 1;"), markup("<b>3</b>", "let b = 2;")]
    page = render_page("t", Answer("a"), [Section("s", blocks)])
    assert page.count("<script>let a = 1;</script>") == 1
    hashes = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"let a = 1;", b"let b = 2;")]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f"content=\"{policy}; script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}'\">" in page
    assert f'content="{policy}">' in render_page("t", Answer("a"), [])


def test_a_figure_follows_the_theme_and_is_named():
    made = figure(SVG.replace("<g", '<metadata>http://a</metadata><path fill="#1c2733" stroke="#0b62a4"/><g'), "a & b")
    assert made.content == (
        '<figure style="--natural: 480px"><div class="scroll" role="group" tabindex="0" aria-label="a &amp; b">'
        '<svg role="img" aria-label="a &amp; b" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="360pt">'
        '<path fill="var(--ink)" stroke="var(--accent)"/><g/></svg></div>'
        "<figcaption>a &amp; b</figcaption></figure>"
    )


def test_data_of_a_figure_can_be_saved():
    made = figure(SVG, "Lat ency", (["x"], [["1"]])).content
    link = 'href="data:text/csv;charset=utf-8,x%0D%0A1%0D%0A" aria-label="Save lat-ency.csv">CSV</a>'
    assert f'<a class="csv" download="lat-ency.csv" {link}' in made


def test_colours_of_the_style_have_both_themes():
    page = render_page("t", Answer("a"), [Section("s", [table(["a"], [["1"]])])])
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w+);", part)) for part in page.split("prefers-color-scheme", 1))
    assert light.keys() == dark.keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", page)) - {"natural"} <= light.keys()


def test_a_figure_without_a_width_is_a_mistake():
    with pytest.raises(ValueError, match="a figure needs a width"):
        figure("<svg><g/></svg>", "c")
