"""Labelled recordings from the sensor: the steps of a session, the loop, and the files that survive a power cut."""

from .recorder import (
    Interruption as Interruption,
    Progress as Progress,
    RecorderEvent as RecorderEvent,
    Recovery as Recovery,
    StepBegan as StepBegan,
    Take as Take,
    record as record,
    settled as settled,
)
from .script import (
    Activity as Activity,
    Step as Step,
    check_name as check_name,
    read_protocol as read_protocol,
    session_steps as session_steps,
)
from .take_file import TakeFile as TakeFile, prepare_folder as prepare_folder
