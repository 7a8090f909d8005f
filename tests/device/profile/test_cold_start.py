import json

import pytest

from deseptr.contract import SetupError
from deseptr.device.profile.cold_start import FIGURES, cold_start, read_figures


def test_a_fresh_process_measures_every_figure(int8_model):
    figures = cold_start(int8_model, repeats=1)
    assert figures["repeats"] == 1
    assert all(figures[name] > 0 for name in FIGURES)
    assert figures["import_rss_bytes"] <= figures["loaded_rss_bytes"] <= figures["peak_rss_bytes"]


def test_a_process_that_fails_is_one_line(tmp_path):
    with pytest.raises(SetupError, match=r"a fresh process with .*absent.tflite: found .*No such file") as caught:
        cold_start(tmp_path / "absent.tflite", repeats=1)
    assert "--cold-starts 0" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["1.5", None, True, float("nan"), -1, 10**400, []])
def test_figures_of_another_form_are_refused(value):
    good = dict.fromkeys(FIGURES, 1.5)
    assert read_figures(json.dumps(good | {"more": 1})) == good
    with pytest.raises(ValueError, match="other figures"):
        read_figures(json.dumps(good | {"load_ms": value}))


@pytest.mark.parametrize("text", ["", "[]", "7", "[" * 200_000, '{"load_ms": 1}'])
def test_what_is_no_figures_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_figures(text)
