"""MQTT topics and payloads: of events, of the node's state, and for Home Assistant.

Topics are ``deseptr/<node>/label`` (retained), ``window``, ``gap``, ``recovery``, ``rate``, ``implausible`` (retained),
``drift`` (retained), ``problem`` (retained, ``ON`` or ``OFF``) and ``status`` (retained, ``online`` or ``offline``).
Payloads of events are those of ``device run --json`` with ``time``, the wall clock's UTC in ISO 8601, since they may
arrive much later.

A class that is an event has ``alarm/<class>`` (retained: ``on``, and the alarm that was raised or acknowledged last),
and takes any message on ``alarm/<class>/acknowledge`` for a person's answer. Each step of an alarm is on ``alarm``.

Home Assistant finds its sensors by retained configurations under ``<prefix>/<component>/<node>/<object>/config``
(https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from deseptr.contract import SetupError
from deseptr.device.events import (
    AlarmEvent,
    DriftEvent,
    Event,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.device.label.tracker import UNKNOWN

from .spool_file import MqttMessage

ONLINE, OFFLINE = b"online", b"offline"
PROBLEM_S = 60.0
WATCHING_S = 60
TOPICS: Mapping[type, tuple[str, bool]] = {
    WindowEvent: ("window", False),
    GapEvent: ("gap", False),
    ImplausibleEvent: ("implausible", True),
    LabelEvent: ("label", True),
    AlarmEvent: ("alarm", False),
    MountingEvent: ("mounting", True),
    RecoveryEvent: ("recovery", False),
    RateEvent: ("rate", True),
    DriftEvent: ("drift", True),
}


class MqttMessages:
    """Makes the messages of one node.

    Args:
        node: its name, of letters, digits, ``_`` and ``-``.
        labels: the model's labels.
        model: the model's name.
        version: version of this software.
        events: labels that are events.
        wall: gives seconds since 1970.

    Raises:
        SetupError: if the name has other characters, which topics cannot have.
    """

    def __init__(
        self,
        node: str,
        labels: tuple[str, ...],
        *,
        model: str,
        version: str,
        events: Sequence[str] = (),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._node = check_node(node)
        # A wearer may bring further ones; they stay, since what was retained of them does.
        self._labels = labels
        self._model = model
        self._version = version
        self._wall = wall
        self._problem: bool | None = None
        self._trouble_t = 0.0
        self._implausible = False
        self.status_topic = self._topic("status")
        self._levels = dict(zip(events, topic_levels(events), strict=True))

    @property
    def answer_topic(self) -> str | None:
        """Subscription to the answers of people; None without events."""
        return self._topic("alarm/+/acknowledge") if self._levels else None

    def answered(self, topic: str) -> tuple[str, MqttMessage] | None:
        """The label that an answer is about, and the message that its alarm is over; None for any other topic."""
        for label, level in self._levels.items():
            if topic == self._topic(f"alarm/{level}/acknowledge"):
                return label, self._alarm(label, {"on": False, "time": self._now()})
        return None

    def of(self, event: Event) -> list[MqttMessage]:
        """The messages of one event: itself, the state of its alarm, and ``problem`` if that changed.

        There is a problem from a gap, a recovery or implausible samples on, until ``PROBLEM_S`` after the last of them.
        """
        name, retain = TOPICS[type(event)]
        content = event.to_dict() | {"time": self._now()}
        messages = [MqttMessage(self._topic(name), _json(content), retain)]
        if isinstance(event, AlarmEvent) and event.state in ("raised", "acknowledged"):
            messages.append(self._alarm(event.label, {"on": event.state == "raised"} | content))
        problem = self._is_problem(event)
        if problem is not self._problem:
            self._problem = problem
            messages.append(MqttMessage(self._topic("problem"), b"ON" if problem else b"OFF", retain=True))
        return messages

    def learn(self, event: Event) -> bool:
        """Note the labels of a window; whether some were not known, so that :meth:`label_discovery` has changed."""
        given = event.probabilities if isinstance(event, WindowEvent) else ()
        new = tuple(label for label in given if label not in self._labels)
        self._labels = (*self._labels, *new)
        return bool(new)

    def status(self, online: bool) -> MqttMessage:
        """The node's status; ``offline`` is also its last will."""
        return MqttMessage(self.status_topic, ONLINE if online else OFFLINE, retain=True)

    def discovery(self, prefix: str) -> list[MqttMessage]:
        """Configurations of the label, its confidence and that of the last hour, the problem sensor, and of the alarms.

        Args:
            prefix: Home Assistant's, ``homeassistant`` unless set otherwise there.

        Raises:
            SetupError: if no topic can begin with the prefix.
        """
        _check_prefix(prefix)
        confidence = {
            "name": "Confidence",
            "state_topic": self._topic("window"),
            "value_template": "{{ (value_json.confidence * 100) | round(1) }}",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "entity_category": "diagnostic",
        }
        mean = {
            "name": "Mean confidence",
            "state_topic": self._topic("drift"),
            # "None" is Home Assistant's unknown: an hour without plausible windows has no mean.
            "value_template": "{% if value_json.drift.mean_confidence is defined %}"
            "{{ (value_json.drift.mean_confidence * 100) | round(1) }}{% else %}None{% endif %}",
            "json_attributes_topic": self._topic("drift"),
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "entity_category": "diagnostic",
        }
        problem = {
            "name": "Sensor trouble",
            "state_topic": self._topic("problem"),
            "device_class": "problem",
            "entity_category": "diagnostic",
        }
        return [
            self.label_discovery(prefix),
            self._config(prefix, "sensor", "confidence", confidence),
            self._config(prefix, "sensor", "mean_confidence", mean),
            self._config(prefix, "binary_sensor", "problem", problem),
            *self._alarm_discovery(prefix),
        ]

    def label_discovery(self, prefix: str) -> MqttMessage:
        """Configuration of the label; Home Assistant ignores labels that are not among its options."""
        label = {
            "name": "Activity",
            "icon": "mdi:run",
            "state_topic": self._topic("label"),
            "value_template": "{{ value_json.change.label }}",
            "json_attributes_topic": self._topic("label"),
            "device_class": "enum",
            "options": list(dict.fromkeys((*self._labels, UNKNOWN))),
        }
        return self._config(prefix, "sensor", "label", label)

    def _alarm_discovery(self, prefix: str) -> list[MqttMessage]:
        made = []
        for label, level in self._levels.items():
            topic = self._topic(f"alarm/{level}")
            alarm = {
                "name": label,
                "state_topic": topic,
                "value_template": "{{ 'ON' if value_json.on else 'OFF' }}",
                "json_attributes_topic": topic,
                "device_class": "safety",
            }
            acknowledge = {
                "name": f"Acknowledge {label}",
                "icon": "mdi:bell-check",
                "command_topic": f"{topic}/acknowledge",
                "payload_press": "acknowledge",
            }
            made += [
                self._config(prefix, "binary_sensor", f"alarm_{level}", alarm),
                self._config(prefix, "button", f"acknowledge_{level}", acknowledge),
            ]
        # A dead man's switch: without a window the sensor becomes unavailable.
        watching = {
            "name": "Watching",
            "state_topic": self._topic("window"),
            "value_template": "ON",
            "expire_after": WATCHING_S,
            "device_class": "running",
            "entity_category": "diagnostic",
        }
        return [*made, self._config(prefix, "binary_sensor", "watching", watching)] if made else []

    def _config(self, prefix: str, component: str, name: str, config: dict[str, Any]) -> MqttMessage:
        common = {
            "unique_id": f"deseptr_{self._node}_{name}",
            "availability_topic": self.status_topic,
            "qos": 1,
            "device": {
                "identifiers": [f"deseptr_{self._node}"],
                "name": self._node,
                "manufacturer": "deseptr",
                "model": self._model,
                "sw_version": self._version,
            },
            "origin": {"name": "deseptr", "sw_version": self._version},
        }
        return MqttMessage(
            f"{prefix}/{component}/deseptr_{self._node}/{name}/config", _json(config | common), retain=True
        )

    def _is_problem(self, event: Event) -> bool:
        if isinstance(event, ImplausibleEvent):
            self._implausible = not event.ended
        if self._implausible or isinstance(event, GapEvent | RecoveryEvent | ImplausibleEvent):
            self._trouble_t = event.t
            return True
        # A replay's time starts again with each recording.
        return bool(self._problem) and 0 <= event.t - self._trouble_t < PROBLEM_S

    def _alarm(self, label: str, content: dict[str, Any]) -> MqttMessage:
        return MqttMessage(self._topic(f"alarm/{self._levels[label]}"), _json(content), retain=True)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds")

    def _topic(self, name: str) -> str:
        return f"deseptr/{self._node}/{name}"


def topic_levels(names: Sequence[str]) -> list[str]:
    """Levels of a topic for names, which may have characters that topics cannot have; different for different names.

    >>> topic_levels(["fall", "fall back", "fall/back"])
    ['fall', 'fall_back', 'fall_back_2']
    """
    levels: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        numbered = (plain if number == 1 else f"{plain}_{number}" for number in count(1))
        levels.append(next(level for level in numbered if level not in levels))
    return levels


def check_node(node: str) -> str:
    """The name of a node, which topics and file names can have.

    Raises:
        SetupError: if it has characters that they cannot have.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", node):
        raise SetupError(
            "--mqtt-node", found=node, expected="letters, digits, _ and -", next_step="choose another name"
        )
    return node


def node_name(host: str, code: str = "") -> str:
    """A name that is valid in topics, from a host's name and a machine's code.

    Fresh cards all have the same host name, so that the code tells their topics apart.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", host.partition(".")[0]) or "node"
    return f"{name[: 63 - len(code)]}-{code}" if code else name[:64]


def _check_prefix(prefix: str) -> None:
    # `+` and `#` are wildcards of subscriptions, which no topic may hold (MQTT 3.1.1, section 4.7.1).
    if not re.fullmatch(r"[^+#\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}", prefix):
        raise SetupError(
            "--mqtt-discovery",
            found=ascii(prefix)[:60],
            expected="the beginning of a topic, without +, # and control characters, or `none`",
            next_step="give the prefix that Home Assistant has, by default homeassistant",
        )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
