"""``deseptr firmware bundle``: pack everything a board needs into one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.messages import announce
from deseptr.cli.device.options import MODEL
from deseptr.contract.counts import counted

from .bundle_options import bundle_options, bundle_request

# Machine, Python and glibc by name.
TARGETS = {
    "trixie": ("aarch64", "3.13", "2.41"),
    "bookworm": ("aarch64", "3.11", "2.36"),
    "bookworm-32": ("armv7l", "3.11", "2.36"),
    "trixie-32": ("armv7l", "3.13", "2.41"),
}


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle to write.")
@click.option("--model", type=MODEL, required=True, envvar="DESEPTR_MODEL", show_envvar=True, help="A .tflite file.")
@click.option(
    "--target",
    "name",
    default="trixie",
    show_default=True,
    metavar="|".join([*TARGETS, "MACHINE,PYTHON,GLIBC"]),
    help="Raspberry Pi OS, or another system as aarch64,3.12,2.39.",
)
@bundle_options
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON on stdout.")
def bundle(output: Path, name: str, as_json: bool, **options: Any) -> None:
    """Pack a model, deseptr and all dependencies into one file; the board need not be connected.

    \b
    Examples:
      deseptr firmware bundle --model mine.tflite --target bookworm -o mine.bundle
      deseptr firmware bundle --model mine.tflite -o mine.bundle \\
          --sign ~/.ssh/id_ed25519 -- --threshold 0.6
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.firmware_harness.deploy import make_bundle
    from deseptr.firmware_harness.deploy.wheelhouse import check_target

    target = parse_target(name)
    for note in check_target(target):
        click.echo(note, err=True)
    manifest = make_bundle(output, bundle_request(options, target), announce)
    if as_json:
        click.echo(manifest.to_bytes().decode(), nl=False)
    else:
        size = output.stat().st_size / 1e6
        click.echo(f"{output}: {manifest.release} for {target}, {counted(len(manifest.files), 'file')}, {size:.1f} MB")


def parse_target(name: str) -> Any:
    """Parse a target, given as a name or as machine, Python and glibc."""
    from deseptr.contract import SetupError
    from deseptr.firmware_harness.deploy.target.manifest import BoardTarget

    parts = TARGETS.get(name) or tuple(name.split(","))
    numbers = [part.split(".") for part in parts[1:]]
    if len(parts) != 3 or not all(len(pair) == 2 and all(map(str.isdecimal, pair)) for pair in numbers):
        known = ", ".join(TARGETS)
        raise SetupError(
            "--target", found=json.dumps(name), expected=f"{known} or as aarch64,3.12,2.39", next_step="name another"
        )
    return BoardTarget(*parts)
