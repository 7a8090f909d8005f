from pathlib import Path

import pytest

from deseptr.device.host.machine_code import machine_code

ID = "0123456789abcdef0123456789abcdef"
RANDOM = 1 << 40 | 7


def root_of(folder: Path, name: str, machine_id: str, file: str = "etc/machine-id") -> Path:
    path = folder / name / file
    path.parent.mkdir(parents=True)
    path.write_text(machine_id + "\n")
    return folder / name


def test_machines_and_purposes_have_different_codes_that_last(tmp_path: Path):
    first = root_of(tmp_path, "first", ID)
    second = root_of(tmp_path, "second", ID[::-1])
    codes = [machine_code(purpose, root=root) for root in (first, second) for purpose in ("a", "b")]
    assert len(set(codes)) == 4
    assert all(len(code) == 16 and code not in ID and ID[:4] not in code for code in codes)
    assert machine_code("a", root=first) == codes[0]


def test_dbus_knows_it_where_systemd_does_not(tmp_path: Path):
    old = root_of(tmp_path, "old", ID, "var/lib/dbus/machine-id")
    assert machine_code("a", root=old) == machine_code("a", root=root_of(tmp_path, "new", ID))


@pytest.mark.parametrize("text", ["", "uninitialized", ID[:-1], ID.upper()])
def test_hardware_address_stands_in_for_a_missing_id(tmp_path: Path, text: str):
    root = root_of(tmp_path, "root", text)
    codes = [machine_code("a", root=root, mac=lambda mac=mac: mac) for mac in (0xB827EB000001, 0xB827EB000002)]
    assert len(set(codes)) == 2
    assert all(len(code) == 16 for code in codes)
    assert machine_code("a", root=root, mac=lambda: RANDOM) == ""
