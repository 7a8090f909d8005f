from .csv_file import read_csv as read_csv, save_csv as save_csv
from .few_labels import draw_labelled_subjects as draw_labelled_subjects
from .fraction import take_fraction as take_fraction
from .info import DatasetInfo as DatasetInfo, describe as describe
from .event_stretches import around_peaks as around_peaks
from .label_edits import edit_labels as edit_labels, parse_merge as parse_merge, parse_rename as parse_rename
from .leakage import check_leakage as check_leakage
from .npz import read_npz as read_npz, save_npz as save_npz
from .outputs import (
    check_output as check_output,
    save_dataset as save_dataset,
    writer_for as writer_for,
    WRITTEN_LAYOUTS as WRITTEN_LAYOUTS,
)
from .plot import plot_dataset as plot_dataset
from .protocols import (
    Fold as Fold,
    PROTOCOLS as PROTOCOLS,
    FoldProtocol as FoldProtocol,
    make_protocol as make_protocol,
    parse_labels as parse_labels,
)
from .read_options import ReadOptions as ReadOptions
from .model_windows import cut_for_model as cut_for_model
from .recording import (
    Dataset as Dataset,
    Recording as Recording,
    Segment as Segment,
    UNLABELLED as UNLABELLED,
    UNLABELLED_NAME as UNLABELLED_NAME,
)
from .resampling import (
    interpolation_weights as interpolation_weights,
    resample as resample,
    resample_dataset as resample_dataset,
)
from .sources import (
    followed_choices as followed_choices,
    import_dataset as import_dataset,
    load_dataset as load_dataset,
)
from .splits import (
    Split as Split,
    arena_folds as arena_folds,
    check_disjoint as check_disjoint,
    parse_subjects as parse_subjects,
    subject_split as subject_split,
)
from .synthetic import (
    synthetic_dataset as synthetic_dataset,
    synthetic_day as synthetic_day,
    synthetic_stretch as synthetic_stretch,
)
from .windows import Windows as Windows, cut_unlabelled as cut_unlabelled, cut_windows as cut_windows
from .sample import load_sample as load_sample
from .sample import wearer_for as wearer_for
