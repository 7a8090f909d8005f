"""What a training learns from, printed before its first epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from deseptr.cli.common.tables import print_rows
from deseptr.contract.visible_text import visible

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.data import Dataset
    from deseptr.train import TrainConfig
    from deseptr.train.preparation import TrainingData


def print_data(dataset: Dataset, config: TrainConfig, data: TrainingData, contract: ModelContract) -> None:
    """Print on stderr the windows, runs and people of each class, and what the sensor's full scales would clip."""
    from deseptr.contract import sensors_of
    from deseptr.data.class_counts import count_classes
    from deseptr.data.run_peaks import run_peaks
    from deseptr.train.full_scale import ChosenScales, clipped_runs

    later = [part.counts() for part in (data.validation, data.test)]
    rows = [
        [visible(label), *map(str, (windows, runs, subjects, *(counts[label] for counts in later)))]
        for label, windows, runs, subjects in count_classes(data.training, contract.hop_length)
    ]
    click.echo(f"windows of {config.window_s:g} s at {contract.rate_hz:g} Hz, learned from and others:", err=True)
    head = ["class", "windows", "runs", "people", "to validate", "to test"]
    print_rows(head, rows, left=1, console=Console(stderr=True, highlight=False))
    scales = ChosenScales(contract.acc_full_scale_g, contract.gyro_full_scale_dps, contract.mag_full_scale_ut)
    for line in clipped_runs(run_peaks(dataset), scales, sensors_of(dataset.channels)):
        click.echo(f"note: {visible(line)}: --full-scale asks the sensor for more", err=True)
