"""Colours of the page, which people who see colours differently can tell apart (Okabe and Ito, 2008).

Axes have the colours of ``deseptr data info --plot``; on a dark ground, lighter ones of the same hues. A ninth label
has the first one's colour, hatched.
"""

from __future__ import annotations

from deseptr.data.plot import AXIS_COLOURS

AXES = {"light": AXIS_COLOURS, "dark": ("#56B4E9", "#F0864A", "#9BE8A8")}
LABELS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7", "#F0E442", "#51606F")
