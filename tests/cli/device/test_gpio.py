"""`deseptr device run --gpio` with libgpiod on a chip whose system calls are answered by tests/fake_gpio.c."""

import os
import shutil
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from alarm_receiver import until
from click.testing import CliRunner

from deseptr.cli.device.group import device
from deseptr.contract import SetupError

SOURCE = Path(__file__).parents[2] / "fake_gpio.c"
COMMAND = [sys.executable, "-m", "deseptr.cli", "device", "run"]
HAS_ALL = shutil.which("gcc") is not None and find_spec("gpiod") is not None

pytestmark = pytest.mark.skipif(not HAS_ALL and "CI_HAS_ALL" not in os.environ, reason="gpiod or gcc is not installed")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpio") / "fake_gpio.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-O1", "-o", path, SOURCE, "-ldl"], check=True)
    return path


@pytest.fixture
def run(library, int8_model, tmp_path):
    made = []

    def start(recording, *options, **environment):
        given = ["--model", int8_model, "--simulate", recording, "--json", "--event", "lying", *options]
        process = subprocess.Popen(
            [*COMMAND, *map(str, given)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"LD_PRELOAD": str(library), "FAKE_GPIO": str(tmp_path)} | environment,
        )  # fmt: skip
        made.append(process)
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


def log(folder):
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def press(folder, line):
    """What the kernel gives to the reader of a line's descriptor: struct gpio_v2_line_event of linux/gpio.h."""
    rising = 1
    with (folder / f"line{line}").open("wb", buffering=0) as pipe:
        pipe.write(struct.pack("=QIIII6I", 1, rising, line, 1, 1, *[0] * 6))


def test_buzzer_and_lamp_show_an_alarm_and_the_button_acknowledges_it(run, recording, tmp_path):
    path = recording(("up", 2, False), ("down", 120, False))
    process = run(path, "--speed", "realtime", "--gpio", "buzzer=17,led=!27,button=22")
    lines = iter(process.stdout.readline, "")
    raised = next(line for line in lines if '"raised"' in line)
    assert log(tmp_path)[:3] == [
        "request 17 output by deseptr",
        "request 27 output low by deseptr",
        "request 22 input low pull-up by deseptr",
    ]
    until(lambda: "set 17 1" in log(tmp_path) and "set 27 1" in log(tmp_path))
    press(tmp_path, 22)
    acknowledged = next(line for line in lines if '"acknowledged"' in line)
    assert '"reason": "button"' in acknowledged
    assert raised.split('"key": ')[1][:34] in acknowledged
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    last = {line.split()[1]: line.split()[2] for line in log(tmp_path) if line.startswith("set")}
    assert last == {"17": "0", "27": "0"}


def test_a_chip_that_fails_leaves_the_run_alone(run, recording):
    process = run(recording(("up", 2, False), ("down", 5, False)), "--gpio", "led=27", FAKE_GPIO_BROKEN="1")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"raised"' in out
    assert errors.count("gpio: Input/output error; alarms are not shown there until it works again") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gpio", "led=40"), "--gpio /dev/gpiochip0: found line offset of out range"),
        (("--gpio", "led=1", "--gpio-chip", "/dev/null"), "--gpio /dev/null: found "),
        (("--gpio", "led=1", "--gpio-chip", "/dev/none"), "--gpio /dev/none: found No such file or directory"),
    ],
)
def test_lines_that_cannot_be_had_are_refused(run, recording, options, message):
    process = run(recording(("up", 2, False)), *options)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith(f"deseptr: {message}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("text", ["", "led", "led=", "lamp=1", "led=1,led=2", "led=1,buzzer=1", "led=-1", "led=99999"])
def test_other_texts_are_refused(int8_model, text):
    with pytest.raises(SetupError, match=r"^--gpio: found "):
        CliRunner().invoke(
            device,
            ["run", "--model", str(int8_model), "--simulate", "--event", "lying", "--gpio", text or ","],
            catch_exceptions=False,
        )


def test_without_its_package_it_says_what_to_install(int8_model):
    code = (
        "import sys; sys.modules['gpiod'] = None\n"
        "from deseptr.cli.main import main\n"
        f"main(['device', 'run', '--model', {str(int8_model)!r}, '--simulate', '--event', 'lying', '--gpio', 'led=1'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "install it with `pip install 'deseptr[gpio]'`" in done.stderr
