import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deseptr.cli.device.evaluate import evaluate as evaluate_device
from deseptr.cli.evaluate.evaluate import evaluate
from deseptr.device import default_model

MODEL = str(default_model())


def run(command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [MODEL, "sample", *map(str, arguments)], catch_exceptions=False)


def test_json_has_figures_and_conditions():
    made = json.loads(run(evaluate, "--continuous", "--hop", 0.64, "--dwell", 1, "--json").stdout)
    assert made["decision"] == {
        "smoothing": "exponential",
        "horizon_s": 2.5,
        "threshold": 0.5,
        "margin": 0.1,
        "dwell_s": 1.0,
        "thresholds": {},
        "hop_s": 0.64,
        "chain": None,
    }
    assert made["frame_f1"]["value"] > 0.8
    assert made["subjects"] == ["5"]
    frames = made["segment_errors"]["frames_by_truth"]
    assert sum(frames.values()) == 6000


def test_tables_and_page_say_the_same(tmp_path: Path):
    page = tmp_path / "timeline.html"
    result = run(evaluate, "--continuous", "-o", page)
    content = json.loads(page.with_suffix(".json").read_text())
    figure = f"{content['frame_f1']['value']:.3f}"
    assert figure in result.stdout
    assert figure in page.read_text()
    assert figure in page.with_suffix(".md").read_text()
    assert "a window of 2.56 s every 1.28 s; smoothing exponential over 2.5 s, threshold 0.5" in result.stdout


def test_device_measures_both_ways():
    made = json.loads(run(evaluate_device, "--continuous", "--json").stdout)
    assert (made["path"], made["bus"]["path"]) == ("straight", "bus")
    assert made["bus"]["frame_f1"]["value"] == pytest.approx(made["frame_f1"]["value"], abs=0.02)
    assert "machine" in made
    alone = json.loads(run(evaluate_device, "--continuous", "--bus", "--json").stdout)
    assert alone["frame_f1"] == made["bus"]["frame_f1"]


def test_events_have_their_alarms_scored(tmp_path: Path):
    options = ["--continuous", "--event", "jogging,sitting", "--event-threshold", 0.5]
    made = json.loads(run(evaluate, *options, "--json").stdout)["events"]
    assert made.keys() == {"jogging", "sitting"}
    assert (made["jogging"]["detected"], made["jogging"]["missed"]) == (1, 0)
    assert "detected" in run(evaluate, *options, "-o", tmp_path / "page.html").stdout
    assert "## Events" in (tmp_path / "page.md").read_text()
    unknown = CliRunner().invoke(evaluate, [MODEL, "sample", "--continuous", "--event", "nothing"])
    assert "event nothing: found no such class" in str(unknown.exception)
    assert "playing" not in unknown.stderr
    alone = run(evaluate, "--event-threshold", 0.5)
    assert (alone.exit_code, "--event-threshold goes with --continuous" in alone.output) == (2, True)


@pytest.mark.parametrize("command", [evaluate, evaluate_device])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dwell", 1], "--dwell goes with --continuous"),
        (["-o", "page.pdf"], "-o page.pdf must end in .html"),
        (["--continuous", "-o", "page.pdf"], "-o page.pdf must end in .html"),
    ],
)
def test_options_that_do_not_fit_are_refused(command, arguments: list[object], message: str):
    result = run(command, *arguments)
    assert result.exit_code == 2
    assert message in result.output
