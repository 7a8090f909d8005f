"""``deseptr train``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.options import (
    DATA_HELP,
    HELD_OUT_HELP,
    READING_GROUP,
    SUBJECTS,
    edited,
    edits_options,
    load_learnable,
    reading_options,
    subjects_option,
    unlabelled_option,
)
from deseptr.contract.counts import counted
from deseptr.train.config import TrainConfig
from deseptr.train.presets import rule_of

from .event_training import at_events, event_training_options
from .training_options import TRAINING_GROUPS, training_options, window_options

if TYPE_CHECKING:
    from .tensorboard import TensorBoardLog

GROUPS = {
    "Run": ("run", "resume", "overwrite", "tensorboard", "as_json"),
    "Recordings": ("test_subjects", "subjects", "unlabelled", "labels", "drop_labels", "rate"),
    "Windows": ("window_s", "overlap"),
    "Events": ("preset", "event", "event_span"),
    **TRAINING_GROUPS,
    "Distillation": ("teachers", *TRAINING_GROUPS["Distillation"]),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Train a teacher on DATA, distil DeSepTr from it and measure both on held-out subjects.

--model chooses another model. The names with deseptr or deit are distilled, the others train without a teacher.

{DATA_HELP}

RUN gets model.keras (the best student so far, at any moment), contract.json, calibration.npz, metrics.json,
history.csv, config.json, predictions.npz of the held-out windows and teacher.keras. Ctrl-C keeps the files written so
far; --resume continues after the last complete epoch.
""",
    epilog="Example: deseptr train motionsense.npz --test-subjects 5,10,12,22 -o runs/ms",
)
@click.argument("source", metavar="DATA")
@click.option(
    "-o", "--output", "run", required=True, type=click.Path(path_type=Path), metavar="RUN", help="Run folder."
)
@click.option("--test-subjects", type=SUBJECTS, help=HELD_OUT_HELP)
@subjects_option
@unlabelled_option
@edits_options
@reading_options
@click.option(
    "--teacher",
    "teachers",
    type=click.Path(path_type=Path),
    metavar="RUN",
    multiple=True,
    help="Use the teacher of this run; given several times, the mean of all teaches.",
)
@event_training_options
@training_options
@window_options
@click.option("--resume", is_flag=True, help="Continue the run in RUN.")
@click.option("--overwrite", is_flag=True, help="Replace the run in RUN.")
@click.option("--tensorboard", is_flag=True, help="Write RUN/tensorboard as well, for `tensorboard --logdir`.")
@click.option("--json", "as_json", is_flag=True, help="Print metrics.json on stdout.")
def train(
    source: str,
    run: Path,
    test_subjects: tuple[str, ...] | None,
    subjects: tuple[str, ...] | None,
    unlabelled: str | None,
    labels: str | None,
    drop_labels: str | None,
    rate: float | None,
    reading: dict[str, str],
    teachers: tuple[Path, ...],
    preset: str | None,
    event: str | None,
    event_span: float | None,
    resume: bool,
    overwrite: bool,
    tensorboard: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train, distil and measure."""
    if resume and overwrite:
        raise click.UsageError("--resume continues a run and --overwrite replaces it: give one")
    from deseptr.train.quiet_import import load_quietly
    from deseptr.train.recordings_check import check_recordings

    from .progress import TrainingProgress

    dataset = edited(load_learnable(source, subjects, unlabelled, reading), labels, drop_labels, rate)
    config = TrainConfig(**settings)
    dataset = at_events(dataset, event, event_span, config.window_s)
    if not resume:
        # Recordings that cannot be learned from are refused before TensorFlow is loaded, which takes seconds.
        check_recordings(dataset, config, test_subjects)
    load_quietly()
    from deseptr.train.pipeline import train as train_run
    from deseptr.train.reporters import Reporters

    from .data_view import print_data

    log = _tensorboard_log(run) if tensorboard else None
    try:
        with TrainingProgress() as progress:
            metrics = train_run(
                dataset,
                run,
                config,
                reporter=Reporters(progress, log) if log else progress,
                test_subjects=test_subjects,
                teacher_run=teachers,
                resume=resume,
                overwrite=overwrite,
                prepared=partial(print_data, dataset, config),
                events=[rule_of(event, preset)] if event else (),
            )
    except KeyboardInterrupt:
        _explain_interruption(run)
        raise click.exceptions.Exit(130) from None
    if log:
        log.confusions(metrics)
    if as_json:
        click.echo(json.dumps(metrics, indent=2))
    else:
        _print_metrics(metrics, run)


def _tensorboard_log(run: Path) -> TensorBoardLog:
    """Make the log; only this needs the tensorboard package."""
    from .tensorboard import TensorBoardLog

    return TensorBoardLog(run)


def _explain_interruption(run: Path) -> None:
    from deseptr.train import RunFolder

    model = RunFolder(run).model
    kept = f"the best student so far is {model}" if model.exists() else "no student yet"
    click.echo(f"\ninterrupted: {kept}; continue with the same command and --resume", err=True)


def print_few_labels(metrics: dict[str, Any]) -> None:
    """Print whose labels were used and whose windows were without, if the settings chose."""
    from deseptr.data.recording import subject_list

    subjects = metrics["subjects"]
    if "labelled" not in subjects:
        return
    without = (
        f"; {counted(metrics['windows']['unlabelled'], 'window')} without labels of {', '.join(subjects['unlabelled'])}"
    )
    click.echo(f"labels of {subject_list(subjects['labelled'])}{without if subjects['unlabelled'] else ''}")
    if absent := metrics["absent_classes"]:
        click.echo(f"note: no labelled window of {', '.join(absent)}, which cannot be learned", err=True)


def _print_metrics(metrics: dict[str, Any], run: Path) -> None:
    from deseptr.cli.common.messages import suggest
    from deseptr.cli.common.tables import print_missed, print_scores
    from deseptr.data.recording import subject_list

    subjects = metrics["subjects"]["test"]
    print_few_labels(metrics)
    click.echo(f"held-out {subject_list(subjects)}, {counted(metrics['windows']['test'], 'window')}:")
    print_scores({name: metrics[name] for name in ("teacher", "student") if name in metrics})
    print_missed(metrics["student"])
    forest = metrics["student"]["model"] == "random_forest"
    click.echo(f"{metrics['minutes']} minutes")
    suggest(*(("evaluate", run, "DATA") if forest else ("convert", run, "-o", f"{run.name}.tflite")))
