"""Labelled recordings from the sensor: the steps of a session, the loop, and the files that survive a power cut."""

from .recorder import Interruption, Progress, RecorderEvent, Recovery, StepBegan, Take, record, settled
from .script import Activity, Step, check_name, read_protocol, session_steps
from .take_file import TakeFile, prepare_folder

__all__ = [
    "Activity",
    "Interruption",
    "Progress",
    "RecorderEvent",
    "Recovery",
    "Step",
    "StepBegan",
    "Take",
    "TakeFile",
    "check_name",
    "prepare_folder",
    "read_protocol",
    "record",
    "session_steps",
    "settled",
]
