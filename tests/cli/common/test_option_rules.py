"""Options that would be ignored are refused: with a line that names what is missing, and exit code 2."""

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.main import deseptr

# By command and option, where `--a-b` means something without `--a`.
ALONE = {
    **{("*", option): "a way of reading of its own" for option in ("--label-from", "--subject-from", "--merge-alike")},
    **{("train", f"--teacher-{name}"): "of the teacher that is trained" for name in ("width", "share", "epochs")},
    ("train", "--rate-jitter"): "another augmentation",
    ("train", "--shift-samples"): "another augmentation",
    ("crossval", "--shift-samples"): "another augmentation",
    ("lab", "--shift-samples"): "another augmentation",
    ("device profile", "--threads-sweep"): "threads of its own",
    ("train", "--unlabelled-share"): "also of subjects whose labels are not used",
    ("crossval", "--unlabelled-share"): "also of subjects whose labels are not used",
}
# The model may have events of its own, which is seen when it is loaded.
OF_MODEL = re.compile(r"^--event-")
RUNS = ("device run",)
NO_HORIZON = "--horizon goes without --smoothing none, which looks at the latest window alone"


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, (*path, name))


def long_name(option: click.Parameter) -> str:
    return max(option.opts, key=len)


def dependent() -> Iterator[tuple[str, click.Option, click.Option]]:
    """Of each command the options whose name or help says that they belong to another one, and that one."""
    for path, command in commands(deseptr):
        options = {long_name(each): each for each in command.params if isinstance(each, click.Option)}
        for name, option in options.items():
            said = re.match(r"With (--[a-z0-9-]+)", option.help or "")
            heads = [said.group(1)] if said else [head for head in options if name.startswith(f"{head}-")]
            alone = {(path, name), ("*", name)} & set(ALONE) or (path in RUNS and OF_MODEL.match(name))
            if heads and not alone:
                yield path, option, options[min(heads, key=len)]


PAIRS = list(dependent())


def example(parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return [long_name(parameter)]
    kind = parameter.type
    value = "1"
    if isinstance(kind, click.Choice):
        value = str(kind.choices[0])
    elif parameter.name == "alarm_states":
        value = "raised"
    return [value] if isinstance(parameter, click.Argument) else [long_name(parameter), value]


def needed(command: click.Command, without: click.Parameter) -> list[str]:
    """What the command cannot be parsed without."""
    words = []
    for each in command.params:
        if each.required and each is not without:
            words += example(each)
    return words


def test_there_are_many_such_options():
    names = {long_name(option) for _, option, _ in PAIRS}
    assert {"--web-token-file", "--mqtt-user", "--csv-size", "--gpio-chip", "--onsets-of", "--tolerance"} <= names
    assert len(PAIRS) > 30


@pytest.mark.parametrize(
    ("path", "option", "head"), PAIRS, ids=[f"{path} {long_name(option)}" for path, option, _ in PAIRS]
)
def test_an_option_without_the_one_that_it_belongs_to_is_refused(path, option, head, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1").write_text("")
    command = dict(commands(deseptr))[path]
    result = CliRunner().invoke(deseptr, [*path.split(), *needed(command, head), *example(option)])
    assert result.exit_code == 2
    line = result.stderr.strip().splitlines()[-1]
    # Of an evaluation the events, too, belong to the whole recordings.
    others = "|".join({long_name(head), "--continuous"} & {long_name(each) for each in command.params})
    assert re.fullmatch(rf"Error: {long_name(option)} goes with (.* or )?({others})( or .*)?", line), line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("personalise m.tflite --wearer eve --undo --new cycling", "--new goes with DATA"),
        ("personalise m.tflite --wearer eve --undo --units g", "--units goes with DATA"),
        ("compare m.tflite --time-unit ms", "--time-unit goes with --data"),
        ("convert run --merge-alike", "--merge-alike goes with --data"),
        ("data convert a.csv b.npz --seed 0", "--seed goes with --fraction"),
        ("firmware flash pi@zero --bundle b --build 3", "--build goes without --bundle, which has its own"),
        ("firmware flash pi@zero --bundle b -- --mqtt broker", "ARGS goes without --bundle, which has its own"),
        (
            "device personalise m --wearer eve --undo --seconds 3",
            "--seconds goes without --undo, which records nothing",
        ),
        (
            "device personalise m --wearer eve --protocol p --prepare 3",
            "--prepare goes without --protocol, which names the activities",
        ),
        ("report run.csv --drift m.tflite --data walk.csv", "--data goes without --drift, which compares logs"),
        ("device evaluate m a.csv --straight --sensor mpu6050", "--sensor goes without --straight, which has no bus"),
        ("device evaluate m a.csv --speed max --straight", "--speed goes without --straight, which has no bus"),
        (
            "device run --scenario loose-wire --sensor mpu6050",
            "--sensor goes without --scenario, which has a sensor of its own",
        ),
        (
            "device run --scenario loose-wire --address 0x68",
            "--address goes without --scenario, which has a sensor of its own",
        ),
        ("device run --simulate --bus 3", "--bus goes without --simulate, which has a bus of its own"),
        ("device run --json --plain", "--plain goes without --json, which has lines of its own"),
        (
            "device record --subject a --label b --simulate --bus 1",
            "--bus goes without --simulate, which has a bus of its own",
        ),
        (
            "device personalise m --wearer eve --simulate --bus 1",
            "--bus goes without --simulate, which has a bus of its own",
        ),
        ("device doctor --simulate --bus 1", "--bus goes without --simulate, which has a bus of its own"),
        ("convert run --check --force", "--force goes without --check, which writes nothing and reads no recordings"),
        (
            "convert run --check -o m.tflite",
            "--output goes without --check, which writes nothing and reads no recordings",
        ),
        ("evaluate run a.csv --threads 2", "--threads goes with a .tflite as MODEL"),
        ("evaluate m.keras a.csv --threads 2", "--threads goes with a .tflite as MODEL"),
        ("tune run a.csv --target f1 --threads 2", "--threads goes with a .tflite as MODEL"),
        ("evaluate m a.csv --continuous --smoothing none --horizon 2", NO_HORIZON),
        ("device run --smoothing none --horizon 2", NO_HORIZON),
        (
            "crossval a.npz --protocol loso -o out --model random-forest --int8",
            "--int8 goes with a network as --model",
        ),
        *(
            (f"firmware simulate --list {words}", f"{name} goes without --list, which simulates none")
            for words, name in (
                ("--sensor lsm6dsox", "--sensor"),
                ("--front cuse", "--front"),
                ("--source still", "--source"),
                ("--faults a.toml", "--faults"),
                ("--controller bcm2835", "--controller"),
                ("--seconds 3", "--seconds"),
                ("-- i2cdetect -y 1", "COMMAND"),
            )
        ),
        (
            "firmware simulate --front usbip --seconds 3",
            "--seconds goes without --front usbip, which serves until Ctrl-C",
        ),
        ("firmware simulate --front cuse --json", "--json goes without --front cuse, which serves until Ctrl-C"),
        ("device doctor --simulate --shared", "--shared goes without --simulate, which has a bus of its own"),
        (
            "device profile m --simulate synthetic --bus 0",
            "--bus goes without --simulate, which has a bus of its own",
        ),
        ("device profile m --bus 0 --speed max", "--speed goes without --bus, which has a sensor of its own speed"),
        (
            "firmware bundle -o b --model m --simulate synthetic --bus 1",
            "--bus goes without --simulate, which plays in place of a sensor",
        ),
        ("device run --heartbeat-every 3", "--heartbeat-every goes with --heartbeat"),
        ("device run --mqtt-node n", "--mqtt-node goes with --mqtt or --webhook or --alarm-command or --heartbeat"),
    ],
)
def test_other_options_that_would_be_ignored(words, line):
    result = CliRunner().invoke(deseptr, words.split())
    assert (result.exit_code, result.stderr.strip().splitlines()[-1]) == (2, f"Error: {line}")


@pytest.mark.parametrize(
    ("words", "gone_on_to"),
    [
        ("evaluate missing.tflite a.csv --threads 2", "a.csv"),
        ("device profile missing.tflite --simulate synthetic --bus 0 --ina219 0x40", "missing.tflite"),
        ("device profile missing.tflite --simulate synthetic --speed max", "missing.tflite"),
        ("device run --model missing.tflite --smoothing majority --horizon 2", "missing.tflite"),
    ],
)
def test_where_they_mean_something_they_are_taken(words, gone_on_to, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert gone_on_to in str(CliRunner().invoke(deseptr, words.split()).exception)


@click.command()
@click.option("--csv", envvar="TEST_CSV")
@click.option("--csv-size", default=10, envvar="TEST_CSV_SIZE")
@click.option("--json", "as_json", is_flag=True)
@click.argument("words", nargs=-1, metavar="[-- WORDS]")
@goes_with("csv", "csv_size")
@goes_without("as_json", "words")
def probe(csv, csv_size, as_json, words):
    click.echo(csv_size)


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ([], {}, "10"),
        (["--csv", "a", "--csv-size", "3"], {}, "3"),
        # The default, written.
        (["--csv-size", "10"], {}, "Error: --csv-size goes with --csv"),
        (["--csv-size", "3"], {"TEST_CSV": "a"}, "3"),
        ([], {"TEST_CSV_SIZE": "4"}, "4"),
        (["--json"], {}, "10"),
        (["word"], {}, "10"),
        (["--json", "word"], {}, "Error: WORDS goes without --json"),
    ],
)
def test_what_is_written_is_refused_and_what_the_environment_says_is_not(words, environment, said):
    result = CliRunner().invoke(probe, words, env=environment)
    assert result.output.strip().splitlines()[-1] == said
    assert result.exit_code == 2 * said.startswith("Error")


@pytest.mark.parametrize(
    "option", ["--web", "--mqtt", "--webhook", "--heartbeat", "--gpio", "--scenario", "--simulate"]
)
def test_an_empty_text_is_no_missing_option(option):
    result = CliRunner().invoke(deseptr, ["device", "run", option, ""])
    assert result.exit_code == 2
    assert re.fullmatch(rf"Error: Invalid value for '?{option}.*: it is empty", result.stderr.strip().splitlines()[-1])


def test_an_empty_argument_and_an_empty_value_of_a_file_are_refused_and_an_empty_variable_is_none(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('web = ""\n')
    for words in (["data", "info", ""], ["convert", "run", "--data", ""], ["device", "run", "--config", str(path)]):
        result = CliRunner().invoke(deseptr, words)
        assert (result.exit_code, "it is empty" in result.stderr) == (2, True), words
    result = CliRunner().invoke(deseptr, ["device", "run", "--model", "missing.tflite"], env={"DESEPTR_WEB": ""})
    assert "missing.tflite" in str(result.exception)


def test_the_command_line_may_choose_another_mode_than_the_file_is_for(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("bus = 3\n")
    words = ["device", "run", "--config", str(path), "--model", str(tmp_path / "missing.tflite"), "--simulate"]
    assert "missing.tflite" in str(CliRunner().invoke(deseptr, words).exception)
    path.write_text('bus = 3\nsimulate = "a.csv"\n')
    result = CliRunner().invoke(deseptr, words[:-1])
    assert "--bus goes without --simulate" in result.stderr


def test_a_configuration_file_is_written_too(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('web-token-file = "secret"\n')
    result = CliRunner().invoke(deseptr, ["device", "run", "--config", str(path)])
    assert (result.exit_code, "--web-token-file goes with --web" in result.stderr) == (2, True)
