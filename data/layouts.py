"""The layouts that are recognised by their content: archives of data sets, and what apps and devices write.

Each has a module of its own with two functions, which get the opened :class:`.Archive`: ``is_…`` tells from the names
and beginnings of the files whether there is a recording of that layout, ``read_…`` reads all there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .archive import Archive
from .cwa import is_cwa, read_cwa
from .edge_impulse import is_edge_impulse, read_edge_impulse
from .gt3x import is_gt3x, read_gt3x
from .hapt import is_hapt, read_hapt
from .motion_bids import is_motion_bids, read_motion_bids
from .motionsense import is_motionsense, read_motionsense
from .pamap2 import is_pamap2, read_pamap2
from .phyphox import is_phyphox, read_phyphox
from .read_options import ReadOptions
from .recording import Dataset
from .sensor_log import is_sensor_log, read_sensor_log
from .sensor_logger import read_sensor_logger
from .sensor_logger_files import is_sensor_logger
from .uci_har import is_uci_har, read_uci_har
from .wisdm import is_wisdm, read_wisdm

PATH_OPTIONS = ("subject_from", "recording_from", "label_from", "label", "segments", "fill_gaps", "merge_alike")
"""Choices that every layout follows whose recordings go through :func:`.dataset_of_takes`."""


class Layout(NamedTuple):
    """A layout.

    Args:
        title: of a recording or data set of that layout, for messages.
        is_it: whether an archive has something of it; must not fail on other files.
        read: all of it.
        options: choices of a reader that ``read`` follows; others are refused.
    """

    title: str
    is_it: Callable[[Archive], bool]
    read: Callable[[Archive, ReadOptions], Dataset]
    options: tuple[str, ...] = PATH_OPTIONS


LAYOUTS = (
    Layout(
        "the MotionSense archive",
        lambda found: is_motionsense(found.names()),
        lambda found, _: read_motionsense(found),
        (),
    ),
    Layout("the HAPT archive", lambda found: is_hapt(found.names()), lambda found, _: read_hapt(found), ()),
    Layout("the UCI-HAR archive", lambda found: is_uci_har(found.names()), lambda found, _: read_uci_har(found), ()),
    Layout("the PAMAP2 data set", is_pamap2, read_pamap2, (*PATH_OPTIONS, "placement")),
    Layout("the WISDM data set", is_wisdm, read_wisdm, (*PATH_OPTIONS, "placement")),
    Layout("a Motion-BIDS dataset", is_motion_bids, read_motion_bids, (*PATH_OPTIONS, "placement")),
    Layout("recordings of Sensor Logger", is_sensor_logger, read_sensor_logger, (*PATH_OPTIONS, "placement")),
    Layout("exports of phyphox", is_phyphox, read_phyphox),
    Layout("logs of SensorLog", is_sensor_log, read_sensor_log),
    Layout(
        "samples of Edge Impulse (.json, .cbor)",
        is_edge_impulse,
        read_edge_impulse,
        (*PATH_OPTIONS, "columns", "units"),
    ),
    Layout("recordings of Axivity loggers (.cwa)", is_cwa, read_cwa),
    Layout("recordings of ActiGraph devices (.gt3x)", is_gt3x, read_gt3x),
)
"""In the order in which they are tried; data sets whose names tell all come first."""


def find_layout(archive: Archive) -> Layout | None:
    """The first layout that recognises something in the archive, or None."""
    return next((layout for layout in LAYOUTS if layout.is_it(archive)), None)


def other_layouts(archive: Archive, chosen: Layout) -> Iterator[Layout]:
    """Layouts that recognise something in the archive as well."""
    return (layout for layout in LAYOUTS if layout is not chosen and layout.is_it(archive))
