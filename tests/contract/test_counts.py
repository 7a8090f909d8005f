"""Numbers with what they count."""

import pytest
from hypothesis import given, strategies as st

from deseptr.contract.counts import counted

NOUNS = ("window", "gap", "class", "activity", "day", "stretch", "box", "held-out window")


@given(count=st.integers(0, 10**9), noun=st.sampled_from(NOUNS))
def test_one_alone_is_singular_and_the_number_can_be_read_back(count: int, noun: str):
    number, text = counted(count, noun).split(" ", 1)
    assert int(number.replace(",", "")) == count
    assert (text == noun) == (count == 1)


@pytest.mark.parametrize(
    ("noun", "several"),
    [
        ("take", "takes"),
        ("class", "classes"),
        ("stretch", "stretches"),
        ("box", "boxes"),
        ("epoch", "epochs"),
        ("activity", "activities"),
        ("day", "days"),
        ("held-out window", "held-out windows"),
    ],
)
def test_plurals(noun: str, several: str):
    assert counted(0, noun) == f"0 {several}"
    assert counted(12_000, noun) == f"12,000 {several}"


def test_a_verb_goes_along_in_a_plural_of_its_own():
    assert [counted(count, "alarm waits", "alarms wait") for count in (0, 1, 2)] == [
        "0 alarms wait",
        "1 alarm waits",
        "2 alarms wait",
    ]
