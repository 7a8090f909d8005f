"""Hostile and mistaken input of every kind: one short line, exit code 2, no traceback, little memory, no waiting."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile_files import IRREGULAR, bomb, declared, encrypted, npy_with_header, npz_of, npz_with, with_method

from deseptr.cli.main import main
from deseptr.contract import CHANNELS
from deseptr.device import default_model

LONGEST_LINE = 2500
Run = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs a command, checks that it is refused with one line, and returns that line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        assert stop.value.code == 2, said
        assert said.out == ""
        # click shows the usage above its line.
        line = said.err.strip().splitlines()[-1]
        assert "Traceback" not in said.err
        assert len(line) < LONGEST_LINE, line
        assert line.isprintable()
        return line

    return run


def recordings(**changes: object) -> bytes:
    """A file of this package's format, with arrays replaced."""
    arrays: dict[str, object] = {
        "signals": np.ones((100, 6), np.int16),
        "scale": np.full(6, 1e-3),
        "units": ["g"] * 3 + ["rad/s"] * 3,
        "channels": CHANNELS,
        "recording_start": [0, 100],
        "subject": [1],
        "trial": [1],
        "label": np.ones(100, np.int8),
        "activity_names": ["unlabelled", "walking"],
        "rate_hz": 50.0,
        "start_s": [0.0],
    }
    return npz_of(**(arrays | changes))


NPZ = {
    "encrypted": encrypted(recordings()),
    "unknown method": with_method(recordings(), 93),
    "old method": with_method(recordings(), 12),
    "terabytes": npz_with(npy_with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (137438953472, 8), }")),
    "open header": npz_with(npy_with_header("{'descr': '<f8', 'shape': (")),
    "deep header": npz_with(npy_with_header("(" * 5000)),
    "bomb": bomb("signals.npy", 70 << 20),
    "a bomb that lies": declared(bomb("signals.npy", 70 << 20), 100),
    "nan": recordings(signals=np.full((100, 6), np.nan)),
    "nan start": recordings(start_s=[np.nan]),
    "infinite start": recordings(start_s=[np.inf]),
    "nan rate": recordings(rate_hz=np.nan),
    "huge rate": recordings(rate_hz=1e308),
    "nan scale": recordings(scale=np.full(6, np.nan)),
    "huge scale": recordings(scale=np.full(6, 1e300)),
    "label beyond 16 bits": recordings(label=np.full(100, 65537)),
    "complex": recordings(signals=np.ones((100, 6), np.complex128)),
    "single": (lambda file: (np.save(file, np.ones(3)), file.getvalue())[1])(io.BytesIO()),
}


@pytest.mark.parametrize("kind", NPZ)
@pytest.mark.parametrize("command", [("info",), ("convert",)])
@pytest.mark.filterwarnings("error")
def test_recordings_as_npz(refused: Run, kind: str, command: tuple[str]) -> None:
    Path("in.npz").write_bytes(NPZ[kind])
    assert refused("data", *command, "in.npz", *(["out.npz"] if command == ("convert",) else []))
    assert not Path("out.npz").exists()


@pytest.mark.parametrize("kind", IRREGULAR)
@pytest.mark.parametrize(
    "command",
    [
        ("data", "info", "in.npz"),
        ("data", "info", "in.csv"),
        ("data", "info", "in.zip"),
        ("device", "run", "--model", "in.tflite", "--simulate"),
        ("device", "run", "--config", "in.toml"),
        ("device", "run", "--scenario", "in.toml"),
        ("device", "record", "--protocol", "in.toml", "--subject", "x", "-o", "out"),
        ("firmware", "simulate", "--faults", "in.toml"),
        ("evaluate", "in.tflite", "synthetic:subjects=1,seconds=4"),
        ("firmware", "arm-cost", "in.tflite"),
    ],
    ids=" ".join,
)
def test_what_is_no_regular_file(refused: Run, kind: str, command: tuple[str, ...]) -> None:
    name = next(part for part in command if part.startswith("in."))
    IRREGULAR[kind](Path(name))
    assert refused(*command)


def test_a_folder_of_pipes(refused: Run) -> None:
    Path("data").mkdir()
    IRREGULAR["pipe"](Path("data/a.csv"))
    assert "a named pipe" in refused("data", "info", "data")


def test_a_line_without_end(refused: Run) -> None:
    with Path("zeros.csv").open("wb") as file:
        file.truncate(1 << 33)
    assert "a line of more than" in refused("data", "info", "zeros.csv")


def test_a_model_whose_contract_is_a_bomb(refused: Run) -> None:
    model = default_model().read_bytes()
    Path("bomb.tflite").write_bytes(model[: model.index(b"PK\x03\x04")] + bomb("deseptr.json", 40 << 20))
    assert "without a contract" in refused("device", "run", "--model", "bomb.tflite", "--simulate")


HEADER = f"t,{','.join(CHANNELS)},label,subject\n"


def rows(t: Callable[[int], float], signal: float = 0.0, label: str = "walking") -> str:
    """Recordings as CSV: times, one signal, and a label."""
    return HEADER + "".join(f"{t(i)},{signal},0,9.8,0,0,0,{label},ada\n" for i in range(50))


CSV = {
    "huge times": rows(lambda i: (1 + i) * 1e306),
    "tiny steps": rows(lambda i: i * 1e-320),
    "nan time": rows(lambda i: float("nan")),
    "huge signal": rows(lambda i: i / 50, 1e308),
    "large signal": rows(lambda i: i / 50, 1e30),
    "infinite signal": rows(lambda i: i / 50, float("inf")),
    "nan signal": rows(lambda i: i / 50, float("nan")),
}


@pytest.mark.parametrize("kind", CSV)
@pytest.mark.parametrize("command", [("info", "in.csv"), ("convert", "in.csv", "out.npz")], ids=["info", "convert"])
@pytest.mark.filterwarnings("error")
def test_numbers_of_a_csv(refused: Run, kind: str, command: tuple[str, ...]) -> None:
    Path("in.csv").write_text(CSV[kind])
    assert refused("data", *command)
    assert not Path("out.npz").exists()


def test_names_out_of_recordings_command_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "in.csv").write_text(rows(lambda i: i / 50, label="\x1b[31mwalking [bold]\x07"))
    with pytest.raises(SystemExit) as stop:
        main(["data", "info", str(tmp_path / "in.csv")])
    said = capsys.readouterr()
    assert stop.value.code == 0
    assert "\x1b" not in said.out + said.err
    assert "\\x1b[31mwalking [bold]\\x07" in said.out


TOML = {
    "deep": "x = " + "[" * 3000,
    "deep and closed": "x = " + "[" * 200 + "]" * 200,
    "deep keys": ".".join("a" * 4000) + " = 1",
    "number without end": "x = " + "9" * 10_000,
    "64 bits": f"x = {2**64}",
    "infinite": "x = inf",
    "nan": "x = nan",
    "nul": 'x = "\\u0000"',
    "not text": "\udcff",
}
TOML_COMMANDS = {
    "config": ("device", "run", "--simulate", "--config", "in.toml"),
    "protocol": ("device", "record", "--protocol", "in.toml", "--subject", "x", "-o", "out"),
    "scenario": ("device", "run", "--scenario", "in.toml"),
    "faults": ("firmware", "simulate", "--faults", "in.toml"),
}


@pytest.mark.parametrize("kind", TOML)
@pytest.mark.parametrize("command", TOML_COMMANDS)
def test_toml_that_no_file_should_have(refused: Run, kind: str, command: str) -> None:
    Path("in.toml").write_text(TOML[kind], errors="surrogateescape")
    assert "in.toml" in refused(*TOML_COMMANDS[command])


SCENARIO = 'description = "a"\nduration_s = 3\n'
FAULT = '[[faults]]\nkind = "hang"\n'
VALUES = (
    "1e308",
    "1e12",
    "-1e12",
    "9223372036854775807",
    '[["a"]]',
    '[["a"], 1]',
    '"text"',
    "true",
    "{a = 1}",
    "1979-05-27",
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "line",
    [
        *("duration_s", "patience_s", "bus_hz", "rate_hz", "sensor", "bus", "source", "faults", "expected"),
        *("source.kind", "source.subject", "source.stretch_s", "expected.gaps", "expected.rungs"),
    ],
)
def test_values_of_a_scenario(refused: Run, line: str, value: str) -> None:
    if (line, value) in {("source", "{a = 1}"), ("expected", "{a = 1}"), ("expected.rungs", "{a = 1}")}:
        value = "{a = 1, kind = 2}"
    if (line, value) in {("expected.gaps", value) for value in ("1e12", "-1e12", "9223372036854775807")}:
        pytest.skip("a bound that no run reaches is a bound")
    needed = "" if line.startswith("expected") else "expected.gaps = 1\n"
    Path("in.toml").write_text(
        f"{'' if line == 'duration_s' else 'duration_s = 3'}\ndescription = 'a'\n{needed}{line} = {value}\n"
    )
    assert refused("firmware", "scenarios", "in.toml", "--json")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "fault",
    [
        "kind = VALUE",
        "kind = 'hang'\nat_s = VALUE",
        "kind = 'hang'\naddress = VALUE",
        "kind = 'hang'\nevery_s = 1\ntimes = VALUE",
        "kind = 'hang'\nevery_s = VALUE\ntimes = 2",
        "kind = 'brown-out'\nduration_s = VALUE",
        "kind = 'nack'\ntransfers = VALUE",
        "kind = 'bus-error'\nnumber = VALUE",
        "kind = 'register-upset'\nregister = VALUE",
        "kind = 'clock-stretch'\nduration_s = 1\nstretch_s = VALUE",
    ],
)
def test_values_of_a_fault(refused: Run, fault: str, value: str) -> None:
    Path("in.toml").write_text("[[faults]]\n" + fault.replace("VALUE", value))
    assert refused("firmware", "simulate", "--faults", "in.toml")


@pytest.mark.parametrize("faults", ["3", '"text"', "[1]", "[[1]]", "{a = 1}"])
def test_faults_that_are_no_list_of_tables(refused: Run, faults: str) -> None:
    Path("in.toml").write_text(f"faults = {faults}")
    assert refused("firmware", "simulate", "--faults", "in.toml")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("key", ["seconds", "prepare_s", "rest_s", "repeats", "label", "instruction"])
def test_values_of_a_protocol(refused: Run, key: str, value: str) -> None:
    if key in ("label", "instruction") and value == '"text"':
        value = "'" + "x" * 300 + "'" if key == "label" else "3"
    given = {"label": "'walking'", "seconds": "3", key: value}
    Path("in.toml").write_text("[[activity]]\n" + "\n".join(f"{name} = {text}" for name, text in given.items()))
    assert refused(*TOML_COMMANDS["protocol"])


def test_a_protocol_of_a_million_activities(refused: Run) -> None:
    Path("in.toml").write_text("repeats = 1000\n[[activity]]\nlabel = 'a'\nseconds = 1\nrepeats = 1000\n")
    assert "1,000,000 activities" in refused(*TOML_COMMANDS["protocol"])


@pytest.mark.parametrize(
    "line",
    [
        *("threads = 1e308", "threads = 1000000", "threads = 2.5", "threads = true", "threads = 'many'"),
        *(
            "bus = -1e9",
            "bus = 1e9",
            "csv = 100000",
            "csv = 1.5",
            "csv = true",
            "json = 1",
            "model = 3",
            "seconds = -1",
        ),
        *("smoothing = 3", "simulate = 3", "threshold = 1e9", "horizon = [1]", "address = 1.5", "patience = {a = 1}"),
    ],
)
def test_values_of_a_configuration(refused: Run, line: str) -> None:
    Path("in.toml").write_text(line)
    assert refused("device", "run", "--simulate", "--config", "in.toml")


@pytest.mark.parametrize(
    "options",
    [
        *(
            "subjects=1000000000",
            "seconds=1e12",
            "seconds=inf",
            "seconds=nan",
            "rate_hz=1e308",
            "rate_hz=nan",
            "seed=-1",
        ),
        *(
            "subjects=" + "9" * 5000,
            "subjects=1,seconds=1e5,rate_hz=1e4",
            "subjects=100000,seconds=60",
            "x=" + "y" * 5000,
        ),
    ],
)
def test_synthetic_wearers_without_end(refused: Run, options: str) -> None:
    assert refused("data", "info", f"synthetic:{options}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("device", "run", "--simulate", "--threads", "1000000"),
        ("device", "run", "--simulate", "--threshold", "nan"),
        ("device", "run", "--simulate", "--seconds", "inf"),
        ("device", "run", "--simulate", "--" + "x" * 100_000),
        ("device", "run", "--simulate", "--threads", "9" * 100_000),
        ("device", "run", "--engine", "x" * 100_000),
        ("data", "info", "x" * 100_000 + ".csv"),
        ("data", "info", "a" * 300 + ".csv"),
        ("x" * 100_000,),
        ("convert", "x" * 300),
        ("evaluate", "x" * 300 + ".tflite", "synthetic:subjects=1,seconds=4"),
    ],
)
def test_options(refused: Run, arguments: tuple[str, ...]) -> None:
    assert refused(*arguments)


@pytest.mark.parametrize("name", sorted(path.name for path in Path(__file__).parents[3].glob("shared/cases/*/*.???*")))
def test_inputs_that_once_broke(refused: Run, name: str) -> None:
    (path,) = Path(__file__).parents[3].glob(f"shared/cases/*/{name}")
    if path.suffix == ".npz":
        assert refused("data", "info", path)
    elif path.suffix == ".toml":
        assert refused(*(path if part == "in.toml" else part for part in TOML_COMMANDS[name.partition("-")[0]]))
    else:
        pytest.skip("readers of recordings have their own tests")
