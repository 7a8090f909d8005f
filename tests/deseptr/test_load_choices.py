"""The library reads with every choice that the command line has."""

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

import deseptr
from deseptr.cli.common.options import READING_NAMES
from deseptr.data import ReadOptions


def test_load_and_the_options_have_all_choices_of_the_reader():
    choices = {field.name for field in fields(ReadOptions)}
    assert set(inspect.signature(deseptr.load).parameters) - {"source"} == choices
    assert set(READING_NAMES) == choices


@pytest.mark.parametrize("kind", [str, Path])
def test_a_table_of_labels_is_read(tmp_path, kind):
    rows = [f"{at / 50},0.1,{at % 7},9.8" for at in range(200)]
    (tmp_path / "ada.csv").write_text("\n".join(["t,acc_x,acc_y,acc_z", *rows]) + "\n")
    (tmp_path / "table.txt").write_text("start_s,end_s,label\n0,2,walking\n")
    data = deseptr.load(tmp_path / "ada.csv", segments=kind(tmp_path / "table.txt"))
    assert (data.label_names, int((data.recordings[0].labels == 0).sum())) == (("walking",), 100)
