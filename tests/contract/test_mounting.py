"""The 24 turns by right angles: a group, with names that mean what rotation matrices mean."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import AS_TRAINED, MOUNTINGS, Mounting, SetupError

mountings = st.sampled_from(MOUNTINGS)
steps = st.builds("{}{}".format, st.sampled_from("xyz"), st.sampled_from((90, 180, 270)))


def matrix(mounting):
    made = np.zeros((3, 3), int)
    made[range(3), mounting.columns] = mounting.signs
    return made


def rotation(step):
    """Rodrigues' formula, which shares nothing with the table of names."""
    axis, angle = np.eye(3)["xyz".index(step[0])], np.deg2rad(int(step[1:]))
    cross = np.cross(axis, np.eye(3)).T
    return np.round(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross).astype(int)


def test_there_are_24_turns_with_names_of_their_own():
    assert len(set(MOUNTINGS)) == len({each.name for each in MOUNTINGS}) == 24
    assert len({matrix(each).tobytes() for each in MOUNTINGS}) == 24
    assert {round(np.linalg.det(matrix(each))) for each in MOUNTINGS} == {1}
    assert [each.degrees for each in MOUNTINGS[:4]] == [0, 90, 180, 90]
    assert sorted(each.degrees for each in MOUNTINGS) == [0] + 6 * [90] + 8 * [120] + 9 * [180]


@given(st.lists(steps, min_size=1, max_size=8))
def test_a_name_is_turns_about_axes_that_stay_one_after_another(names):
    expected = np.eye(3, dtype=int)
    for step in names:
        expected = rotation(step) @ expected
    assert (matrix(Mounting.named("+".join(names))) == expected).all()


@given(mountings, mountings, mountings)
def test_turns_compose_and_invert(one, two, three):
    assert one.then(two).then(three) == one.then(two.then(three))
    assert one.then(one.inverse()) == one.inverse().then(one) == AS_TRAINED
    assert (matrix(one.then(two)) == matrix(two) @ matrix(one)).all()
    assert one.inverse().inverse() == one
    assert one.inverse().degrees == one.degrees


@given(mountings)
def test_a_name_is_read_back(mounting):
    assert Mounting.named(mounting.name) == mounting
    assert mounting.name.count("+") <= 1


def test_a_turn_as_a_part_of_a_sentence():
    assert str(AS_TRAINED) == "as in training"
    assert str(Mounting.named("x90")) == "turned by 90° about x"
    assert str(Mounting.named("x90+z180")) == "turned by 90° about x, then by 180° about z"


@pytest.mark.parametrize("name", ["", "x45", "90", "x90+", "auto", "x90 ", "x90+" * 9 + "x90", "X90"])
def test_other_names_are_refused(name):
    with pytest.raises(SetupError, match=r"--mounting: found .*, expected turns such as x90"):
        Mounting.named(name, "--mounting")


@pytest.mark.parametrize(
    ("columns", "signs"),
    [((0, 1, 2), (1, 1, -1)), ((0, 2, 1), (1, 1, 1)), ((0, 0, 1), (1, 1, 1)), ((0, 1, 2), (1, 2, 1))],
)
def test_mirror_images_and_others_are_no_mounting(columns, signs):
    with pytest.raises(SetupError, match="a turn by right angles"):
        Mounting(columns, signs)
