"""``--mqtt`` and its options: address, password and spool of the MQTT sink."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.option_rules import goes_with

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import Answers
    from deseptr.device.sinks import Sink

PASSWORD = "DESEPTR_MQTT_PASSWORD"  # nosec B105 # the name of the variable
CODE_DIGITS = 8
PORTS = {"mqtt": 1883, "mqtts": 8883}
FILE = click.Path(path_type=Path)


def _option(name: str, text: str, **settings: Any) -> Callable[[Any], Any]:
    environment = "DESEPTR_" + name.lstrip("-").upper().replace("-", "_")
    return click.option(name, envvar=environment, show_envvar=True, help=text, **settings)


_OPTIONS = (
    _option("--mqtt", "Publish events to a broker; mqtts:// uses TLS.", metavar="[mqtt[s]://]HOST[:PORT]"),
    _option(
        "--mqtt-node",
        "Name of this wearable in the topics deseptr/NAME/…  [default: the host's, with a code of the machine]",
        metavar="NAME",
    ),
    _option("--mqtt-user", f"User; the password comes from {PASSWORD} or a file.", metavar="NAME"),
    _option("--mqtt-password-file", "File whose first line is the password.", type=FILE),
    _option("--mqtt-ca", "Certificates to trust, PEM; implies TLS.  [default: the system's]", type=FILE),
    _option("--mqtt-cert", "Certificate of this wearable, PEM; implies TLS.", type=FILE),
    _option("--mqtt-key", "Key of that certificate, PEM.", type=FILE),
    _option("--mqtt-spool", "File in which messages wait for the broker.  [default: in the state folder]", type=FILE),
    _option(
        "--mqtt-spool-size",
        "Largest number of waiting messages; then the oldest are dropped.",
        type=whole(1, 100_000_000),
        default=100_000,
        show_default=True,
    ),
    _option(
        "--mqtt-discovery",
        "Home Assistant's discovery prefix, or `none`.",
        metavar="PREFIX",
        default="homeassistant",
        show_default=True,
    ),
)
MQTT_NAMES = (
    "mqtt",
    "mqtt_node",
    "mqtt_user",
    "mqtt_password_file",
    "mqtt_ca",
    "mqtt_cert",
    "mqtt_key",
    "mqtt_spool",
    "mqtt_spool_size",
    "mqtt_discovery",
)


def mqtt_options(command: Any) -> Any:
    """Add the options of the MQTT output to a command."""
    command = goes_with("mqtt", *MQTT_NAMES[2:])(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class BrokerAddress(NamedTuple):
    """Address of an MQTT broker.

    Args:
        host: name or IP address.
        port: TCP port.
        tls: whether the connection is encrypted.
    """

    host: str
    port: int
    tls: bool


def parse_address(text: str) -> BrokerAddress:
    """Parse ``[mqtt[s]://]HOST[:PORT]``.

    Raises:
        SetupError: if the text has another form; the message never repeats a password.
    """
    from deseptr.contract import SetupError

    if "@" in text:
        raise SetupError(
            "--mqtt",
            found="a user in the address",
            expected="the host alone, because other users of this machine can read command lines",
            next_step=f"use --mqtt-user and {PASSWORD}",
        )
    try:
        url = urlsplit(text if "://" in text else f"mqtt://{text}")
        port = url.port
        host = (url.hostname or "").encode("idna").decode()
        if url.scheme not in PORTS or not host or url.path.strip("/") or url.query or url.fragment:
            raise ValueError("another kind of address")
    except ValueError as error:
        raise SetupError(
            "--mqtt", found=text, expected="[mqtt[s]://]HOST[:PORT]", next_step="correct the address"
        ) from error
    return BrokerAddress(host, port or PORTS[url.scheme], url.scheme == "mqtts")


def read_secret(
    path: Path | None, variable: str, option: str, what: str, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Read a secret from the first line of a file, else from the environment; None if there is none.

    Args:
        path: the file.
        variable: of the environment.
        option: that names the file.
        what: it is, as ``the password``.
        environment: where the variable is.

    Raises:
        SetupError: if the file cannot be read or is empty.
    """
    from deseptr.contract import SetupError, read_text

    if path is None:
        return environment.get(variable)
    try:
        lines = read_text(path).splitlines()
    except (OSError, ValueError) as error:
        found: object = getattr(error, "strerror", None) or "text that is not UTF-8"
    else:
        if lines and lines[0]:
            return lines[0]
        found = "an empty first line"
    raise SetupError(path, found=found, expected=f"{what} in the first line", next_step=f"correct {option}")


def open_mqtt(
    chosen: Mapping[str, Any],
    contract: ModelContract,
    warn: Callable[[str], None],
    *,
    wait: bool,
    events: tuple[str, ...] = (),
    answers: Answers | None = None,
) -> Sink:
    """Open the MQTT sink that the options describe, for a run with these events, whose answers it takes.

    Raises:
        SetupError: if a value, a file or the spool is unusable.
        ModuleNotFoundError: without ``paho-mqtt``.
    """
    import socket
    from importlib.metadata import version

    from deseptr.contract import SetupError
    from deseptr.device.sinks.mqtt import MqttBroker, MqttSink
    from deseptr.device.sinks.mqtt_messages import MqttMessages, node_name
    from deseptr.device.sinks.spool import Spool

    address = parse_address(chosen["mqtt"])
    host = socket.gethostname()
    node = chosen_node(chosen)
    messages = MqttMessages(node, contract.labels, model=contract.model, version=version("deseptr"), events=events)
    broker = MqttBroker(
        host=address.host,
        port=address.port,
        user=chosen["mqtt_user"],
        password=read_secret(chosen["mqtt_password_file"], PASSWORD, "--mqtt-password-file", "the password"),
        tls=address.tls or bool(chosen["mqtt_ca"] or chosen["mqtt_cert"]),
        ca=chosen["mqtt_ca"],
        certificate=chosen["mqtt_cert"],
        key=chosen["mqtt_key"],
    )
    spool_path = chosen["mqtt_spool"] or _own_spool(state_folder(), node, node_name(host))
    spool = Spool(spool_path, warn, chosen["mqtt_spool_size"], ours=not chosen["mqtt_spool"])
    prefix = None if chosen["mqtt_discovery"] == "none" else chosen["mqtt_discovery"]
    try:
        identity = client_id(node, spool_path)
        return MqttSink(broker, identity, messages, spool, warn, discovery=prefix, wait=wait, answers=answers)
    except SetupError:
        spool.close()
        raise


def chosen_node(chosen: Mapping[str, Any]) -> str:
    """Name of this wearable: the option's, else the host's with a code of the machine.

    Raises:
        SetupError: if the name has characters that topics cannot have.
    """
    import socket

    from deseptr.device.host.machine_code import machine_code
    from deseptr.device.sinks.mqtt_messages import check_node, node_name

    return check_node(chosen["mqtt_node"] or node_name(socket.gethostname(), machine_code("mqtt node")[:CODE_DIGITS]))


def client_id(node: str, spool: Path, code: str | None = None) -> str:
    """Identity of this process for the broker, which ends the older one of two connections with the same.

    It differs between machines, and between processes of a machine, of which each has a spool of its own. It is the
    same after a restart, so that the broker ends what is left of the last run's connection. Its 23 letters and digits
    are what every broker takes (MQTT 3.1.1, section 3.1.3.1).

    Args:
        node: name of the wearable.
        spool: the spool's file.
        code: of the machine; this one's by default, else drawn at random.
    """
    import hashlib
    import uuid

    from deseptr.device.host.machine_code import machine_code

    code = (machine_code("mqtt client") or uuid.uuid4().hex) if code is None else code
    return "deseptr" + hashlib.sha256("\0".join((code, node, str(spool.resolve()))).encode()).hexdigest()[:16]


def _own_spool(folder: Path, node: str, host: str) -> Path:
    # Earlier versions named it for the host alone; what waits there is to be sent.
    former = folder / f"mqtt-{host}.sqlite"
    path = folder / f"mqtt-{node}.sqlite"
    return former if former.exists() and not path.exists() else path


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder for state that survives a restart: systemd's StateDirectory= for a service, else the XDG state folder."""
    if environment.get("STATE_DIRECTORY"):
        return Path(environment["STATE_DIRECTORY"].partition(":")[0])
    return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "deseptr"
