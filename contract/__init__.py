"""What train, convert and device agree on: the model contract, the scores, the errors and atomic writing.

Importing it loads nothing, not even numpy: every name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from .lazy import lazy_attributes

if TYPE_CHECKING:
    from .bootstrap import Interval, macro_f1_interval, seeds_interval, subject_confusions
    from .calibration import Reliability, reliability, softmax
    from .errors import ConversionError, DataError, DeseptrError, ModelError, SensorError, SetupError
    from .files import atomic_path, atomic_write
    from .model_contract import CHANNELS, UNITS, ModelContract
    from .scores import Scores, accuracy, macro_f1, score
    from .stft import StftSpec
    from .tflite_file import TfliteFile, embed_contract, read_flatbuffer, read_tflite, without_archive

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "bootstrap": "Interval macro_f1_interval seeds_interval subject_confusions",
        "calibration": "Reliability reliability softmax",
        "errors": "ConversionError DataError DeseptrError ModelError SensorError SetupError",
        "files": "atomic_path atomic_write",
        "model_contract": "CHANNELS UNITS ModelContract",
        "scores": "Scores accuracy macro_f1 score",
        "stft": "StftSpec",
        "tflite_file": "TfliteFile embed_contract read_flatbuffer read_tflite without_archive",
    },
)

__all__ = [
    "CHANNELS",
    "UNITS",
    "ConversionError",
    "DataError",
    "DeseptrError",
    "Interval",
    "ModelContract",
    "ModelError",
    "Reliability",
    "Scores",
    "SensorError",
    "SetupError",
    "StftSpec",
    "TfliteFile",
    "accuracy",
    "atomic_path",
    "atomic_write",
    "embed_contract",
    "macro_f1",
    "macro_f1_interval",
    "read_flatbuffer",
    "read_tflite",
    "reliability",
    "score",
    "seeds_interval",
    "softmax",
    "subject_confusions",
    "without_archive",
]
