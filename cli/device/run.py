"""``deseptr device run``: label the windows of an I2C sensor, real or simulated, as they arrive."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import complain, suggest
from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.common.options import load_as_imported

from .alarm_options import check_events
from .config_file import config_option
from .decision_options import DECISION_NAMES, decision_config, decision_options, make_tracker
from .event_options import EVENT_NAMES, event_options, make_watch
from .mounting_option import make_mounting, mounting_option
from .options import (
    address_option,
    bus_option,
    engine_option,
    model_option,
    sensor_option,
    threads_option,
    wearer_option,
)
from .outputs import OUTPUT_GROUPS, open_outputs, output_options
from .wearing import first_wearer, make_wearing, warn_of_mounting

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import (
        DriftEvent,
        DriftWatch,
        Event,
        EventWatch,
        LabelTracker,
        MountingWatch,
        Profiler,
        SystemdNotifier,
        UnknownJudge,
    )
    from deseptr.device.drained import Drained
    from deseptr.device.personal.switch import WearerSwitch
    from deseptr.device.sinks import JsonLines
    from deseptr.firmware_harness.simulator import Replayed
    from deseptr.tflite import Engine

    from .run_summary import RunFigures

AUTO = "auto"
"""Value of ``--simulate`` without DATA."""
GROUPS = {
    "Model and sensor": (
        "model",
        "kind",
        "threads",
        "bus",
        "sensor",
        "bmi270_config",
        "address",
        "mounting",
        "wearer",
        "seconds",
        "patience",
        "rate_tolerance",
    ),
    "Simulation": ("simulate", "scenario", "subjects", "speed"),
    "Decision": (*DECISION_NAMES, "plausibility", "unknown", "drift"),
    "Events": EVENT_NAMES,
    "Terminal": ("as_json", "plain"),
    **OUTPUT_GROUPS,
}


class _View(Protocol):
    def show(self, event: Event | Replayed) -> None: ...

    def drained(self, drained: Drained) -> None: ...

    def close(self) -> None: ...


@click.command(cls=GroupedCommand, groups=GROUPS)
@model_option
@engine_option
@threads_option
@bus_option
@sensor_option
@address_option
@mounting_option
@wearer_option
@click.option("--seconds", type=real(0, 1e9, above=True), help="Stop after so many seconds of sensor time.")
@click.option(
    "--patience",
    type=real(0, 1e9, above=True),
    default=20.0,
    show_default=True,
    help="Stop after so many seconds without a sample, with exit code 3.",
)
@click.option(
    "--rate-tolerance",
    type=real(0, 0.25),
    default=0.02,
    show_default=True,
    help="Resample if the sensor's rate differs by more than this share from the model's.",
)
@click.option(
    "--simulate",
    metavar="[DATA]",
    is_flag=False,
    flag_value=AUTO,
    help="Play DATA through a simulated sensor; without DATA, a recorded wearer if the model knows the activities of "
    "`sample`, else a synthetic one.",
)
@click.option("--scenario", metavar="NAME|FILE", help="Simulate a sensor that fails; see `firmware scenarios`.")
@click.option("--subject", "subjects", metavar="S", help="With --simulate: only these subjects, as 5,10,12-14.")
@click.option(
    "--speed",
    type=click.Choice(["max", "realtime"]),
    default="max",
    show_default=True,
    help="With --simulate: as fast as possible, or in real time.",
)
@decision_options
@click.option(
    "--plausibility/--no-plausibility",
    default=True,
    show_default=True,
    help="The label is `unknown` while no worn sensor measures such samples.",
)
@click.option(
    "--unknown/--no-unknown",
    default=True,
    show_default=True,
    help="The label is `unknown` while windows are unlike those that a model calibrated with --known knows.",
)
@click.option(
    "--drift/--no-drift",
    default=True,
    show_default=True,
    help="Sum up the windows of each hour and day, for `report --drift`.",
)
@event_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line on stdout, the summary on stderr.")
@click.option("--plain", is_flag=True, help="Print one line for each event on a terminal too, instead of a screen.")
@output_options
@config_option
@goes_with("simulate", "subjects", "speed")
@goes_without("simulate", "bus", "address", why="has a bus of its own")
@goes_without("scenario", "sensor", "bus", "address", why="has a sensor of its own")
@goes_without("as_json", "plain", why="has lines of its own")
def run(**chosen: Any) -> None:
    """Print a label for every window as it arrives, and send it to a file or a broker.

    \b
    Examples:
      deseptr device run                             # sensor on /dev/i2c-1
      deseptr device run --simulate                  # a recorded wearer instead
      deseptr device run --model m.tflite --simulate walk.csv --json
      deseptr device run --simulate motionsense.npz --subject 5 --speed realtime
      deseptr device run --scenario loose-wire       # what a failure looks like
      deseptr device run --model falls.tflite --event fall --event-confirm 10 \\
          --webhook https://example.org/alarm
      deseptr device run --web 0.0.0.0:8384          # a page for phones around
      deseptr device run --csv run.csv --mqtt broker.local --mqtt-user wearer
      deseptr device run --wearer eve.deseptr        # of `device personalise`
      deseptr device run --config /etc/deseptr.toml  # as a service

    Exit codes: 0 done, 2 the options or the hardware do not allow a run, 3 the sensor was lost permanently.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device import Answers, DriftWatch, Profiler, SystemClock, SystemdNotifier, UnknownJudge, default_model
    from deseptr.device.personal import personal_contract, personalised
    from deseptr.tflite import at_hop, load_engine

    from .run_summary import RunFigures, inner

    if chosen["scenario"] and chosen["simulate"]:
        raise click.UsageError("--scenario has a source of its own; leave out --simulate")
    live = chosen["simulate"] is None and chosen["scenario"] is None
    loaded = load_engine(chosen["model"] or default_model(), chosen["kind"], chosen["threads"])
    wearer = first_wearer(chosen, loaded.model)
    config = decision_config(chosen, loaded.contract if wearer is None else personal_contract(loaded.contract, wearer))
    bare = at_hop(loaded, config.hop_s)
    mounting = make_mounting(chosen, loaded.contract)
    warn_of_mounting(chosen, wearer)
    wearing = make_wearing(chosen, loaded, bare, wearer, mounting)
    engine = personalised(bare, wearer) if wearing is None else wearing.switch.first.engine
    contract = engine.contract
    notifier = SystemdNotifier.from_environment(SystemClock())
    answers = Answers()
    watch = make_watch(chosen, contract, answers)
    alarming = () if watch is None else watch.labels
    check_events(chosen, alarming)
    unknown = UnknownJudge(contract, plausibility=chosen["plausibility"], familiarity=chosen["unknown"])
    wearers = None if wearing is None else wearing.switch
    source = _Source(engine, Profiler(), make_tracker(config, contract), watch, unknown, mounting, wearers, notifier)
    drift = DriftWatch(contract) if chosen["drift"] else None
    figures = RunFigures(contract.labels, simulated=not live)
    with open_outputs(
        chosen,
        loaded.model,
        notifier,
        source.profiler,
        live=live,
        events=alarming,
        answers=answers,
        wearer=wearer,
        wearing=wearing,
    ) as outputs:
        source.on_samples = samples = _SamplesTo([outputs.drained])
        played = source.live(chosen) if live else source.replay(chosen)
        view = _view(chosen, contract, figures, source.profiler)
        samples.takers.append(view.drained)

        def tell(event: Event | Replayed) -> None:
            figures.note(event)
            # First: an alarm that somebody has seen is on the medium.
            outputs.take(inner(event))
            view.show(event)

        with closing(view), _summed_up(drift, tell), closing(played) as events, _interruptible():
            for event in events:
                if drift is not None and (part := drift.note(inner(event))) is not None:
                    tell(part)
                tell(event)
    _say(figures.summary(source.profiler), err=chosen["as_json"])
    if not (live or chosen["as_json"] or notifier.listened_to):
        suggest("firmware", "flash", "USER@HOST", "--model", chosen["model"] or default_model())


@dataclass
class _SamplesTo:
    """Hands the samples of each read to whoever shows or keeps them."""

    takers: list[Callable[[Drained], None]]

    def __call__(self, drained: Drained) -> None:
        for take in self.takers:
            take(drained)


@dataclass
class _Source:
    """Produces the events of a run, from a real sensor or a simulated one."""

    engine: Engine
    profiler: Profiler
    tracker: LabelTracker
    watch: EventWatch | None
    unknown: UnknownJudge | None
    mounting: MountingWatch | None
    wearers: WearerSwitch | None
    notifier: SystemdNotifier
    on_samples: Callable[[Drained], None] = lambda drained: None

    def live(self, chosen: Mapping[str, Any]) -> Any:
        from deseptr.device import live_session, run_live

        session = live_session(chosen["bus"], chosen["sensor"], chosen["address"])
        return run_live(self.engine, session, **self._options(chosen))

    def _scenario(self, chosen: Mapping[str, Any]) -> Any:
        from click.core import ParameterSource

        from deseptr.firmware_harness.simulator import load_scenario, run_scenario

        options = self._options(chosen)
        if click.get_current_context().get_parameter_source("patience") is ParameterSource.DEFAULT:
            del options["patience_s"]
        return run_scenario(self.engine, load_scenario(chosen["scenario"]), **options)

    def _options(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "seconds": chosen["seconds"],
            "profiler": self.profiler,
            "tracker": self.tracker,
            "watch": self.watch,
            "unknown": self.unknown,
            "mounting": self.mounting,
            "wearers": self.wearers,
            "drift": chosen["drift"],
            "heartbeat": self.notifier.alive,
            "patience_s": chosen["patience"],
            "rate_tolerance": chosen["rate_tolerance"],
            "on_samples": self.on_samples,
        }

    def replay(self, chosen: Mapping[str, Any]) -> Any:
        from deseptr.data import parse_subjects, wearer_for
        from deseptr.firmware_harness.simulator import PacedClock, VirtualClock, replay

        if chosen["scenario"]:
            return self._scenario(chosen)
        source = chosen["simulate"]
        dataset = load_as_imported(wearer_for(self.engine.contract.labels) if source == AUTO else source)
        if chosen["subjects"]:
            dataset = dataset.select(subjects=parse_subjects(chosen["subjects"]))
        return replay(
            self.engine,
            dataset,
            sensor=chosen["sensor"],
            make_clock=PacedClock if chosen["speed"] == "realtime" else VirtualClock,
            **self._options(chosen),
        )


def _view(chosen: Mapping[str, Any], contract: ModelContract, figures: RunFigures, profiler: Profiler) -> _View:
    if chosen["as_json"]:
        from deseptr.device.sinks import JsonLines

        return _JsonView(JsonLines(sys.stdout, "stdout", complain))
    if sys.stdout.isatty() and not chosen["plain"]:
        from .live_view import LiveView

        return LiveView(contract.labels, figures, profiler, contract.rate_hz)
    from .line_view import LineView

    return LineView(contract.labels)


def _say(line: str, *, err: bool) -> None:
    """Print a line, unless the medium is full: that ends no run with an error."""
    from deseptr.device.sinks import LineStream

    LineStream(sys.stderr if err else sys.stdout, "summary", lambda trouble: None).write(f"{line}\n".encode())


class _JsonView:
    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines

    def show(self, event: Event | Replayed) -> None:
        self._lines.take(event)

    def drained(self, drained: Drained) -> None:
        pass

    def close(self) -> None:
        self._lines.close()


@contextmanager
def _summed_up(drift: DriftWatch | None, tell: Callable[[DriftEvent], None]) -> Iterator[None]:
    """Tell of the last part of the day at the end, however the run ends."""
    try:
        yield
    finally:
        if drift is not None and (part := drift.finish()) is not None:
            tell(part)


@contextmanager
def _interruptible() -> Iterator[None]:
    # systemd stops a service with SIGTERM: close the outputs as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _say("", err=True)
    finally:
        signal.signal(signal.SIGTERM, before)
