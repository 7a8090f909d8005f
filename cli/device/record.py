"""``deseptr device record``: labelled recordings from the sensor, in the layout that training reads."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import ADDRESS

if TYPE_CHECKING:
    from deseptr.device import Session
    from deseptr.device.recorder import SessionStep


@click.command()
@click.option("--subject", required=True, metavar="S", help="Who wears the sensor.")
@click.option("--label", metavar="L", help="What they do: record this alone.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="With --label: how long. [default: to Ctrl-C]")
@click.option("--prepare", type=click.FloatRange(0), default=3.0, show_default=True, help="With --label: countdown, s.")
@click.option("--protocol", type=click.Path(path_type=Path), metavar="FILE.toml", help="Several activities in a row.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("recordings"),
    show_default=True,
    help="Folder for the files; those in it are never overwritten.",
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=50.0, show_default=True, help="Samples/s.")
@click.option("--acc-range", type=click.FloatRange(0, min_open=True), default=8.0, show_default=True, help="In g.")
@click.option("--gyro-range", type=click.FloatRange(0, min_open=True), default=1000.0, show_default=True, help="Deg/s.")
@click.option("--bus", default=1, show_default=True, envvar="DESEPTR_I2C_BUS", show_envvar=True, help="I2C bus number.")
@click.option("--sensor", default="auto", show_default=True, help="Chip on the bus.")
@click.option("--address", type=ADDRESS, help="Its address, as 0x69. [default: wherever one answers]")
@click.option(
    "--simulate",
    metavar="[DATA]",
    is_flag=False,
    flag_value="synthetic",
    help="Record a simulated sensor that feels DATA's recordings of each label; without DATA, a synthetic wearer.",
)
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
    bus: int,
    sensor: str,
    address: int | None,
    simulate: str | None,
) -> None:
    """Record labelled samples from the sensor, to train on.

    Writes one CSV for each activity, OUTPUT/SUBJECT_LABEL_TAKE.csv; the folder is a dataset that `deseptr data info`
    and `deseptr train` read, and `deseptr data convert` makes an .npz of it. Nothing is written during countdowns and
    rests. Every second what was recorded is forced to the disk: Ctrl-C, a full disk or a power cut lose nothing before
    it. Where the sensor lost samples another recording begins in the same file. The time column follows the sensor's
    measured rate, whose first measurement takes three seconds of the first countdown.

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
      label = "sitting"                # prepare_s, rest_s and repeats may also stand here
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
    session = live_session(bus, sensor, address) if simulate is None else _simulated(simulate, steps, subject, sensor)
    config = ImuConfig(rate, acc_range, gyro_range)
    try:
        with closing(record_session(session, steps, output, subject, config)) as events, RecordView() as view:
            for event in events:
                view.show(event)
    except KeyboardInterrupt:
        # The only end that it has.
        if not any(math.isinf(step.seconds) for step in steps):
            raise


def _steps(label: str | None, seconds: float | None, prepare: float, protocol: Path | None) -> tuple[SessionStep, ...]:
    from deseptr.device.recorder import Activity, check_name, read_protocol, session_steps

    if (label is None) == (protocol is None):
        raise click.UsageError("one of --label and --protocol is needed, and not both")
    if protocol is not None:
        if seconds is not None:
            raise click.UsageError("--seconds goes with --label; a protocol says how long each activity is")
        return read_protocol(protocol)
    length = math.inf if seconds is None else seconds
    return session_steps((Activity(check_name("--label", str(label)), length, prepare_s=prepare),))


def _simulated(data: str, steps: tuple[SessionStep, ...], subject: str, sensor: str) -> Session:
    from deseptr.data import load_dataset
    from deseptr.device.recorder import settled
    from deseptr.firmware_harness.simulator import RecordingSource, act, simulated_session

    dataset = load_dataset(data)
    for unknown in sorted({step.label for step in steps} - set(dataset.label_names)):
        click.echo(f"note: {dataset.name} has no {unknown}: its first recording is played instead", err=True)
    source = RecordingSource(act(dataset, settled(steps), subject))
    return simulated_session(source, sensor=sensor)
