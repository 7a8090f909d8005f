"""Recordings of inertial sensors: readers and writers, the synthetic wearer, windows and splits by subject.

Importing it loads nothing: every name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from deseptr.contract.lazy import lazy_attributes

if TYPE_CHECKING:
    from .csv_file import read_csv, save_csv
    from .info import DatasetInfo, describe
    from .leakage import check_leakage
    from .npz import read_npz, save_npz
    from .plot import plot_dataset
    from .protocols import PROTOCOLS, Fold, Protocol, make_protocol, parse_labels
    from .recording import UNLABELLED, UNLABELLED_NAME, Dataset, Recording, Segment
    from .resampling import interpolation_weights, resample
    from .sources import load_dataset, save_dataset, writer_for
    from .splits import Split, arena_folds, check_disjoint, parse_subjects, subject_split
    from .synthetic import synthetic_dataset, synthetic_day, synthetic_stretch
    from .windows import Windows, cut_windows

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "csv_file": "read_csv save_csv",
        "info": "DatasetInfo describe",
        "leakage": "check_leakage",
        "npz": "read_npz save_npz",
        "plot": "plot_dataset",
        "protocols": "PROTOCOLS Fold Protocol make_protocol parse_labels",
        "recording": "UNLABELLED UNLABELLED_NAME Dataset Recording Segment",
        "resampling": "interpolation_weights resample",
        "sources": "load_dataset save_dataset writer_for",
        "splits": "Split arena_folds check_disjoint parse_subjects subject_split",
        "synthetic": "synthetic_dataset synthetic_day synthetic_stretch",
        "windows": "Windows cut_windows",
    },
)

__all__ = [
    "PROTOCOLS",
    "UNLABELLED",
    "UNLABELLED_NAME",
    "Dataset",
    "DatasetInfo",
    "Fold",
    "Protocol",
    "Recording",
    "Segment",
    "Split",
    "Windows",
    "arena_folds",
    "check_disjoint",
    "check_leakage",
    "cut_windows",
    "describe",
    "interpolation_weights",
    "load_dataset",
    "make_protocol",
    "parse_labels",
    "parse_subjects",
    "plot_dataset",
    "read_csv",
    "read_npz",
    "resample",
    "save_csv",
    "save_dataset",
    "save_npz",
    "subject_split",
    "synthetic_dataset",
    "synthetic_day",
    "synthetic_stretch",
    "writer_for",
]
