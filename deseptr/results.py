"""Results that the command line prints as JSON: frozen, the JSON's keys as attributes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract.counts import counted


@dataclass(frozen=True, repr=False, eq=False)
class Figures:
    """Figures under the keys that ``--json`` prints, each as an attribute.

    Args:
        content: plain JSON values.
    """

    content: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "content":
            raise AttributeError(name)
        try:
            return self.content[name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no {name!r}; it has {', '.join(sorted(self.content))}"
            ) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.content})

    def to_dict(self) -> dict[str, Any]:
        """A copy of all of it, as plain JSON values."""
        return copy.deepcopy(dict(self.content))


class CrossValidation(Figures):
    """The content of ``crossval.json``, of all finished folds."""

    @property
    def path(self) -> Path:
        """The folder with the folds."""
        return Path(self.content["path"])

    @property
    def macro_f1(self) -> float:
        """Mean of the folds' macro-F1, of int8 where it was measured and of float otherwise."""
        kind = "int8" if "int8" in self.content else "float"
        return float(self.content[kind]["mean"]["macro_f1"])

    def to_dict(self) -> dict[str, Any]:
        """A copy of ``crossval.json``."""
        return {name: value for name, value in super().to_dict().items() if name != "path"}

    def __repr__(self) -> str:
        kind = "int8" if "int8" in self.content else "float"
        spread = self.content[kind]["std"]["macro_f1"]
        return (
            f"CrossValidation({str(self.path)!r}, {self.content['model']}, "
            f"{counted(len(self.content['folds']), 'fold')}, "
            f"{kind} macro_f1 {self.macro_f1:.4f} ± {spread:.4f})"
        )


class ContinuousScores(Figures):
    """The content of ``deseptr evaluate --continuous --json``: labels on whole recordings."""

    def __repr__(self) -> str:
        delay = self.content["delay_s"]
        shown = {"p50": delay["p50"]["value"], "p90": delay["p90"]["value"]}
        words = ", ".join(f"delay {name} {'unknown' if s is None else f'{s:.2f} s'}" for name, s in shown.items())
        return (
            f"ContinuousScores(frame_f1={self.content['frame_f1']['value']:.4f}, {words}, "
            f"{self.content['spurious_changes_per_hour']['value']:.0f} spurious changes an hour, "
            f"{self.content['hours']:.2f} h)"
        )


class Comparison(Figures):
    """The content of ``deseptr compare --json``: each model's latency, ratio to the first, size and scores."""

    def __repr__(self) -> str:
        models = ", ".join(
            f"{model['name']} {model['latency']['median_us']:.0f} µs" + _score(model["scores"])
            for model in self.content["models"]
        )
        return f"Comparison({models}; median on this machine)"


def _score(scores: Mapping[str, Any] | None) -> str:
    return "" if scores is None else f" macro_f1 {scores['macro_f1']:.4f}"
