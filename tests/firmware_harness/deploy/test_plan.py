"""What is decided before anything is changed, for boards of all kinds."""

from pathlib import Path
from typing import Any

import pytest

from deseptr.firmware_harness.deploy import BundleRequest, FlashError, FlashRequest, SshOptions, plan_flash
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget

BOARD = {
    "machine": "aarch64",
    "python": [3, 13, 5],
    "glibc": "2.41",
    "i2c": [{"bus": 1, "usable": True}],
    "free_bytes": 10 << 30,
    "prefix_problem": None,
    "systemd": True,
    "root": False,
    "sudo": True,
    "openblas": False,
    "ssh_keygen": True,
}


class ProbedBoard:
    """Answers a probe."""

    destination = "pi@raspberrypi"

    def __init__(self, **changes: Any) -> None:
        self._facts = {**BOARD, **changes}
        self.asked: list[str] = []

    def call(self, request: dict[str, Any]) -> Any:
        assert request["op"] == "probe"
        self.asked.append(request["prefix"])
        return self._facts


def request(service: str = "auto", bus: int | None = 1, trust: str | None = None) -> FlashRequest:
    bundle = BundleRequest(model=Path("m.tflite"), target=BoardTarget("", "", ""), build=1, bus=bus)
    return FlashRequest(bundle, service=service, trust=trust)


@pytest.mark.parametrize(
    ("changes", "wanted", "expected"),
    [
        ({}, request(), ("system", True, "/opt/deseptr")),
        ({"root": True}, request(), ("system", False, "/opt/deseptr")),
        ({"systemd": False}, request(), ("supervised", False, "~/.local/share/deseptr")),
        ({"sudo": False}, request("user"), ("user", False, "~/.local/share/deseptr")),
    ],
)
def test_service_and_place(changes: dict[str, Any], wanted: FlashRequest, expected: tuple[Any, ...]):
    plan = plan_flash(ProbedBoard(**changes), wanted)
    assert (plan.service, plan.sudo, plan.prefix) == expected
    assert plan.target == BoardTarget("aarch64", "3.13", "2.41")


@pytest.mark.parametrize(
    ("changes", "wanted", "line"),
    [
        ({"i2c": []}, request(), "found no I2C bus, expected /dev/i2c-1; enable it with `sudo raspi-config"),
        ({"i2c": [{"bus": 20, "usable": True}]}, request(), r"found I2C buses \[20\], expected /dev/i2c-1"),
        ({"i2c": [{"bus": 1, "usable": False}]}, request("user"), "no access to /dev/i2c-1 for this user.*group i2c"),
        ({"sudo": False}, request(), "may not use sudo without a password.*--service user"),
        ({"systemd": False}, request("user"), "no systemd running, expected systemd, for a user unit"),
        ({"free_bytes": 100 << 20}, request(), "found 100 MiB free, expected 400 MiB"),
        ({"glibc": None}, request(), "another C library than glibc"),
        (
            {"prefix_problem": "a file system mounted noexec"},
            request(),
            "mounted noexec, at /opt/deseptr, expected one to",
        ),
        ({"ssh_keygen": False}, request(trust="x"), "no ssh-keygen"),
        ({"machine": "armv7l", "python": [3, 11, 2]}, request(), "found no libopenblas0"),
    ],
)
def test_unsuitable_board_is_refused_at_once(changes: dict[str, Any], wanted: FlashRequest, line: str):
    with pytest.raises(FlashError, match=rf"pi@raspberrypi: .*{line}"):
        plan_flash(ProbedBoard(**changes), wanted)


@pytest.mark.parametrize("service", ["system", "user"])
def test_facts_are_those_of_the_folder_that_is_installed_to(service: str):
    board = ProbedBoard()
    assert plan_flash(board, request(service)).prefix == board.asked[-1]


def test_32_bit_board_gets_remarks_on_its_wheels():
    board = ProbedBoard(machine="armv7l", python=[3, 11, 2], glibc="2.36", openblas=True)
    assert any("piwheels" in note for note in plan_flash(board, request()).notes)


def test_system_unit_may_open_a_bus_that_the_user_may_not():
    assert plan_flash(ProbedBoard(i2c=[{"bus": 1, "usable": False}]), request()).service == "system"


def test_release_with_a_simulated_sensor_needs_no_bus():
    assert plan_flash(ProbedBoard(i2c=[]), request(bus=None)).notes == ()


def test_no_option_weakens_the_check_of_host_keys():
    words = SshOptions(further=("StrictHostKeyChecking=no", "BatchMode=no")).words()
    for name, value in (("StrictHostKeyChecking", "yes"), ("BatchMode", "yes")):
        given = [word for word in words if word.startswith(name)]
        assert given[0] == f"{name}={value}"  # ssh takes the first
