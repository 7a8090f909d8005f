"""What a board is, read from its files."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy import target
from deseptr.firmware_harness.deploy.target.probe import probe, userland
from deseptr.firmware_harness.deploy.zipapp import target_zip

# As the zip, from the sources.
SERVE = "import sys; from deseptr.firmware_harness.deploy.target.main import main; sys.exit(main(sys.argv[1:]))"
SOURCES = sorted(Path(target.__file__).parent.glob("*.py"))


@pytest.mark.parametrize(
    ("machine", "bits", "expected"),
    [
        ("aarch64", 64, "aarch64"),
        ("aarch64", 32, "armv7l"),  # 32-bit Raspberry Pi OS on its 64-bit kernel
        ("armv7l", 32, "armv7l"),
        ("armv8l", 32, "armv7l"),
        ("armv6l", 32, "armv6l"),  # Pi Zero and 1: no wheels
        ("x86_64", 64, "x86_64"),
    ],
)
def test_machine_is_the_userlands_not_the_kernels(machine: str, bits: int, expected: str):
    assert userland(machine, bits) == expected


def test_probe_reads_a_board(tmp_path: Path):
    (tmp_path / "dev").mkdir()
    for name in ("i2c-1", "i2c-20", "i2c-new"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text('NAME="x"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n')
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").write_bytes(b"Raspberry Pi Zero 2 W Rev 1.0\0")
    facts = probe(tmp_path / "not" / "yet", root=tmp_path)
    assert facts["i2c"] == [{"bus": 1, "usable": True}, {"bus": 20, "usable": True}]
    assert (facts["os"], facts["board"]) == ("Debian GNU/Linux 13 (trixie)", "Raspberry Pi Zero 2 W Rev 1.0")
    assert facts["python"] == list(sys.version_info[:3])
    assert not facts["systemd"]
    assert facts["free_bytes"] > 0


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare here")
@pytest.mark.parametrize(
    ("options", "problem"),
    [("rw", None), ("ro", "a file system that is read-only"), ("noexec", "a file system mounted noexec, from which")],
)
def test_file_system_on_which_no_release_can_run_is_found(tmp_path: Path, options: str, problem: str | None):
    path, folder = tmp_path / "target.pyz", tmp_path / "medium"
    path.write_bytes(target_zip())
    folder.mkdir()
    script = 'mount -t tmpfs -o "$1" tmpfs "$2" || exit 77; exec "$3" "$4" serve'
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "sh", "-c", script]
    request = json.dumps({"op": "probe", "prefix": str(folder / "not" / "yet")})
    words = [*enter, "sh", options, folder, sys.executable, path]
    ended = subprocess.run(words, input=f"{request}\n", capture_output=True, text=True, check=False)
    if ended.returncode == 77:
        pytest.skip("no mount namespace here")
    found = json.loads(ended.stdout)["result"]["prefix_problem"]
    assert found == problem or (problem and found.startswith(problem))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_board_side_needs_the_standard_library_alone(path: Path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert all(node.level < 2 for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def test_zip_runs_alone(tmp_path: Path):
    path = tmp_path / "target.pyz"
    path.write_bytes(target_zip())
    assert target_zip() == path.read_bytes()
    request = f'{{"op": "probe", "prefix": "{tmp_path}"}}\n'
    command = [sys.executable, "-I", "-S", path, "serve"]
    result = subprocess.run(command, input=request, capture_output=True, text=True, check=True)
    assert result.stdout.startswith('{"result": {"machine": ')


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_system_in_trouble_is_a_refusal_with_exit_code_2(tmp_path: Path, zipped: bool):
    path = tmp_path / "target.pyz"
    path.write_bytes(target_zip())
    place = tmp_path / "wearable" / "incoming" / (64 * "0")
    place.parent.mkdir(parents=True)
    place.write_text("a file where a folder should be")
    request = json.dumps({"op": "offset", "prefix": str(tmp_path / "wearable"), "sha256": place.name})
    command = [sys.executable, *(("-I", "-S", path) if zipped else ("-c", SERVE)), "serve"]
    result = subprocess.run(command, input=f"{request}\n", capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    refused = json.loads(result.stdout)["refused"]
    assert (refused["found"], refused["next_step"]) == ("Not a directory", "nothing was activated")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_refusal_has_exit_code_2(tmp_path: Path, zipped: bool):
    path = tmp_path / "target.pyz"
    path.write_bytes(target_zip())
    request = json.dumps({"op": "offset", "prefix": str(tmp_path / "wearable"), "sha256": "../../x"})
    command = [sys.executable, *(("-I", "-S", path) if zipped else ("-c", SERVE)), "serve"]
    result = subprocess.run(command, input=f"{request}\n", capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    assert json.loads(result.stdout)["refused"]["thing"] == "upload"


@pytest.mark.skipif(shutil.which("python3.9") is None, reason="no Python 3.9 here")
def test_oldest_python_can_be_probed(tmp_path: Path):
    path = tmp_path / "target.pyz"
    path.write_bytes(target_zip())
    command = ["python3.9", path, "serve"]
    result = subprocess.run(
        command, input=f'{{"op": "probe", "prefix": "{tmp_path}"}}\n', capture_output=True, text=True
    )
    if result.returncode == 127:
        pytest.skip("python3.9 does not run here")
    assert '"python": [3, 9, ' in result.stdout, result.stderr


def test_files_without_an_end_are_read_in_part(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text(f'PRETTY_NAME="{"a" * 3_000_000}"\n')
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").symlink_to("/dev/zero")
    facts = probe(tmp_path, root=tmp_path)
    assert facts["board"] == ""
    assert 0 < len(facts["os"]) < 100_000
