"""Figures in the documents are those of the JSON files under benchmarks/."""

import importlib.util
import json
import re
from types import ModuleType
from typing import Any

import pytest
from doc_blocks import DOCS, ROOT
from drawn_svg import DrawnSvg

BENCHMARKS = ROOT / "benchmarks"
TEMPLATES = sorted(str(path.relative_to(BENCHMARKS)) for path in BENCHMARKS.rglob("*.jinja"))
# Code, expressions, and links have numbers that are not figures.
NOT_TEXT = re.compile(r"```.*?```|`[^`\n]*`|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|\]\([^)]*\)", re.DOTALL)
# The level of every interval, and of a percentile.
LEVELS = re.compile(r"\b95 % (?:bootstrap )?interval|\b99th percentile")
# A number that is no part of a name: not int8, MPU-6050, 2-D.
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d[\d.,]*(?![\w-])")


def read(name: str) -> Any:
    return json.loads((BENCHMARKS / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    pytest.importorskip("jinja2")
    spec = importlib.util.spec_from_file_location("make_figures", DOCS / "make_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_template_has_its_page(figures: ModuleType):
    assert sorted(figures.PAGES | figures.SECTIONS) == TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_page_is_that_of_the_json_files_of_today(template: str, figures: ModuleType):
    if template in figures.SECTIONS:
        text = figures.SECTIONS[template].read_text("utf-8")
        assert text == figures.with_section(text, template), "run `make docs`"
    else:
        assert figures.PAGES[template].read_text("utf-8") == figures.page(template), "run `make docs`"


def test_a_page_without_a_place_for_its_section_is_noticed(figures: ModuleType):
    with pytest.raises(ValueError, match="must contain <!-- figures of results"):
        figures.with_section("# deseptr\n", "results.md.jinja")


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_figure_is_written_by_hand(template: str):
    text = LEVELS.sub("", NOT_TEXT.sub("", (BENCHMARKS / template).read_text("utf-8")))
    assert NUMBER.findall(text) == [], "a figure is {{ read(…)… }}; a whole number that no JSON has is {{ 27 }}"


@pytest.mark.parametrize("template", TEMPLATES)
def test_only_whole_numbers_are_given_without_a_file(template: str):
    given = re.findall(r"\{\{\s*([\d.,]+)\s*\}\}", (BENCHMARKS / template).read_text("utf-8"))
    assert [number for number in given if not number.isdigit()] == []


def test_a_number_by_hand_would_be_noticed():
    assert NUMBER.findall("int8 on an MPU-6050: 0.49 times, -0.012, 46,336 and 7 of I2C's 2-D x86-64") == [
        *("0.49", "-0.012,", "46,336", "7"),
    ]


def test_reports_are_those_of_their_json_files(figures: ModuleType):
    assert {path.parent.name for path in BENCHMARKS.rglob("*/*.md")} == {name.split("/")[0] for name in figures.REPORTS}
    for name, report in figures.REPORTS.items():
        assert (BENCHMARKS / name).with_suffix(".md").read_text("utf-8") == report(read(name)), name


def test_pictures_are_those_of_their_json_files(figures: ModuleType):
    pytest.importorskip("matplotlib")
    for name, (source, picture) in figures.PICTURES.items():
        kept, drawn = DrawnSvg((BENCHMARKS / name).read_text("utf-8")), DrawnSvg(picture(read(source)))
        assert kept.texts().keys() == drawn.texts().keys(), "run `make docs`"
        # Of any colour; another version of matplotlib may place the frame a little otherwise.
        assert kept.markers("") == [pytest.approx(place, abs=0.01) for place in drawn.markers("")], "run `make docs`"


def test_every_json_is_named_where_its_figures_are():
    template = (BENCHMARKS / "README.md.jinja").read_text("utf-8")
    for path in BENCHMARKS.rglob("*.json"):
        assert path.name in template or str(path.relative_to(BENCHMARKS)) in template, path


def test_what_freezing_the_stem_costs():
    effects = read("hapt-lab/lab.json")["effects"]
    (frozen,) = (e for e in effects if e["contrast"] == "shared-frozen − own" and e["at"] == "soft")
    cost = f"cost {-100 * frozen['difference']['mean']:.1f} points"
    assert cost in " ".join((DOCS / "training.md").read_text("utf-8").split())


def test_how_well_instructions_repeat():
    worst = max(cost["boots_differ_percent"] for cost in read("convert/arm_cost.json")["costs"])
    assert worst <= 0.2
    assert "They repeat to 0.2 %" in " ".join((DOCS / "without-hardware.md").read_text("utf-8").split())
