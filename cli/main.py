"""The root command: imports a command only when it is called, and prints an expected error as one line."""

from __future__ import annotations

import errno
import re
import sys
from importlib.metadata import version

import click

from deseptr.contract.errors import DeseptrError, SetupError, brief
from deseptr.contract.extras import broken_package, extra_of, failing_package
from deseptr.contract.visible_text import visible

from .common.lazy import LazyGroup
from .common.messages import complain, drop_unwritable

_PATH_ERRORS = (errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP)
_NO_MEMORY = SetupError(
    "memory",
    found="none left, or a limit of the shell or the container",
    expected="enough for this command",
    next_step="work on less data at once, end other programs, or raise the limit",
)
COMMANDS = {
    "data": ("data", "Look at recordings, label them, change their layout."),
    "train": ("train.train", "Train a teacher and distil DeSepTr from recordings."),
    "crossval": ("evaluate.crossval", "Cross-validate: train and test the folds of a protocol, int8 included."),
    "lab": ("evaluate.lab", "Measure the effects of distillation, stem and tokens."),
    "report": ("evaluate.report", "Compare finished runs on one page."),
    "convert": ("convert", "Convert a trained run to an int8 .tflite."),
    "evaluate": ("evaluate.evaluate", "Measure a run or a .tflite on labelled recordings."),
    "tune": ("evaluate.tune", "Choose how windows become a label: delay against false changes."),
    "calibrate": ("evaluate.calibrate", "Make the confidence of a model agree with its accuracy."),
    "personalise": ("evaluate.personalise", "Correct a model for one wearer by their own recordings."),
    "compare": ("evaluate.compare", "Compare latency, size and accuracy of models."),
    "device": ("device.group", "Run a model on an I2C motion sensor, and time it."),
    "firmware": ("firmware.group", "Deploy a model to a board over ssh, or try it without one."),
    "demo": ("demo", "Train, convert and run a small model on synthetic data, with a report."),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: deseptr train walk.csv -o runs/mine && deseptr convert runs/mine -o mine.tflite",
)
@click.version_option(version("deseptr"), prog_name="deseptr")
def deseptr() -> None:
    """Labelled IMU recordings in, an int8 activity classifier on a wearable out."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 expected failure with one line on stderr, 130 interrupted."""
    try:
        code = deseptr.main(arguments, prog_name="deseptr", standalone_mode=False)
    except DeseptrError as error:
        complain(str(error))
        code = error.exit_code
    except click.ClickException as error:
        _show(error)
        code = error.exit_code
    except ModuleNotFoundError as error:
        code = _missing(error)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        code = 130
    except OSError as error:
        code = _file_trouble(error)
    except Exception as error:
        code = _beside_the_command(error)
    drop_unwritable()
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: click.ClickException) -> None:
    """Print an error of click as one line of bounded length, since its message repeats what was passed."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # the help of a group of commands, as long as it is
        return
    message = visible(brief(" ".join(error.format_message().split()))).rstrip(".")
    message = re.sub(r"\. \(?Did you mean (.*\?)\)?$", r" (did you mean \1)", message)
    # "Missing argument" of click, but not "DATA is …".
    message = message[:1].lower() + message[1:] if message[1:2].islower() else message
    of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "deseptr"
    complain(f"{message}; see `{of} --help`")


def _file_trouble(error: OSError) -> int:
    """Name the file of an error of the system: 2 if the path is at fault, 1 if it is the medium."""
    if error.filename is None:
        raise error
    trouble = SetupError(
        error.filename, found=error.strerror, expected="a file or folder to use", next_step="check path and medium"
    )
    complain(str(trouble))
    return 2 if error.errno in _PATH_ERRORS else 1


def _beside_the_command(error: Exception) -> int:
    """Name what is to blame for an error that no command expects: memory or another package; all others are bugs."""
    if isinstance(error, MemoryError):
        complain(str(_NO_MEMORY))
        return 1
    package = failing_package(error)
    if package is None:
        raise error
    complain(str(broken_package(package, error)))
    return 2


def _missing(error: ModuleNotFoundError) -> int:
    """Name the extra of a missing optional package; a missing module of deseptr itself is a bug and is raised again."""
    found = extra_of(error)
    if found is None:
        raise error
    package, extra = found
    complain(
        f"{package}: found no such package, expected it for this command; "
        f"install it with `pip install 'deseptr[{extra}]'`"
    )
    return 2
