"""``deseptr calibrate``: the temperature after which a model is as often right as it is confident."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.numbers import number, real
from deseptr.cli.common.options import DATA_HELP, READING_GROUP, SUBJECTS, load_subjects, reading_options
from deseptr.cli.common.page_origin import page_origin
from deseptr.contract.counts import counted
from deseptr.contract.limits import ENGINE_THREADS

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.data import Dataset
    from deseptr.evaluate.drift_reference import FoundDrift
    from deseptr.evaluate.known_windows import Familiar
    from deseptr.evaluate.mounting_reference import FoundReference
    from deseptr.evaluate.temperature import Calibration
    from deseptr.tflite import Engine

    Reference = Familiar | FoundReference | FoundDrift

_FILE = click.Path(dir_okay=False, path_type=Path)


class _Wearers(NamedTuple):
    """Recordings of those whom the model learned from, and of those whom it is calibrated on."""

    learned: Dataset
    others: Dataset


GROUPS = {
    "Calibration": ("run", "subjects", "known", "mounting", "drift", "threads"),
    "Results": ("output", "page", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Calibrate the confidence of MODEL, on wearers that it was not trained on.

MODEL is a .tflite file. A temperature, by which its logits are divided, goes into its contract: probabilities then
agree with how often the model is right, and the most probable class stays the same. --known adds which windows it
knows, so that `device run` says `unknown` of others, --mounting how its wearers wore the sensor, so that a turned
one is noticed, and --drift what later days are compared with. {DATA_HELP}
""",
    epilog="Example: deseptr calibrate ms.tflite motionsense.npz --run runs/ms --page calibration.html",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="DATA")
@click.option(
    "--run", type=click.Path(path_type=Path), metavar="RUN", help="Fit on the validation subjects of this run."
)
@click.option("--subjects", type=SUBJECTS, help="Fit on these subjects instead.")
@click.option(
    "--known",
    type=real(0.5, 0.9999),
    metavar="SHARE",
    help="Find which windows the model knows, such that this share of people's windows is known, as 0.99; from all "
    "subjects but those held out of the training.",
)
@click.option(
    "--mounting",
    is_flag=True,
    help="Find how the sensor was worn, as `deseptr train` does for models that it makes; from the same subjects as "
    "--known.",
)
@click.option(
    "--drift",
    is_flag=True,
    help="Find what windows are like on these subjects, three or more, so that later days are compared with it.",
)
@click.option("--threads", type=number(ENGINE_THREADS), default=1, show_default=True, help="Threads of the engine.")
@reading_options
@click.option("-o", "--output", type=_FILE, help="Write the calibrated .tflite to this file. [default: MODEL itself]")
@click.option("--page", type=_FILE, help="Write a page with the reliability before and after, .html.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def calibrate(
    model: Path,
    source: str,
    run: Path | None,
    subjects: tuple[str, ...] | None,
    known: float | None,
    mounting: bool,
    drift: bool,
    threads: int,
    reading: dict[str, str],
    output: Path | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Calibrate a model."""
    from dataclasses import replace

    from deseptr.evaluate.continuous.tuned_model import tuning_subjects
    from deseptr.evaluate.known_windows import known_subjects
    from deseptr.evaluate.model_file import check_model_output, write_contract
    from deseptr.evaluate.temperature import FORMAT, calibrate as fit
    from deseptr.tflite import load_engine, read_tflite

    from .report_files import check_output

    if page is not None:
        check_output(page, FORMAT, "--page")
    check_model_output(output)
    file = read_tflite(model)
    dataset = load_subjects(source, None, reading)
    who = tuning_subjects(model, run, subjects, dataset, "calibrate")
    engine = load_engine(model, threads=threads)
    others = dataset.select(subjects=who)
    fitted = fit(engine, others)
    contract = replace(file.contract, logit_temperature=fitted.temperature) if fitted.sure else file.contract
    content = {"format": FORMAT, "model": str(model), "data": source, **fitted.to_dict()}
    needs_learned = mounting or known is not None
    learned = dataset.select(subjects=known_subjects(contract, dataset, subjects)) if needs_learned else others
    wearers = _Wearers(learned, others)
    contract, found = _with_references(engine, contract, wearers, known, mounting=mounting, drift=drift)
    content |= {name: each.to_dict() for name, each in found.items()}
    contract = contract if drift else _without_stale_drift(contract, file.contract)
    written = write_contract(file, output, contract)
    if page is not None:
        _write_page(page, content, fitted)
    _note_temperature(fitted, tuned=file.contract.decision is not None)
    if as_json:
        click.echo(json.dumps(content, indent=2))
    else:
        _print(fitted, found)
        click.echo(f"written into {written}" + (f"; page: {page}" if page else ""))


def _with_references(
    engine: Engine, contract: ModelContract, wearers: _Wearers, known: float | None, *, mounting: bool, drift: bool
) -> tuple[ModelContract, dict[str, Reference]]:
    """The contract with what else was asked for, and what was found, by its key in the JSON."""
    from dataclasses import replace

    from deseptr.evaluate.drift_reference import find_drift_reference
    from deseptr.evaluate.known_windows import find_known_windows
    from deseptr.evaluate.mounting_reference import find_mounting_reference

    found: dict[str, Reference] = {}
    if known is not None:
        found["known_windows"] = familiar = find_known_windows(contract, wearers.learned, known)
        contract = replace(contract, known_windows=familiar.known)
    if mounting:
        found["mounting"] = worn = find_mounting_reference(contract, wearers.learned)
        contract = replace(contract, mounting=worn.reference)
    if drift:
        # Last: its score and confidence are those of what the model knows by now.
        found["drift"] = later = find_drift_reference(engine, contract, wearers.others)
        contract = replace(contract, drift=later.reference)
    return contract, found


def _without_stale_drift(contract: ModelContract, before: ModelContract) -> ModelContract:
    """The contract without a reference of drift that was made with other confidences or scores than it gives now."""
    from dataclasses import replace

    now, then = ((each.logit_temperature, each.known_windows) for each in (contract, before))
    if contract.drift is None or now == then:
        return contract
    click.echo("note: the reference of drift was of other confidences and is left out; add --drift", err=True)
    return replace(contract, drift=None)


def _note_temperature(fitted: Calibration, *, tuned: bool) -> None:
    """What the temperature means for the rest of the model."""
    if not fitted.sure:
        click.echo(
            f"note: the windows do not tell the temperature {fitted.temperature:.3f} from 1, which changes nothing; it "
            "is left out: calibrate on more wearers",
            err=True,
        )
    elif tuned:
        click.echo("note: the model was tuned with other probabilities; run `deseptr tune` again", err=True)


def _write_page(page: Path, content: dict[str, Any], fitted: Calibration) -> None:
    from deseptr.report.calibration_page import calibration_markdown, calibration_page

    from .report_files import write_report

    write_report(page, content, calibration_page(content, page_origin()), calibration_markdown(content))


def _print(fitted: Calibration, found: Mapping[str, Reference]) -> None:
    from deseptr.data.recording import subject_list

    click.echo(
        f"temperature {fitted.temperature:.3f}, fitted on {counted(fitted.windows, 'window')} of "
        f"{subject_list(fitted.subjects)}" + ("" if fitted.sure else "; the contract keeps what it has")
    )
    of = "each wearer by the others" if len(fitted.subjects) > 1 else "the same wearer: no measure of other people"
    click.echo(f"expected calibration error {fitted.before.ece:.4f} before, {fitted.after.ece:.4f} after ({of})")
    for name, each in found.items():
        click.echo(f"{name.replace('_', ' ')}: {each}")
