"""The TFLite runtimes that may be installed, the choice between them, and errors if none can be used."""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from deseptr.contract import SetupError
from deseptr.contract.limits import ENGINE_THREADS

# Kernel sets and their op resolvers.
KERNELS = {
    "default": "AUTO",  # XNNPACK's kernels where available
    "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",  # the runtime's own, whose tensors can all be read
    "reference": "BUILTIN_REF",  # slow, not for every operation, and the same bits on every machine
}


def check_threads(threads: object) -> None:
    """Refuse a number of threads that would exhaust the machine.

    Raises:
        SetupError: if it is no whole number, or beyond what the command line allows.
    """
    if not ENGINE_THREADS.allow(threads):
        raise SetupError(
            "threads", found=threads, expected=f"a whole number, {ENGINE_THREADS}", next_step="choose such a number"
        )


@dataclass(frozen=True, slots=True)
class TfliteRuntime:
    """A TFLite runtime that may be installed.

    Args:
        kind: name for ``--engine``.
        package: distribution name.
        module: module with the ``Interpreter``.
        numpy_below: first numpy major version that it does not work with.
    """

    kind: str
    package: str
    module: str
    numpy_below: int | None = None

    def installed(self) -> bool:
        """Whether it is installed, without importing it."""
        return importlib.util.find_spec(self.module.partition(".")[0]) is not None

    def interpreter(self, kernels: str = "default", delegate: Any = None) -> Callable[..., Any]:
        """The runtime's ``Interpreter`` class, with options.

        Args:
            kernels: one of :data:`KERNELS`.
            delegate: result of :meth:`delegate_loader`'s function; runs the operations that it supports.

        Raises:
            SetupError: if it is missing, broken, or incompatible with the installed numpy.
        """
        module = self._import()
        delegates = {} if delegate is None else {"experimental_delegates": [delegate]}
        try:
            interpreter: Callable[..., Any] = module.Interpreter
            resolver = module.OpResolverType[KERNELS[kernels]]
        except (AttributeError, KeyError) as error:
            raise broken_runtime(self.package, error) from error
        return partial(interpreter, experimental_op_resolver_type=resolver, **delegates)

    def delegate_loader(self) -> Callable[[str], Any]:
        """The runtime's function that loads a delegate from a library.

        Raises:
            SetupError: if it has none, is missing, broken, or incompatible with the installed numpy.
        """
        load: Callable[[str], Any] | None = getattr(self._import(), "load_delegate", None)
        if load is None:
            raise SetupError(
                self.version(),
                found="no function load_delegate",
                expected="a TFLite runtime that can load an Edge TPU's library",
                next_step="`pip install --upgrade ai-edge-litert`, or use --engine auto with a model not compiled",
            )
        return load

    def _import(self) -> Any:
        self._check_numpy()
        try:
            # A module built against another numpy prints a page of advice before it fails.
            with redirect_stderr(io.StringIO()) as held:
                module = importlib.import_module(self.module)
        except (Exception, SystemExit) as error:  # numpy clashes: AttributeError, RuntimeError, SystemError
            raise broken_runtime(self.package, error) from error
        with suppress(OSError):
            print(held.getvalue(), end="", file=sys.stderr)
        return module

    def version(self) -> str:
        """Package name and version."""
        # Takes a third as long as importing numpy, and is needed only for a loaded model.
        import importlib.metadata

        try:
            return f"{self.package} {importlib.metadata.version(self.package)}"
        except importlib.metadata.PackageNotFoundError as error:
            raise SetupError(
                self.package,
                found=f"a module {self.module} of no package",
                expected=f"the package {self.package}",
                next_step=f"`pip install --force-reinstall {self.package}`",
            ) from error

    def _check_numpy(self) -> None:
        # tflite-runtime 2.14 imports under numpy 2 and then fails with SystemError when its Interpreter is created.
        if self.numpy_below is not None and int(np.__version__.partition(".")[0]) >= self.numpy_below:
            raise SetupError(
                self.package,
                found=f"numpy {np.__version__}",
                expected=f"numpy below {self.numpy_below}",
                next_step=f"`pip install 'numpy<{self.numpy_below}'`, or use ai-edge-litert if it has a wheel",
            )


def broken_runtime(package: str, error: BaseException) -> SetupError:
    """The error for a runtime that is installed and does not work."""
    return SetupError(
        package,
        found=f"{type(error).__name__} when it was loaded ({error})",
        expected="a TFLite runtime that works with the installed numpy",
        next_step=f"`pip install --force-reinstall {package}`, which also installs a numpy that it works with",
    )


RUNTIMES = (
    TfliteRuntime("litert", "ai-edge-litert", "ai_edge_litert.interpreter"),
    TfliteRuntime("tflite", "tflite-runtime", "tflite_runtime.interpreter", numpy_below=2),
)


def choose_runtime(kind: str) -> TfliteRuntime:
    """The first installed runtime of a kind that works (``auto`` for any kind).

    Raises:
        SetupError: if the kind is unknown, no such runtime is installed, or none that is installed works.
    """
    wanted = [runtime for runtime in RUNTIMES if kind in ("auto", runtime.kind)]
    if not wanted:
        kinds = ", ".join(["auto", *(runtime.kind for runtime in RUNTIMES), "edgetpu"])
        raise SetupError("--engine", found=kind, expected=f"one of {kinds}", next_step="choose one of these")
    broken: SetupError | None = None
    for runtime in wanted:
        if not runtime.installed():
            continue
        try:
            runtime.interpreter()
        except SetupError as error:
            broken = broken or error
        else:
            return runtime
    if broken is not None:
        raise broken
    names = " or ".join(runtime.package for runtime in wanted)
    raise SetupError(
        "TFLite runtime", found="none installed", expected=names, next_step=f"`pip install {wanted[0].package}`"
    )
