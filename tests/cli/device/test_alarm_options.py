"""`deseptr device run --webhook`, killed between event and delivery; the options of alarms."""

import json
import os
import random
import subprocess
import sys

import pytest
from alarm_receiver import KEY, Receiver
from click.testing import CliRunner

from deseptr.cli.device.group import device
from deseptr.contract import SetupError

COMMAND = [sys.executable, "-m", "deseptr.cli", "device", "run"]
EVENT = ("--event", "lying", "--event-refractory", "1")
POSTURES = [("up", 2, False), ("down", 2, False)]


@pytest.fixture
def receiver(certificates):
    made = Receiver(certificates).start()
    yield made
    made.stop()


@pytest.fixture
def command(int8_model, certificates, receiver, tmp_path):
    def make(path, *options):
        address = f"https://127.0.0.1:{receiver.port}/alarm"
        to = ("--webhook", address, "--webhook-ca", certificates / "ca.pem", "--alarm-spool", tmp_path)
        run = [*COMMAND, "--model", int8_model, "--simulate", path, "--json", *EVENT, *to, *options]
        return [str(argument) for argument in run]

    return make


def invoke(*arguments, env=None):
    result = CliRunner().invoke(device, ["run", *map(str, arguments)], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def raised(lines):
    return [line["alarm"]["key"] for line in map(json.loads, lines) if line.get("alarm", {}).get("state") == "raised"]


ENVIRONMENT = os.environ | {"DESEPTR_WEBHOOK_SECRET": KEY.decode()}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([503], marks=pytest.mark.slow),
        pytest.param(["hang"], marks=pytest.mark.slow),
        [200, 200, "reset"],
        pytest.param([200], marks=pytest.mark.slow),
    ],
)
def test_killed_between_event_and_delivery_nothing_is_lost_and_nothing_twice(command, receiver, recording, trouble):
    path, quiet = recording(*POSTURES * 40), recording(("up", 3, False), name="quiet")
    receiver.script = list(trouble)
    seen = []
    for kill_after in random.Random(3).sample(range(1, 12), 2):
        process = subprocess.Popen(command(path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        lines = []
        while len(raised(lines)) < kill_after:
            lines.append(process.stdout.readline())
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
        process.wait()
        # A kill may tear the line that was being written.
        seen += raised(line for line in lines if line.endswith(b"}\n"))
    receiver.script = [200]
    receiver.release.set()
    done = subprocess.run(command(quiet), capture_output=True, env=ENVIRONMENT, text=True, check=True)
    assert "Traceback" not in done.stderr
    taken = [alarm["key"] for alarm in receiver.unique()]
    assert [key for key in taken if key in set(seen)] == seen
    # The line of the last alarm of a run may not have come out any more; the alarm itself has.
    assert len(taken) <= len(seen) + 2
    assert receiver.forged == []


def test_outputs_of_alarms_without_events_are_refused(int8_model):
    for option, value in (("--webhook", "https://localhost"), ("--alarm-command", "true"), ("--gpio", "led=1")):
        result = invoke("--model", int8_model, "--simulate", "synthetic", option, value)
        assert result.exit_code == 2
        assert f"{option} goes with --event" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--webhook", "https://u:hidden@x"), r"^--webhook: found another kind of address"),
        (("--webhook", "https://x", "--webhook-secret-file", "absent"), r"^absent: found No such file"),
        (("--webhook", "https://x", "--webhook-ca", "absent"), r"^--webhook-ca absent: found No such file"),
        (("--webhook", "https://x", "--webhook-ca", "/dev/zero"), r"^--webhook-ca /dev/zero: found a device, not a"),
        (("--alarm-command", "no-such-program"), r"^--alarm-command: found no command no-such-program"),
        (("--alarm-command", "true", "--alarm-spool", "/proc/none"), r"alarms-command-.*--alarm-spool"),
        (("--alarm-command", "true", "--mqtt-node", "a/b"), r"^--mqtt-node: found a/b"),
        (("--heartbeat", "nowhere"), r"^--heartbeat: found another kind of address"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_sensor_is_touched(
    int8_model, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=message):
        invoke("--model", int8_model, "--bus", 4095, *EVENT, *options, env={"STATE_DIRECTORY": str(tmp_path)})


def test_states_are_checked(int8_model):
    result = invoke("--model", int8_model, "--simulate", *EVENT, "--alarm-states", "raised,fallen")
    assert result.exit_code == 2
    assert "'fallen' is not one of suspected, raised, cancelled, acknowledged" in result.stderr


def test_command_and_heartbeat_of_a_run(int8_model, receiver, certificates, recording, tmp_path):
    path = recording(*POSTURES * 3)
    address = f"https://127.0.0.1:{receiver.port}/beat"
    result = invoke(
        "--model", int8_model, "--simulate", path, "--json", *EVENT, "--alarm-spool", tmp_path,
        "--alarm-command", f"sh -c 'cat >> $0; echo >> $0' {tmp_path}/alarms",
        "--heartbeat", address, "--webhook-ca", certificates / "ca.pem",
        env={"DESEPTR_WEBHOOK_SECRET": KEY.decode()},
    )  # fmt: skip
    assert result.exit_code == 0
    lines = (tmp_path / "alarms").read_text().splitlines()
    assert [json.loads(line)["data"]["key"] for line in lines] == raised(result.stdout.splitlines())
    assert [json.loads(body)["type"] for _, body in receiver.heard] == ["heartbeat"]
    assert receiver.forged == []


def test_a_chip_that_may_not_be_read_ends_no_run_without_lines(tmp_path, monkeypatch):
    run = device.get_command(None, "run")
    option = next(each for each in run.params if each.name == "gpio_chip")
    chip = tmp_path / "gpiochip0"
    chip.touch()
    # As in the sandbox of the service, for which the device node exists.
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert option.type.convert(str(chip), option, None) == chip
