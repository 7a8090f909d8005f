"""`deseptr device run --event`, on recordings of a wearer who lies down."""

import csv
import json
from dataclasses import fields, replace

import pytest
from click.testing import CliRunner

from deseptr.cli.device.event_options import _RULE
from deseptr.cli.device.group import device
from deseptr.contract import EventRule, SetupError


def invoke(*arguments):
    result = CliRunner().invoke(device, ["run", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def alarms(result):
    return [line["alarm"] | {"t": line["t"]} for line in map(json.loads, result.stdout.splitlines()) if "alarm" in line]


RULE = ("--event", "lying", "--event-confirm", 4, "--event-settle", 1)


def test_a_still_wearer_raises_an_alarm_in_every_output(int8_model, recording, tmp_path):
    path = recording(("up", 8, False), ("down", 12, False))
    log = tmp_path / "run.csv"
    result = invoke("--model", int8_model, "--simulate", path, "--json", "--csv", log, *RULE)
    suspected, raised = alarms(result)
    assert (suspected["state"], raised["state"]) == ("suspected", "raised")
    assert suspected["key"] == raised["key"]
    assert raised["t"] - suspected["t"] == pytest.approx(5, abs=0.33)
    assert 8 < suspected["t"] < 9
    assert "alarms: 1 suspected, 1 raised" in result.stderr
    with log.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["event"] == "alarm"]
    assert [row["state"] for row in rows] == ["suspected", "raised"]
    assert rows[1]["detail"] == raised["key"]
    plain = invoke("--model", int8_model, "--simulate", path, "--plain", *RULE)
    lines = [" ".join(line.partition(" s ")[2].split()) for line in plain.stdout.splitlines()]
    assert [line for line in lines if line.startswith(("lying suspected", "lying raised"))] == [
        "lying suspected 90.9%",
        "lying raised 90.9%",
    ]


def test_a_wearer_who_moves_cancels_it(int8_model, recording):
    path = recording(("up", 8, False), ("down", 4, False), ("down", 8, True))
    assert [(alarm["state"], alarm["reason"]) for alarm in alarms(
        invoke("--model", int8_model, "--simulate", path, "--json", *RULE)
    )] == [("suspected", ""), ("cancelled", "motion")]  # fmt: skip


def test_a_recording_that_ends_in_the_confirmation_raises_it(int8_model, recording):
    path = recording(("up", 8, False), ("down", 3, False))
    made = alarms(invoke("--model", int8_model, "--simulate", path, "--json", *RULE))
    assert made[-1]["reason"] == "not confirmed: the samples ended"


def test_without_event_options_there_are_no_alarms(int8_model, recording):
    path = recording(("up", 8, False), ("down", 12, False))
    result = invoke("--model", int8_model, "--simulate", path, "--json")
    assert alarms(result) == []
    assert "alarms" not in result.stderr


def test_options_say_the_rules_own_defaults():
    rule = EventRule("fall")
    for _, field, _, text in _RULE:
        default = getattr(rule, field)
        assert text.endswith(f"[default: {default:g}]") if default is not None else "default" not in text
    assert {field for _, field, _, _ in _RULE} == {field.name for field in fields(EventRule)} - {"label"}


def test_a_rule_without_an_event_is_refused(int8_model):
    result = invoke("--model", int8_model, "--simulate", "--event-confirm", 5)
    assert result.exit_code == 2
    assert "--event-confirm goes with --event" in result.stderr


def test_a_class_that_the_model_does_not_know_is_refused_before_the_sensor_is_touched(int8_model):
    with pytest.raises(SetupError, match=r"^event fall: found no such class in the model, expected one of lying"):
        invoke("--model", int8_model, "--bus", 4095, "--event", "fall")


@pytest.fixture
def watchful_model(make_model, contract):
    rule = EventRule("lying", confirm_s=4, settle_s=1)
    return make_model(contract=replace(contract, events=(rule,)))


def test_events_of_the_model_are_watched_and_options_go_before_its_rules(watchful_model, recording):
    path = recording(("up", 8, False), ("down", 12, False))
    run = ("--model", watchful_model, "--simulate", path, "--json")
    first, second = alarms(invoke(*run))
    assert second["t"] - first["t"] == pytest.approx(5, abs=0.33)
    first, second = alarms(invoke(*run, "--event-confirm", 2))
    assert second["t"] - first["t"] == pytest.approx(3, abs=0.33)
    assert alarms(invoke(*run, "--event", "none")) == []
    assert [alarm["event"] for alarm in alarms(invoke(*run, "--event", "upright"))] == ["upright"]
