"""`deseptr firmware bundle`, without a network."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from deseptr.cli.firmware.bundle import parse_target
from deseptr.cli.firmware.bundle_options import bundle_request
from deseptr.cli.main import main
from deseptr.contract import SetupError
from deseptr.device import default_model
from deseptr.firmware_harness.deploy import FlashError, inspect_bundle
from deseptr.firmware_harness.deploy.signing import trust_of
from deseptr.firmware_harness.deploy.target.bundle import read_bundle
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget

from .test_wheelhouse import wheel


def make(folder: Path, *words: str | Path) -> int:
    links = folder / "links"
    wheel(links, "pip", "99.0")
    wheel(links, "paho", "2.0")
    ours = wheel(folder, "deseptr", "1.5", "paho; extra == 'mqtt'")
    command = ["firmware", "bundle", "--model", default_model(), "--wheel", ours, "--wheels", links, *words]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in command])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_signed_bundle_with_mqtt(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    out = tmp_path / "x.bundle"
    words = ["-o", out, "--target", "bookworm", "--build", "7", "--sign", tmp_path / "key", "--json"]
    assert make(tmp_path, *words, "--", "--mqtt", "broker.local") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["build"], shown["network"], shown["extras"]) == ("1.5", 7, True, ["mqtt"])
    assert shown["run"] == ["--bus", "1", "--mqtt", "broker.local"]
    assert sorted(shown["files"]) == [
        "model.tflite",
        "wheels/deseptr-1.5-py3-none-any.whl",
        "wheels/paho-2.0-py3-none-any.whl",
        "wheels/pip-99.0-py3-none-any.whl",
    ]
    signers = tmp_path / "signers"
    signers.write_text(trust_of(tmp_path / "key.pub"))
    with out.open("rb") as stream:
        assert read_bundle(stream, signers=signers).target == BoardTarget("aarch64", "3.11", "2.36")


def test_bundle_replaces_bundles_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "x.bundle"
    assert make(tmp_path, "-o", out) == make(tmp_path, "-o", out) == 0
    assert re.fullmatch(
        r".*/x\.bundle: 1\.5-\d+ for .*, 3 files, 0\.[1-9] MB", capsys.readouterr().out.splitlines()[-1]
    )
    out.write_bytes(b"PK\x03\x04 mine")
    capsys.readouterr()
    assert make(tmp_path, "-o", out) == 2
    assert "x.bundle: found something else, which would be lost" in capsys.readouterr().err
    assert out.read_bytes() == b"PK\x03\x04 mine"


def test_file_without_a_contract_makes_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "no.tflite").write_bytes(b"no model")
    assert make(tmp_path, "-o", tmp_path / "x.bundle", "--model", tmp_path / "no.tflite") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "x.bundle").exists()


def test_file_without_a_bundle_is_refused(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"x" * 5000)
    with pytest.raises(FlashError, match="bundle: found "):
        inspect_bundle(tmp_path / "x")
    with pytest.raises(SetupError, match="No such file"):
        inspect_bundle(tmp_path / "y")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trixie", BoardTarget("aarch64", "3.13", "2.41")),
        ("bookworm-32", BoardTarget("armv7l", "3.11", "2.36")),
        ("x86_64,3.12,2.39", BoardTarget("x86_64", "3.12", "2.39")),
    ],
)
def test_targets(name: str, expected: BoardTarget):
    assert parse_target(name) == expected


@pytest.mark.parametrize("name", ["buster", "aarch64", "aarch64,3,2.36", "aarch64,3.11,x.y", "a,3.11,2.36,4"])
def test_unknown_targets_are_refused(name: str):
    with pytest.raises(SetupError, match="--target: found "):
        parse_target(name)


CHOSEN = {
    "model": Path("m"),
    "run": (),
    "sensor": "mpu6050",
    "bus": 3,
    "simulate": None,
    "network": False,
    "gate_seconds": 10.0,
    "build": None,
    "key": None,
    "wheel": None,
    "wheels": (),
}


def test_options_reach_the_board():
    real = bundle_request(CHOSEN)
    assert (real.run, real.doctor, real.bus) == (("--bus", "3", "--sensor", "mpu6050"),) * 2 + (3,)
    assert real.build > 1_700_000_000
    simulated = bundle_request({**CHOSEN, "simulate": "synthetic", "sensor": None})
    assert simulated.run == ("--simulate", "synthetic", "--speed", "realtime")
    assert (simulated.doctor, simulated.bus, simulated.network) == (("--simulate",), None, False)
