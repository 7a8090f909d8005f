"""The trial of a release whose programs print what they should not: it is refused in one line."""

from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.health import check_release
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget, Manifest
from deseptr.firmware_harness.deploy.target.refusal import RefusedError

MANIFEST = Manifest(1, BoardTarget("aarch64", "3.11", "2.36"), version="1.0")
GOOD = b'{"label": "walking"}\n{"gap": {}}\n{"label": null}\n'


def trial(folder: Path, doctor: bytes = b"{}", run: bytes = GOOD, code: int = 0) -> object:
    """A release of which the doctor prints one text and ends with ``code``, and a run prints the other."""
    (folder / "bin").mkdir()
    for name, printed, ends in (("bin/deseptr", doctor, code), ("run", run, 0)):
        (folder / f"{name}.said").write_bytes(printed)
        (folder / name).write_text(f'#!/bin/sh\ncat "$0.said"\nexit {ends}\n')
        (folder / name).chmod(0o755)
    return check_release(folder, MANIFEST, lambda line: None)


def test_labels_are_counted_and_the_last_is_told(tmp_path: Path):
    assert trial(tmp_path) == {"doctor": 0, "windows": 2, "label": None}


@pytest.mark.parametrize("label", [b"-1", b"[]", b"{}", b"true"])
def test_a_label_that_is_no_text_is_none(tmp_path: Path, label: bytes):
    """A workstation would refuse the board's whole answer for it."""
    with pytest.raises(RefusedError, match="device run: found 0 labels"):
        trial(tmp_path, run=b'{"label": ' + label + b"}\n")


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (b'{"findings": [{"check": "i2c", "level": "fail", "found": "no bus"}]}', "i2c: no bus"),
        (b'{"findings": [7, {"check": "i2c", "level": "fail", "found": "no bus"}]}', "i2c: no bus"),
        (b'{"findings": 7}', r'{"findings": 7}'),
        (b'{"findings": null}', r'{"findings": null}'),
        (b'{"findings": [[]]}', r'{"findings": \[\[]]}'),
        (b"", "exit code 2"),
        (b"a\x1b]0;title\x07b", r"a\\x1b]0;title\\x07b"),
        (b"a" * 5000, "a{400},"),
    ],
)
def test_a_doctor_that_fails_is_one_line(tmp_path: Path, printed: bytes, found: str):
    with pytest.raises(RefusedError, match=f"device doctor: found {found}") as caught:
        trial(tmp_path, doctor=printed, code=2)
    assert str(caught.value).isprintable()
