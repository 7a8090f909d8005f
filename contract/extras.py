"""Which extra of the package brings what is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import SetupError

_EXTRAS = {"ray": "cluster", "paho": "mqtt", "onnxruntime": "onnx", "tf2onnx": "onnx", "tflite_micro": "micro"}
_TRAIN = "train"


def extra_of(error: ModuleNotFoundError) -> tuple[str, str] | None:
    """The missing package and the extra that has it; None if the missing module is one of ours, which is a bug."""
    package = (error.name or "").partition(".")[0]
    return None if package in ("", "deseptr") else (package, _EXTRAS.get(package, _TRAIN))


@contextmanager
def needing_extra(verb: str) -> Iterator[None]:
    """Turn a missing package into one line.

    Args:
        verb: what needs it, as ``deseptr.fit``.

    Raises:
        SetupError: naming the extra to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        found = extra_of(error)
        if found is None:
            raise
        package, extra = found
        raise SetupError(
            verb,
            found=f"no package {package}",
            expected=f"the extra `{extra}`",
            next_step=f"`pip install 'deseptr[{extra}]'`",
        ) from error
