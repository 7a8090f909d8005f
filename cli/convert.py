"""``deseptr convert``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from deseptr.cli.common.page_origin import page_origin
from deseptr.contract import ConversionError, DeseptrError
from deseptr.contract.counts import counted
from deseptr.convert.recipe import IO_TYPES, MODES
from deseptr.convert.targets import TARGETS

from .common.grouped import GroupedCommand
from .common.messages import suggest
from .common.numbers import real
from .common.option_rules import goes_with, goes_without
from .common.options import READING_GROUP, READING_NAMES, SUBJECTS, load_subjects, reading_options

if TYPE_CHECKING:
    from rich.status import Status

    from deseptr.convert import Conversion, ConversionCheck, Gate, Recipe
    from deseptr.train import CalibrationWindows

_OF_WRITING = ("output", "source", "agreement", "loss", "force", "streaming", "report")
_KINDS = """\b
Modes:
  int8     weights and activations in 8 bits, input and output too (or --io)
  int16x8  activations in 16 bits, where there are kernels for them
  float16, dynamic, float32   for comparison
Targets:
  pi       ai-edge-litert and tflite-runtime 2.14 can run it
  micro    TensorFlow Lite Micro can; C++ source and the arena as well
  coral    as pi, and reports the share that an Edge TPU would run"""

GROUPS = {
    "Model": ("output", "mode", "io", "target", "streaming", "embedding"),
    "Checks": ("agreement", "loss", "force", "check"),
    "Recordings": ("source", "test_subjects"),
    "Results": ("report", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    epilog=f"""{_KINDS}
\b
Examples:
  deseptr convert runs/ms -o ms.tflite
  deseptr convert runs/* -o models
  deseptr convert runs/ms -o firmware/ms.tflite --target micro
  deseptr convert mine.keras --check
  deseptr convert mine.keras -o mine.tflite --data recordings.npz
  deseptr convert pytorch.pt2 -o mine.tflite --data recordings.npz
""",
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, or of several RUNs the folder. [default: RUN's name + .tflite]",
)
@click.option("--mode", type=click.Choice(MODES), default="int8", show_default=True, help="Types of the graph.")
@click.option("--io", type=click.Choice(IO_TYPES), help="Type of window and logits. [default: the mode's own]")
@click.option(
    "--target",
    type=click.Choice(tuple(TARGETS)),
    default="pi",
    show_default=True,
    help="Target that must have all operations.",
)
@click.option("--data", "source", metavar="DATA", help="Calibrate and test on these recordings. [default: RUN's own]")
@click.option(
    "--test-subjects",
    type=SUBJECTS,
    help="Subjects of DATA to test on. [default: those that RUN held out, else the dataset's own choice, else 25 %]",
)
@reading_options
@click.option(
    "--agreement",
    type=real(0, 100),
    default=99.0,
    show_default=True,
    help="Parity gate: smallest share of windows with the checkpoint's class, or a class it hesitates about, %.",
)
@click.option(
    "--loss",
    type=real(0, 100),
    default=0.5,
    show_default=True,
    help="Parity gate: largest loss of accuracy and of macro-F1, points.",
)
@click.option("--force", is_flag=True, help="Write a model that fails the parity gate too, marked as failed.")
@click.option(
    "--streaming/--no-streaming",
    default=True,
    show_default=True,
    help="Add the graphs that share columns between windows, if they give the same bits.",
)
@click.option(
    "--embedding/--no-embedding",
    default=True,
    show_default=True,
    help="Add what the model's heads read as a second output, for personalising and for unknown movements.",
)
@click.option(
    "--check", is_flag=True, help="Only say whether it would go through, and with which operations; writes nothing."
)
@click.option("--report/--no-report", default=True, show_default=True, help="Write an HTML page beside each model.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@goes_with("source", "test_subjects", *READING_NAMES)
@goes_without("check", *_OF_WRITING, why="writes nothing and reads no recordings")
def convert(
    runs: tuple[Path, ...],
    output: Path | None,
    mode: str,
    io: str | None,
    target: str,
    source: str | None,
    test_subjects: tuple[str, ...] | None,
    reading: dict[str, str],
    agreement: float,
    loss: float,
    force: bool,
    streaming: bool,
    embedding: bool,
    check: bool,
    report: bool,
    as_json: bool,
) -> None:
    """Convert each RUN's student to a .tflite with STFT and contract inside, and check it against the checkpoint.

    RUN is a folder of `deseptr train`, or a .keras file with contract.json and calibration.npz beside it. A folder with
    neither stands for the runs in it. The file may be a plain Keras 3 model, without Lambda and custom layers, of
    windows [batch, window_length, channels] in SI units, or a .pt2 file of torch.export.save of a network of one such
    window; then --data replaces calibration.npz.

    A model is written only if the target supports all its operations, all its types are those asked for, and it gives
    the checkpoint's class on 99 % of the held-out windows and loses half a point of accuracy and macro-F1 at most.
    Otherwise conversion is repeated with more calibration windows, then with the worst layers in float, and then
    refused. MODEL.json beside it has all findings.
    """
    from deseptr.convert import Gate, Recipe

    recipe = Recipe(mode, io or "", target, embedding=embedding)
    gate = Gate(agreement / 100, loss / 100)
    found = _checkpoints(runs)
    if check:
        _check_all(found, recipe, as_json)
        return
    outputs = _outputs(found, output)
    calibration = _recordings(source, test_subjects, reading)
    results = _convert_all(found, outputs, _Settings(recipe, gate, force, streaming, report, calibration))
    done = [result for result in results if not isinstance(result, DeseptrError)]
    if as_json:
        figures = [result.to_dict() for result in done]
        click.echo(json.dumps(figures if len(found) > 1 else figures[0], indent=2))
    elif len(found) > 1:
        _print_table(found, results)
    else:
        print_conversion(done[0])
    for result in done:
        for warning in result.warnings:
            click.echo(f"warning: {result.path}: {warning}", err=True)
    if done and not as_json:
        suggest("evaluate", done[0].path, source or "DATA")
    if len(done) < len(found):
        raise SystemExit(DeseptrError.exit_code)


def _checkpoints(runs: Sequence[Path]) -> list[Path]:
    """Find the checkpoints; a folder of runs stands for the runs in it."""
    found: list[Path] = []
    for run in runs:
        inside = sorted(path.parent for path in run.glob("*/contract.json")) if run.is_dir() else []
        found += [run] if (run / "contract.json").exists() or not inside else inside
    return found


def _check_all(runs: Sequence[Path], recipe: Recipe, as_json: bool) -> None:
    """Say of each checkpoint whether it would convert; exit code 2 if one would not."""
    from deseptr.convert import check_run
    from deseptr.convert.isolated import kept_worker

    with kept_worker():
        checks = [check_run(run, recipe) for run in runs]
    if as_json:
        figures = [checked.to_dict() for checked in checks]
        click.echo(json.dumps(figures if len(runs) > 1 else figures[0], indent=2))
    for checked in checks:
        if checked.refusal is not None:
            click.echo(f"error: {checked.refusal}", err=True)
        elif not as_json:
            _print_check(checked)
    if not all(checked.passed for checked in checks):
        raise SystemExit(DeseptrError.exit_code)


def _print_check(checked: ConversionCheck) -> None:
    assert checked.graph is not None
    graph = checked.graph
    ops = ", ".join(f"{count} {op}" for op, count in graph.ops.items())
    click.echo(f"{checked.run}: would convert to {checked.recipe.mode} for {checked.recipe.target}")
    click.echo(f"{counted(len(graph.nodes), 'operation')}, {graph.macs:,} multiply-accumulates: {ops}")
    click.echo("not checked: whether it still is the same model, which takes recordings (--data)")


def _outputs(runs: Sequence[Path], output: Path | None) -> list[Path]:
    if len(runs) == 1:
        (run,) = runs
        target = output or Path(f"{run.resolve().stem}.tflite")
        target = target / f"{run.resolve().stem}.tflite" if target.is_dir() else target
        if target.resolve() == run.resolve():
            raise click.UsageError(f"-o {target} is RUN itself")
        return [target]
    names = output_names(runs)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise click.UsageError(f"RUN {', '.join(doubled)} is named twice")
    return [(output or Path()) / f"{name}.tflite" for name in names]


def output_names(runs: Sequence[Path]) -> list[str]:
    """Name each run by the shortest unique end of its path, because every fold of a crossval is called `run`."""
    parts = [[*run.resolve().parent.parts[1:], run.resolve().stem] for run in runs]
    names = []
    for own in parts:
        same = [other for other in parts if other[-1] == own[-1]]
        count = next((n for n in range(1, len(own)) if sum(o[-n:] == own[-n:] for o in same) == 1), len(own))
        names.append("-".join(own[-count:]))
    return names


class _Settings(NamedTuple):
    recipe: Recipe
    gate: Gate
    force: bool
    streaming: bool
    report: bool
    calibration: Callable[[Path], CalibrationWindows | None]


def _recordings(
    source: str | None, test_subjects: tuple[str, ...] | None, reading: dict[str, str]
) -> Callable[[Path], CalibrationWindows | None]:
    """Make a function that returns a run's calibration windows, cut from ``source``; None stands for the run's own."""
    if source is None:
        return lambda run: None
    from deseptr.contract import ModelContract
    from deseptr.evaluate.predictor import calibration_for
    from deseptr.train.checkpoint import run_folder_of

    dataset = load_subjects(source, None, reading)
    return lambda run: calibration_for(ModelContract.load(run_folder_of(run).contract), dataset, test_subjects)


def _convert_all(runs: Sequence[Path], outputs: Sequence[Path], settings: _Settings) -> list[Conversion | DeseptrError]:
    """Convert each run; if one of several fails, its error is printed and the others are still converted."""
    from rich.console import Console

    results: list[Conversion | DeseptrError] = []
    for run, output in zip(runs, outputs, strict=True):
        with Console(stderr=True).status(f"{run}") as status:
            try:
                result = _convert_one(run, output, settings, _status_report(status, run))
            except DeseptrError as error:
                if len(runs) == 1:
                    raise
                results.append(error)
                click.echo(f"error: {error}", err=True)
            else:
                results.append(result)
    return results


def _convert_one(run: Path, output: Path, settings: _Settings, report: Callable[[str], None]) -> Conversion:
    from deseptr.contract import atomic_write, check_replaceable
    from deseptr.convert import convert_run

    if settings.report:
        from deseptr.report.html.page import PAGE_START

        check_replaceable(output.with_suffix(".html"), PAGE_START, "a page of deseptr", "output path")

    def write_page(conversion: Conversion) -> None:
        if settings.report:
            from deseptr.report.conversion_page import convert_page

            report("timing the operations")
            atomic_write(output.with_suffix(".html"), convert_page(conversion, page_origin()))

    result = convert_run(
        run,
        output,
        settings.recipe,
        calibration=settings.calibration(run),
        gate=settings.gate,
        force=settings.force,
        streaming=settings.streaming,
        report=report,
        refused=write_page,
    )
    write_page(result)
    return result


def _status_report(status: Status, run: Path) -> Callable[[str], None]:
    return lambda text: status.update(f"{run}: {text}")


def _print_table(runs: Sequence[Path], results: Sequence[Conversion | DeseptrError]) -> None:
    from .common.tables import print_rows

    rows = []
    for run, result in zip(runs, results, strict=True):
        if isinstance(result, DeseptrError):
            rows.append([str(run), "refused" if isinstance(result, ConversionError) else "unusable", *["–"] * 5])
            continue
        parity = result.kept.deciding
        rows.append(
            [
                str(run),
                result.path.name,
                f"{len(result.content) / 1024:.1f}",
                str(len(result.graph.nodes)),
                f"{parity.agreement:.2%}",
                f"{parity.reference.macro_f1:.4f}",
                f"{parity.scores.macro_f1:.4f}",
            ]
        )
    print_rows(["run", "model", "KB", "operations", "same class", "float macro-F1", "macro-F1"], rows, left=2)


def print_conversion(result: Conversion) -> None:
    """Print size, operations, agreement and the figures of the target."""
    from deseptr.report.conversion_tables import describe_types, embedding_rows, input_rows, streaming_rows

    kept, graph = result.kept, result.graph
    parity, recipe = kept.deciding, kept.recipe
    ops = ", ".join(f"{count} {op}" for op, count in graph.ops.items())
    size = len(result.content) / 1024
    click.echo(f"{result.path}: {result.contract.model}, {size:.1f} KB, {describe_types(result)}, contract inside")
    click.echo(f"{counted(len(graph.nodes), 'operation')} for {recipe.target}: {ops}")
    click.echo(
        f"{counted(parity.windows, 'held-out window')} on {parity.candidate}: same class as the checkpoint on "
        f"{parity.agreement:.2%}; macro-F1 {parity.reference.macro_f1:.4f}, converted {parity.scores.macro_f1:.4f}"
    )
    for other in kept.parities[2:]:
        click.echo(f"{other.windows} of them on {other.candidate}: {other.agreement:.2%}")
    if kept.worst:
        noisy = ", ".join(f"{layer.op} {layer.sqnr_db:.0f} dB" for layer in kept.worst)
        click.echo(f"signal to quantisation noise, worst layers: {noisy}")
    if result.arena is not None:
        click.echo(
            f"TensorFlow Lite Micro arena: {result.arena.bytes:,} bytes; {result.firmware[0].parent} for firmware"
        )
    if kept.lint.edgetpu is not None:
        share = kept.lint.edgetpu["leading_share"]
        click.echo(
            f"Edge TPU, by its documented list: {share:.1%} of the multiply-accumulates before anything it lacks"
        )
    for name, told in [*input_rows(result), *embedding_rows(result), *streaming_rows(result)]:
        click.echo(f"{name}: {told}")
