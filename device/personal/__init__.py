"""A wearer's own correction of a model: what was recorded of them, the correction in closed form, and the engine."""

from .engine import (
    PersonalEngine as PersonalEngine,
    personal_contract as personal_contract,
    personalised as personalised,
)
from .fit import Personal as Personal, personalise as personalise
from .recorded import Recorded as Recorded
from .self_check import SelfCheck as SelfCheck, check_itself as check_itself
from .wearer_file import WearerFile as WearerFile, check_wearer as check_wearer
