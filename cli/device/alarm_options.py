"""Outputs of alarms besides the run's own: a webhook, a command, a heartbeat, a buzzer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with

from .mqtt_options import FILE, chosen_node, read_secret, state_folder

if TYPE_CHECKING:
    from deseptr.device import Answers
    from deseptr.device.sinks import Sink
    from deseptr.device.sinks.delivery import Receiver

SECRET = "DESEPTR_WEBHOOK_SECRET"  # nosec B105 # the name of the variable
STATES = ("suspected", "raised", "cancelled", "acknowledged")


class _States(click.ParamType[tuple[str, ...]]):
    name = "STATES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        states = tuple(state.strip() for state in str(value).split(","))
        for state in states:
            if state not in STATES:
                self.fail(f"{state!r} is not one of {', '.join(STATES)}.", param, ctx)
        return states


def _option(name: str, text: str, **settings: Any) -> Callable[[Any], Any]:
    environment = "DESEPTR_" + name.lstrip("-").upper().replace("-", "_")
    return click.option(name, envvar=environment, show_envvar=True, help=text, **settings)


_OPTIONS = (
    _option("--webhook", "POST alarms to an address, until it has taken them.", metavar="URL"),
    _option(
        "--webhook-secret-file", f"File whose first line signs what is posted; else {SECRET} is used.", type=FILE
    ),
    _option("--webhook-ca", "Certificates to trust, PEM.  [default: the system's]", type=FILE),
    _option("--alarm-command", "Run a command for each alarm, until it succeeds.", metavar="COMMAND"),
    _option(
        "--alarm-states",
        "States of an alarm that the webhook and the command get.",
        type=_States(),
        default="raised,acknowledged",
        show_default=True,
        metavar="STATE[,STATE]",
    ),
    _option(
        "--alarm-spool", "Folder in which alarms wait for the webhook and the command.  [default: the state folder]",
        type=FILE,
    ),
    _option("--heartbeat", "POST to an address in equal steps while windows are classified.", metavar="URL"),
    _option(
        "--heartbeat-every",
        "Time from one heartbeat to the next, seconds.",
        type=real(1, 86_400),
        default=60.0,
        show_default=True,
    ),
    _option(
        "--gpio", "Show alarms on lines and take answers from a button, as buzzer=17,led=27,button=22.",
        metavar="USE=LINE[,USE=LINE]",
    ),
    _option(
        # The service of a board may not read the default; only a run that uses lines needs it.
        "--gpio-chip", "The lines' chip.", type=click.Path(path_type=Path, readable=False), default="/dev/gpiochip0",
        show_default=True,
    ),
)  # fmt: skip
ALARM_NAMES = (
    "webhook",
    "webhook_secret_file",
    "webhook_ca",
    "alarm_command",
    "alarm_states",
    "alarm_spool",
    "heartbeat",
    "heartbeat_every",
    "gpio",
    "gpio_chip",
)
_OF_EVENTS = ("webhook", "alarm_command", "gpio")
_RULES = (
    goes_with(("webhook", "heartbeat"), "webhook_secret_file", "webhook_ca"),
    goes_with(("webhook", "alarm_command"), "alarm_states", "alarm_spool"),
    goes_with("heartbeat", "heartbeat_every"),
    goes_with("gpio", "gpio_chip"),
    # Its name is that of the wearable in what all of them send.
    goes_with(("mqtt", "webhook", "alarm_command", "heartbeat"), "mqtt_node"),
)


def alarm_options(command: Any) -> Any:
    """Add the options of the alarms' outputs to a command."""
    for rule in reversed(_RULES):
        command = rule(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_events(chosen: Mapping[str, Any], labels: tuple[str, ...]) -> None:
    """Refuse outputs of alarms in a run without events.

    Raises:
        click.UsageError: if there is such an output and no class is an event.
    """
    for name in _OF_EVENTS:
        if chosen[name] and not labels:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --event")


def open_alarms(
    chosen: Mapping[str, Any], answers: Answers, warn: Callable[[str], None], *, wait: bool
) -> Iterator[Sink]:
    """Open the outputs that the options describe, one after the other; what people answer goes to ``answers``.

    Raises:
        SetupError: if an address, a file, the command, a spool or a line cannot be used.
        ModuleNotFoundError: for lines without ``gpiod``.
    """
    if chosen["gpio"]:
        from deseptr.device.sinks.alarm_lamp import AlarmLamp
        from deseptr.device.sinks.gpio_lines import GpioLines, parse_lines

        yield AlarmLamp(GpioLines(chosen["gpio_chip"], parse_lines(chosen["gpio"])), answers, warn)
    if not any(chosen[name] for name in ("webhook", "alarm_command", "heartbeat")):
        return
    node = chosen_node(chosen)
    if chosen["webhook"]:
        yield _delivery("webhook", _post(chosen, "webhook"), chosen, node, warn, wait=wait)
    if chosen["alarm_command"]:
        from deseptr.device.sinks.alarm_command import AlarmCommand

        yield _delivery("command", AlarmCommand(chosen["alarm_command"]), chosen, node, warn, wait=wait)
    if chosen["heartbeat"]:
        from deseptr.device.sinks.heartbeat import Heartbeat

        yield Heartbeat(_post(chosen, "heartbeat"), node, chosen["heartbeat_every"], warn)


def _post(chosen: Mapping[str, Any], name: str) -> Receiver:
    from deseptr.device.sinks.http_post import HttpPost, parse_endpoint, secret_of

    path: Path | None = chosen["webhook_secret_file"]
    secret = read_secret(path, SECRET, "--webhook-secret-file", "the secret", os.environ)
    key = None if secret is None else secret_of(secret, path or SECRET)
    return HttpPost(parse_endpoint(chosen[name], f"--{name}"), key, chosen["webhook_ca"])


def _delivery(
    name: str, receiver: Receiver, chosen: Mapping[str, Any], node: str, warn: Callable[[str], None], *, wait: bool
) -> Sink:
    from deseptr.device.sinks.delivery import AlarmDelivery
    from deseptr.device.sinks.spool import Spool
    from deseptr.device.sinks.spool_file import Purpose

    folder: Path | None = chosen["alarm_spool"]
    purpose = Purpose(f"the {name}", "--alarm-spool", every_commit=True)
    path = (folder or state_folder()) / f"alarms-{name}-{node}.sqlite"
    spool = Spool(path, warn, ours=folder is None, purpose=purpose)
    return AlarmDelivery(receiver, spool, node, warn, states=chosen["alarm_states"], wait=wait)
