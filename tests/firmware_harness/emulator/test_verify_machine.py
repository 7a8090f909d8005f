import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.device import default_model
from deseptr.firmware_harness.emulator.image import default_recipe
from deseptr.firmware_harness.emulator.kernel_check import kernel_recipe
from deseptr.firmware_harness.emulator.verify_commands import host_commands, job_of, make_inputs
from deseptr.firmware_harness.emulator.verify_machine import (
    Payload,
    guest_entries,
    second_environment,
    target_of,
    verification_recipe,
)


@pytest.fixture
def payload(tmp_path: Path) -> Payload:
    bundle, pip, wheel = (tmp_path / name for name in ("verify.bundle", "pip-25-py3-none-any.whl", "click-8.whl"))
    for path in (bundle, pip, wheel):
        path.write_text(path.name)
    return Payload(target_of("bookworm"), bundle, (wheel,), pip, has_older=True)


def test_the_machine_has_no_runtime_and_differs_from_the_others():
    recipe = verification_recipe()
    assert recipe.runtime == ""
    assert len({recipe.key(), default_recipe().key(), kernel_recipe().key()}) == 3


def test_an_unknown_release_is_refused():
    assert str(target_of("trixie")) == "aarch64, Python 3.13, glibc 2.41"
    with pytest.raises(SetupError, match="found sarge, expected bookworm or trixie"):
        target_of("sarge")


def test_the_archive_has_systemd_first_and_the_job(payload: Payload):
    entries = {entry.path: entry for entry in guest_entries(payload, {"steps": []}, [payload.wheels[0]])}
    assert entries["init"].data == b"usr/lib/systemd/systemd"
    assert json.loads(entries["job/job.json"].data) == {"steps": []}
    assert entries["job/verify.bundle"].data == b"verify.bundle"
    assert entries["job/click-8.whl"].data == entries["job/wheels/click-8.whl"].data == b"click-8.whl"
    assert b"i2c:x:998:" in entries["etc/group"].data
    unit = entries["etc/systemd/system/verify.service"].data.decode()
    assert "-m guest.verify_guest" in unit
    for name in ("__init__", "guest", "kernel_guest", "verify_guest"):
        assert f"job/guest/{name}.py" in entries
    assert "__main__.py" in zipfile.ZipFile(BytesIO(entries["job/target.pyz"].data)).namelist()


def test_the_guests_code_imports_no_other_package(payload: Payload, tmp_path: Path):
    import subprocess
    import sys

    for entry in guest_entries(payload, {}, []):
        if entry.path.startswith("job/guest/"):
            (tmp_path / entry.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / entry.path).write_bytes(entry.data)
    # Isolated and without site: no package of this environment can be imported.
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'job')!r}); import guest.verify_guest as g; print(g.SERVICE)"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()
    assert ended.stdout == b"deseptr.service\n"


def test_the_second_environment_is_made_offline(payload: Payload):
    make, install = second_environment(payload)
    assert make[1:3] == ["-m", "venv"]
    assert "--no-index" in install
    assert "/job/wheels/pip-25-py3-none-any.whl/pip" in install
    assert "/job/wheels/click-8.whl" in install


def test_machine_and_host_run_the_same_commands(payload: Payload, tmp_path: Path):
    inputs = make_inputs(default_model(), tmp_path)
    job = job_of(payload, inputs)
    there = {step["name"]: step["command"] for step in job["steps"]}
    here = host_commands(inputs)
    assert set(job["adapters"]) == {"still", "walking", "sitting"}
    assert job["adapters"]["walking"][-1] == "/job/walking.npz"
    for name in ("evaluate", "logits"):
        for engine in ("litert", "tflite"):
            assert there[f"{name}-{engine}"][-1] == here[name][-1]
    assert job["devices"]["/dev/i2c-77"][-1] == "/job/walking.npz"
    for name in ("run-walking", "run-sitting"):
        assert there[name][-3:] == here[name][-3:]
    # The same command on both buses that feel the same.
    assert [word.replace("77", "1") for word in there["cuse-walking"]] == there["run-walking"]
    assert there["run-walking"] != there["run-sitting"]
    without = job_of(Payload(payload.target, payload.bundle, (), payload.pip, has_older=False), inputs)
    assert not any(step["name"].endswith("tflite") for step in without["steps"])
