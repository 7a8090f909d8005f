import os

import pytest

from deseptr.tflite.native_stderr import hold_native_stderr


def test_information_is_dropped_and_the_rest_passed_on(capfd):
    with hold_native_stderr():
        os.write(2, b"INFO: chatter\nWARNING: news\n")
    assert capfd.readouterr().err == "WARNING: news\n"


def test_nothing_is_passed_on_beside_an_exception(capfd):
    with pytest.raises(ValueError, match="invalid literal"), hold_native_stderr():
        int(str(os.write(2, b"ERROR: detail\n")) + " bytes")
    assert capfd.readouterr().err == ""
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
