"""Outputs of ``deseptr device run`` besides the terminal: a CSV file, an MQTT broker, receivers of alarms, systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.messages import complain
from deseptr.cli.common.numbers import real, whole
from deseptr.cli.common.option_rules import goes_with
from deseptr.contract.counts import counted

from .alarm_options import ALARM_NAMES, alarm_options, open_alarms
from .mqtt_options import FILE, MQTT_NAMES, mqtt_options, open_mqtt
from .web_options import WEB_NAMES, open_web, web_options

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import Answers, Event, Profiler, SystemdNotifier
    from deseptr.device.drained import Drained
    from deseptr.device.live_page.wearing import Wearing
    from deseptr.device.personal import WearerFile
    from deseptr.device.sinks import Sink
    from deseptr.tflite import TfliteFile

CSV_NAMES = ("csv", "csv_size", "csv_keep")
OUTPUT_GROUPS = {"CSV file": CSV_NAMES, "MQTT": MQTT_NAMES, "Alarms": ALARM_NAMES, "Page": WEB_NAMES}


def output_options(command: Any) -> Any:
    """Add the options of all outputs to a command."""
    options = (
        click.option(
            "--csv",
            type=FILE,
            envvar="DESEPTR_CSV",
            show_envvar=True,
            metavar="FILE",
            help="Append one row for each event to FILE; a full file becomes FILE.1, and so on.",
        ),
        click.option(
            "--csv-size",
            type=real(0, 1_000_000, above=True),
            default=10.0,
            show_default=True,
            metavar="MB",
            help="Size of a full file.",
        ),
        click.option(
            "--csv-keep", type=whole(1, 10_000), default=10, show_default=True, help="Number of files to keep."
        ),
    )
    command = goes_with("csv", *CSV_NAMES[1:])(mqtt_options(alarm_options(web_options(command))))
    for option in reversed(options):
        command = option(command)
    return command


class Outputs:
    """Several sinks as one.

    Args:
        sinks: the sinks, which receive each event in this order.
        drained: receives the samples of each read of the sensor.
    """

    def __init__(self, sinks: list[Sink], drained: Callable[[Drained], None]) -> None:
        self._sinks = sinks
        self.drained = drained

    def take(self, event: Event) -> None:
        """Pass an event to every sink."""
        for sink in self._sinks:
            sink.take(event)


@contextmanager
def open_outputs(
    chosen: Mapping[str, Any],
    model: TfliteFile,
    notifier: SystemdNotifier,
    profiler: Profiler,
    *,
    live: bool,
    events: tuple[str, ...],
    answers: Answers,
    wearer: WearerFile | None = None,
    wearing: Wearing | None = None,
) -> Iterator[Outputs]:
    """Open the outputs that the options describe; all are closed at the end, even if one of them raises.

    Args:
        chosen: values of the options.
        model: the model that runs.
        notifier: connection to systemd.
        profiler: of the run.
        live: whether the sensor is real, so that outputs must not delay it.
        events: labels that raise alarms.
        answers: takes what people answer to alarms.
        wearer: for whom the model is corrected; outputs name them and have their new labels.
        wearing: lets those who watch personalise on the page; None if nobody may.

    Raises:
        SetupError: if an output cannot be opened.
        ModuleNotFoundError: for MQTT without ``paho-mqtt``, for the page without ``starlette`` and ``uvicorn``.
    """
    contract = model.contract if wearer is None else _contract_for(wearer, model)
    with ExitStack() as stack:
        sinks: list[Sink] = []

        def add(sink: Sink) -> None:
            stack.callback(sink.close)
            sinks.append(sink)

        add(_Service(notifier))
        if chosen["csv"]:
            named = wearer is not None or wearing is not None
            learned = () if wearer is None else wearer.new_labels
            add(_open_csv(chosen, model.contract.labels, live=live, learned=learned, wearer=named))
        if chosen["mqtt"]:
            add(open_mqtt(chosen, contract, complain, wait=not live, events=events, answers=answers))
        for sink in open_alarms(chosen, answers, complain, wait=not live):
            add(sink)
        drained: Callable[[Drained], None] = _unseen
        if chosen["web"]:
            about = (_sensor(chosen, live=live), None if wearer is None else wearer.wearer)
            page = open_web(chosen, model, contract, profiler, about, answers, wearing)
            add(page)
            drained = page.drained
        yield Outputs(sinks, drained)


def _contract_for(wearer: WearerFile, model: TfliteFile) -> ModelContract:
    from deseptr.device.personal import personal_contract

    return personal_contract(model.contract, wearer)


def _unseen(drained: Drained) -> None:
    return


def _sensor(chosen: Mapping[str, Any], *, live: bool) -> str:
    name = "sensor" if chosen["sensor"] == "auto" else chosen["sensor"]
    return f"{name} on /dev/i2c-{chosen['bus']}" if live else f"simulated {name}"


def _open_csv(
    chosen: Mapping[str, Any], labels: tuple[str, ...], *, live: bool, learned: tuple[str, ...], wearer: bool
) -> Sink:
    from deseptr.device.sinks import BackgroundSink, CsvFile

    size = round(chosen["csv_size"] * 1e6)
    kept = {"max_bytes": size, "keep": chosen["csv_keep"], "learned": learned, "wearer": wearer}
    file = CsvFile(chosen["csv"], labels, complain, **kept)
    return BackgroundSink(file, str(chosen["csv"]), complain, wait=not live)


class _Service:
    """Reports readiness, the current label, the number of gaps and drift to systemd."""

    def __init__(self, notifier: SystemdNotifier) -> None:
        self._notifier = notifier
        self._label, self._gaps, self._drift = "", 0, ""
        self._ready: Callable[[], None] | None = notifier.ready

    def take(self, event: Event) -> None:
        from deseptr.device import DriftEvent, GapEvent, LabelEvent, WindowEvent

        if self._ready is not None and isinstance(event, WindowEvent):
            self._ready()
            self._ready = None
        if isinstance(event, LabelEvent):
            self._label = event.label
        elif isinstance(event, GapEvent):
            self._gaps += 1
        elif isinstance(event, DriftEvent) and event.verdict is not None:
            self._drift = f"day {event.verdict}" if event.differs else ""
        else:
            return
        gaps = counted(self._gaps, "gap") if self._gaps else ""
        self._notifier.status(", ".join(filter(None, (self._label, gaps, self._drift))))

    def close(self) -> None:
        self._notifier.stopping()
