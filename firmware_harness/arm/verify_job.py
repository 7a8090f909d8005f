"""What is done in the machine that verifies, and on the host for comparison: the same commands, on the same files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import read_tflite
from deseptr.data import Dataset, save_npz, synthetic_dataset

from .verify_machine import OLDER, PREFIX, STILL_BUS, WORN_BUS, Payload, second_environment

WINDOWS = 200
SEED = 20
EVALUATED_S = 15.0
# Longer than the machine runs by its own clock.
WORN_S = 1800.0
RUN_S = 20.0
STEP_TIMEOUT_S = 900.0
_MODULE = ["-m", "deseptr.cli"]
_VERSIONS = (
    "import importlib.metadata as m, json, platform;"
    "n = ('deseptr', 'numpy', 'ai-edge-litert', 'tflite-runtime');"
    "f = {d.metadata['Name']: d.version for d in m.distributions()};"
    "print(json.dumps({'python': platform.python_version(), 'machine': platform.machine()}"
    " | {k: f[k] for k in n if k in f}))"
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files of the job.

    Args:
        model: the ``.tflite``.
        worn: one long recording, felt by a simulated sensor.
        labelled: some short ones, to be evaluated.
    """

    model: Path
    worn: Path
    labelled: Path


def make_inputs(model: Path, folder: Path) -> Inputs:
    """Write seeded recordings at the model's rate into ``folder``."""
    rate_hz = read_tflite(model).contract.rate_hz
    short = synthetic_dataset(subjects=2, seconds=EVALUATED_S, rate_hz=rate_hz)
    long = synthetic_dataset(subjects=1, seconds=WORN_S, rate_hz=rate_hz)
    walking = next(r for r in long.recordings if long.label_names[r.labels[0]] == "walking")
    inputs = Inputs(model, folder / "worn.npz", folder / "labelled.npz")
    save_npz(Dataset((walking,), long.label_names, name="worn"), inputs.worn)
    save_npz(short, inputs.labelled)
    return inputs


def evaluate_command(python: str, model: str, data: str, engine: str) -> list[str]:
    """``deseptr device evaluate`` of all that is in ``data``."""
    return [python, "-I", *_MODULE, "device", "evaluate", model, data, "--subjects", "1,2", "--engine", engine, "--json"]


def logits_command(python: str, model: str, engine: str) -> list[str]:
    """Logits of seeded windows on an engine's reference kernels."""
    module = ["-m", "deseptr.firmware_harness.arm.logits"]
    return [python, "-I", *module, model, engine, str(WINDOWS), str(SEED)]


def job_of(payload: Payload, inputs: Inputs) -> dict[str, Any]:
    """The job, for :mod:`.verify_guest`."""
    steps = [
        ("install", ["/usr/bin/python3", "/job/target.pyz", "install", f"/job/{payload.bundle.name}", PREFIX]),
        ("hang", ["hang"]),
        ("stop", ["systemctl", "stop", "deseptr.service"]),
        *_with_newer(inputs),
        *(_with_older(inputs) if payload.has_older else ()),
    ]
    simulate = [f"{OLDER}/bin/python", "-I", *_MODULE, "firmware", "simulate", "--front", "usbip", "--source"]
    return {
        "prepare": second_environment(payload),
        "adapters": {"still": [*simulate, "still"], "worn": [*simulate, f"/job/{inputs.worn.name}"]},
        "steps": [{"name": name, "command": command} for name, command in steps],
        "timeout": STEP_TIMEOUT_S,
    }


def _with_newer(inputs: Inputs) -> list[tuple[str, list[str]]]:
    release = f"{PREFIX}/current"
    python, model = f"{release}/venv/bin/python", f"{release}/model.tflite"
    deseptr = [f"{release}/bin/deseptr", "device"]
    seconds = f"{RUN_S:g}"
    return [
        ("versions-litert", [python, "-I", "-c", _VERSIONS]),
        ("doctor", [*deseptr, "doctor", "--model", model, "--bus", str(STILL_BUS), "--json"]),
        ("run", [*deseptr, "run", "--model", model, "--bus", str(WORN_BUS), "--seconds", seconds, "--json"]),
        ("evaluate-litert", evaluate_command(python, model, f"/job/{inputs.labelled.name}", "litert")),
        ("logits-litert", logits_command(python, model, "litert")),
    ]


def _with_older(inputs: Inputs) -> list[tuple[str, list[str]]]:
    python, model = f"{OLDER}/bin/python", f"{PREFIX}/current/model.tflite"
    return [
        ("versions-tflite", [python, "-I", "-c", _VERSIONS]),
        ("evaluate-tflite", evaluate_command(python, model, f"/job/{inputs.labelled.name}", "tflite")),
        ("logits-tflite", logits_command(python, model, "tflite")),
    ]
