"""Scenarios of common failures as TOML files: the sensor and its bus, the faults, and the expected outcome.

The package contains a folder of them; users can write their own. The expected outcome is compared with that of a run,
so that a scenario is also a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError, parse_toml, read_text
from deseptr.contract.input_files import LARGEST_INTEGER, LARGEST_TOML
from deseptr.contract.limits import Limits

from .bus_profiles import BCM2835, BusProfile, bus_profile
from .chips.registry import CHIPS
from .faults.fault import LONGEST_S, Fault
from .faults.toml import check_keys, check_type, faults_from
from .outcome import Expected, expected_from
from .sources.spec import SourceSpec, source_spec

KEYS: dict[str, tuple[type, ...]] = {
    "description": (str,),
    "sensor": (str,),
    "bus": (str,),
    "bus_hz": (int,),
    "rate_hz": (float,),
    "duration_s": (float,),
    "patience_s": (float,),
    "seed": (int,),
    "source": (dict,),
    "faults": (list,),
    "expected": (dict,),
}
LIMITS = {
    "duration_s": Limits(0, LONGEST_S, above=True),
    "patience_s": Limits(0, LONGEST_S, above=True),
    "bus_hz": Limits(1, 10_000_000, whole=True),
    "rate_hz": Limits(0, 10_000, above=True),
    "seed": Limits(0, LARGEST_INTEGER, whole=True),
}
REQUIRED = ("description", "duration_s", "expected")


@dataclass(frozen=True)
class Scenario:
    """A sensor, its faults, and the expected outcome.

    Args:
        name: name of the file, without its suffix.
        description: one or two sentences.
        duration_s: duration in the sensor's time.
        expected: the expected outcome of a run.
        sensor: the chip.
        profile: the bus's controller.
        rate_hz: sample rate of the models for which ``expected`` is valid.
        source: the sensor's input signals.
        faults: the declared faults.
        seed: seed of the random details of the faults.
        patience_s: time without a sample after which the sensor is given up; None for the default.
    """

    name: str
    description: str
    duration_s: float
    expected: Expected
    sensor: str = "mpu6050"
    profile: BusProfile = BCM2835
    rate_hz: float = 50.0
    source: SourceSpec = field(default_factory=SourceSpec)
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    patience_s: float | None = None


def scenario_names() -> list[str]:
    """Names of the scenarios in the package.

    >>> "loose-wire" in scenario_names()
    True
    """
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def scenario_text(name: str) -> str:
    """Text of a packaged scenario's file.

    Raises:
        SetupError: if there is none of that name.

    >>> scenario_text("loose-wire").splitlines()[0].startswith("description")
    True
    """
    if name not in scenario_names():
        raise SetupError(
            f"scenario {name}",
            found="none of that name",
            expected=f"one of {', '.join(scenario_names())}, or a file FILE.toml",
            next_step="`deseptr firmware scenarios` lists them",
        )
    return str((_folder() / f"{name}.toml").read_text(encoding="utf-8"))


def load_scenario(name: str) -> Scenario:
    """A packaged scenario by its name, or the one in a file whose name ends with ``.toml``.

    Raises:
        SetupError: if there is none, or it is invalid.

    >>> load_scenario("loose-wire").duration_s > 0
    True
    """
    if not name.endswith(".toml"):
        return scenario_from(scenario_text(name), f"scenario {name}", name=name)
    path = Path(name)
    try:
        text = read_text(path, LARGEST_TOML)
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else "no text"
        raise SetupError(path, found=found, expected="a scenario in TOML", next_step="check the path") from error
    return scenario_from(text, str(path), name=path.stem, folder=path.parent)


def scenario_from(text: str, where: str, *, name: str = "", folder: Path = Path()) -> Scenario:
    """The scenario in a TOML text.

    Args:
        text: the text.
        where: the file, for messages.
        name: name of the scenario.
        folder: folder of the files that it refers to.

    Raises:
        SetupError: if it is no TOML, a key is unknown or missing, or a value is invalid.

    >>> scenario_from(scenario_text("loose-wire"), "loose-wire.toml").sensor
    'mpu6050'
    """
    try:
        table = parse_toml(text)
    except ValueError as error:
        raise SetupError(where, found=str(error), expected="TOML", next_step="correct it") from None
    check_keys(table, KEYS, where, "a scenario")
    values = {key: check_type(value, KEYS[key], where, key) for key, value in table.items()}
    for key in REQUIRED:
        if key not in values:
            raise SetupError(where, found=f"no {key}", expected="one", next_step=f"write {key} = …")
    _check(values, where)
    return Scenario(
        name=name,
        description=" ".join(values["description"].split()),
        duration_s=values["duration_s"],
        expected=expected_from(values["expected"], where),
        sensor=values.get("sensor", "mpu6050"),
        profile=_profile(values, where),
        rate_hz=values.get("rate_hz", 50.0),
        source=source_spec(values.get("source", {}), where, folder),
        faults=tuple(faults_from([check_type(e, (dict,), where, "faults") for e in values.get("faults", [])], where)),
        seed=values.get("seed", 0),
        patience_s=values.get("patience_s"),
    )


def _check(values: Mapping[str, Any], where: str) -> None:
    sensor = values.get("sensor", "mpu6050")
    if sensor not in CHIPS:
        raise SetupError(
            f"{where}, sensor", found=sensor, expected=f"one of {', '.join(CHIPS)}", next_step="choose one of these"
        )
    for key, limits in LIMITS.items():
        if key in values and not limits.allow(values[key]):
            raise SetupError(f"{where}, {key}", found=values[key], expected=limits, next_step=f"change {key}")


def _profile(values: Mapping[str, Any], where: str) -> BusProfile:
    try:
        profile = bus_profile(values.get("bus", BCM2835.name))
    except SetupError as error:
        raise SetupError(
            f"{where}, bus", found=error.found, expected=error.expected, next_step=error.next_step
        ) from None
    return profile.at(values["bus_hz"]) if "bus_hz" in values else profile


def _folder() -> Any:
    return files("deseptr.firmware_harness.simulator") / "scenarios"
