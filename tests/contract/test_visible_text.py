"""Text of strangers: nothing that a terminal obeys is left, and nothing that it shows is changed."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from deseptr.contract.visible_text import visible

# All code points, lone surrogates included.
anything = st.text(st.characters(codec=None), max_size=40)


@given(anything)
def test_only_printable_characters_are_left(text: str):
    shown = visible(text)
    assert shown.isprintable()
    shown.encode()
    assert visible(shown) == shown


@given(anything)
def test_no_control_or_format_character_is_left_beside_the_kept(text: str):
    left = {unicodedata.category(c) for c in visible(text, kept="\n\t") if c not in "\n\t"}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert visible(text, kept="\n\t").count("\n") == text.count("\n")


@given(st.text().filter(str.isprintable))
def test_printable_text_is_unchanged(text: str):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("a\u200bb\u2066c\u2028d", r"a\u200bb\u2066c\u2028d"),
        ("a\rb\nc\x7f", r"a\rb\nc\x7f"),
        ("\ud800\U000e0041", r"\ud800\U000e0041"),
        ("Café ☕ 日本", "Café ☕ 日本"),
    ],
)
def test_examples(text: str, shown: str):
    assert visible(text) == shown
