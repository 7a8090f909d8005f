"""Which extra of the package installs a missing dependency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import SetupError

_EXTRAS = {"ray": "cluster", "paho": "mqtt", "onnxruntime": "onnx", "tf2onnx": "onnx", "tflite_micro": "micro"}
_TRAIN = "train"


def extra_of(error: ModuleNotFoundError) -> tuple[str, str] | None:
    """The missing package and the extra that installs it; None if the module is one of this package's, a bug."""
    package = (error.name or "").partition(".")[0]
    return None if package in ("", "deseptr") else (package, _EXTRAS.get(package, _TRAIN))


@contextmanager
def needing_extra(verb: str) -> Iterator[None]:
    """Turn a missing package into a message of one line.

    Args:
        verb: the function that needs it, as ``deseptr.fit``.

    Raises:
        SetupError: names the extra to install.
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
