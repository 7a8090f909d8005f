"""Labelled recordings from the sensor: the steps of a session, the loop, and files that survive a power cut."""

from functools import partial

from deseptr.contract.moved import moved_name

from .recorder import (
    Progress as Progress,
    RecorderEvent as RecorderEvent,
    StepBegan as StepBegan,
    record as record,
    settled as settled,
)
from .script import (
    Activity as Activity,
    SessionStep as SessionStep,
    check_name as check_name,
    read_protocol as read_protocol,
    session_steps as session_steps,
)
from .take_file import TakeFile as TakeFile, prepare_folder as prepare_folder
from .taking import Interruption as Interruption, Take as Take, Taking as Taking

__getattr__ = partial(moved_name, __name__)
