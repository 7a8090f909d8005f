"""A mounting reference that says nothing contradictory."""

import pytest

from deseptr.contract import ClassMotion, ModelError, MountingReference

STILL = ClassMotion("still", (0.0,) * 10, (1.0,) * 10)
MOVING = ClassMotion("moving", (1.0,) * 10, (2.0,) * 10)


@pytest.mark.parametrize(
    ("classes", "worn", "message"),
    [
        ((STILL, MOVING, STILL), (("none", 1.0),), "found a class twice, expected each class once"),
        ((STILL, ClassMotion("moving", (1.0,) * 26, (2.0,) * 26)), (("none", 1.0),), "expected 10 or 26"),
        ((ClassMotion("still", (0.0,) * 9, (1.0,) * 9),), (("none", 1.0),), "expected 10 or 26"),
        ((ClassMotion("still", (float("inf"),) * 10, (1.0,) * 10),), (("none", 1.0),), "expected finite means"),
        ((ClassMotion("still", (0.0,) * 10, (0.0,) * 10),), (("none", 1.0),), "positive deviations"),
        ((STILL,), (("x90", 1.0),), "expected shares of turns, with none"),
        ((STILL,), (("none", 1.0), ("x90", 0.0)), "expected shares of turns, with none"),
        ((STILL,), (("none", 0.5), ("none", 0.5)), "expected shares of turns, with none"),
    ],
)
def test_what_contradicts_itself_is_refused(classes, worn, message):
    with pytest.raises(ModelError, match=message):
        MountingReference(classes, worn)


def test_classes_of_their_own_names_are_taken():
    found = MountingReference((STILL, MOVING), (("none", 0.7), ("x90", 0.3)))
    assert found.sensors == ("acc",)
    assert [turn.name for turn in found.turns] == ["none", "x90"]
