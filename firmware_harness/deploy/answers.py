"""The answers of a board to each operation: their fields and types.

Fields that are not named here are kept for the JSON output. Annotations are evaluated here, since a TypedDict finds
NotRequired only then.
"""

import re
from typing import Annotated, Any, NotRequired, TypedDict

_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")


class Bus(TypedDict):
    """An I2C bus of a board."""

    bus: int
    usable: bool


class Installed(TypedDict):
    """The releases of a board and their state."""

    prefix: str
    current: str | None
    releases: list[str]
    good: list[str]
    trial: str | None
    bad: dict[str, str]


class BoardFacts(TypedDict):
    """Facts about a board."""

    machine: str
    kernel_machine: str
    python: tuple[int, int, int]
    executable: str
    glibc: Annotated[str, _VERSION] | None
    os: str | None
    board: str | None
    i2c: list[Bus]
    free_bytes: int
    prefix_problem: str | None
    systemd: bool
    root: bool
    sudo: bool
    home: str
    openblas: bool
    ssh_keygen: bool


class Probed(BoardFacts, Installed):
    """Answer to ``probe``."""


class Offset(TypedDict):
    """Answer to ``offset``."""

    offset: int


class Received(TypedDict):
    """Answer to ``receive``."""


class Seen(TypedDict):
    """Observations of a trial."""

    doctor: NotRequired[int]
    windows: int
    label: str | None


class Flashed(TypedDict):
    """Answer to ``install``."""

    release: str
    manifest_build: int
    seen: Seen
    removed: list[str]
    page: NotRequired[str | None]


class RolledBack(TypedDict):
    """Answer to ``roll_back``."""

    left: str
    release: str


class BoardHeat(TypedDict):
    """Temperature and throttling of a board."""

    temperature_c: float | None
    throttled: int | None


class Status(Installed):
    """Answer to ``status``; a board whose release is of an earlier deseptr does not have all of it."""

    board: BoardFacts
    service: str
    service_kind: str | None
    page: NotRequired[str | None]
    state: NotRequired[BoardHeat]
    says: NotRequired[str]
    signed_only: bool
    interrupted: bool


class Logs(TypedDict):
    """Answer to ``logs``."""

    text: str


class Uninstalled(TypedDict):
    """Answer to ``uninstall``."""

    removed: list[str]


class Measured(TypedDict):
    """Answer to ``measure``; the figures of each command are those of the installed release."""

    release: str
    board: BoardFacts
    results: dict[str, Any]


ANSWERS: dict[str, type] = {
    "probe": Probed,
    "offset": Offset,
    "receive": Received,
    "install": Flashed,
    "roll_back": RolledBack,
    "status": Status,
    "logs": Logs,
    "uninstall": Uninstalled,
    "measure": Measured,
}
