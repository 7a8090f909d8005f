"""Targets that this package wrote itself, or that a board answered: checkpoints, trees, folds, spools, answers."""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import mutators
import numpy as np
from mutators import Mutator, of_members
from target import FORMATS, Target, in_run, on_file

KERAS = ("tensorflow", "keras", "deseptr.train.checkpoint", "deseptr.train.models")
LOWERING = "deseptr.convert.lowering.inference_graph"
PROGRAMS = "deseptr.train.torch_program.network"
# Plain Keras models of other people, where they are; the larger ones would take all the time.
CASES = Path(__file__).parents[3] / "shared" / "cases" / "keras"
MOST_BYTES = 100_000


def kept() -> Iterator[Target]:
    """All of them."""
    yield from _checkpoints()
    yield from _folds()
    yield from _drift_logs()
    yield from _spool()
    yield from _answers()


def _checkpoints() -> Iterator[Target]:
    def of_run(run: Path) -> object:
        from deseptr.train.checkpoint import load_run

        return load_run(run)

    def plain(path: Path) -> object:
        from deseptr.contract import ModelContract
        from deseptr.train.checkpoint import load_checkpoint

        return load_checkpoint(path, ModelContract.load(FORMATS / "run" / "contract.json"))

    model = (FORMATS / "run" / "model.keras").read_bytes()
    foreign = sorted(path for path in CASES.glob("*/*.keras") if path.stat().st_size < MOST_BYTES)
    layers = of_members(_of_member)
    yield Target("run/model.keras", in_run("model.keras", of_run), (model,), layers, preload=KERAS)
    seeds = (model, *(path.read_bytes() for path in foreign))
    yield Target("net.keras", on_file(".keras", plain), seeds, layers, preload=KERAS)
    # A recurrent network takes seconds for each input, which its steps are written out of.
    plain_head = CASES / "softmax-head"
    if plain_head.exists():
        rewrite = _rewritten((plain_head / "contract.json").read_bytes())
        seeds = ((plain_head / "net.keras").read_bytes(),)
        yield Target("net.keras, rewritten", rewrite, seeds, layers, preload=(*KERAS, LOWERING))
    yield Target("net.pt2", on_file(".pt2", _program), _programs(), layers, preload=(*KERAS, PROGRAMS))
    yield Target("model.npz", on_file(".npz", _forest), (_trees(),), of_members(mutators.of_bytes))


def _of_member(rng: random.Random, content: bytes) -> bytes:
    """A change of a member of a checkpoint: its layers are JSON, its weights HDF5."""
    return (mutators.of_json if content.startswith(b"{") else mutators.of_bytes)(rng, content)


def _rewritten(contract: bytes) -> Callable[[bytes], object]:
    """Of ``convert --check`` what is done before TensorFlow's converter: a network is read and rewritten by layers."""

    def rewrite(path: Path) -> object:
        from deseptr.convert.quantize import inference_graph
        from deseptr.convert.recipe import Recipe
        from deseptr.train.checkpoint import load_run

        path.with_name("contract.json").write_bytes(contract)
        return inference_graph(*load_run(path), path, Recipe())

    return on_file(".keras", rewrite)


def _program(path: Path) -> object:
    """A network of PyTorch, with whatever window it takes."""
    from deseptr.train.torch_program.network import load_torch_program

    return load_torch_program(path)


def _programs() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((FORMATS.parents[1] / "pt2").glob("*.pt2")))


def _forest(path: Path) -> object:
    from deseptr.train.models.random_forest import RandomForest

    forest = RandomForest.load(path)
    return forest.predict(np.zeros((2, 64, 6), np.float32))


def _trees() -> bytes:
    """Two trees of a forest on this package's features: one split each."""
    from deseptr.train.features import feature_names
    from deseptr.train.models.decision_trees import LEAF, DecisionTrees

    leaf = [LEAF, LEAF]
    trees = DecisionTrees(
        roots=np.array([0, 3]),
        feature=np.array([4, 0, 0, 7, 0, 0]),
        threshold=np.array([0.5, 0, 0, 0.25, 0, 0]),
        left=np.array([1, *leaf, 4, *leaf]),
        right=np.array([2, *leaf, 5, *leaf]),
        shares=np.tile([0.25, 0.75], (6, 1)),
        known=np.array([0, 2]),
        classes=np.array(3),
        features=np.array(len(feature_names())),
        rate_hz=np.array(50.0),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        trees.save(path)
        return path.read_bytes()


def _folds() -> Iterator[Target]:
    from deseptr.data import Fold
    from deseptr.evaluate.find_runs import find_runs
    from deseptr.evaluate.fold_job import FoldJob, check_claim, finished
    from deseptr.evaluate.heads import HeadLogits
    from deseptr.evaluate.run_comparison import compare
    from deseptr.report.runs_tables import markdown
    from deseptr.train import TrainConfig

    job = FoldJob(Fold("1", ("1",)), TrainConfig(), Path("fold-1"), "synthetic 0")

    def in_fold(name: str, read: Callable[[FoldJob], object]) -> Callable[[bytes], object]:
        def call(content: bytes) -> object:
            with tempfile.TemporaryDirectory() as folder:
                own = replace(job, folder=Path(folder) / "fold-1")
                own.folder.mkdir()
                for other in ("job.json", "result.json"):
                    (own.folder / other).write_text(json.dumps(own.settings() | {"job": own.settings()}))
                own.predictions.write_bytes((FORMATS / "run" / "predictions.npz").read_bytes())
                (own.folder / name).write_bytes(content)
                return read(own)

        return call

    settings = json.dumps(job.settings()).encode()
    of_0_1 = json.loads(settings)
    of_0_1["config"] = json.loads((FORMATS / "run" / "config.json").read_bytes())
    both = (settings, json.dumps(of_0_1).encode())
    # That of version 0.1 is refused to a job of today's default model.
    yield Target("fold/job.json", in_fold("job.json", check_claim), both, mutators.of_json)
    result = json.dumps({"fold": "1", "windows": {"test": 3}, "minutes": 1.5, "job": job.settings()}).encode()
    yield Target("fold/result.json", in_fold("result.json", finished), (result,), mutators.of_json)
    with tempfile.TemporaryDirectory() as folder:
        logits = np.zeros((3, 6), np.float32)
        HeadLogits(logits, logits).save(Path(folder) / "heads.npz")
        heads = (Path(folder) / "heads.npz").read_bytes()
    yield Target("fold/heads.npz", on_file(".npz", HeadLogits.load), (heads,), of_members(mutators.of_bytes))

    def report(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "crossval.json").write_bytes(content)
            return markdown({**compare(find_runs([Path(folder)]).finished), "left_out": []})

    yield Target("crossval.json", report, (_summary(),), mutators.of_json)


def _summary() -> bytes:
    """The summary of two folds."""
    from deseptr.data import Fold, FoldProtocol
    from deseptr.evaluate.crossval_summary import summarise
    from deseptr.evaluate.fold_job import FoldJob, FoldResult
    from deseptr.train import TrainConfig

    predictions = FORMATS / "run" / "predictions.npz"
    folds = (Fold("1", ("1",)), Fold("2", ("2",)))
    metrics = json.loads((FORMATS / "run" / "metrics.json").read_bytes())
    results = []
    with tempfile.TemporaryDirectory() as name:
        for fold in folds:
            job = FoldJob(fold, TrainConfig(), Path(name) / f"fold-{fold.name}", "synthetic 0")
            job.folder.mkdir()
            job.predictions.write_bytes(predictions.read_bytes())
            figures = {
                "fold": fold.name,
                "subjects": {**metrics["subjects"], "test": list(fold.test_subjects)},
                "windows": metrics["windows"],
                "parameters": 1000,
                "macs": 2000,
                "model": "deseptr_d32",
                "minutes": 0.5,
                "machine": metrics["machine"],
                "versions": metrics["versions"],
                "commit": metrics["commit"],
                "job": job.settings(),
            }
            made = FoldResult(job, figures)
            figures |= {kind: made.predictions.figures(kind) for kind in made.predictions.kinds}
            results.append(made)
        protocol = FoldProtocol("loso", folds, 2.56, 0.5, None)
        return json.dumps(summarise(results, protocol, "synthetic", "deseptr crossval")).encode()


def _drift_logs() -> Iterator[Target]:
    """What ``report --drift`` makes of logs, with its page."""
    from deseptr.contract import ModelContract
    from deseptr.device import DriftEvent, DriftSummary
    from deseptr.device.sinks import CsvFile

    labels = ("sitting", "walking")
    contract = replace(ModelContract(labels), drift=_reference_of(len(labels)))
    summary = DriftSummary(400, 512.0, labels=Counter(walking=300, sitting=100), confidence=380.0)
    summary.histograms["confidence"] = [0, 0, 0, 0, 200, 100, 100, 0, 0, 0, 0, 0]
    key = contract.drift.key if contract.drift else ""
    events = [
        replace(DriftEvent(1.0, f"2026-11-2{day}", f"r-{day}", "hour", summary, key, None), wearer=wearer)
        for day, wearer in ((6, None), (7, "eve"))
    ]

    def report(path: Path) -> object:
        from deseptr.evaluate.drift_days import days_of, drift_content
        from deseptr.evaluate.drift_log import read_drift_logs
        from deseptr.report.drift_page import drift_markdown, drift_page

        read = read_drift_logs([path])
        content = drift_content(days_of(read, contract, "m.tflite"), contract, "m.tflite", read.notes)
        page, text = drift_page(content), drift_markdown(content)
        json.dumps(content, allow_nan=False)
        if "<script>alert" in page:
            raise AssertionError("a browser would obey what a log says")
        return text

    lines = b"".join(json.dumps(event.to_dict()).encode() + b"\n" for event in events)
    with tempfile.TemporaryDirectory() as folder:
        sink = CsvFile(Path(folder) / "run.csv", labels, print, wearer=True)
        for event in events:
            sink.take(event)
        sink.close()
        table = (Path(folder) / "run.csv").read_bytes()
    yield Target("drift of JSON lines", on_file(".jsonl", report), (lines,), _of_lines)
    yield Target("drift of a CSV file", on_file(".csv", report), (table,), mutators.of_csv)


def _reference_of(classes: int) -> Any:
    from deseptr.contract import DriftHistogram, DriftReference

    return DriftReference(4, 36 * classes, 1.28, 9.8, DriftHistogram(((3,) * 12,) * classes, (0.5, 0.4, 0.3)))


def _spool() -> Iterator[Target]:
    from deseptr.device.sinks.spool import BEFORE_ALL, Spool
    from deseptr.device.sinks.spool_file import MqttMessage

    def use(path: Path) -> None:
        spool = Spool(path, lambda text: None)
        spool.add(MqttMessage("a/b", b"new"))
        waiting = spool.after(BEFORE_ALL, 1000)
        # Whatever else there is: what was just added is not lost.
        assert [each.message.payload for each in waiting[-1:]] == [b"new"]
        spool.mark(waiting[0].number)
        spool.remove(waiting[0].number)
        spool.close()

    def beside(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "spool").write_bytes(whole)
            (Path(folder) / "spool.sent").write_bytes(content)
            return use(Path(folder) / "spool")

    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool", print)
        for number in range(6):
            spool.add(MqttMessage(f"a/{number}", b"payload", retain=number % 2 == 0))
        spool.remove(spool.after(BEFORE_ALL, 1)[0].number)
        spool.close()
        with sqlite3.connect(Path(folder) / "spool") as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
        whole, sent = (Path(folder, name).read_bytes() for name in ("spool", "spool.sent"))
    yield Target("mqtt spool", on_file("", use), (whole,), mutators.of_bytes)
    yield Target("mqtt spool.sent", beside, (sent,), mutators.of_bytes)


FACTS: dict[str, Any] = {
    "machine": "aarch64",
    "kernel_machine": "aarch64",
    "python": [3, 11, 2],
    "executable": "/usr/bin/python3",
    "glibc": "2.36",
    "os": "Debian",
    "board": "Raspberry Pi",
    "i2c": [{"bus": 1, "usable": True}],
    "free_bytes": 10**9,
    "prefix_problem": None,
    "systemd": True,
    "root": False,
    "sudo": True,
    "home": "/home/pi",
    "openblas": True,
    "ssh_keygen": True,
}
INSTALLED = {"prefix": "/opt/d", "current": "1.0-1", "releases": ["1.0-1"], "good": ["1.0-1"], "trial": None, "bad": {}}
STATUS = {"service": "active", "service_kind": "system", "signed_only": False, "interrupted": False, "board": FACTS}
SAID = {"page": "http://10.0.0.2:8384/", "state": {"temperature_c": 48.5, "throttled": 0x50005}, "says": "walking"}
SEEN = {"doctor": 0, "windows": 3, "label": "walking"}
MEASURED = {"profile": {"stages": {"end_to_end": {"p50_us": 1.5}}}, "evaluate": {"macro_f1": 0.75, "windows": 3}}
ANSWERED: dict[str, Any] = {
    "probe": {**FACTS, **INSTALLED},
    "status": {**INSTALLED, **STATUS, **SAID},
    "logs": {"text": "a line\nanother\n"},
    "install": {"release": "1.0-1", "manifest_build": 1, "seen": SEEN, "removed": []},
    "roll_back": {"left": "2.0-2", "release": "1.0-1"},
    "measure": {"release": "1.0-1", "board": FACTS, "results": MEASURED},
}


def _answers() -> Iterator[Target]:
    for op, answer in ANSWERED.items():
        said = json.dumps({"say": "verifying the bundle"}).encode()
        seeds = tuple(b"Welcome\n" + said + b"\n" + json.dumps(last).encode() for last in ({"result": answer}, REFUSED))
        yield Target(f"answer to {op}", partial(_hear, op), seeds, _of_lines)


REFUSED = {"refused": {"thing": "bundle", "found": "x", "expected": "y", "next_step": "z"}}


def _of_lines(rng: random.Random, content: bytes) -> bytes:
    """A change of one line of an answer."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    change: Mutator = mutators.of_json if lines[at].startswith(b"{") else mutators.of_text
    lines[at] = change(rng, lines[at])
    return b"\n".join(lines)


def _show_fleet(status: dict[str, Any]) -> None:
    """Show a board's answer beside that of another one, as text and as a page; nothing in it is obeyed."""
    from deseptr.cli.common.remote_text import show_lines
    from deseptr.report.fleet_page import fleet_page, fleet_text

    boards = [{"destination": "pi@wrist", "status": status}, {"destination": "pi@waist", "error": status["service"]}]
    show_lines(fleet_text(boards))
    page = fleet_page(boards, "2026-11-27 12:00 UTC")
    if "<script>alert" in page or "\x1b" in page:
        raise AssertionError("a browser or a terminal would obey what the board says")


def _show_measured(answer: dict[str, Any]) -> None:
    """Show a board's figures beside this machine's, as text and as a page."""
    from deseptr.cli.common.remote_text import show_lines
    from deseptr.report.measure_page import measure_page, measure_text

    result = {"model": "m.tflite", "data": "synthetic", "destination": "pi@wrist", "release": answer["release"]}
    result |= {"board_facts": answer["board"], "board": answer["results"], "workstation": MEASURED}
    show_lines(measure_text(result))
    page = measure_page(result)
    if "<script>alert" in page or "\x1b" in page:
        raise AssertionError("a browser or a terminal would obey what the board says")


def _hear(op: str, content: bytes) -> object:
    """Read an answer and print it, as commands do; nothing that a terminal obeys comes out."""
    from deseptr.cli.common.remote_text import show, show_json, show_lines
    from deseptr.cli.firmware.flash_view import show_status
    from deseptr.firmware_harness.deploy import FlashError
    from deseptr.firmware_harness.deploy.answer_check import UnfitAnswerError
    from deseptr.firmware_harness.deploy.answers import ANSWERS
    from deseptr.firmware_harness.deploy.conversation import Conversation

    shown = StringIO()
    with redirect_stdout(shown):
        conversation = Conversation(show)
        for line in content.split(b"\n"):
            conversation.hear(line)
        try:
            result = conversation.result(ANSWERS[op])
        except UnfitAnswerError as error:
            raise FlashError("board", found=error.found, expected=error.expected, next_step="see the board") from error
        if result is not None:
            show_json(result)
            if op == "status":
                show_status("pi@wrist", result)
                _show_fleet(result)
            if op == "logs":
                show_lines(result["text"])
            if op == "measure":
                _show_measured(result)
    obeyed = [each for each in shown.getvalue() if not each.isprintable() and each not in "\n\t"]
    if obeyed:
        raise AssertionError(f"a terminal would obey {obeyed[:5]}")
    return result
