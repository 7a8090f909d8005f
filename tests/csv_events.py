"""CSV files of events, written and read again."""

import csv

from deseptr.device.sinks import CsvFile
from deseptr.firmware_harness.simulator import VirtualClock

LABELS = ("sitting", "walking")


def make(path, warn, labels=LABELS, **options):
    """A file on a clock that stands still."""
    return CsvFile(path, labels, warn, clock=VirtualClock(), wall=lambda: 1_700_000_000.5, **options)


def rows(path):
    """The rows of a file, by the columns of its header."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
