import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.evaluate.grid_options import Counts, Seeds, Temperatures
from deseptr.cli.evaluate.lab import lab
from deseptr.cli.main import main
from deseptr.contract import ModelContract
from deseptr.evaluate.heads import HEADS, HeadLogits
from deseptr.train import RunFolder, load_run
from deseptr.train.predictions import Predictions
from deseptr.train.training_loop import predict_logits

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=5,seconds=12"
SMALL = ["--teacher-width", 4, "--teacher-epochs", 1, "--student-epochs", 1, "--dim", 8, "--heads", 1]
SPLIT = ["--test-subjects", "2,4", "--labels", "jogging,sitting", "--seeds", "1"]


def run(*arguments: object):
    return CliRunner().invoke(lab, list(map(str, arguments)))


def test_trains_a_grid_and_continues_where_it_stopped(tmp_path: Path):
    out = tmp_path / "out"
    first = run(DATA, "-o", out, "--distillation", "none", "--stem", "own", *SPLIT, *SMALL)
    assert first.exit_code == 0, first.output
    assert "seed-0 none-own (1/1): macro-F1 float" in first.stderr
    assert "1 of 1 training: deseptr_spectrogram_d8_h1 on synthetic, protocol held out, fold test:" in first.stdout
    assert not (out / "seed-0" / "teacher").exists()
    assert f"page: {out / 'lab.html'}" in first.stdout
    assert "A picture has acceleration above angular rate" in (out / "lab.html").read_text()
    kept = out / "seed-0" / "none-own" / "run" / "model.keras"
    before = kept.stat().st_mtime_ns

    second = run(DATA, "-o", out, "--distillation", "soft,none", "--stem", "own", *SPLIT, *SMALL, "--json")
    assert second.exit_code == 0, second.output
    assert "1 finished before and kept" in second.stderr
    assert f"2 to run; epochs are logged in {out}/seed-*/*/log.txt" in second.stderr
    assert kept.stat().st_mtime_ns == before
    summary = json.loads(second.stdout)
    assert summary["protocol"]["labels"] == ["jogging", "sitting"]
    assert summary["subjects"]["0"]["test"] == ["2", "4"]
    assert [row["head"] for row in summary["rows"]] == [None, *HEADS, *HEADS]
    assert {effect["contrast"] for effect in summary["effects"]} == {
        "soft − none",
        "distillation − class",
        "mean − class",
    }
    check_cell(out / "seed-0" / "soft-own", out / "seed-0" / "teacher")


def check_cell(cell: Path, teacher: Path) -> None:
    """The heads are those of the checkpoint, and the front end is the teacher's."""
    predictions, heads = Predictions.load(cell / "predictions.npz"), HeadLogits.load(cell / "heads.npz")
    np.testing.assert_allclose(heads.of("mean"), predictions.logits, atol=1e-4)
    assert np.abs(heads.of("class") - heads.of("distillation")).max() > 1e-3
    student, lent = load_run(cell / "run")[0], load_run(teacher / "run")[0]
    assert student.front_end.gain == lent.front_end.gain
    assert not RunFolder(cell / "run").teacher.exists()
    contract = ModelContract.load(RunFolder(cell / "run").contract)
    silence = np.zeros((1, contract.window_length, 6), np.float32)
    assert predict_logits(student, silence).shape == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--distillation", "medium"],
            "deseptr: invalid value for '--distillation': found 'medium', expected some of none",
        ),
        (
            ["--stem", "own,borrowed"],
            "deseptr: invalid value for '--stem': found 'borrowed', expected some of shared-tuned",
        ),
        (["--seeds", "0"], "deseptr: invalid value for '--seeds': found '0', expected a number, as 3, or a list"),
        (
            ["--temperatures", "1,0"],
            "deseptr: invalid value for '--temperatures': found '1,0', expected numbers above 0",
        ),
        (["--fold", "test"], "deseptr: --fold goes with --protocol"),
        (["--protocol", "loso", "--test-subjects", "1"], "deseptr: --protocol and --test-subjects both choose"),
        (["--protocol", "loso", "--fold", "9"], "deseptr: protocol loso: fold 9: found no such fold"),
        (["--protocol", "random"], "deseptr: protocol random: found a split by window"),
        (
            ["--curve", "3,few"],
            "deseptr: invalid value for '--curve': found '3,few', expected numbers of wearers or all",
        ),
        (
            ["--curve", "0,all"],
            "deseptr: invalid value for '--curve': found '0,all', expected numbers of wearers or all",
        ),
        (
            ["--curve", "1", "--stem", "own"],
            "deseptr: --curve compares its own arms without validation subjects: leave",
        ),
        (["--curve", "1", "--labelled-subjects", "2"], "deseptr: --curve compares its own arms"),
        (["--curve", "1", "--together", "--jobs", "2"], "deseptr: --together trains all folds in this process"),
        (["--together"], "deseptr: --together goes with --curve"),
        (["--curve", "4", "--protocol", "loso"], "deseptr: numbers of labelled wearers: found 4, expected less than 4"),
        (["--labels", "flying"], "deseptr: labels 'flying'"),
        (["--test-subjects", "99"], "deseptr: synthetic: subject 99"),
        (["--subjects", "1,2"], "deseptr: synthetic: split by subject: found 2 subjects"),
    ],
)
def test_wrong_use_gives_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], line: str):
    with pytest.raises(SystemExit) as stop:
        main(["lab", DATA, "-o", str(tmp_path / "out"), *arguments])
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(line)
    assert not (tmp_path / "out").exists()


def test_interruption_explains_how_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deseptr.evaluate.lab.lab.run_lab", interrupt)
    result = run(DATA, "-o", tmp_path / "out")
    assert result.exit_code == 130
    assert "finished cells are kept; repeat the command to continue" in result.stderr


def test_split_is_the_protocols_first_fold_or_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def look(dataset: object, protocol: object, *_: object, **__: object) -> None:
        seen.append(protocol)
        raise KeyboardInterrupt

    monkeypatch.setattr("deseptr.evaluate.lab.lab.run_lab", look)
    run(DATA, "-o", tmp_path / "out", "--protocol", "arena")
    run(DATA, "-o", tmp_path / "out", "--protocol", "arena", "--fold", "2", "--window-s", "2")
    run(DATA, "-o", tmp_path / "out", "--test-subjects", "2,4", "--overlap", "0.25")
    assert [[fold.test_subjects for fold in protocol.folds] for protocol in seen] == [[("1",)], [("3",)], [("2", "4")]]
    assert [(protocol.window_s, protocol.overlap) for protocol in seen] == [(3.0, 0.5), (2.0, 0.5), (2.56, 0.25)]


@pytest.mark.parametrize(("text", "seeds"), [("3", (0, 1, 2)), ("0,2,5-7", (0, 2, 5, 6, 7)), ("4-4", (4,))])
def test_seeds_are_a_number_or_a_list(text: str, seeds: tuple[int, ...]):
    assert Seeds().convert(text, None, None) == seeds


@pytest.mark.parametrize("text", ["", "two", "3-1", "1,,2", "-1"])
def test_other_seeds_are_refused(text: str):
    with pytest.raises(click.BadParameter):
        Seeds().convert(text, None, None)


@pytest.mark.parametrize(("text", "counts"), [("12, 3,all,3", (3, 12, 0)), ("all", (0,)), ("6", (6,))])
def test_counts_are_in_rising_order_and_all_is_last(text: str, counts: tuple[int, ...]):
    assert Counts().convert(text, None, None) == counts


def test_a_curve_is_of_all_folds_or_of_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def look(dataset: object, protocol: object, *given: object, **__: object) -> None:
        seen.append((protocol, *given[:2]))
        raise KeyboardInterrupt

    monkeypatch.setattr("deseptr.evaluate.curve.curve.run_curve", look)
    for more in ([], ["--fold", "2"]):
        result = run(DATA, "-o", tmp_path / "out", "--curve", "2,all", "--protocol", "loso", "--seeds", "2", *more)
        assert result.exit_code == 130, result.output
        assert "finished trainings are kept; repeat the command to continue" in result.stderr
    run(DATA, "-o", tmp_path / "out", "--curve", "1", "--test-subjects", "2,4")
    assert [len(protocol.folds) for protocol, *_ in seen] == [5, 1, 1]
    assert seen[0][1:] == ((2, 0), (0, 1))


def test_temperatures_are_numbers():
    assert Temperatures().convert("1,2.5", None, None) == (1.0, 2.5)


def test_training_options_are_those_of_crossval_but_for_what_the_grid_varies():
    from deseptr.cli.evaluate.crossval import crossval

    own = {"distillations", "temperatures", "stems", "seeds", "test_subjects", "fold", "counts"}
    of_crossval = {
        "model",
        "distillation",
        "temperature",
        "stem",
        "seed",
        "folds",
        "address",
        "unlabelled",
        "members",
        "teacher_share",
    }
    assert {p.name for p in lab.params} - own == {p.name for p in crossval.params} - of_crossval
