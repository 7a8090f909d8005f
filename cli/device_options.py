"""Option types that the commands of ``deseptr device`` share."""

from __future__ import annotations

from pathlib import Path

import click

ENGINES = click.Choice(["auto", "litert", "tflite", "edgetpu"])
MODEL = click.Path(path_type=Path)
