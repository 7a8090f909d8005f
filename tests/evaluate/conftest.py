"""Four wearers, and the contract of a model of their labels."""

import pytest

from deseptr.contract import ModelContract
from deseptr.data import load_dataset


@pytest.fixture(scope="module")
def wearers():
    return load_dataset("synthetic:subjects=4,seconds=24")


@pytest.fixture(scope="module")
def wearers_contract(wearers):
    return ModelContract(wearers.label_names, rate_hz=wearers.recordings[0].rate_hz)
