"""The commands of a verification, in the machine and on the host: the same commands, on the same files."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.data import Dataset, save_npz, synthetic_dataset, synthetic_stretch
from deseptr.firmware_harness.simulator.front.cuse import CUSE_BUS
from deseptr.tflite import read_tflite

from .verify_machine import PREFIX, SECOND, STILL_BUS, WORN_BUS, Payload, second_environment

WINDOWS = 200
SEED = 20
EVALUATED_S = 15.0
# Longer than the machine runs by its own clock, which does not depend on the host's speed.
WORN_S = 600.0
# Two activities that the model distinguishes.
WORN = ("walking", "sitting")
# Also measured through CUSE, from its beginning on once the bus is opened.
CUSE_WORN = "walking"
RUN_S = 20.0
# By the machine's own clock.
STEP_TIMEOUT_S = 900.0
NEWER, OLDER = "litert", "tflite"
_RELEASE = f"{PREFIX}/current"
_MODEL = f"{_RELEASE}/model.tflite"
_OLDER_PYTHON = [f"{SECOND}/bin/python", "-I"]
_VERSIONS = (
    "import importlib.metadata as m, json, platform;"
    "n = ('deseptr', 'numpy', 'ai-edge-litert', 'tflite-runtime');"
    "f = {d.metadata['Name']: d.version for d in m.distributions()};"
    "print(json.dumps({'python': platform.python_version(), 'machine': platform.machine()}"
    " | {k: f[k] for k in n if k in f}))"
)


@dataclass(frozen=True, slots=True)
class VerifyInputs:
    """Files of the job.

    Args:
        model: the ``.tflite`` file.
        worn: one long recording of each activity in ``WORN``, for a simulated sensor.
        labelled: short labelled recordings, for the evaluation.
    """

    model: Path
    worn: dict[str, Path]
    labelled: Path

    @property
    def recordings(self) -> list[Path]:
        """All files besides the model."""
        return [*self.worn.values(), self.labelled]


def make_inputs(model: Path, folder: Path) -> VerifyInputs:
    """Write seeded recordings at the model's rate into ``folder``."""
    rate_hz = read_tflite(model).contract.rate_hz
    short = synthetic_dataset(subjects=2, seconds=EVALUATED_S, rate_hz=rate_hz)
    inputs = VerifyInputs(model, {name: folder / f"{name}.npz" for name in WORN}, folder / "labelled.npz")
    for name, path in inputs.worn.items():
        number = next(n for n in itertools.count() if _activity(n, short.label_names) == name)
        stretch = synthetic_stretch(1, number, rate_hz=rate_hz, seconds=WORN_S)
        save_npz(Dataset((stretch,), short.label_names, name=name), path)
    save_npz(short, inputs.labelled)
    return inputs


def _activity(number: int, names: Sequence[str]) -> str:
    return names[int(synthetic_stretch(1, number, seconds=1.0).labels[0])]


def doctor_command(deseptr: Sequence[str], *options: str) -> list[str]:
    """``deseptr device doctor`` on a sensor at rest."""
    return [*deseptr, "device", "doctor", *options, "--json"]


def run_command(deseptr: Sequence[str], model: str, *options: str) -> list[str]:
    """``deseptr device run`` for ``RUN_S`` seconds."""
    return [*deseptr, "device", "run", "--model", model, *options, "--seconds", f"{RUN_S:g}", "--json"]


def evaluate_command(deseptr: Sequence[str], model: str, data: str, engine: str) -> list[str]:
    """``deseptr device evaluate`` on all recordings in ``data``."""
    return [*deseptr, "device", "evaluate", model, data, "--subjects", "1,2", "--engine", engine, "--json"]


def logits_command(python: Sequence[str], model: str, engine: str) -> list[str]:
    """Logits of seeded windows on an engine's reference kernels."""
    return [*python, "-m", "deseptr.firmware_harness.emulator.logits", model, engine, str(WINDOWS), str(SEED)]


def host_commands(inputs: VerifyInputs) -> dict[str, list[str]]:
    """Commands on this host by name, for comparison; the sensor is simulated in the command's own process."""
    python = [sys.executable]
    deseptr, model = [*python, "-m", "deseptr.cli"], str(inputs.model)
    return {
        "doctor": doctor_command(deseptr, "--model", model, "--simulate"),
        **{f"run-{name}": run_command(deseptr, model, "--simulate", str(path)) for name, path in inputs.worn.items()},
        "evaluate": evaluate_command(deseptr, model, str(inputs.labelled), "auto"),
        "logits": logits_command(python, model, "auto"),
    }


def job_of(payload: Payload, inputs: VerifyInputs) -> dict[str, Any]:
    """The job, for :mod:`.verify_guest`."""
    install = ["/usr/bin/python3", "/job/target.pyz", "install", f"/job/{payload.bundle.name}", PREFIX]
    steps = {
        "install": install,
        "hang": ["hang"],
        "stop": ["systemctl", "stop", "deseptr.service"],
        **_with_newer(inputs),
        **(_with_older(inputs) if payload.has_older else {}),
    }
    simulate = [*_OLDER_PYTHON, "-m", "deseptr.cli", "firmware", "simulate", "--front"]
    sources = {"still": "still", **{name: f"/job/{path.name}" for name, path in inputs.worn.items()}}
    return {
        "prepare": second_environment(payload),
        "adapters": {name: [*simulate, "usbip", "--source", source] for name, source in sources.items()},
        "devices": {f"/dev/i2c-{CUSE_BUS}": [*simulate, "cuse", "--source", sources[CUSE_WORN]]},
        "steps": [{"name": name, "command": command} for name, command in steps.items()],
        "timeout": STEP_TIMEOUT_S,
    }


def _with_newer(inputs: VerifyInputs) -> dict[str, list[str]]:
    python, deseptr = [f"{_RELEASE}/venv/bin/python", "-I"], [f"{_RELEASE}/bin/deseptr"]
    return {
        f"versions-{NEWER}": [*python, "-c", _VERSIONS],
        "doctor": doctor_command(deseptr, "--model", _MODEL, "--bus", str(STILL_BUS)),
        **{
            f"run-{name}": run_command(deseptr, _MODEL, "--bus", str(bus))
            for bus, name in enumerate(inputs.worn, WORN_BUS)
        },
        f"cuse-{CUSE_WORN}": run_command(deseptr, _MODEL, "--bus", str(CUSE_BUS)),
        f"evaluate-{NEWER}": evaluate_command(deseptr, _MODEL, f"/job/{inputs.labelled.name}", NEWER),
        f"logits-{NEWER}": logits_command(python, _MODEL, NEWER),
    }


def _with_older(inputs: VerifyInputs) -> dict[str, list[str]]:
    deseptr = [*_OLDER_PYTHON, "-m", "deseptr.cli"]
    return {
        f"versions-{OLDER}": [*_OLDER_PYTHON, "-c", _VERSIONS],
        f"evaluate-{OLDER}": evaluate_command(deseptr, _MODEL, f"/job/{inputs.labelled.name}", OLDER),
        f"logits-{OLDER}": logits_command(_OLDER_PYTHON, _MODEL, OLDER),
    }
