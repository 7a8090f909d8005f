"""Which extra of the package installs a missing dependency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from .errors import DeseptrError, SetupError

_EXTRAS = {
    "ray": "cluster",
    "paho": "mqtt",
    "gpiod": "gpio",
    "onnxruntime": "onnx",
    "tf2onnx": "onnx",
    "tflite_micro": "micro",
    "cbor2": "cbor",
    "starlette": "web",
    "uvicorn": "web",
    "websockets": "web",
    "segno": "web",
    "threadpoolctl": "web",
}
_TRAIN = "train"
_TRAINING = ("keras", "tensorflow", "jax", "jaxlib", "sklearn", "scipy", "h5py", "ml_dtypes")


def extra_of(error: ModuleNotFoundError) -> tuple[str, str] | None:
    """The missing package and the extra that installs it; None if the module is one of this package's, a bug."""
    package = (error.name or "").partition(".")[0]
    return None if package in ("", "deseptr") else (package, _EXTRAS.get(package, _TRAIN))


def failing_package(error: BaseException) -> str | None:
    """The package of another project that raised an error while it was imported; None if that is not its origin.

    A clash, as of a package with another numpy, shows as ImportError, AttributeError, RuntimeError or SystemError.
    """
    for frame, _ in walk_tb(error.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and package not in ("deseptr", "__main__"):
            return package
    return None


def broken_package(package: str, error: BaseException) -> SetupError:
    """The error for a package that fails when it is imported."""
    return SetupError(
        package,
        found=f"{type(error).__name__} when it was imported ({error})",
        expected="a package that works with the others here, above all with numpy",
        next_step=repair_of(package),
    )


def repair_of(package: str) -> str:
    """What installs a package that fails when it is imported, with versions that fit each other."""
    extra = _EXTRAS.get(package, _TRAIN if package in _TRAINING else "")
    return f"`pip install --force-reinstall 'deseptr{f'[{extra}]' if extra else ''}'`"


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
    except DeseptrError:
        raise
    except Exception as error:
        broken = failing_package(error)
        if broken is None:
            raise
        raise broken_package(broken, error) from error
