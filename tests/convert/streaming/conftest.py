import pytest

from deseptr.convert.streaming.cut import cut_graph
from deseptr.device import default_model
from deseptr.tflite import read_tflite, without_archive


@pytest.fixture(scope="session")
def packaged():
    return read_tflite(default_model())


@pytest.fixture(scope="session")
def flatbuffer(packaged):
    return without_archive(packaged.content)


@pytest.fixture(scope="session")
def graphs(flatbuffer):
    return cut_graph(flatbuffer)
