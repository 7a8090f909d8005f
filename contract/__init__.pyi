from .activity_chain import ActivityChain as ActivityChain
from .bootstrap import (
    Interval as Interval,
    macro_f1_interval as macro_f1_interval,
    seeds_interval as seeds_interval,
    subject_confusions as subject_confusions,
    subjects_interval as subjects_interval,
)
from .calibration import (
    Reliability as Reliability,
    fit_temperature as fit_temperature,
    reliability as reliability,
    softmax as softmax,
)
from .channels import (
    ALL_CHANNELS as ALL_CHANNELS,
    CHANNELS as CHANNELS,
    SENSORS as SENSORS,
    UNITS as UNITS,
    channels_of as channels_of,
    columns_of as columns_of,
    parse_sensors as parse_sensors,
    sensors_of as sensors_of,
    unit_of as unit_of,
    units_of as units_of,
)
from .constants import (
    COARSE_COUNT as COARSE_COUNT,
    INPUT_STEPS as INPUT_STEPS,
    STANDARD_GRAVITY as STANDARD_GRAVITY,
)
from .decision import DecisionConfig as DecisionConfig, Smoothing as Smoothing
from .drift_reference import (
    DriftHistogram as DriftHistogram,
    DriftReference as DriftReference,
    EmbeddingReference as EmbeddingReference,
)
from .errors import (
    CancelledError as CancelledError,
    ConversionError as ConversionError,
    DataError as DataError,
    DeseptrError as DeseptrError,
    ModelError as ModelError,
    SensorError as SensorError,
    SetupError as SetupError,
)
from .event_rule import EventRule as EventRule
from .familiar_statistics import nearest as nearest, window_statistics as window_statistics
from .files import atomic_path as atomic_path, atomic_write as atomic_write, check_replaceable as check_replaceable
from .folders import (
    atomic_folder as atomic_folder,
    check_new_folder as check_new_folder,
    scratch_folder as scratch_folder,
)
from .held_out import HeldOut as HeldOut
from .input_files import (
    check_input as check_input,
    open_input as open_input,
    parse_json as parse_json,
    parse_toml as parse_toml,
    read_input as read_input,
    read_json as read_json,
    read_text as read_text,
    read_toml as read_toml,
)
from .known_windows import KnownWindows as KnownWindows, statistics_count as statistics_count
from .model_contract import ModelContract as ModelContract
from .mounting import AS_TRAINED as AS_TRAINED, MOUNTINGS as MOUNTINGS, Mounting as Mounting
from .mounting_reference import ClassMotion as ClassMotion, MountingReference as MountingReference
from .npz_reader import read_npz_arrays as read_npz_arrays
from .scores import (
    Scores as Scores,
    accuracy as accuracy,
    f1_by_class as f1_by_class,
    macro_f1 as macro_f1,
    score as score,
)
from .stft import StftSpec as StftSpec
from .streaming import Streaming as Streaming
from .views import InputViews as InputViews
from .zip_reader import ArchiveError as ArchiveError, ZipReader as ZipReader
