"""Against a real broker on loopback: Debian's mosquitto."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from closed_sinks import close, close_rest
from drift_parts import drift_part
from paho.mqtt.enums import CallbackAPIVersion
from small_pages import Pages

from deseptr.cli.device.mqtt_options import client_id
from deseptr.contract import SetupError
from deseptr.device import AlarmEvent, Answers, GapEvent, LabelEvent
from deseptr.device.sinks.mqtt import MqttBroker, MqttSink
from deseptr.device.sinks.mqtt_messages import MqttMessages, node_name
from deseptr.device.sinks.spool import Spool

# Debian keeps it outside of a user's PATH.
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
PATIENCE_S = 30

pytestmark = pytest.mark.skipif(
    MOSQUITTO is None and "CI_HAS_ALL" not in os.environ, reason="mosquitto is not installed"
)


def until(condition):
    for _ in range(PATIENCE_S * 100):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it has not come to pass")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Broker:
    """A mosquitto of this test, with its own folder and port."""

    def __init__(self, folder, settings):
        self.port = free_port()
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        # Whom to send to survives SIGKILL, and what a subscriber misses while it is away waits for it.
        kept = f"persistence true\npersistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n"
        common = f"{kept}queue_qos0_messages true\n"
        # As root it would become another user, who cannot read pytest's folders.
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{user}{common}{settings}")
        self._process = None

    def start(self):
        with (self._folder / "mosquitto.log").open("a") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stdout=log, stderr=log)
        until(self._answers)

    def _answers(self):
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Subscriber:
    """Keeps all that the broker sends, across reconnections.

    It acknowledges nothing (QoS 0): an acknowledgment that meets a killed broker would cost it what it has not read
    yet, and the broker has forgotten. So what is missing here the sender has lost.
    """

    def __init__(self, port, configure=lambda client: None):
        self.messages = []
        self.ready = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="subscriber", clean_session=False)
        configure(self._client)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 0)
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda client, data, message: self.messages.append(message)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self.ready)

    def _subscribed(self, *_):
        self.ready += 1

    def on(self, topic):
        return [message.payload for message in list(self.messages) if message.topic == topic]

    def times(self):
        """Times of the windows in the order of their first arrival."""
        return list(dict.fromkeys(json.loads(payload)["t"] for payload in self.on("deseptr/wrist/window")))

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def make_broker(tmp_path):
    made = []

    def make(settings="allow_anonymous true\n"):
        broker = Broker(tmp_path, settings)
        made.append(broker)
        broker.start()
        return broker

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def subscribe():
    made = []

    def make(*arguments):
        made.append(Subscriber(*arguments))
        return made[-1]

    yield make
    for subscriber in made:
        subscriber.close()


@pytest.fixture
def make_sink(tmp_path, warnings):
    made = []

    def make(
        broker, capacity=100_000, spool="spool", node="wrist", identity="deseptr-wrist", warn=warnings, events=(),
        **options,
    ):  # fmt: skip
        messages = MqttMessages(node, ("sitting", "walking", "fall"), model="tiny", version="1", events=events)
        spool = Spool(tmp_path / spool, warn, capacity)
        sink = MqttSink(broker, identity, messages, spool, warn, **options)
        made.append(sink)
        return sink

    yield make
    close_rest(made)


def restart(broker, subscriber):
    """Have the broker back, and the subscriber subscribed again: it may have been killed before it kept that."""
    before = subscriber.ready
    broker.start()
    until(lambda: subscriber.ready > before)


def local(broker, **options):
    return MqttBroker("127.0.0.1", broker.port, **options)


def test_a_refused_version_of_the_protocol_ends_no_connection_for_good(
    make_broker, subscribe, make_sink, window, warnings
):
    broker = make_broker()
    broker.kill()
    with socket.create_server(("127.0.0.1", broker.port)) as refusing:
        sink = make_sink(local(broker))
        client, _ = refusing.accept()
    with client:
        client.recv(1000)
        # CONNACK: unacceptable version; whoever connects now finds nobody.
        client.sendall(bytes([0x20, 2, 0, 1]))
        until(lambda: any("cannot be reached" in each for each in warnings))
    broker.start()
    subscriber = subscribe(broker.port)
    sink.take(window(0))
    until(lambda: subscriber.times() == [window(0).t])
    close(sink)
    assert subscriber.times() == [window(0).t]


def test_events_arrive_in_order_between_online_and_offline(make_broker, subscribe, make_sink, window, warnings):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    sink = make_sink(local(broker))
    events = [window(number) for number in range(200)]
    for event in events:
        sink.take(event)
    sink.take(LabelEvent(300.0, "walking", None, 0.75))
    sink.take(GapEvent(301.0, "overflow", 12))
    close(sink)
    until(lambda: subscriber.on("deseptr/wrist/status") == [b"online", b"offline"])
    received = [json.loads(payload) for payload in subscriber.on("deseptr/wrist/window")]
    for message in received:
        assert message.pop("time")
    assert received == [event.to_dict() for event in events]
    assert len(subscriber.on("deseptr/wrist/label")) == len(subscriber.on("deseptr/wrist/gap")) == 1
    assert subscriber.on("deseptr/wrist/problem") == [b"OFF", b"ON"]
    assert warnings == []


def test_later_subscribers_get_state_and_configuration(make_broker, subscribe, make_sink, window):
    broker = make_broker()
    sink = make_sink(local(broker), discovery="homeassistant")
    for event in (window(0), LabelEvent(1.28, "walking", None, 0.75), drift_part(1), drift_part(2)):
        sink.take(event)
    close(sink)
    subscriber = subscribe(broker.port)
    until(lambda: len(subscriber.messages) == 8)
    assert {message.topic for message in subscriber.messages} == {
        "deseptr/wrist/status",
        "deseptr/wrist/label",
        "deseptr/wrist/drift",
        "deseptr/wrist/problem",
        "homeassistant/sensor/deseptr_wrist/label/config",
        "homeassistant/sensor/deseptr_wrist/confidence/config",
        "homeassistant/sensor/deseptr_wrist/mean_confidence/config",
        "homeassistant/binary_sensor/deseptr_wrist/problem/config",
    }
    assert all(message.retain for message in subscriber.messages)
    (latest,) = subscriber.on("deseptr/wrist/drift")
    assert json.loads(latest)["drift"]["key"] == "r-2"


def test_a_learned_label_is_configured_before_it_is_told_and_after_a_reconnection(
    make_broker, subscribe, make_sink, window
):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    sink = make_sink(local(broker), discovery="homeassistant")
    topic, label = "homeassistant/sensor/deseptr_wrist/label/config", "deseptr/wrist/label"
    until(lambda: len(subscriber.on(topic)) == 1)
    sink.take(replace(window(0), probabilities={"sitting": 0.1, "walking": 0.1, "cycling": 0.8}))
    sink.take(LabelEvent(1.28, "cycling", None, 0.8))
    until(lambda: subscriber.on(label))
    assert "cycling" in json.loads(subscriber.on(topic)[-1])["options"]
    assert [m.topic for m in subscriber.messages if m.topic in (topic, label)] == [topic, topic, label]
    sink._client.socket().shutdown(socket.SHUT_RDWR)
    until(lambda: len(subscriber.on(topic)) == 3)
    assert "cycling" in json.loads(subscriber.on(topic)[-1])["options"]
    close(sink)


def test_last_will_reports_a_sudden_end(make_broker, subscribe, make_sink):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    sink = make_sink(local(broker), discovery=None)
    until(lambda: subscriber.on("deseptr/wrist/status") == [b"online"])
    sink._client.socket().shutdown(socket.SHUT_RDWR)
    until(lambda: b"offline" in subscriber.on("deseptr/wrist/status"))
    assert subscriber.on("deseptr/wrist/status")[:2] == [b"online", b"offline"]


def test_killed_broker_costs_no_message(make_broker, subscribe, make_sink, window, warnings):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    sink = make_sink(local(broker))
    taken = 0
    for outage in range(2):
        for _ in range(150):
            sink.take(window(taken))
            taken += 1
        # Some have come, so that the broker has long kept the subscription.
        until(lambda outage=outage: len(subscriber.times()) > 300 * outage + 10)
        # In the middle of what is on its way.
        broker.kill()
        for _ in range(150):
            sink.take(window(taken))
            taken += 1
        broker.start()
        until(lambda outage=outage: subscriber.ready >= outage + 2)
    expected = [window(number).to_dict()["t"] for number in range(taken)]
    until(lambda: len(subscriber.times()) == taken)
    assert subscriber.times() == expected
    lost = [line for line in warnings if "connection lost" in line]
    assert len(lost) == 2
    assert warnings[0].startswith(f"MQTT broker 127.0.0.1:{broker.port}: connection lost (")
    assert warnings[0].endswith("; messages wait in the spool")
    assert warnings[1] == f"MQTT broker 127.0.0.1:{broker.port}: connected"


def test_messages_outlive_broker_and_process(make_broker, subscribe, make_sink, window, warnings):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    broker.kill()
    for first in (0, 30):
        sink = make_sink(local(broker))
        for number in range(first, first + 30):
            sink.take(window(number))
        close(sink)
    # Each of the two runs also said that there is no problem.
    assert warnings[-1] == "mqtt: 62 messages wait in the spool for the next run"
    restart(broker, subscriber)
    sink = make_sink(local(broker))
    sink.take(window(60))
    until(lambda: len(subscriber.times()) == 61)
    assert all(earlier < later for earlier, later in pairwise(subscriber.times()))


class SlowSpool(Spool):
    """On a card that takes long over what comes after the first event of interest."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.gates = []

    def extend(self, messages, sent):
        if self.gates:
            self.gates.pop(0).wait(2 * PATIENCE_S)
        super().extend(messages, sent)


def test_acknowledgment_is_noted_while_events_wait_to_be_stored(make_broker, subscribe, window, warnings, tmp_path):
    """Else a kill would have the messages sent again whose acknowledgments wait behind the events."""
    broker = make_broker()
    subscriber = subscribe(broker.port)
    spool = SlowSpool(tmp_path / "state" / "spool", warnings)
    messages = MqttMessages("wrist", ("sitting", "walking"), model="tiny", version="1")
    sink = MqttSink(local(broker), "deseptr-wrist", messages, spool, warnings)
    sink.take(window(0))
    until(lambda: len(subscriber.times()) == 1 and not len(spool))
    first, second = spool.gates[:] = threading.Event(), threading.Event()
    sink.take(window(1))
    sink.take(window(2))
    first.set()
    until(lambda: len(subscriber.times()) == 2)

    def left_by_a_kill():
        copy = Spool(shutil.copytree(tmp_path / "state", tmp_path / f"copy{time.monotonic_ns()}") / "spool", warnings)
        return len(copy), copy.close()

    until(lambda: left_by_a_kill() == (0, (0, 0, "")))
    second.set()
    sink.close()
    assert [len(subscriber.times()), warnings] == [3, []]


def test_full_spool_drops_the_oldest(make_broker, subscribe, make_sink, window, warnings):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    broker.kill()
    sink = make_sink(local(broker), capacity=20)
    for number in range(100):
        sink.take(window(number))
    close(sink)
    assert warnings[-2:] == [
        "mqtt: the spool was full; dropped the oldest 81 messages",
        "mqtt: 20 messages wait in the spool for the next run",
    ]
    restart(broker, subscriber)
    make_sink(local(broker))
    until(lambda: len(subscriber.times()) == 20)
    assert subscriber.times() == [window(number).to_dict()["t"] for number in range(80, 100)]


def test_two_machines_of_one_host_name_keep_apart(make_broker, subscribe, make_sink, window, tmp_path, warnings):
    broker = make_broker()
    subscriber = subscribe(broker.port)
    spool = Path("/var/lib/deseptr/mqtt.sqlite")
    sinks = {}
    for code in ("1a2b3c4d", "5e6f7a8b"):
        node = node_name("raspberrypi", code)
        sinks[node] = make_sink(local(broker), spool=code, node=node, identity=client_id(node, spool, code))
    for number in range(4):
        for sink in sinks.values():
            sink.take(window(number))
        time.sleep(0.5)
    for node in sinks:
        until(lambda node=node: len(subscriber.on(f"deseptr/{node}/window")) == 4)
        assert subscriber.on(f"deseptr/{node}/status") == [b"online"]
    assert warnings == []
    configured = [message.topic for message in subscriber.messages if message.topic.endswith("/config")]
    assert len(configured) == len(set(configured)) == 8


def test_taken_connection_is_explained_once(make_broker, make_sink):
    broker = make_broker()
    heard = [], []
    for number, lines in enumerate(heard):
        make_sink(local(broker), spool=f"spool{number}", warn=lines.append)
    until(lambda: all(any("takes it over" in line for line in lines) for lines in heard))
    before = [len(lines) for lines in heard]
    time.sleep(4)
    for lines, count in zip(heard, before, strict=True):
        assert len(lines) == count
        assert len([line for line in lines if "takes it over" in line]) == 1
        assert "--mqtt-node" in lines[-1]


TOPIC = "deseptr/wrist/alarm/fall"


def on(subscriber):
    return [json.loads(payload)["on"] for payload in subscriber.on(TOPIC)]


def test_alarm_is_acknowledged_over_the_broker(make_broker, subscribe, make_sink, warnings):
    broker = make_broker()
    subscriber, answers = subscribe(broker.port), Answers()
    sink = make_sink(local(broker), events=("fall",), answers=answers)
    sink.take(AlarmEvent(1.0, "fall", "suspected", 0.9, "1f"))
    sink.take(AlarmEvent(9.0, "fall", "raised", 0.9, "1f"))
    until(lambda: on(subscriber) == [True])
    subscriber._client.publish(f"{TOPIC}/acknowledge", "acknowledge", qos=1)
    until(lambda: on(subscriber) == [True, False])
    assert answers.take() == [("mqtt", "fall")]
    sink.take(AlarmEvent(9.5, "fall", "acknowledged", 0.9, "1f", reason="mqtt"))
    close(sink)
    steps = [json.loads(payload)["alarm"]["state"] for payload in subscriber.on("deseptr/wrist/alarm")]
    assert steps == ["suspected", "raised", "acknowledged"]
    late = subscribe(broker.port)
    until(lambda: on(late))
    assert on(late)[-1] is False
    assert warnings == []


def test_alarm_of_an_earlier_run_stays_on_and_the_next_run_takes_its_answer(make_broker, subscribe, make_sink):
    broker = make_broker()
    subscriber, answers = subscribe(broker.port), Answers()
    first = make_sink(local(broker), spool="first", identity="first", events=("fall",))
    first.take(AlarmEvent(9.0, "fall", "raised", 0.9, "1f"))
    until(lambda: on(subscriber) == [True])
    close(first)
    make_sink(local(broker), spool="second", identity="second", events=("fall",), answers=answers)

    def press():
        subscriber._client.publish(f"{TOPIC}/acknowledge", "", qos=1)
        time.sleep(0.1)
        return on(subscriber)[-1] is False

    assert on(subscriber) == [True]
    until(press)
    assert answers.take()[0] == ("mqtt", "fall")


def test_an_answer_that_the_broker_has_kept_is_none(make_broker, subscribe, make_sink):
    broker = make_broker()
    subscriber, answers = subscribe(broker.port), Answers()
    subscriber._client.publish(f"{TOPIC}/acknowledge", "old", qos=1, retain=True)
    until(lambda: subscriber.on(f"{TOPIC}/acknowledge"))
    sink = make_sink(local(broker), events=("fall",), answers=answers)
    sink.take(AlarmEvent(9.0, "fall", "raised", 0.9, "1f"))
    until(lambda: on(subscriber) == [True])
    subscriber._client.publish(f"{TOPIC}/acknowledge", "new", qos=1)
    until(lambda: on(subscriber) == [True, False])
    assert answers.take() == [("mqtt", "fall")]


def test_a_topic_that_is_no_text_ends_nothing(make_sink):
    answers = Answers()
    with socket.create_server(("127.0.0.1", 0)) as server:
        make_sink(MqttBroker("127.0.0.1", server.getsockname()[1]), events=("fall",), answers=answers)
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            topic = f"{TOPIC}/acknowledge".encode()
            # CONNACK, then PUBLISH with QoS 0 (MQTT 3.1.1, sections 3.2 and 3.3).
            connection.sendall(b"\x20\x02\x00\x00" + b"\x30\x05\x00\x03\xff\xfe\xfd")
            connection.sendall(bytes([0x30, 2 + len(topic), 0, len(topic)]) + topic)
            until(lambda: answers.take() == [("mqtt", "fall")])
            assert answers.take() == []


def test_prefix_with_wildcards_is_refused(make_sink):
    with pytest.raises(SetupError, match="--mqtt-discovery: found '#/\\+'"):
        make_sink(MqttBroker("127.0.0.1", 1), discovery="#/+")


PASSWORD = "correct horse"


@pytest.fixture
def guarded(make_broker, tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "wearer", PASSWORD], check=True, capture_output=True)
    return make_broker(f"allow_anonymous false\npassword_file {passwords}\n")


def test_right_password_connects(guarded, subscribe, make_sink, window, warnings):
    subscriber = subscribe(guarded.port, lambda client: client.username_pw_set("wearer", PASSWORD))
    broker = local(guarded, user="wearer", password=PASSWORD)
    sink = make_sink(broker)
    sink.take(window())
    until(lambda: subscriber.times() == [1.28])
    assert warnings == []
    assert PASSWORD not in repr(broker)


@pytest.mark.parametrize(
    ("user", "password", "who"), [("wearer", "wrong horse", "user wearer"), (None, None, "no user")]
)
def test_wrong_password_is_one_clear_line(guarded, make_sink, window, warnings, user, password, who):
    sink = make_sink(local(guarded, user=user, password=password))
    sink.take(window())
    until(lambda: warnings)
    # Let it try again.
    time.sleep(1.5)
    assert warnings == [
        f"MQTT broker 127.0.0.1:{guarded.port}: refuses {who} (Not authorized); "
        "check --mqtt-user and DESEPTR_MQTT_PASSWORD; messages wait in the spool"
    ]


def tls_settings(folder):
    return f"allow_anonymous true\ncafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"


def test_tls_with_both_sides_known(make_broker, certificates, subscribe, make_sink, window, warnings):
    broker = make_broker(tls_settings(certificates) + "require_certificate true\n")
    names = {"ca_certs": "ca.pem", "certfile": "node.pem", "keyfile": "node.key"}
    files = {option: str(certificates / name) for option, name in names.items()}
    subscriber = subscribe(broker.port, lambda client: client.tls_set(**files))
    ca, certificate, key = (certificates / name for name in names.values())
    sink = make_sink(local(broker, tls=True, ca=ca, certificate=certificate, key=key))
    sink.take(window())
    until(lambda: subscriber.times() == [1.28])
    assert warnings == []


def test_untrusted_broker_is_one_clear_line(make_broker, certificates, make_sink, window, warnings):
    broker = make_broker(tls_settings(certificates))
    sink = make_sink(local(broker, tls=True))
    sink.take(window())
    until(lambda: warnings)
    time.sleep(1.5)
    assert warnings == [
        f"MQTT broker 127.0.0.1:{broker.port}: TLS failed (self-signed certificate in certificate chain); "
        "messages wait in the spool"
    ]


@pytest.mark.parametrize(
    ("option", "files"),
    [
        ("--mqtt-ca", {"ca": "missing.pem"}),
        ("--mqtt-ca", {"ca": "ca.key"}),
        # It would be waited for without end.
        ("--mqtt-ca", {"ca": "pipe"}),
        ("--mqtt-cert", {"certificate": "node.pem", "key": "pipe"}),
        ("--mqtt-cert", {"certificate": "missing.pem"}),
        ("--mqtt-cert", {"certificate": "node.pem", "key": "broker.key"}),
    ],
)
def test_unusable_certificates_are_refused(certificates, make_sink, tmp_path, option, files):
    os.mkfifo(tmp_path / "pipe")
    files = {name: (tmp_path if file == "pipe" else certificates) / file for name, file in files.items()}
    with pytest.raises(SetupError, match=rf"^{option} .*: found .* in PEM; name another file") as caught:
        make_sink(MqttBroker("127.0.0.1", 1, tls=True, **files))
    assert "\n" not in str(caught.value)


def test_messages_that_the_medium_had_no_room_for_are_told_to_be_lost(
    make_sink, window, warnings, monkeypatch, tmp_path
):
    Pages(monkeypatch, 8)
    port = free_port()
    sink = make_sink(MqttBroker("127.0.0.1", port))
    for number in range(500):
        sink.take(window(number))
    close(sink)
    kept = len(Spool(tmp_path / "spool", [].append))
    assert 0 < kept < 501
    assert warnings[-2:] == [
        f"mqtt: {kept} messages wait in the spool for the next run",
        f"mqtt: {501 - kept} messages that waited in memory are lost: database or disk is full",
    ]


def test_without_a_broker_events_are_taken_and_kept(make_sink, window, warnings):
    port = free_port()
    sink = make_sink(MqttBroker("127.0.0.1", port))
    for number in range(1000):
        sink.take(window(number))
    close(sink)
    assert warnings == [
        f"MQTT broker 127.0.0.1:{port}: cannot be reached (Connection refused); messages wait in the spool",
        "mqtt: 1,001 messages wait in the spool for the next run",
    ]
