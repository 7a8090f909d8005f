import json
from dataclasses import replace

import pytest
from drift_parts import drift_part

from deseptr.contract import SetupError
from deseptr.device import (
    AlarmEvent,
    DriftSummary,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
)
from deseptr.device.sinks.mqtt_messages import MqttMessages, node_name


@pytest.fixture
def messages():
    return MqttMessages("wrist", ("sitting", "walking"), model="tiny", version="1.2", wall=lambda: 1_700_000_000.5)


def test_window_is_its_json_with_the_time_of_day(messages, window):
    message, problem = messages.of(window(1))
    assert message.topic == "deseptr/wrist/window"
    assert json.loads(message.payload) == window(1).to_dict() | {"time": "2023-11-14T22:13:20.500+00:00"}
    assert not message.retain
    assert problem == ("deseptr/wrist/problem", b"OFF", True)
    assert len(messages.of(window(2))) == 1


@pytest.mark.parametrize(
    ("event", "topic", "retain"),
    [
        (LabelEvent(1.0, "walking", None, 0.9), "label", True),
        (AlarmEvent(1.0, "walking", "suspected", 0.9, "1f", 0.5), "alarm", False),
        (GapEvent(1.0, "overflow", 3), "gap", False),
        (RecoveryEvent(1.0, "retry", "no answer", 1), "recovery", False),
        (RateEvent(1.0, 50.1, 50.0, False), "rate", True),
        (ImplausibleEvent(1.0, "stuck", "samples repeat", 1), "implausible", True),
        (MountingEvent(1.0, "x90", None, "the sensor is turned by 90° about x, as was said"), "mounting", True),
        (drift_part(), "drift", True),
    ],
)
def test_each_kind_has_a_topic(messages, event, topic, retain):
    message = messages.of(event)[0]
    assert (message.topic, message.retain) == (f"deseptr/wrist/{topic}", retain)
    assert json.loads(message.payload)["t"] == 1.0


def test_windows_labels_and_alarms_name_the_wearer(messages, window):
    for event in (
        replace(window(1), wearer="eve"),
        LabelEvent(1.0, "walking", None, 0.9, wearer="eve"),
        AlarmEvent(1.0, "walking", "suspected", 0.9, "1f", wearer="eve"),
    ):
        assert json.loads(messages.of(event)[0].payload)["wearer"] == "eve"
        assert "wearer" not in json.loads(messages.of(replace(event, wearer=None))[0].payload)


def test_problem_lasts_a_minute_after_the_last_trouble(messages, window):
    def problems(event):
        return [message.payload for message in messages.of(event) if message.topic.endswith("/problem")]

    assert problems(window(0)) == [b"OFF"]
    assert problems(GapEvent(100.0, "overflow", 3)) == [b"ON"]
    assert problems(RecoveryEvent(130.0, "retry", "no answer", 1)) == []
    assert problems(window(140)) == []  # ends at 180.48 s
    assert problems(window(148)) == [b"OFF"]  # ends at 190.72 s
    assert problems(GapEvent(200.0, "overflow", 3)) == [b"ON"]
    assert problems(window(0)) == [b"OFF"]  # of the next recording


def test_problem_lasts_as_long_as_implausible_samples_and_a_minute_more(messages, window):
    def problems(event):
        return [message.payload for message in messages.of(event) if message.topic.endswith("/problem")]

    assert problems(ImplausibleEvent(10.0, "stuck", "samples repeat", 1)) == [b"ON"]
    assert problems(window(400)) == []  # ends at 513.28 s
    assert problems(ImplausibleEvent(520.0, "stuck", "samples repeat", 1, ended=True)) == []
    assert problems(window(450)) == []  # ends at 577.28 s
    assert problems(window(460)) == [b"OFF"]  # ends at 590.08 s


def test_status(messages):
    assert messages.status(online=True) == ("deseptr/wrist/status", b"online", True)
    assert messages.status(online=False) == ("deseptr/wrist/status", b"offline", True)


def test_home_assistant_finds_four_sensors_of_one_device(messages, window):
    found = {message.topic: (json.loads(message.payload), message.retain) for message in messages.discovery("ha")}
    assert list(found) == [
        "ha/sensor/deseptr_wrist/label/config",
        "ha/sensor/deseptr_wrist/confidence/config",
        "ha/sensor/deseptr_wrist/mean_confidence/config",
        "ha/binary_sensor/deseptr_wrist/problem/config",
    ]
    configs = [config for config, _ in found.values()]
    assert all(retain for _, retain in found.values())
    assert len({config["unique_id"] for config in configs}) == 4
    assert all(config["device"] == configs[0]["device"] for config in configs)
    assert all(config["availability_topic"] == "deseptr/wrist/status" for config in configs)
    label, confidence, mean, problem = configs
    assert label["options"] == ["sitting", "walking", "unknown"]
    # What the templates read is in what is published on their topics.
    events = (window(), LabelEvent(1.0, "walking", None, 0.9), drift_part())
    published = {m.topic: m for event in events for m in messages.of(event)}
    assert json.loads(published[label["state_topic"]].payload)["change"]["label"] == "walking"
    assert label["value_template"] == "{{ value_json.change.label }}"
    assert "confidence" in json.loads(published[confidence["state_topic"]].payload)
    assert json.loads(published[mean["state_topic"]].payload)["drift"]["mean_confidence"] == 0.75
    assert published[problem["state_topic"]].payload == b"OFF"


def test_a_label_that_a_wearer_brings_is_an_option_from_then_on(messages, window):
    own = window().probabilities
    assert not messages.learn(window())
    assert messages.learn(replace(window(1), probabilities=own | {"cycling": 0.1}))
    assert not messages.learn(replace(window(2), probabilities=own | {"cycling": 0.2}))
    assert not messages.learn(LabelEvent(1.0, "cycling", None, 0.9))
    # Its state may still be retained when nobody wears it any more.
    assert not messages.learn(window(3))
    for message in (messages.label_discovery("ha"), messages.discovery("ha")[0]):
        assert json.loads(message.payload)["options"] == ["sitting", "walking", "cycling", "unknown"]


@pytest.mark.parametrize("node", ["", "a/b", "wrist+", "#", "links rechts", "x" * 65, "wrist\n"])
def test_names_that_topics_cannot_have_are_refused(node):
    with pytest.raises(SetupError, match="--mqtt-node: found"):
        MqttMessages(node, ("walking",), model="tiny", version="1")


@pytest.mark.parametrize(
    ("host", "node"), [("raspberrypi", "raspberrypi"), ("pi.local", "pi"), ("pi zero 2", "pi_zero_2"), ("", "node")]
)
def test_node_is_named_after_the_host(host, node):
    assert node_name(host) == node


def test_machines_of_one_host_name_have_different_nodes():
    first, second = (node_name("raspberrypi", code) for code in ("1a2b3c4d", "5e6f7a8b"))
    assert (first, second) == ("raspberrypi-1a2b3c4d", "raspberrypi-5e6f7a8b")
    long = node_name("x" * 100, "1a2b3c4d")
    assert len(long) == 64
    assert long.endswith("x-1a2b3c4d")
    ids = [
        {json.loads(message.payload)["unique_id"] for message in made.discovery("ha")}
        for made in (MqttMessages(node, ("walking",), model="tiny", version="1") for node in (first, second, long))
    ]
    assert len(set.union(*ids)) == 12


@pytest.mark.parametrize("prefix", ["", "#", "#/+", "home/+", "a\0b", "a\nb", "a\x1b]0;b", "\udcff", "x" * 201])
def test_prefixes_that_topics_cannot_have_are_refused(messages, prefix):
    with pytest.raises(SetupError, match=r"^--mqtt-discovery: found .* homeassistant$") as caught:
        messages.discovery(prefix)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("prefix", ["homeassistant", "house/first floor", "haus-wärme"])
def test_other_prefixes_are_taken(messages, prefix):
    assert messages.discovery(prefix)[0].topic == f"{prefix}/sensor/deseptr_wrist/label/config"


@pytest.fixture
def alarming():
    labels = ("walking", "fall", "fall/back")
    return MqttMessages("wrist", labels, model="tiny", version="1", events=labels[1:], wall=lambda: 1_700_000_000.5)


def test_an_alarm_is_on_until_it_is_acknowledged(alarming):
    steps = ("suspected", "cancelled", "suspected", "raised", "acknowledged")
    made = [m for state in steps for m in alarming.of(AlarmEvent(1.0, "fall", state, 0.9, "1f", 0.5))]
    assert [m.topic for m in made].count("deseptr/wrist/alarm") == 5
    on, off = (m for m in made if m.topic == "deseptr/wrist/alarm/fall")
    assert on.retain
    assert off.retain
    assert json.loads(on.payload)["on"] is True
    assert json.loads(on.payload)["alarm"]["key"] == "1f"
    assert json.loads(off.payload)["on"] is False


def test_answers_are_told_apart_by_their_topic(alarming, messages):
    assert messages.answer_topic is None
    assert alarming.answer_topic == "deseptr/wrist/alarm/+/acknowledge"
    label, over = alarming.answered("deseptr/wrist/alarm/fall_back/acknowledge")
    assert label == "fall/back"
    assert (over.topic, over.retain) == ("deseptr/wrist/alarm/fall_back", True)
    assert json.loads(over.payload) == {"on": False, "time": "2023-11-14T22:13:20.500+00:00"}
    for topic in ("deseptr/wrist/alarm/walking/acknowledge", "deseptr/wrist/alarm/fall", "x"):
        assert alarming.answered(topic) is None


def test_home_assistant_finds_each_alarm_and_its_button(alarming, messages):
    found = {m.topic: json.loads(m.payload) for m in alarming.discovery("ha")}
    more = found.keys() - {m.topic for m in messages.discovery("ha")}
    assert more == {
        "ha/binary_sensor/deseptr_wrist/alarm_fall/config",
        "ha/binary_sensor/deseptr_wrist/alarm_fall_back/config",
        "ha/button/deseptr_wrist/acknowledge_fall/config",
        "ha/button/deseptr_wrist/acknowledge_fall_back/config",
        "ha/binary_sensor/deseptr_wrist/watching/config",
    }
    sensor = found["ha/binary_sensor/deseptr_wrist/alarm_fall_back/config"]
    button = found["ha/button/deseptr_wrist/acknowledge_fall_back/config"]
    assert sensor["name"] == "fall/back"
    (_, state) = alarming.of(AlarmEvent(1.0, "fall/back", "raised", 0.9, "1f", 0.5))[:2]
    assert sensor["state_topic"] == sensor["json_attributes_topic"] == state.topic
    assert sensor["value_template"] == "{{ 'ON' if value_json.on else 'OFF' }}"
    assert alarming.answered(button["command_topic"])[0] == "fall/back"
    assert len({config["unique_id"] for config in found.values()}) == len(found) == 9
    assert found["ha/binary_sensor/deseptr_wrist/watching/config"]["expire_after"] == 60


def test_templates_of_home_assistant_give_its_states(alarming):
    """Home Assistant's templates are those of jinja2."""
    jinja2 = pytest.importorskip("jinja2")
    found = {m.topic: json.loads(m.payload) for m in alarming.discovery("ha")}
    template = jinja2.Template(found["ha/binary_sensor/deseptr_wrist/alarm_fall/config"]["value_template"])
    for state, expected in (("raised", "ON"), ("acknowledged", "OFF")):
        message = alarming.of(AlarmEvent(1.0, "fall", state, 0.9, "1f"))[1]
        assert template.render(value_json=json.loads(message.payload)) == expected
    template = jinja2.Template(found["ha/sensor/deseptr_wrist/mean_confidence/config"]["value_template"])
    for part, expected in ((drift_part(), "75.0"), (replace(drift_part(), summary=DriftSummary(gaps=1)), "None")):
        (message,) = alarming.of(part)
        assert template.render(value_json=json.loads(message.payload)) == expected
