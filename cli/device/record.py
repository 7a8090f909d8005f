"""``deseptr device record``: labelled recordings from the sensor, in the layout that training reads."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.common.options import load_as_imported

from .options import address_option, bus_option, sensor_option

if TYPE_CHECKING:
    from deseptr.device import Session
    from deseptr.device.recorder import SessionStep


@click.command()
@click.option("--subject", required=True, metavar="S", help="Name of the wearer.")
@click.option("--label", metavar="L", help="Label of a single activity to record.")
@click.option("--seconds", type=real(0, 1e6, above=True), help="With --label: duration. [default: until Ctrl-C]")
@click.option("--prepare", type=real(0, 1e6), default=3.0, show_default=True, help="With --label: countdown, s.")
@click.option(
    "--protocol",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="File with the activities to record in turn.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("recordings"),
    show_default=True,
    help="Folder for the files; existing files are never overwritten.",
)
@click.option("--rate", type=real(0, 10_000, above=True), default=50.0, show_default=True, help="Sample rate, Hz.")
@click.option("--acc-range", type=real(0, 1000, above=True), default=8.0, show_default=True, help="Accelerometer, g.")
@click.option(
    "--gyro-range", type=real(0, 100_000, above=True), default=1000.0, show_default=True, help="Gyroscope, °/s."
)
@click.option("--magnetometer", is_flag=True, help="Record nine channels, from an MPU-9250 or ICM-20948.")
@bus_option
@sensor_option
@address_option
@click.option(
    "--simulate",
    metavar="[DATA]",
    is_flag=False,
    flag_value="synthetic",
    help="Record from a simulated sensor that plays DATA's recordings of each label; without DATA, a synthetic wearer.",
)
@goes_with("label", "seconds", "prepare")
@goes_without("simulate", "bus", "address", why="has a bus of its own")
def record(
    subject: str,
    label: str | None,
    seconds: float | None,
    prepare: float,
    protocol: Path | None,
    output: Path,
    rate: float,
    acc_range: float,
    gyro_range: float,
    magnetometer: bool,
    bus: int,
    sensor: str,
    address: int | None,
    simulate: str | None,
) -> None:
    """Record labelled samples from the sensor, to train on.

    Writes one CSV for each activity, OUTPUT/SUBJECT_LABEL_TAKE.csv; the folder is a dataset that `deseptr data info`
    and `deseptr train` read, and `deseptr data convert` makes an .npz of it. Nothing is written during countdowns and
    rests. Samples are forced to the disk every second, so that Ctrl-C, a full disk or a power cut loses the last second
    at most. Where the sensor loses samples, a new recording begins in the same file. The time column follows the
    sensor's measured rate; its first measurement takes three seconds of the first countdown.

    \b
    A protocol:
      prepare_s = 5                    # countdown before each activity
      rest_s = 10                      # pause after it
      repeats = 2                      # of the whole list
      [[activity]]
      label = "walking"
      seconds = 60
      instruction = "Walk along the corridor and back."
      [[activity]]
      label = "sitting"                # may have prepare_s and the like, too
      seconds = 30

    \b
    Examples:
      deseptr device record --subject ada --label walking --seconds 60
      deseptr device record --subject ada --protocol session.toml -o recordings
      deseptr device record --subject 1 --label walking --seconds 60 --simulate
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device import ImuConfig, live_session
    from deseptr.device.recorder import check_name, record as record_session

    from .record_view import RecordView

    steps = _steps(label, seconds, prepare, protocol)
    subject = check_name("--subject", subject)
    if simulate == "synthetic" and magnetometer:
        simulate = "synthetic:mag=1"
    session = live_session(bus, sensor, address) if simulate is None else simulated(simulate, steps, subject, sensor)
    config = ImuConfig(rate, acc_range, gyro_range, 0.0 if magnetometer else None)
    try:
        with closing(record_session(session, steps, output, subject, config)) as events, RecordView() as view:
            for event in events:
                view.show(event)
    except KeyboardInterrupt:
        # Ctrl-C is the regular end of a step without a duration.
        if not any(math.isinf(step.seconds) for step in steps):
            raise


def _steps(label: str | None, seconds: float | None, prepare: float, protocol: Path | None) -> tuple[SessionStep, ...]:
    from deseptr.device.recorder import Activity, check_name, read_protocol, session_steps

    if (label is None) == (protocol is None):
        raise click.UsageError("give either --label or --protocol")
    if protocol is not None:
        return read_protocol(protocol)
    length = math.inf if seconds is None else seconds
    return session_steps((Activity(check_name("--label", str(label)), length, prepare_s=prepare),))


def simulated(data: str, steps: tuple[SessionStep, ...], subject: str, sensor: str) -> Session:
    """A session of a simulated sensor that plays the recordings of each step's label."""
    from deseptr.device.recorder import settled
    from deseptr.firmware_harness.simulator import RecordingSource, act, simulated_session

    dataset = load_as_imported(data)
    for unknown in sorted({step.label for step in steps} - set(dataset.label_names)):
        click.echo(f"note: {dataset.name} has no label {unknown}: its first recording is played instead", err=True)
    source = RecordingSource(act(dataset, settled(steps), subject))
    return simulated_session(source, sensor=sensor)
