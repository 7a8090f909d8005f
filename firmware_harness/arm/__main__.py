"""``python -m deseptr.firmware_harness.arm``."""

import sys

import click

from deseptr.contract import DeseptrError

from .command import arm_cost

if __name__ == "__main__":
    try:
        arm_cost(prog_name="python -m deseptr.firmware_harness.arm")
    except DeseptrError as error:
        click.echo(f"deseptr: {error}", err=True)
        sys.exit(error.exit_code)
