from pathlib import Path

import pytest

from deseptr.cli.device.mqtt_options import BrokerAddress, client_id, parse_address, read_secret, state_folder
from deseptr.contract import SetupError


def read(path, environment):
    return read_secret(path, "DESEPTR_MQTT_PASSWORD", "--mqtt-password-file", "the password", environment)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("broker", ("broker", 1883, False)),
        ("broker.local:1884", ("broker.local", 1884, False)),
        ("mqtt://10.0.0.2", ("10.0.0.2", 1883, False)),
        ("mqtts://broker/", ("broker", 8883, True)),
        ("mqtts://[fe80::1]:8884", ("fe80::1", 8884, True)),
        ("bücher.example", ("xn--bcher-kva.example", 1883, False)),
    ],
)
def test_address(text, address):
    assert parse_address(text) == BrokerAddress(*address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://broker",
        "broker:port",
        "broker:99999",
        "mqtt://",
        "broker/topic",
        "mqtt://broker?x=1",
        "a..b",
        "[::1",
        "\u2100",
    ],
)
def test_other_addresses_are_refused(text):
    with pytest.raises(SetupError, match=r"^--mqtt: found .*; correct the address$"):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["me:secret@broker", "mqtts://me:secret@broker:1", "mqtt://:secret@broker", "me:secret@[::1"]
)
def test_password_on_the_command_line_is_refused_and_not_repeated(text):
    with pytest.raises(SetupError, match="found a user in the address") as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


def test_password_comes_from_a_file_or_the_environment(tmp_path):
    (tmp_path / "password").write_text("correct horse\nnot this\n")
    environment = {"DESEPTR_MQTT_PASSWORD": "battery"}
    assert read(tmp_path / "password", environment) == "correct horse"
    assert read(None, environment) == "battery"
    assert read(None, {}) is None


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "No such file"), (b"\nx", "an empty first line"), (b"\xff\xfe", "text that is not UTF-8")],
)
def test_unusable_password_file_is_refused(tmp_path, content, found):
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(SetupError, match=f"password: found {found}.* correct --mqtt-password-file"):
        read(tmp_path / "password", {})


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/deseptr:/var/lib/other", "XDG_STATE_HOME": "/x"}, "/var/lib/deseptr"),
        ({"XDG_STATE_HOME": "/x"}, "/x/deseptr"),
        ({}, str(Path.home() / ".local/state/deseptr")),
    ],
)
def test_spool_is_in_the_state_folder(environment, folder):
    assert state_folder(environment) == Path(folder)


def test_client_id_is_of_machine_node_and_process_and_lasts(tmp_path, monkeypatch):
    spool = tmp_path / "mqtt.sqlite"
    ids = [
        client_id("wrist", spool, "machine"),
        client_id("ankle", spool, "machine"),
        client_id("wrist", tmp_path / "other.sqlite", "machine"),
        client_id("wrist", spool, "other machine"),
    ]
    assert len(set(ids)) == 4
    assert all(len(made) == 23 and made.isascii() and made.isalnum() for made in ids)
    monkeypatch.chdir(tmp_path)
    assert client_id("wrist", Path("mqtt.sqlite"), "machine") == ids[0]
    assert client_id("wrist", spool) == client_id("wrist", spool)


def test_client_id_without_anything_of_the_machine_is_random(tmp_path, monkeypatch):
    monkeypatch.setattr("deseptr.device.host.machine_code.machine_code", lambda purpose: "")
    assert client_id("wrist", tmp_path / "a") != client_id("wrist", tmp_path / "a")
