"""A card's first boot: what cloud-init and a shell make of the files."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from deseptr.contract import SetupError
from deseptr.firmware_harness.deploy import FlashError
from deseptr.firmware_harness.deploy.boot_files import I2C, with_i2c, with_script, write_boot_files
from deseptr.firmware_harness.deploy.first_boot import (
    SCRIPT,
    FirstBoot,
    cloud_files,
    script_text,
    starts_of_own_files,
    unit_text,
    wifi_of,
)

from .conftest import BundleMaker, Sshd

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd0 someone's laptop"
WIFI = wifi_of("Café 'n' \"Bar\" ☕🎉", "correct horse", "DE")
FIRST = FirstBoot("wearer", KEY, "left-wrist", WIFI)
STOCK = "# a comment\n#dtparam=i2c_arm=on\ndtparam=audio=on\n\n[cm4]\notg_mode=1\n\n[pi5]\ndtoverlay=dwc2\n"
CMDLINE = "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootfstype=ext4 fsck.repair=yes rootwait\n"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "bootfs"
    folder.mkdir()
    (folder / "config.txt").write_text(STOCK)
    (folder / "cmdline.txt").write_text(CMDLINE)
    return folder


def test_psk_agrees_with_the_standard():
    # IEEE 802.11i, H.4.3, test vector 1.
    expected = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert wifi_of("IEEE", "password", "US").psk == expected


def test_cloud_files_are_yaml_with_the_settings():
    files = cloud_files(FIRST, with_bundle=True)
    data = yaml.safe_load(files["user-data"])
    assert files["user-data"].startswith("#cloud-config\n")
    (user,) = data["users"]
    assert (user["name"], user["ssh_authorized_keys"], user["lock_passwd"]) == ("wearer", [KEY], True)
    assert (data["hostname"], data["ssh_pwauth"]) == ("left-wrist", False)
    assert unit_text() in [file["content"] for file in data["write_files"]]
    network = yaml.safe_load(files["network-config"])
    assert network["wifis"]["wlan0"]["access-points"] == {WIFI.ssid: {"password": WIFI.psk}}
    assert yaml.safe_load(files["meta-data"])["instance-id"].startswith("deseptr-")
    assert not any("correct horse" in text for text in files.values())


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="no cloud-init here")
@pytest.mark.parametrize("with_bundle", [False, True])
def test_cloud_files_follow_the_schema_of_cloud_init(tmp_path: Path, with_bundle: bool):
    path = tmp_path / "user-data"
    path.write_text(cloud_files(FIRST, with_bundle)["user-data"])
    result = subprocess.run(["cloud-init", "schema", "-c", path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Valid cloud-config" in result.stdout


def test_without_wifi_or_bundle_their_settings_are_absent():
    files = cloud_files(FirstBoot("wearer", KEY, "wrist"), with_bundle=False)
    assert "wifis" not in json.loads(files["network-config"])
    assert "first-boot" not in files["user-data"]


def test_trixie_is_detected_by_its_files(card: Path):
    (card / "user-data").write_text("# the image's own\n")
    written = write_boot_files(card, FIRST, None)
    assert {path.name for path in written} == {
        "user-data.before-deseptr", "user-data", "meta-data", "network-config", "config.txt"
    }  # fmt: skip
    assert (card / "cmdline.txt").read_text() == CMDLINE
    assert (card / "network-config").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("system", ["bookworm", "trixie"])
@pytest.mark.parametrize("with_bundle", [False, True])
def test_the_first_boot_installs_a_bundle_only_if_there_is_one(
    card: Path, system: str, with_bundle: bool, make_standin: BundleMaker
):
    write_boot_files(card, FIRST, make_standin("1.0", 1) if with_bundle else None, system)
    commands = (card / ("user-data" if system == "trixie" else SCRIPT)).read_text()
    assert ("first-boot" in commands) is with_bundle
    assert (card / "deseptr" / "deseptr.bundle").exists() is with_bundle


@pytest.mark.parametrize("with_bundle", [False, True])
@pytest.mark.parametrize("wifi", [None, WIFI])
def test_own_files_are_known_by_their_start(wifi, with_bundle: bool):
    first = FirstBoot("wearer", KEY, "left-wrist", wifi)
    files = {**cloud_files(first, with_bundle), SCRIPT: script_text(first, with_bundle)}
    starts = starts_of_own_files()
    assert files.keys() == starts.keys()
    assert all(text.encode().startswith(starts[name]) for name, text in files.items())


def test_settings_of_somebody_else_are_kept_beside_the_new_ones(card: Path):
    imager = "#cloud-config\nhostname: hers\nusers:\n- name: her\n"
    (card / "user-data").write_text(imager)
    for _ in range(2):
        write_boot_files(card, FIRST, None)
    kept = card / "user-data.before-deseptr"
    assert kept.read_text() == imager
    assert kept.stat().st_mode & 0o077 == 0
    assert {path.name for path in card.iterdir() if path.name.endswith(".before-deseptr")} == {kept.name}


@pytest.mark.parametrize(
    ("name", "system"),
    [("firstrun.sh", "bookworm"), ("deseptr/deseptr.bundle", "trixie"), ("deseptr/target.pyz", "bookworm")],
)
def test_script_or_bundle_of_something_else_is_refused_and_nothing_written(
    card: Path, name: str, system: str, make_standin: BundleMaker
):
    path = card / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/bash\n# of Raspberry Pi Imager\n")
    before = {path: path.read_bytes() for path in card.rglob("*") if path.is_file()}
    with pytest.raises(SetupError, match=rf"{name}: found something else, which would be lost"):
        write_boot_files(card, FIRST, make_standin("1.0", 1), system)
    assert {path: path.read_bytes() for path in card.rglob("*") if path.is_file()} == before


def test_repeating_it_gives_the_same(card: Path):
    write_boot_files(card, FIRST, None, "bookworm")
    once = {path.name: path.read_bytes() for path in card.iterdir()}
    write_boot_files(card, FIRST, None, "bookworm")
    assert {path.name: path.read_bytes() for path in card.iterdir()} == once


def test_bundle_is_written_with_its_installer(card: Path, tmp_path: Path, make_standin: BundleMaker, sshd: Sshd):
    bundle = make_standin("1.0", 1)
    write_boot_files(card, FIRST, bundle, "trixie")
    place = card / "deseptr"
    assert (place / "deseptr.bundle").read_bytes() == bundle.read_bytes()
    install = [
        sshd.python,
        place / "target.pyz",
        "install",
        place / "deseptr.bundle",
        tmp_path / "prefix",
        "supervised",
    ]
    uninstall = json.dumps({"op": "uninstall", "prefix": str(tmp_path / "prefix")}) + "\n"
    try:
        result = subprocess.run(install, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert (tmp_path / "prefix" / "current").readlink().name == "1.0-1"
    finally:
        subprocess.run([sshd.python, place / "target.pyz", "serve"], input=uninstall, capture_output=True, text=True)
    assert not (tmp_path / "prefix").exists()
    (tmp_path / "bad.bundle").write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(FlashError, match=r"its end too early|bytes, expected two empty blocks"):
        write_boot_files(card, FIRST, tmp_path / "bad.bundle")


def test_folder_that_is_no_boot_partition_is_not_changed(tmp_path: Path):
    with pytest.raises(SetupError, match=r"no config\.txt and cmdline\.txt"):
        write_boot_files(tmp_path, FIRST, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "",
        STOCK,
        "dtparam=i2c_arm=off\n",
        "dtparam=i2c_arm=on\ndtparam=i2c_arm_baudrate=100000\n[all]\n",
        "dtparam=i2c_arm=on,i2c_arm_baudrate=100000\n[pi4]\narm_boost=1\n",
        "dtparam=i2c_arm=on,spi=on\n",
    ],
)
def test_i2c_is_on_for_every_board(text: str):
    done = with_i2c(text)
    *before, last = done.splitlines()
    assert last == I2C
    sections = [line for line in before if line.startswith("[")]
    assert not sections or sections[-1] == "[all]"
    assert not any("100000" in line or line == "dtparam=i2c_arm=off" for line in before)
    assert all(
        line in before for line in text.splitlines() if "i2c" not in line or line.startswith("#") or "spi" in line
    )
    assert with_i2c(done) == done


lines = st.sampled_from(
    ["[all]", "[pi5]", "# x", "", I2C, "dtparam=i2c_arm=on", " dtparam=i2c_baudrate=1 ", "gpu_mem=16"]
)


@given(st.lists(lines).map("\n".join))
def test_enabling_i2c_twice_changes_nothing(text: str):
    assert with_i2c(with_i2c(text)) == with_i2c(text)


def test_command_line_stays_one_line():
    done = with_script(CMDLINE)
    assert done.startswith(CMDLINE.strip())
    assert done.count("\n") == 1
    assert with_script(done) == done


@pytest.mark.parametrize("wifi", [None, WIFI])
def test_script_does_it_once(tmp_path: Path, wifi, monkeypatch: pytest.MonkeyPatch):
    """The script itself, with a folder as root and the programs that change a system written down instead."""
    root, bin_folder, asked = tmp_path / "root", tmp_path / "bin", tmp_path / "asked"
    for folder in (
        "etc/sudoers.d",
        "etc/ssh/sshd_config.d",
        "etc/modules-load.d",
        "etc/systemd/system",
        "etc/NetworkManager/system-connections",
        "boot/firmware",
        "home/wearer",
    ):
        (root / folder).mkdir(parents=True)
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n")
    (root / "boot/firmware/cmdline.txt").write_text(with_script(CMDLINE))
    bin_folder.mkdir()
    for name in ("systemctl", "useradd", "usermod", "raspi-config", "rfkill", "chown", "install", "id"):
        make = 'mkdir -p "$6"; ' if name == "install" else ""
        (bin_folder / name).write_text(f'#!/bin/sh\n{make}echo {name} "$@" >> {asked}\n[ {name} != id ]\n')
        (bin_folder / name).chmod(0o755)
    script = root / "boot/firmware/firstrun.sh"
    script.write_text(script_text(FirstBoot("wearer", KEY, "left-wrist", wifi), with_bundle=True))
    environment = {**os.environ, "ROOT": str(root), "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    result = subprocess.run(["sh", "-eu", script], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert (root / "etc/hostname").read_text() == "left-wrist\n"
    assert (root / "etc/hosts").read_text() == "127.0.0.1\tlocalhost\n127.0.1.1\tleft-wrist\n"
    assert (root / "home/wearer/.ssh/authorized_keys").read_text() == f"{KEY}\n"
    assert (root / "etc/systemd/system/deseptr-first-boot.service").read_text() == unit_text()
    assert "systemctl enable deseptr-first-boot.service" in asked.read_text()
    assert "useradd --create-home --shell /bin/bash --password * wearer" in asked.read_text()
    assert not script.exists()
    assert (root / "boot/firmware/cmdline.txt").read_text() == CMDLINE
    connection = root / "etc/NetworkManager/system-connections/deseptr.nmconnection"
    assert connection.exists() == (wifi is not None)
    if wifi is not None:
        assert f"psk={wifi.psk}\n" in connection.read_text()
        assert connection.stat().st_mode & 0o077 == 0
        number = connection.read_text().split("ssid=")[1].split("\n")[0]
        assert bytes(int(byte) for byte in number.rstrip(";").split(";")).decode() == wifi.ssid


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "Root!"},
        {"user": "x'; reboot"},
        {"hostname": "a/b"},
        {"hostname": ""},
        {"key": "no key"},
        {"key": f"{KEY}\nx"},
    ],
)
def test_invalid_names_are_refused(changes: dict[str, str]):
    with pytest.raises(SetupError):
        FirstBoot(**{"user": "wearer", "key": KEY, "hostname": "wrist", **changes})


@pytest.mark.parametrize(
    ("ssid", "passphrase", "country"),
    [("", "12345678", "DE"), ("x" * 33, "12345678", "DE"), ("x", "secret7", "DE"), ("x", "12345678", "de")],
)
def test_invalid_networks_are_refused_without_their_passphrase(ssid: str, passphrase: str, country: str):
    with pytest.raises(SetupError) as caught:
        wifi_of(ssid, passphrase, country)
    assert passphrase not in str(caught.value)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_first_boot_unit_is_valid(tmp_path: Path):
    path = tmp_path / "deseptr-first-boot.service"
    path.write_text(unit_text())
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
