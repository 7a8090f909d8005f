"""The page of a calibration: both reliabilities and their bins, and its sentences."""

import html
from typing import Any

import pytest
from self_contained import check_page

from deseptr.report.calibration_page import calibration_answer, calibration_markdown, calibration_page

EMPTY = {"windows": 0, "confidence": None, "accuracy": None}


def step(ece: float, confidence: float) -> dict[str, object]:
    return {"ece": ece, "mce": 0.3, "bins": [EMPTY, {"windows": 9, "confidence": confidence, "accuracy": 0.75}]}


def test_both_reliabilities_are_drawn_and_their_bins_can_be_saved():
    steps = {"before": step(0.05, 0.9), "after": step(0.01, 0.76)}
    page = calibration_page(
        {"model": "m.tflite", "temperature": 1.5, "sure": True, "windows": 9, "subjects": list("abcde"), **steps}
    )
    check_page(page)
    assert "<h1>m.tflite, calibrated</h1>" in page
    assert '<tr><th scope="row">after</th><td class="n">0.0100</td><td class="n">0.3000</td></tr>' in page
    assert page.count("<svg") == 2
    assert 'download="before-ece-0-0500.csv" href="data:text/csv;charset=utf-8,windows,confidence,accuracy' in page
    assert "accuracy%0D%0A9,0.76,0.75%0D%0A" in page


def content(**changes: Any) -> dict[str, Any]:
    steps = {"before": step(0.05, 0.9), "after": step(0.01, 0.76)}
    made = {"model": "m.tflite", "temperature": 1.5, "sure": True, "windows": 9, "subjects": list("abcde"), **steps}
    return {**made, **changes}


REFERENCES = {
    "known_windows": {"prototypes": 24, "windows": 300, "subjects": ["a", "b"], "share": 0.945},
    "mounting": {
        "classes": ["sit", "walk"],
        "windows": 70,
        "subjects": ["c"],
        "worn": {"as stated": 0.75, "turned": 0.25},
    },
    "drift": {
        "windows": 80,
        "subjects": ["d", "e"],
        "sizes": [300, 1000],
        "limits": {"confidence": [0.9, 0.25], "distance": [2, 1.5]},
    },
}
SENTENCES = [
    "Known windows: 24 prototypes of 300 windows of subjects a, b, which know 94.5% of other wearers' windows.",
    "Mounting: 2 classes in 70 windows of subject c; worn as stated by 75%, turned by 25%.",
    "Drift: 80 windows of subjects d, e; a day of 1000 windows differs above an index of confidence 0.25, "
    "distance 1.50.",
]


def test_page_and_markdown_have_a_sentence_for_each_reference():
    page, markdown = calibration_page(content(**REFERENCES)), calibration_markdown(content(**REFERENCES))
    assert markdown.splitlines()[-5::2] == SENTENCES
    for sentence in SENTENCES:
        assert sentence in html.unescape(page)
    assert "Known windows, mounting and drift" in page
    for name, sentence in zip(REFERENCES, SENTENCES, strict=True):
        assert calibration_markdown(content(**{name: REFERENCES[name]})).splitlines()[-1] == sentence
    assert "Known windows, mounting and drift" not in calibration_page(content())


def test_markdown_is_the_page_in_words():
    assert calibration_markdown(content(subjects=["a"], sure=False)).splitlines() == [
        "# m.tflite, calibrated",
        "",
        "Temperature 1.500, fitted on 9 windows of subject a; after: on the wearer that it was fitted on. The windows "
        "do not tell it from 1, so that it is not in the contract.",
        "",
        "|  | expected calibration error | largest error of a bin |",
        "| --- | --- | --- |",
        "| before | 0.0500 | 0.3000 |",
        "| after | 0.0100 | 0.3000 |",
    ]


@pytest.mark.parametrize(
    ("changes", "text", "against"),
    [
        ({}, "lowers the expected calibration error from 0.0500 to 0.0100", []),
        ({"after": step(0.06, 0.9)}, "raises the expected calibration error from 0.0500 to 0.0600", []),
        ({"after": step(0.05, 0.9)}, "leaves the expected calibration error at 0.0500", []),
        ({"subjects": ["a"]}, "lowers", ["The error after is that of subject a, who was fitted on."]),
        ({"subjects": ["a", "b"]}, "lowers", ["There are only 2 wearers: others may be unlike all of them."]),
    ],
)
def test_the_answer_and_what_speaks_against_it(changes: dict[str, Any], text: str, against: list[str]):
    answer = calibration_answer(content(**changes))
    assert answer.text.startswith(f"A temperature of 1.500 {text}")
    assert list(answer.against) == against


@pytest.mark.parametrize(("after", "verb"), [(0.01, "lower"), (0.06, "raise")])
def test_a_temperature_that_may_be_1_is_not_written(after: float, verb: str):
    answer = calibration_answer(content(after=step(after, 0.9), sure=False))
    assert answer.text == (
        f"No temperature was written, since the windows do not tell 1.500 from 1; it would {verb} the expected "
        f"calibration error from 0.0500 to {after:.4f}."
    )
