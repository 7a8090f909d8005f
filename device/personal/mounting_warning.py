"""A wearer who was recorded under another mounting than that for which a stream is corrected."""

from __future__ import annotations

from collections.abc import Sequence


def mounting_warning(wearer: str, recorded: Sequence[str], applied: str) -> str | None:
    """A warning about it; None if the mountings are the same, or that of the recordings is not known.

    Both may be right, if the sensor has been mounted in another way since: it cannot be refused. Otherwise what was
    learned is of other axes than those of the stream.

    Args:
        wearer: the name.
        recorded: names of the turns for which the recordings were corrected.
        applied: name of the turn for which the stream is.

    >>> mounting_warning("eve", ["x90"], "x90")
    >>> mounting_warning("eve", ["none"], "x90").split(": ")[0]
    'eve was recorded under the mounting none, and the run is under x90'
    """
    others = [name for name in recorded if name != applied]
    if not others:
        return None
    advice = f"record again with --mounting {applied}" if others[0] == "none" else f"run with --mounting {others[0]}"
    return (
        f"{wearer} was recorded under the mounting {' and '.join(others)}, and the run is under {applied}: unless the "
        f"sensor has been mounted in another way since, {advice}"
    )
