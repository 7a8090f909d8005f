import errno
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from hostile_files import IRREGULAR

from deseptr.contract import open_input, parse_json, parse_toml, read_input, read_json, read_text, read_toml
from deseptr.contract.memory_limit import GIB, limited_memory


@pytest.mark.parametrize("kind", IRREGULAR)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, kind):
    IRREGULAR[kind](tmp_path / "input")
    with pytest.raises(OSError, match="not a regular file"):
        open_input(tmp_path / "input")
    with pytest.raises(OSError, match="not a regular file"):
        read_toml(tmp_path / "input")


@pytest.mark.parametrize("kind", IRREGULAR)
def test_only_a_folder_has_the_number_of_a_folder(tmp_path, kind):
    IRREGULAR[kind](tmp_path / "input")
    with pytest.raises(OSError, match="not a regular file") as caught:
        open_input(tmp_path / "input")
    assert caught.value.errno == (errno.EISDIR if (tmp_path / "input").is_dir() else errno.EINVAL)


def test_a_pipe_that_took_the_files_place_since_is_refused_without_waiting_for_a_writer(tmp_path, monkeypatch):
    path, really_open = tmp_path / "input", os.open
    path.write_text("a")

    def swapped(name, *flags):
        path.unlink()
        os.mkfifo(path)
        return really_open(name, *flags)

    monkeypatch.setattr(os, "open", swapped)
    # Without an end, and so without a failure, it would wait for ever.
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("waits for a writer"))
    signal.alarm(10)
    try:
        with pytest.raises(OSError, match="not a regular file"):
            open_input(path)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_link_to_a_file_is_a_file(tmp_path):
    (tmp_path / "file").write_text("a")
    (tmp_path / "link").symlink_to("file")
    assert read_text(tmp_path / "link") == "a"


@pytest.mark.parametrize(("path", "number"), [("nothing", errno.ENOENT), ("a\0b", errno.EINVAL)])
def test_what_is_no_path_is_an_os_error(tmp_path, path, number):
    with pytest.raises(OSError, match=r".") as caught:
        open_input(f"{tmp_path}/{path}")
    assert caught.value.errno == number
    assert caught.value.strerror


def test_a_file_is_read_up_to_its_largest_size(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    assert read_input(path, 4) == b"1234"
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_input(path, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits private memory")
def test_a_small_file_takes_no_memory_for_the_largest(tmp_path):
    (tmp_path / "small").write_bytes(b"four")
    with limited_memory(GIB):
        assert read_input(tmp_path / "small", 1 << 45) == b"four"


@pytest.mark.skipif(sys.platform != "linux", reason="such files are Linux's")
def test_a_file_whose_size_the_system_does_not_say_is_read():
    assert Path("/proc/self/status").stat().st_size == 0
    assert b"VmData" in read_input("/proc/self/status")
    with pytest.raises(OSError, match="more than 100 bytes"):
        read_input("/proc/self/status", 100)


def test_a_sparse_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(OSError, match="more than"):
        read_text(tmp_path / "file")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 20 + "]" * 20, '{"a":' * 5000 + "1" + "}" * 5000, "9" * 5000, ""]
)
def test_json_that_cannot_be_parsed_is_a_value_error(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
    with pytest.raises(ValueError, match=r"."):
        read_json(tmp_path / "file")


def test_json_is_read(tmp_path):
    (tmp_path / "file").write_text(json.dumps({"a": [1, None]}))
    assert read_json(tmp_path / "file") == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 3000, "nested too deeply"),
        ("x = " + "[" * 100 + "]" * 100, "x: more than 16 levels"),
        (".".join("a" * 5000) + " = 1", "a: more than 16 levels"),
        ("x = 1e308", r"x: the number 1e\+308"),
        ("x = -inf", "x: the number -inf"),
        ("x = [[{y = nan}]]", "y: the number nan"),
        (f"x = {2**63}", "x: a whole number of more than 64 bits"),
        ("x = " + "9" * 5000, "4300"),
        ('x = "a\\u0000b"', "a NUL character"),
        ('"a\\u0000b" = 1', "a NUL character"),
        ("x = ", "Invalid value"),
    ],
)
def test_toml_that_no_setting_can_have_is_a_value_error(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_toml(text)
    assert len(str(caught.value)) < 300


def test_toml_of_64_bits_and_16_levels_is_read():
    text = f"n = {2**63 - 1}\nx = {'[' * 15}1.5{']' * 15}"
    assert parse_toml(text)["n"] == 2**63 - 1


@pytest.mark.parametrize("sign", ["", "-"])
def test_toml_has_numbers_up_to_a_million_millions(sign):
    assert parse_toml(f"x = {sign}1e12")["x"] == float(f"{sign}1e12")
    with pytest.raises(ValueError, match=rf"x: the number {sign}1000000100000.0, beyond 1e\+12"):
        parse_toml(f"x = {sign}1000000100000.0")


def test_toml_is_limited_in_size(tmp_path):
    (tmp_path / "file").write_text("#" * (1 << 18) + "\n")
    with pytest.raises(OSError, match="more than 262,144 bytes"):
        read_toml(tmp_path / "file")
