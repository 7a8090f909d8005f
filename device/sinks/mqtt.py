"""Events to an MQTT broker, through a spool: sampling goes on and nothing is lost while the broker is away.

Every message goes into the spool first and leaves it when the broker has acknowledged it (QoS 1), so that it arrives at
least once, in order. paho's own thread handles the connection; a worker thread owns the spool and takes events,
acknowledgments and connections from one queue. A kill has only those messages sent again whose acknowledgments had not
been read, and the one that was being noted. Only this module needs ``paho-mqtt``.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from deseptr.contract import SetupError, check_input
from deseptr.contract.counts import counted
from deseptr.device.alarms.answers import Answers
from deseptr.device.events import Event

from .background import Worker
from .losses import Losses, Warn
from .mqtt_messages import MqttMessages
from .spool import BEFORE_ALL, Rest, Spool
from .spool_file import MqttMessage

IN_FLIGHT = 16
LONGEST_RETRY_S = 60
# So many connections in a row that were lost within that time are another client's doing, not the network's.
SHORT_CONNECTIONS = 3
SHORT_S = 5.0
TAKEN = (
    "each connection is lost right after it is made, as when another client with the same id takes it over; if this "
    "card is a copy of another's, give each machine a --mqtt-node of its own, else look into the broker's log"
)


@dataclass(frozen=True, slots=True)
class MqttBroker:
    """Address of a broker, and the credentials for it.

    Args:
        host: name or address.
        port: 1883 by custom, 8883 with TLS.
        user: None for none.
        password: password of the user.
        tls: whether to encrypt, and to check the broker's certificate.
        ca: certificates to trust, a PEM file; the system's if None.
        certificate: the client's own, a PEM file.
        key: its key, a PEM file.
    """

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def name(self) -> str:
        """Its name in messages."""
        return f"MQTT broker {self.host}:{self.port}"


class MqttSink:
    """Publishes events, and keeps them while the broker is away.

    Args:
        broker: the broker.
        client_id: identifies this node to the broker.
        messages: makes the messages.
        spool: keeps them; closed with the sink.
        warn: called when the broker goes away, refuses the connection, or comes back.
        discovery: Home Assistant's prefix; None for no configurations.
        wait: whether to wait while the worker's queue is full instead of dropping events; for replays.
        retry_s: seconds to the second attempt to connect; doubled for each further one, up to a minute.
        drain_s: longest time for which closing waits for acknowledgments, seconds.
        answers: takes what people answer to alarms.

    Raises:
        SetupError: if certificate or key cannot be used.
    """

    def __init__(
        self,
        broker: MqttBroker,
        client_id: str,
        messages: MqttMessages,
        spool: Spool,
        warn: Warn,
        *,
        discovery: str | None = "homeassistant",
        wait: bool = False,
        retry_s: int = 1,
        drain_s: float = 5.0,
        answers: Answers | None = None,
    ) -> None:
        self._broker = broker
        self._messages = messages
        self._spool = spool
        self._warn = warn
        self._discovery = discovery
        self._greeting = [messages.status(online=True), *(messages.discovery(discovery) if discovery else ())]
        self._wait = wait
        self._drain_s = drain_s
        self._answers = answers or Answers()
        self.losses = Losses("mqtt", warn)
        # Used by the worker thread: the spool's number of each unacknowledged message, by paho's number of it.
        self._flight: dict[int, int] = {}
        # Messages that were acknowledged before the worker thread knew paho's number of them.
        self._early: set[int] = set()
        self._flying = threading.Lock()
        self._sent = BEFORE_ALL
        self._greeted = self._flowing = False
        # Used by paho's thread.
        self._connected = False
        self._warned: set[str] = set()
        self._connected_at = 0.0
        self._short = 0
        self._idle = threading.Event()
        if not len(spool):
            self._idle.set()
        self._client = self._make_client(client_id, retry_s)
        self._worker = Worker("mqtt spool")
        self._client.connect_async(broker.host, broker.port, keepalive=30)
        self._client.loop_start()

    def take(self, event: Event) -> None:
        """Queue an event for the spool."""
        # In the caller's thread, so that the times are right.
        messages = self._messages.of(event)
        if self._messages.learn(event) and self._discovery:
            messages = [self._greet_with(self._messages.label_discovery(self._discovery)), *messages]
        if self._worker.offer(partial(self._store, messages), wait=self._wait):
            self.losses.kept()
        else:
            self.losses.lost("spool too slow")

    def _greet_with(self, changed: MqttMessage) -> MqttMessage:
        """Have later connections begin with a configuration in the place of the one before."""
        # One assignment: paho's thread reads the list.
        self._greeting = [changed if each.topic == changed.topic else each for each in self._greeting]
        return changed

    def close(self) -> None:
        """Wait up to ``drain_s`` for acknowledgments, publish ``offline``, and leave the rest in the spool."""
        drained = threading.Event()
        self._worker.enqueue(drained.set)
        drained.wait()
        self._wait_for_acknowledgments()
        if self._connected:
            self._publish_offline()
        self._client.disconnect()
        self._client.loop_stop()
        try:
            self._worker.close()
        finally:
            self._warn_of_rest(self._spool.close())

    def _wait_for_acknowledgments(self) -> None:
        # A short run may end before it has connected; a broker known to be away is not waited for.
        deadline = time.monotonic() + self._drain_s
        while not self._warned and time.monotonic() < deadline:
            if self._idle.wait(0.05):
                return

    def _publish_offline(self) -> None:
        topic, payload, retain = self._messages.status(online=False)
        try:
            self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(self._drain_s)
        except RuntimeError:
            # The connection was just lost; the broker publishes the last will instead.
            return

    def _warn_of_rest(self, rest: Rest) -> None:
        if self._spool.dropped:
            self._warn(f"mqtt: the spool was full; dropped the oldest {counted(self._spool.dropped, 'message')}")
        if rest.kept:
            wait = counted(rest.kept, "message waits", "messages wait")
            self._warn(f"mqtt: {wait} in the spool for the next run")
        if rest.lost:
            lost = counted(
                rest.lost, "message that waited in memory is lost", "messages that waited in memory are lost"
            )
            self._warn(f"mqtt: {lost}: {rest.reason}")

    # In the worker thread.

    def _store(self, messages: Sequence[MqttMessage]) -> None:
        self._idle.clear()
        self._spool.extend(messages, self._sent)
        self._publish_more()

    def _publish_more(self) -> None:
        if not (self._flowing and self._connected):
            return
        for number, message in self._spool.after(self._sent, IN_FLIGHT - len(self._flight)):
            info = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            with self._flying:
                self._flight[info.mid] = number
                early = info.mid in self._early
            if early:
                self._spool.mark(number)
            self._sent = number

    def _greet(self) -> None:
        self._greeted = True

    def _stop_flowing(self) -> None:
        self._greeted = self._flowing = False

    def _acknowledged(self, mid: int) -> None:
        # At the first acknowledgment of a connection, paho has repeated the messages that the last connection left
        # unacknowledged, so that new ones follow in order.
        self._flowing = self._greeted
        with self._flying:
            self._early.discard(mid)
            number = self._flight.pop(mid, None)
        if number is not None:
            self._spool.remove(number)
        self._publish_more()
        if not len(self._spool):
            self._idle.set()

    # In paho's thread.

    def _on_connect(
        self, client: mqtt.Client, userdata: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        if reason.is_failure:
            user = f"user {self._broker.user}" if self._broker.user else "no user"
            self._warn_once("refused", f"refuses {user} ({reason}); check --mqtt-user and DESEPTR_MQTT_PASSWORD")
            return
        if self._warned and self._short < SHORT_CONNECTIONS:
            self._warn(f"{self._broker.name}: connected")
            self._warned.clear()
        self._connected_at = time.monotonic()
        self._connected = True
        self._worker.enqueue(self._greet)
        for topic, payload, retain in self._greeting:
            client.publish(topic, payload, qos=1, retain=retain)
        if self._messages.answer_topic is not None:
            client.subscribe(self._messages.answer_topic, qos=1)

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            answered = self._messages.answered(message.topic)
        except UnicodeDecodeError:  # of a broker that checks no topics; raised here, it would end the client's thread
            return
        # What the broker has kept is an answer to an earlier alarm.
        if answered is None or message.retain:
            return
        label, over = answered
        self._answers.post("mqtt", label)
        # Not left to the run, which does not know of an alarm from before its start.
        self._worker.enqueue(partial(self._store, [over]))

    def _on_connect_fail(self, client: mqtt.Client, userdata: object) -> None:
        error = sys.exception()
        if isinstance(error, ssl.SSLError):
            self._warn_once("tls", f"TLS failed ({getattr(error, 'verify_message', '') or error.reason or error})")
        else:
            cause = getattr(error, "strerror", None) or error
            self._warn_once("away", f"cannot be reached ({cause})")

    def _on_disconnect(
        self, client: mqtt.Client, userdata: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        if self._connected and reason.is_failure:
            self._lost(reason)
        self._connected = False
        self._worker.enqueue(self._stop_flowing)

    def _lost(self, reason: ReasonCode) -> None:
        if time.monotonic() - self._connected_at >= SHORT_S:
            if self._short >= SHORT_CONNECTIONS:
                self._warned.clear()
            self._short = 0
        else:
            self._short += 1
        self._warn_once("away", f"connection lost ({reason})")
        if self._short >= SHORT_CONNECTIONS:
            self._warn_once("taken", TAKEN)

    def _on_publish(
        self, client: mqtt.Client, userdata: object, mid: int, reason: ReasonCode, properties: object
    ) -> None:
        # Noted at once: behind the events that wait for the worker, a kill would have the message sent again.
        with self._flying:
            number = self._flight.get(mid)
            if number is None:
                self._early.add(mid)
        if number is not None:
            self._spool.mark(number)
        self._worker.enqueue(partial(self._acknowledged, mid))

    def _warn_once(self, kind: str, what: str) -> None:
        # One warning per outage, not one per attempt.
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(f"{self._broker.name}: {what}; messages wait in the spool")

    def _make_client(self, client_id: str, retry_s: int) -> mqtt.Client:
        client = _Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set_context(tls_context(self._broker))
        # This class limits the messages in flight; a message must never wait inside paho.
        client.max_inflight_messages_set(0)
        client.reconnect_delay_set(retry_s, LONGEST_RETRY_S)
        topic, payload, retain = self._messages.status(online=False)
        client.will_set(topic, payload, qos=1, retain=retain)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client


class _Client(mqtt.Client):
    """paho's client; its thread goes on where paho's reader fails to connect.

    After a CONNACK that refuses the version of the protocol the reader itself connects again (paho 2.2.0,
    ``Client._handle_connack``), and an error there would end the thread.
    """

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        try:
            return super().loop_read(max_packets)
        except OSError:
            # The loop waits, and connects again.
            return MQTTErrorCode.MQTT_ERR_CONN_LOST


def tls_context(broker: MqttBroker) -> ssl.SSLContext:
    """TLS settings from the broker's certificate files.

    Raises:
        SetupError: if one of the files cannot be used.
    """
    try:
        if broker.ca is not None:
            check_input(broker.ca)
        context = ssl.create_default_context(cafile=broker.ca)
    except OSError as error:
        raise _unusable("--mqtt-ca", broker.ca, "certificates", error) from error
    if broker.certificate is not None:
        try:
            for path in (broker.certificate, broker.key or broker.certificate):
                check_input(path)
            context.load_cert_chain(broker.certificate, broker.key, password="")  # nosec B106 # asks for none
        except OSError as error:
            raise _unusable("--mqtt-cert", broker.certificate, "a certificate, with its key", error) from error
    return context


def _unusable(option: str, path: Any, expected: str, error: OSError) -> SetupError:
    cause = getattr(error, "reason", None) or error.strerror or error
    return SetupError(f"{option} {path}", found=cause, expected=f"{expected} in PEM", next_step="name another file")
