"""What each page says first, and what it holds against that, word by word."""

from typing import Any

import numpy as np
import pytest

from deseptr.contract import score
from deseptr.report.calibration_page import calibration_answer
from deseptr.report.comparison_page import compare_answer
from deseptr.report.continuous_page import continuous_answer
from deseptr.report.continuous_tables import delay_note
from deseptr.report.demo_page import demo_answer
from deseptr.report.html import Answer
from deseptr.report.profile_page import profile_answer
from deseptr.report.tuning_page import tuning_answer


def profile(p50_us: float, p99_us: float, caveats: tuple[str, ...] = (), *, missed: int = 0, emulated: bool = False):
    figures = {"end_to_end": {"p50_us": p50_us, "p99_us": p99_us}}
    deadlines = {"hop_ms": 1280, "missed": missed, "windows": 200}
    return {"stages": figures, "deadlines": deadlines, "caveats": caveats, "emulated": emulated}


def test_profile():
    assert profile_answer(profile(3140.0, 25_600.0, ("the machine was busy",), missed=3)) == Answer(
        "From the read to the label, a window takes 3.1 ms at the median and 25.6 ms at the 99th percentile, "
        "2.0% of the hop of 1280 ms.",
        ["The machine was busy.", "3 of 200 labels came later than the next hop."],
    )
    assert profile_answer(profile(999.4, 1000.0, emulated=True)) == Answer(
        "From the read to the label, a window takes 999 µs at the median and 1.0 ms at the 99th percentile, "
        "0.1% of the hop of 1280 ms in emulation.",
        [],
    )


def model(name: str, median_us: float, ratio: float, *, low: float | None = None, f1: float | None = None) -> Any:
    interval = None if low is None else {"low": low, "high": low + 0.1}
    scores = f1 and {
        "macro_f1": f1,
        "macro_f1_interval": {"low": f1 - 0.04, "high": f1 + 0.04},
        "per_subject_f1": dict.fromkeys("abcde", f1),
    }
    return {"name": name, "latency": {"median_us": median_us, "ratio": ratio, "interval": interval}, "scores": scores}


def comparison(*models: Any) -> dict[str, Any]:
    machine = {"cpu": "AMD", "emulated": False, "load_average": None, "processors": 2}
    return {"models": models, "machine": machine, "threads": 1}


OF_MACHINE = "Latencies are those of this machine only (AMD)."


def test_comparison():
    one, two = model("one", 1234.5, 1.0, f1=0.9), model("two", 600.0, 0.486, low=0.4, f1=0.8)
    assert compare_answer(comparison(one, two)) == Answer(
        "two is the fastest of 2 models with 600.0 µs at the median, 0.49 of the time of one; "
        "the highest macro-F1 is that of one, 0.900.",
        [OF_MACHINE],
    )
    close = model("two", 1230.0, 0.99, low=0.95, f1=0.85)
    assert compare_answer(comparison(one, close)).against == [
        "two may be as fast as one: the ratio's interval has 1 in it.",
        "Intervals of macro-F1 of one and two overlap.",
        OF_MACHINE,
    ]
    first = compare_answer(comparison(model("one", 1.0, 1.0), model("two", 2.0, 2.0, low=1.9)))
    assert first == Answer("one is the fastest of 2 models with 1.0 µs at the median.", [OF_MACHINE])
    assert compare_answer(comparison(model("one", 12.0, 1.0, f1=0.9))).text == (
        "one takes 12.0 µs at the median; macro-F1 of one is 0.900."
    )


def test_models_of_the_same_score_are_both_named():
    three = [model(name, 2.0, 1.0, f1=f1) for name, f1 in (("one", 0.9), ("two", 0.9001), ("three", 0.8))]
    answer = compare_answer(comparison(*three))
    assert answer.text.endswith("; the highest macro-F1 is that of one and two, 0.900.")
    assert not any("Intervals" in each for each in answer.against)


def test_a_delay_that_nothing_gives_is_said_to_be_none():
    content = {"delay_s": {"onsets": 0, "never": 0}, "shortest_s": 5.0}
    assert delay_note(content) == (
        "Delay: none was measured, since no activity of 5 s or more begins after the beginning of its recording."
    )
    some = {"delay_s": {"onsets": 7, "never": 1}, "shortest_s": 5.0}
    assert "of the 7 activities of 5 s or more" in delay_note(some)


def calibration(before: float, after: float, *subjects: str) -> dict[str, Any]:
    figures = {"before": {"ece": before}, "after": {"ece": after}}
    return {"temperature": 1.25, "sure": True, "subjects": list(subjects), **figures}


@pytest.mark.parametrize(
    ("content", "text", "against"),
    [
        (calibration(0.05, 0.02, *"abcde"), "lowers the expected calibration error from 0.0500 to 0.0200.", []),
        (
            calibration(0.02, 0.05, "a", "b"),
            "raises the expected calibration error from 0.0200 to 0.0500.",
            ["There are only 2 wearers: others may be unlike all of them."],
        ),
        (
            calibration(0.02, 0.02, "eve"),
            "leaves the expected calibration error at 0.0200.",
            ["The error after is that of subject eve, who was fitted on."],
        ),
    ],
)
def test_calibration(content: dict[str, Any], text: str, against: list[str]):
    assert calibration_answer(content) == Answer(f"A temperature of 1.250 {text}", against)


def test_of_a_temperature_that_may_be_1_it_says_that_none_was_written():
    answer = calibration_answer({**calibration(0.02, 0.019, *"abcde"), "sure": False})
    assert answer.text == (
        "No temperature was written, since the windows do not tell 1.250 from 1; "
        "it would lower the expected calibration error from 0.0200 to 0.0190."
    )
    assert not answer.against


def test_tuning():
    before, chosen = {"delay_s": 3.217, "spurious": 91.2}, {"delay_s": None, "spurious": 19.6}
    content = {"before": {"figures": before}, "figures": chosen, "reached": True, "subjects": ["5", "eve"]}
    own = "These figures are of the wearers that it was tuned on: 5, eve."
    assert tuning_answer(content) == Answer(
        "The chosen decision shows an activity after – s instead of 3.22 s at the median, "
        "and changes spuriously 20 instead of 91 times an hour.",
        [own],
    )
    missed = tuning_answer({**content, "reached": False, "target": "delay=1"})
    assert missed.against == ["The target delay=1 is not reached.", own]


def continuous(wearers: int, p50: float | None, never: int = 0) -> dict[str, Any]:
    return {
        "wearers": dict.fromkeys(map(str, range(wearers))),
        "hours": 1.254,
        "frame_f1": {"value": 0.8876},
        "delay_s": {"p50": {"value": p50}, "never": never, "onsets": 12},
        "spurious_changes_per_hour": {"value": 91.6},
        "per_class_f1": {"sit": 0.9, "walk": 0.85, "jump": None},
    }


def test_continuous():
    assert continuous_answer(continuous(5, 2.5, never=1)) == Answer(
        "Over 1.25 hours of 5 wearers, the label has a macro-F1 of 0.888, shows an activity after 2.50 s at the median "
        "and changes spuriously 92 times an hour.",
        ["1 of 12 activities is never shown.", "The worst class is walk, with an F1 of 0.850."],
    )
    alone = continuous_answer({**continuous(1, None), "per_class_f1": {"sit": None}})
    assert alone == Answer(
        "Over 1.25 hours of 1 wearer, the label has a macro-F1 of 0.888 and changes spuriously 92 times an hour.",
        ["There is only 1 wearer: others may be unlike this one."],
    )
    few = continuous_answer({**continuous(4, None), "per_class_f1": {}})
    assert few.against == ["There are only 4 wearers: others may be unlike all of them."]


def test_demo():
    right = score(np.array([0, 1]), np.array([0, 1]), ("sit", "walk"))
    wrong = score(np.array([0, 1]), np.array([0, 0]), ("sit", "walk"))
    answer = demo_answer({"float": right, "int8": right, "int8 over the bus": wrong})
    assert answer.text == (
        "Over a simulated bus, the int8 model reaches a macro-F1 of 0.333 on 2 windows of a wearer that it was not "
        "trained on; the float network reaches 1.000."
    )
    assert answer.against[0] == (
        "The wearers are synthetic: this shows that the path works, not how well a real wearable would do."
    )
    assert len(answer.against) == 3
