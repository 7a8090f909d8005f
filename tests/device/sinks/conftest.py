from dataclasses import replace

import pytest
from certificates import certificates as certificates
from small_disk import small_disk as small_disk

from deseptr.device import WindowEvent

LABELS = ("sitting", "walking")


class Warnings(list):
    """What an output warned of."""

    __call__ = list.append


@pytest.fixture
def warnings():
    return Warnings()


@pytest.fixture
def window():
    """Make the window of a number: window 3 ends at 5.12 s."""
    first = WindowEvent(1.28, "walking", 0.75, {"sitting": 0.25, "walking": 0.75}, 812.5, 0)

    def make(number=0):
        return replace(first, t=1.28 * (number + 1), sample=64 * number)

    return make
