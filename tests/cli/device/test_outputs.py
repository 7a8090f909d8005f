"""`deseptr device run` with files, services and config files, as one types it."""

import csv
import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from drift_parts import drift_part

from deseptr.cli.device.decision_options import DECISION_NAMES, DEFAULTS, decision_config
from deseptr.cli.device.group import device
from deseptr.cli.device.outputs import _Service
from deseptr.contract import ModelContract, SetupError
from deseptr.device import DecisionConfig, DriftVerdict, GapEvent, LabelEvent
from deseptr.device.sinks.mqtt_messages import node_name

WALK = "synthetic:subjects=1,seconds=10"
COMMAND = [sys.executable, "-m", "deseptr.cli", "device", "run"]
# As a service has it: what is left in the buffers of the streams is written at the very end.
_BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def invoke(*arguments, env=None):
    result = CliRunner().invoke(device, ["run", *map(str, arguments)], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def windows(result):
    return [line for line in map(json.loads, result.stdout.splitlines()) if "label" in line]


def test_csv_holds_what_json_says(int8_model, tmp_path):
    path = tmp_path / "run.csv"
    result = invoke("--model", int8_model, "--simulate", WALK, "--json", "--csv", path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [float(row["t"]) for row in rows] == [line["t"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        if row["event"] == "window":
            assert (row["label"], row["state"]) == (line["label"], line["state"])
            assert float(row["p_upright"]) == line["probabilities"]["upright"]
        elif row["event"] == "drift":
            assert json.loads(row["detail"]) == line["drift"]
        else:
            assert (row["event"], row["label"]) == ("label", line["change"]["label"])
    assert [row["event"] for row in rows].count("drift") == 1


def test_a_run_that_is_stopped_still_sums_up_its_last_part(int8_model, tmp_path):
    """As systemd stops a service: the windows until then are in the file."""
    path = tmp_path / "run.csv"
    options = ["--model", str(int8_model), "--simulate", WALK, "--speed", "realtime", "--csv", str(path)]
    run = subprocess.Popen([*COMMAND, *options, "--plain"], stdout=subprocess.PIPE, env=_BUFFERED, text=True)
    while "█" not in run.stdout.readline():
        pass
    run.send_signal(signal.SIGTERM)
    run.communicate()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["event"] == "drift"
    content = json.loads(rows[-1]["detail"])
    assert content["ended"] == "run"
    assert content["windows"] == sum(row["event"] == "window" for row in rows) > 0


def test_csv_rotates_in_a_replay_without_losing_a_row(int8_model, tmp_path):
    result = invoke(
        "--model", int8_model, "--simulate", "synthetic", "--seconds", 60, "--json",
        "--csv", tmp_path / "run.csv", "--csv-size", 0.002, "--csv-keep", 100,
    )  # fmt: skip
    files = sorted(tmp_path.iterdir(), key=lambda file: -int(file.suffix[1:]) if file.suffix != ".csv" else 0)
    assert len(files) > 3
    rows = [row for file in files for row in csv.DictReader(file.read_text().splitlines())]
    assert [float(row["t"]) for row in rows] == [json.loads(line)["t"] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    "options", [("--csv", "file"), ("--mqtt", "127.0.0.1:1", "--mqtt-spool", "file")], ids=["csv", "spool"]
)
def test_file_of_something_else_is_refused_before_the_sensor_is_touched(int8_model, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    content = int8_model.read_bytes()
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SetupError, match=r"^file: found something else"):
        invoke("--model", int8_model, "--bus", 4095, *options)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", content)]


def test_config_file_gives_defaults_that_the_command_line_and_environment_override(int8_model, tmp_path):
    config = tmp_path / "deseptr.toml"
    config.write_text(f'model = "{int8_model}"\nsimulate = "{WALK}"\njson = true\nseconds = 3\nengine = "litert"\n')
    from_file = windows(invoke("--config", config))
    assert 0 < len(from_file) < 12
    assert len(windows(invoke("--config", config, "--seconds", 6))) > len(from_file)
    assert len(windows(invoke(env={"DESEPTR_CONFIG": str(config)}))) == len(from_file)
    with pytest.raises(Exception, match=r"missing.tflite"):
        invoke("--config", config, env={"DESEPTR_MODEL": "missing.tflite"})


def test_options_of_the_decision_have_its_defaults():
    config = DecisionConfig()
    assert {
        "smoothing": config.smoothing,
        "horizon": config.horizon_s,
        "threshold": config.threshold,
        "margin": config.margin,
        "dwell": config.dwell_s,
    } == DEFAULTS


def test_options_go_before_what_the_model_was_tuned_to():
    tuned = DecisionConfig("none", dwell_s=1.0, threshold=0.6, thresholds={"walk": 0.9}, hop_s=0.32)
    contract = ModelContract(("sit", "walk"), decision=tuned)
    nothing = dict.fromkeys(DECISION_NAMES)
    assert decision_config(nothing, contract) == tuned
    assert decision_config(nothing | {"dwell": 0.0, "hop": 0.64}, contract) == replace(tuned, dwell_s=0.0, hop_s=0.64)
    # One threshold for all goes before those of single classes.
    assert decision_config(nothing | {"threshold": 0.3}, contract) == replace(tuned, threshold=0.3, thresholds={})
    assert decision_config(nothing, replace(contract, decision=None)) == DecisionConfig()


@pytest.mark.parametrize(
    ("option", "value"), [("horizon", "nan"), ("threshold", "1.5"), ("margin", "-1"), ("dwell", "inf")]
)
def test_setting_of_the_decision_out_of_range_is_named_by_its_option(int8_model, option, value):
    result = invoke("--model", int8_model, "--simulate", WALK, f"--{option}", value)
    assert result.exit_code == 2
    assert f"Invalid value for '--{option}': " in result.stderr


def test_help_has_groups_with_every_option_in_one():
    text = invoke("--help").stdout
    headings = [line.rstrip(":") for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Model and sensor",
        "Simulation",
        "Decision",
        "Events",
        "Terminal",
        "CSV file",
        "MQTT",
        "Alarms",
        "Page",
        "Options",
    ]
    for parameter in device.get_command(None, "run").params:
        assert text.count(f"  {parameter.opts[0]} ") + text.count(f"  {parameter.opts[0]}\n") >= 1, parameter.opts


def test_mqtt_without_its_package_says_what_to_install(int8_model):
    code = (
        "import sys; sys.modules['paho'] = None\n"
        "from deseptr.cli.main import main\n"
        f"main(['device', 'run', '--model', {str(int8_model)!r}, '--simulate', '--mqtt', 'localhost'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "deseptr: paho: found no such package, expected it for this command; "
        "install it with `pip install 'deseptr[mqtt]'`\n"
    )


def test_mqtt_that_is_away_leaves_the_run_alone_and_the_messages_in_the_spool(int8_model, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = invoke(
        "--model", int8_model, "--simulate", WALK, "--json",
        "--mqtt", f"127.0.0.1:{port}", "--mqtt-node", "wrist",
        env={"STATE_DIRECTORY": str(tmp_path)},
    )  # fmt: skip
    assert result.exit_code == 0
    assert len(windows(result)) > 10
    # Each line of JSON, and that there is no problem.
    waiting = len(result.stdout.splitlines()) + 1
    assert f"deseptr: mqtt: {waiting} messages wait in the spool for the next run\n" in result.stderr
    assert (tmp_path / "mqtt-wrist.sqlite").exists()


def test_node_and_spool_are_named_for_host_and_machine(int8_model, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    arguments = ("--model", int8_model, "--simulate", WALK, "--seconds", 3, "--mqtt", f"127.0.0.1:{port}")
    former = tmp_path / f"mqtt-{node_name(socket.gethostname())}.sqlite"
    assert invoke(*arguments, env={"STATE_DIRECTORY": str(tmp_path)}).exit_code == 0
    spool, sent = sorted(tmp_path.iterdir())
    assert sent.name == f"{spool.name}.sent"
    assert re.fullmatch(rf"{former.stem}-[0-9a-f]{{8}}", spool.stem)
    node = spool.stem.removeprefix("mqtt-")
    with closing(sqlite3.connect(spool)) as connection:
        topics = {row[0] for row in connection.execute("SELECT topic FROM messages")}
    assert f"deseptr/{node}/window" in topics
    assert all(topic.startswith(f"deseptr/{node}/") for topic in topics)
    spool.rename(former)
    sent.unlink()
    assert invoke(*arguments, env={"STATE_DIRECTORY": str(tmp_path)}).exit_code == 0
    assert sorted(tmp_path.iterdir()) == [former, former.with_name(f"{former.name}.sent")]


def test_discovery_prefix_with_wildcards_is_refused_before_the_sensor_is_touched(int8_model, tmp_path):
    arguments = ("--model", int8_model, "--bus", 4095, "--mqtt", "127.0.0.1:1", "--mqtt-discovery", "#/+")
    with pytest.raises(SetupError, match=r"^--mqtt-discovery: found '#/\+'"):
        invoke(*arguments, env={"STATE_DIRECTORY": str(tmp_path)})


def test_systemd_receives_the_runs_status(int8_model, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        rules = ["--smoothing", "none", "--threshold", "1", "--seconds", "1.2", "--plain"]
        environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
        subprocess.run(
            [*COMMAND, "--model", int8_model, "--simulate", *rules], env=environment, check=True, capture_output=True
        )
        heard = [manager.recv(1000).decode() for _ in range(4)]
    assert sorted(heard[:2]) == ["READY=1", "WATCHDOG=1"]
    assert heard[2:] == ["STATUS=unknown", "STOPPING=1"]


def test_the_status_of_a_service_is_its_label_and_its_gaps():
    said = []
    notifier = SimpleNamespace(status=said.append, ready=lambda: None)
    service = _Service(notifier)
    label = LabelEvent(2.56, "walking", None, 0.9)
    for event in (GapEvent(1.0, "overflow", 3), label, GapEvent(9.0, "overflow", 3)):
        service.take(event)
    assert said == ["1 gap", "walking, 1 gap", "walking, 2 gaps"]


def test_the_status_of_a_service_tells_of_a_day_that_differs_and_no_longer_when_it_does_not():
    said = []
    service = _Service(SimpleNamespace(status=said.append, ready=lambda: None))
    differs = DriftVerdict("differs", ("confidence lower (0.71)",), {}, {})
    usual = DriftVerdict("as in training", (), {}, {})
    for verdict in (None, differs, usual):
        service.take(replace(drift_part(), verdict=verdict))
    assert said == ["day differs from training: confidence lower (0.71)", ""]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_service_closes_its_outputs_and_prints_the_summary(int8_model, tmp_path, number):
    path = tmp_path / "run.csv"
    options = ["--model", int8_model, "--simulate", "synthetic", "--speed", "realtime", "--json", "--csv", path]
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(number)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    lines += rest.splitlines()
    assert " windows; " in errors
    assert "Traceback" not in errors
    rows = path.read_text().splitlines()[1:]
    # Files come before the screen.
    assert len(lines) <= len(rows) <= len(lines) + 1


def test_closed_pipe_leaves_the_file_complete(int8_model, tmp_path):
    path = tmp_path / "run.csv"
    options = ["--model", int8_model, "--simulate", "synthetic", "--json", "--csv", path]
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) in (1, 141)
    assert process.stderr.read() == b""
    process.stderr.close()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert rows
    assert all(None not in row.values() for row in rows)


def test_a_terminal_gets_the_screen_and_plain_the_lines(int8_model):
    screens = {}
    for options in ((), ("--plain",)):
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "--model", int8_model, "--simulate", WALK, *options],
            stdout=child, stderr=subprocess.PIPE, env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "50"},
        )  # fmt: skip
        os.close(child)
        shown = b""
        try:
            while part := os.read(parent, 65536):
                shown += part
        except OSError:
            pass  # Linux says EIO where the other end is closed.
        os.close(parent)
        assert process.wait(timeout=60) == 0, process.stderr.read()
        process.stderr.close()
        screens[options] = shown.decode()
    assert "read to label" in screens[()]
    assert "╭" in screens[()]
    assert "╭" not in screens["--plain",]
    assert "▸" in screens["--plain",]


def test_config_errors_are_one_line(int8_model, tmp_path):
    config = tmp_path / "deseptr.toml"
    for text, message in [
        ("treshold = 0.5", "treshold: found no such option, expected a long option's name; did you mean threshold?"),
        ("config = 'other.toml'", "config: found no such option"),
        ("[mqtt]\nnode = 'wrist'", "mqtt: found dict, expected a single value; write it as a string"),
        ("threshold = ", "found Invalid value"),
    ]:
        config.write_text(text)
        with pytest.raises(SetupError) as caught:
            invoke("--config", config)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def outputs_on(folder):
    """Options that send all outputs to a folder, and messages to a broker that is away."""
    return ("--csv", folder / "run.csv", "--mqtt", "127.0.0.1:1", "--mqtt-spool", folder / "state" / "spool")


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_card_in_trouble_is_said_and_the_label_goes_on(int8_model, small_disk, monkeypatch, trouble):
    small_disk.fill()
    if trouble == "read-only":
        small_disk.read_only()
    monkeypatch.setenv("TMPDIR", str(small_disk.path))
    result = invoke("--model", int8_model, "--simulate", WALK, "--json", *outputs_on(small_disk.path))
    assert result.exit_code == 0
    assert len(windows(result)) > 5
    reason = "No space left on device" if trouble == "full" else "Read-only file system"
    assert f"{small_disk.path / 'run.csv'}: {reason}; events are dropped" in result.stderr
    assert f"{small_disk.path / 'state' / 'spool'}: " in result.stderr
    assert re.search(r"mqtt: \d+ messages that waited in memory are lost: ", result.stderr)
    assert "wait in the spool for the next run" not in result.stderr


def test_the_state_folder_of_a_service_on_a_full_card(int8_model, small_disk):
    small_disk.fill()
    small_disk.read_only()
    result = invoke(
        "--model", int8_model, "--simulate", WALK, "--json", "--mqtt", "127.0.0.1:1",
        env={"STATE_DIRECTORY": str(small_disk.path / "deseptr")},
    )  # fmt: skip
    assert result.exit_code == 0
    assert windows(result)


@pytest.mark.parametrize("arguments", [("--model", "absent.tflite"), ("--no-such-option",), ("nonsense",)])
def test_an_expected_error_on_a_full_card(arguments):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        result = subprocess.run([*COMMAND, *arguments], stderr=full, env=_BUFFERED, check=False)
    assert result.returncode == 2


@pytest.mark.parametrize("options", [("--json",), ("--plain",)])
@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
def test_a_log_on_a_full_card(int8_model, tmp_path, stream, options):
    command = [*COMMAND, "--model", int8_model, "--simulate", WALK, *options, "--csv", tmp_path / "run.csv"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        result = subprocess.run(
            [*map(str, command), "--mqtt", "127.0.0.1:1", "--mqtt-spool", str(tmp_path / "spool")],
            stdout=subprocess.DEVNULL if stream == "stderr" else full,
            stderr=subprocess.PIPE if stream == "stdout" else full,
            env=_BUFFERED, text=True, check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert len((tmp_path / "run.csv").read_text().splitlines()) > 5
    if stream == "stdout":
        assert "deseptr: stdout: No space left on device; events are dropped" in result.stderr
        assert "Traceback" not in result.stderr
