import pytest

from deseptr.contract import SetupError
from deseptr.device.profile.cold_start import FIGURES, cold_start


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
