import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ModelError, Streaming

STREAMING = Streaming(48, 16, 6, "ab" * 32)


def test_json_is_read_as_it_was_written():
    assert Streaming.from_json(STREAMING.to_json()) == STREAMING


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 200))
def test_new_columns_are_those_that_no_earlier_window_has(stride, columns, hop):
    streaming = replace(STREAMING, column_stride=stride, columns=columns)
    starts = [{hop * window + stride * column for column in range(columns)} for window in range(stride + columns + 1)]
    assert streaming.new_columns(hop) == len(starts[-1].difference(*starts[:-1]))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"columns": 0}, "streaming.columns: found 0"),
        ({"column_stride": 1.5}, "streaming.column_stride: found 1.5"),
        ({"column_length": True}, "streaming.column_length: found True"),
        ({"column_length": 10**9}, "1 to 1000000"),
        ({"whole_sha256": "ab"}, "streaming.whole_sha256: found 'ab'"),
        ({"whole_sha256": 3}, "64 hexadecimal digits"),
        ({"format": 2}, "other fields or another format"),
        ({"more": 1}, "other fields or another format"),
    ],
)
def test_other_content_is_refused_in_one_line(changes, named):
    content = {**json.loads(STREAMING.to_json()), **changes}
    with pytest.raises(ModelError) as refused:
        Streaming.from_json(json.dumps(content), "m.tflite!streaming.json")
    assert named in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"format": 1}'])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(ModelError, match="a description of columns"):
        Streaming.from_json(text)
