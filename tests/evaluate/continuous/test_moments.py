import numpy as np

from deseptr.evaluate.continuous.moments import Moment, worst_moments
from deseptr.evaluate.continuous.track import Track


def track_of(truth: str, shown: str) -> Track:
    return Track("ada", *(np.array([".ABC".index(each) - 1 for each in text]) for text in (truth, shown)), 2.0)


def test_the_longest_wrong_stretches_come_first():
    tracks = [track_of("AAAAABBBBB", ".AAAAAAABB"), track_of("AAAAAAAA..", "BBBBBAAACC")]
    assert worst_moments(tracks) == [Moment(1, 0, 5, truth=0, shown=1), Moment(0, 5, 8, truth=1, shown=0)]
    assert worst_moments(tracks, count=1) == [Moment(1, 0, 5, truth=0, shown=1)]


def test_what_is_commonest_names_a_moment_of_several_labels():
    assert worst_moments([track_of("AABBBBA", "BBACCCC")]) == [Moment(0, 0, 7, truth=1, shown=2)]


def test_no_label_yet_is_no_mistake():
    assert worst_moments([track_of("AAAA", "..AA"), track_of("AAAA", "....")]) == []
