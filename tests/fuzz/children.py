"""Targets of what another program answers on a pipe or console: the converter's, an emulated machine's, a command's."""

from __future__ import annotations

import io
import json
import pickle
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mutators
import numpy as np
from target import Target

from deseptr.firmware_harness.deploy.target.refusal import RefusedError


def children() -> Iterator[Target]:
    """All of them."""
    yield from _consoles()
    yield from _converter()
    yield from _figures()


def of_marked_lines(rng: random.Random, content: bytes) -> bytes:
    """A change of one line of a console: of the JSON behind its mark, or of the line."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    mark, brace, message = lines[at].partition(b"{")
    if brace and rng.random() < 0.8:
        lines[at] = mark + mutators.of_json(rng, brace + message)
    else:
        lines[at] = mutators.of_text(rng, lines[at])
    return b"\n".join(lines)


def _console(mark: str, *facts: dict[str, Any]) -> bytes:
    kernel = "[    1.0] Booting Linux\n"
    return (kernel + "".join(f"{mark}{json.dumps(each)}\n" for each in facts)).encode()


def _finished(content: bytes) -> Any:
    from deseptr.firmware_harness.emulator.process import Finished

    return Finished(0, content.decode(errors="replace"), "", timed_out=False)


def _consoles() -> Iterator[Target]:
    from deseptr.firmware_harness.emulator import guest, kernel_check

    counted = _console(
        guest.MARK,
        {"software": {"python": "3.11", "numpy": "2.0"}},
        {"clock": {"counted": 1000, "executed": 1000}},
        {"loading": 0},
        {"counting": 0},
        {"model": 0, "instructions": [1000, 1010, 990]},
        {"done": True},
    )
    failed = _console(guest.MARK, {"loading": 0}, {"error": "ValueError: an operation"})
    yield Target("console of arm-cost", _count, (counted, failed), of_marked_lines)
    yield Target("console of verify-arm", _verify, (_sound(),), of_marked_lines)
    si = [0.5, -0.25, 9.8, 0.1, 0.2, 0.3]
    facts = [
        {"front": front, "sensor": "mpu6050", "si": si, "samples": 102, "gaps": 0, "absent": 6}
        for front in ("usbip", "kernel")
    ]
    readings = _console(kernel_check.MARK, *facts, {"done": True})
    yield Target("console of the kernel's drivers", _compare_drivers, (readings,), of_marked_lines)


def _count(content: bytes) -> object:
    from deseptr.firmware_harness.emulator.cost import ArmCost, ArmCosts, read_console

    models = [Path("m.tflite")]
    console = read_console(_finished(content), models, "qemu", 60.0)
    costs = [ArmCost(str(model), "cpu", (tuple(console.counts[at]),) * 2) for at, model in enumerate(models)]
    return json.dumps(ArmCosts(console.software, tuple(costs)).to_dict(), allow_nan=False)


def _verified() -> Iterator[dict[str, Any]]:
    confusion = [[9, 1], [0, 10]]
    scores = {"windows": 20, "confusion": confusion, "gaps": 0}
    found = [{"check": "engine", "level": "ok", "found": "litert"}]
    service = {"ActiveState": "active", "Type": "notify", "MainPID": "7", "NRestarts": "0", "WatchdogUSec": "30s"}
    yield {"linux": "6.1.0", "python": "3.11"}
    yield {"adapter": "still", "number": 0}
    yield {"adapter": "walking", "number": 1}
    for name, out in {
        "prepare-0": "",
        "install": "",
        "versions-litert": json.dumps(
            {"ai-edge-litert": "2", "machine": "aarch64", "deseptr": "1", "python": "3.11", "numpy": "2"}
        ),
        "doctor": json.dumps({"findings": found}),
        "run-walking": '{"label": "walking"}\n' * 3,
        "cuse-walking": '{"label": "walking"}\n' * 3,
        "evaluate-litert": json.dumps({**scores, "bus": scores}),
        "logits-litert": json.dumps({"engine": "e", "shape": [1, 2], "bytes": np.zeros(2, "<f4").tobytes().hex()}),
    }.items():
        yield {"step": name, "code": 0, "out": out, "err": ""}
    after = service | {"MainPID": "9", "NRestarts": "1"}
    yield {"step": "hang", "before": service, "after": after, "hung": 7, "journal": ["Watchdog timeout (limit 30s)!"]}
    yield {"done": True}


def _sound() -> bytes:
    from deseptr.firmware_harness.emulator.verify_guest import MARK

    return _console(MARK, *_verified())


def _verify(content: bytes) -> object:
    from deseptr.firmware_harness.emulator.verify_checks import FAIL, check_report
    from deseptr.firmware_harness.emulator.verify_console import parse_report

    steps = {facts["step"]: facts for facts in _verified() if "out" in facts}
    host = {name: steps[f"{name}{of}"] for name, of in HOST.items()}
    checks = list(check_report(parse_report(_finished(content)), host, has_older=False))
    # Only what was changed may differ: a machine that is as this host passes.
    if content == _sound():
        assert not any(check.level == FAIL for check in checks), checks
    return json.dumps([check.to_dict() for check in checks], allow_nan=False)


HOST = {"doctor": "", "run-walking": "", "evaluate": "-litert", "logits": "-litert"}


def _compare_drivers(content: bytes) -> object:
    from deseptr.firmware_harness.emulator.kernel_check import parse_readings
    from deseptr.firmware_harness.emulator.verify_checks import check_readings

    readings = parse_readings(_finished(content))
    return [check.to_dict() for check in check_readings(readings, [0.5, -0.25, 9.8, 0.1, 0.2, 0.3])]


def _converter() -> Iterator[Target]:
    from deseptr.contract import ConversionError
    from deseptr.convert.worker import DONE, ERROR, STEP, write

    error = ConversionError("m", found="x", expected="y", next_step="z")
    seeds = []
    for kind, value in ((DONE, {"content": b"TFL3" * 30}), (ERROR, (error, "Traceback"))):
        said = io.BytesIO()
        write(said, STEP + b"quantising to int8")
        write(said, pickle.dumps((kind, value)))
        seeds.append(said.getvalue())
    yield Target("answer of the converter's process", _ask_converter, tuple(seeds), _of_stream)


def _of_stream(rng: random.Random, content: bytes) -> bytes:
    """An answer that ends somewhere, as of a process that is killed, or one that something else wrote into."""
    return content[: rng.randrange(len(content))] if rng.random() < 0.5 else mutators.of_bytes(rng, content)


def _ask_converter(content: bytes) -> object:
    """A job whose process answers this, and ends."""
    from deseptr.contract import ConversionError
    from deseptr.convert.isolated import WorkerDiedError, _Worker

    class Answering(_Worker):
        def _start(self) -> subprocess.Popen[bytes]:
            self._process = subprocess.Popen(
                ["cat", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            return self._process

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "answer")
        Path(path).write_bytes(content)
        worker = Answering()
        try:
            return worker.call("builtins:print", (), ())
        except WorkerDiedError as error:
            raise ConversionError("m", found=error.reason, expected="an answer", next_step="convert again") from error
        finally:
            worker.close()


def _figures() -> Iterator[Target]:
    from deseptr.device.profile.cold_start import FIGURES, read_figures

    cold = json.dumps(dict.fromkeys(FIGURES, 12.5)).encode()
    yield Target("printed by a cold start", lambda each: _told(read_figures, each), (cold,), mutators.of_json)
    figures = json.dumps({"stages": {"end_to_end": {"p50_us": 1.5}}, "macro_f1": 0.75}).encode()
    yield Target("printed by a command on the board", _run_on_board, (figures,), mutators.of_json, (RefusedError,))
    finding = {"check": "i2c-bus", "level": "fail", "found": "no /dev/i2c-1"}
    said = [
        f"{code}\n{json.dumps({'findings': [finding]})}\n" + '{"label": "walking"}\n{"gap": {}}\n{"label": "sitting"}'
        for code in (0, 2)
    ]
    seeds = tuple(each.encode() for each in said)
    yield Target("printed in a trial", _try_release, seeds, of_marked_lines, (RefusedError,))


def _told(read: Callable[[str], object], content: bytes) -> object:
    """What a caller makes of the text that a reader refuses by a ValueError."""
    from deseptr.contract import SetupError

    try:
        return json.dumps(read(content.decode(errors="replace")), allow_nan=False)
    except ValueError as error:
        raise SetupError("a process", found="another answer", expected="figures", next_step="run it again") from error


def _run_on_board(content: bytes) -> object:
    from deseptr.firmware_harness.deploy.target.measuring import _run

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "printed"
        path.write_bytes(content)
        return _run(["cat", str(path)], Path(folder))


def _try_release(content: bytes) -> object:
    """A trial of a release whose doctor and run print this; the workstation takes what the board says of it."""
    from deseptr.firmware_harness.deploy.answer_check import check
    from deseptr.firmware_harness.deploy.answers import Seen
    from deseptr.firmware_harness.deploy.target.health import check_release
    from deseptr.firmware_harness.deploy.target.manifest import BoardTarget, Manifest

    code, _, rest = content.partition(b"\n")
    doctor, _, run = rest.partition(b"\n")
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder)
        (release / "bin").mkdir()
        for name, printed, ends in (("bin/deseptr", doctor, 2 if code == b"2" else 0), ("run", run, 0)):
            (release / f"{name}.said").write_bytes(printed)
            (release / name).write_text(f'#!/bin/sh\ncat "$0.said"\nexit {ends}\n')
            (release / name).chmod(0o755)
        manifest = Manifest(1, BoardTarget("aarch64", "3.11", "2.36"), version="1.0")
        seen = check_release(release, manifest, lambda line: None)
    check(seen, Seen, "seen")
    return seen
