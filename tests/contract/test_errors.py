import pickle

import pytest

from deseptr.contract import DataError, DeseptrError, ModelError


def make(cls: type[DeseptrError] = DataError) -> DeseptrError:
    return cls("walk.csv", found="3\ncolumns", expected="7 columns", next_step="add the others")


def test_message_is_one_line_with_all_four_parts():
    assert str(make()) == "walk.csv: found 3 columns, expected 7 columns; add the others"


def test_exit_code_is_two():
    assert make().exit_code == 2


def test_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(make(ModelError)))
    assert type(error) is ModelError
    assert str(error) == str(make())


def test_is_caught_as_the_base():
    with pytest.raises(DeseptrError, match=r"walk\.csv"):
        raise make()


def test_what_no_terminal_should_get_is_escaped():
    error = ModelError("a\x1b[2J\ud800", found="x", expected="y", next_step="z")
    assert str(error) == r"a\x1b[2J\ud800: found x, expected y; z"
