from .api import (
    compare as compare,
    crossval as crossval,
    fit as fit,
    load as load,
    load_model as load_model,
    load_run as load_run,
    stream as stream,
)
from .contract import (
    CancelledError as CancelledError,
    DeseptrError as DeseptrError,
    EventRule as EventRule,
    ModelContract as ModelContract,
    Scores as Scores,
)
from .data import Dataset as Dataset, Recording as Recording
from .device import DecisionConfig as DecisionConfig, PushStream as PushStream
from .model import Model as Model
from .progress import Progress as Progress
from .results import (
    Comparison as Comparison,
    ContinuousScores as ContinuousScores,
    CrossValidation as CrossValidation,
)
from .run import Run as Run

__version__: str
