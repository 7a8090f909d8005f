"""Settings that belong together for one purpose; options go before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from deseptr.contract import EventRule


@dataclass(frozen=True)
class Preset:
    """A purpose.

    Args:
        settings: values of options of ``deseptr train`` by parameter name.
        rule: of the class that is an event.
    """

    settings: Mapping[str, Any]
    rule: EventRule


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # A fall lasts a second or two; a window has the posture before and after it as well, and windows come often.
        # Its impact reaches the end of every accelerometer's range; and it is rare, beside whatever else is recorded.
        # Who has fallen lies, and stays there.
        "falls": Preset(
            MappingProxyType(
                {
                    "event": "fall",
                    "window_s": 4.0,
                    "overlap": 0.9,
                    "class_weights": "balanced",
                    "full_scale": "acc=16g,gyro=2000dps",
                }
            ),
            EventRule("fall", threshold=0.7, windows=2, refractory_s=60.0, confirm_s=10.0, posture_deg=60.0),
        ),
    }
)


def rule_of(event: str, preset: str | None) -> EventRule:
    """The rule of a class that is an event: the preset's, else the defaults."""
    return replace(PRESETS[preset].rule, label=event) if preset else EventRule(event)
