"""Python code on the JAX backend, in a process of its own: Keras chooses its backend when it is imported."""

import os
import subprocess
import sys
from pathlib import Path


def on_jax(code: str, folder: Path, *arguments: str) -> str:
    """Run Python code, or a module with arguments, on JAX; its stdout."""
    command = [sys.executable, *(["-m", code, *arguments] if arguments else ["-c", code])]
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout
