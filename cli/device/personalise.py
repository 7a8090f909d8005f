"""``deseptr device personalise``: a guided recording of each activity, and the file of the wearer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.mounting import AUTO, worn_mounting_option
from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.common.personal import file_so_far, output_of, save_session, undo as undo_session

from .options import address_option, bus_option, sensor_option

if TYPE_CHECKING:
    from deseptr.contract import ModelContract, Mounting
    from deseptr.device.recorder import SessionStep
    from deseptr.tflite import TfliteEngine

    from .record_view import RecordView

# What a protocol says itself.
_OF_SESSION = ("labels", "seconds", "new_seconds", "prepare")
_OF_RECORDING = ("new_labels", "protocol", "recordings", "simulate", "mounting")

GROUPS = {
    "Wearer": ("wearer", "output", "undo"),
    "Session": ("labels", "new_labels", "seconds", "new_seconds", "prepare", "protocol", "recordings"),
    "Sensor": ("bus", "sensor", "bmi270_config", "address", "mounting", "simulate"),
}


@click.command(cls=GroupedCommand, groups=GROUPS)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--wearer", required=True, metavar="NAME", help="Name of the wearer.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="LABEL",
    help="Record this activity of MODEL. Repeatable. [default: all]",
)
@click.option("--new", "new_labels", multiple=True, metavar="LABEL", help="Record and add a new one. Repeatable.")
@click.option("--seconds", type=real(1, 600), default=10.0, show_default=True, help="Of each activity.")
@click.option("--new-seconds", type=real(1, 600), default=30.0, show_default=True, help="Of each new one.")
@click.option("--prepare", type=real(0, 600), default=5.0, show_default=True, help="Countdown before each, s.")
@click.option(
    "--protocol", type=click.Path(path_type=Path), metavar="FILE.toml", help="Follow this instead, as `device record`."
)
@click.option("--recordings", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep what was recorded here.")
@click.option("--undo", is_flag=True, help="Take the latest session out of the file again.")
@bus_option
@sensor_option
@address_option
@worn_mounting_option
@click.option(
    "--simulate",
    metavar="[DATA]",
    is_flag=False,
    flag_value="auto",
    help="Record from a simulated sensor that plays DATA's recordings of each label; without DATA, as `device run`.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The wearer's file. [default: NAME.deseptr]"
)
@goes_without(
    "undo", *_OF_SESSION, "new_labels", "protocol", "recordings", "simulate", "mounting", why="records nothing"
)
@goes_without("protocol", *_OF_SESSION, why="names the activities")
@goes_with("new_labels", "new_seconds")
@goes_without("simulate", "bus", "address", why="has a bus of its own")
def personalise(
    model: Path,
    wearer: str,
    labels: tuple[str, ...],
    new_labels: tuple[str, ...],
    seconds: float,
    new_seconds: float,
    prepare: float,
    protocol: Path | None,
    recordings: Path | None,
    undo: bool,
    bus: int,
    sensor: str,
    address: int | None,
    mounting: Mounting | str | None,
    simulate: str | None,
    output: Path | None,
) -> None:
    """Correct MODEL for one wearer: says which activity is next, records it, checks it, and writes the wearer's file.

    Each activity is checked as soon as it is recorded: one whose samples no worn sensor measures is left out. MODEL
    stays as it is; `device run --wearer FILE` reads the file. If it is there, the session is added to it. The file is
    refused if it would make the wearer's own windows worse, each part of the recordings told by the rest. It takes two
    activities at least, those of earlier sessions included: the model learns to tell them from each other.

    \b
    Examples:
      deseptr device personalise mine.tflite --wearer eve
      deseptr device personalise mine.tflite --wearer eve --seconds 30 \\
          --label sitting --label standing
      deseptr device personalise mine.tflite --wearer eve \\
          --label walking --new cycling
      deseptr device personalise mine.tflite --wearer eve --undo
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device.mounting.watch import require_reference
    from deseptr.device.personal.enough import check_enough
    from deseptr.device.personal.take_check import taken
    from deseptr.device.recorder import read_protocol
    from deseptr.tflite import load_engine, read_tflite

    from .record_view import RecordView

    path, file = output_of(output, wearer), read_tflite(model)
    if undo:
        undo_session(path, file, wearer)
        return
    # Before anybody has walked for it.
    before = file_so_far(path, file)
    engine = load_engine(model)
    steps = (
        read_protocol(protocol)
        if protocol is not None
        else _steps(engine.contract, labels, new_labels, (seconds, new_seconds, prepare))
    )
    asked = {step.label for step in steps if step.kind == "activity"} & {*engine.contract.labels, *new_labels}
    check_enough(wearer, (*(() if before is None else before.counts()), *sorted(asked)))
    if mounting == AUTO:
        require_reference(engine.contract)
    with _folder(recordings) as folder, RecordView(files=recordings is not None) as view:
        takes = _record(engine, steps, folder, (bus, sensor, address, simulate), view, mounting)
        save_session(engine, file, taken(takes), wearer, new_labels, path, mounting)


def _steps(
    contract: ModelContract,
    labels: tuple[str, ...],
    new_labels: tuple[str, ...],
    lengths: tuple[float, float, float],
) -> tuple[SessionStep, ...]:
    from deseptr.contract import DataError
    from deseptr.device.recorder import Activity, check_name, session_steps

    unknown = [label for label in labels if label not in contract.labels]
    if unknown:
        raise DataError(
            f"--label {unknown[0]}",
            found="no label of the model",
            expected=f"one of {', '.join(contract.labels)}",
            next_step=f"add it with --new {unknown[0]}",
        )
    seconds, new_seconds, prepare = lengths
    # A window needs all of its samples, and the sensor's rate may be a little low.
    least = 1.1 * contract.window_s
    known = [Activity(label, max(seconds, least), prepare_s=prepare) for label in labels or contract.labels]
    new = [Activity(check_name("--new", label), max(new_seconds, least), prepare_s=prepare) for label in new_labels]
    return session_steps((*known, *new))


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    from deseptr.contract import scratch_folder
    from deseptr.device.recorder import prepare_folder

    if kept is not None:
        prepare_folder(kept, "--recordings")
        yield kept
        return
    with scratch_folder() as folder:
        yield folder


def _record(
    engine: TfliteEngine,
    steps: tuple[SessionStep, ...],
    folder: Path,
    source: tuple[int, str, int | None, str | None],
    view: RecordView,
    mounting: Mounting | str | None,
) -> list[Path]:
    """Record the steps; returns the files of the takes that are plausible."""
    from deseptr.contract import AS_TRAINED
    from deseptr.device import ImuConfig, live_session
    from deseptr.device.personal.take_check import check_take
    from deseptr.device.recorder import Take, record

    from .record import simulated

    bus, sensor, address, simulate = source
    if simulate == "auto":
        from deseptr.data import wearer_for

        simulate = wearer_for(engine.contract.labels)
    # One name for all: the wearer's goes into the file, and need not be one of a file.
    subject = "wearer"
    session = live_session(bus, sensor, address) if simulate is None else simulated(simulate, steps, subject, sensor)
    kept: list[Path] = []
    config = ImuConfig.from_contract(engine.contract)
    with closing(record(session, steps, folder, subject, config)) as events:
        for event in events:
            view.show(event)
            if isinstance(event, Take):
                turn = _turn_so_far(engine.contract, [*kept, event.path], mounting)
                checked = check_take(engine, event.path, turn or AS_TRAINED, event.acc_count)
                unsettled = "" if turn is not None else "; how the sensor is turned is not known yet"
                click.echo(f"{checked}{unsettled}", err=True)
                kept += [event.path] if checked.usable else []
    return kept


def _turn_so_far(contract: ModelContract, takes: list[Path], mounting: Mounting | str | None) -> Mounting | None:
    """How the sensor is turned, by what is recorded so far if it is to be estimated; None if that is not clear."""
    from deseptr.contract import AS_TRAINED, DataError
    from deseptr.device.mounting.labelled import estimate_mounting
    from deseptr.device.personal.take_check import taken

    if not isinstance(mounting, str):
        return mounting or AS_TRAINED
    try:
        found = estimate_mounting(taken(takes), contract)
    except DataError:
        # Too short for a window, which the check says.
        return None
    return found.turns[0] if found.clear else None
