"""A chain in a contract: its fields, and that it is one of the contract's classes."""

from dataclasses import replace
from typing import Any

import pytest

from deseptr.contract import DecisionConfig, ModelContract, ModelError
from deseptr.contract.activity_chain import ActivityChain

CHAIN = ActivityChain((10.0, 20.0), ((0.0, 1.0), (1.0, 0.0)), 1, 1.0, 0.01)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "chain has not the fields durations_s, floor, following, stages, weight"),
        ({"stages": 1}, "chain has not the fields"),
        ({**CHAIN.to_dict(), "more": 1}, "chain has not the fields"),
        ({**CHAIN.to_dict(), "stages": True}, "stages is no whole number"),
        ({**CHAIN.to_dict(), "durations_s": 5}, "not a list"),
        ({**CHAIN.to_dict(), "durations_s": [10.0, True]}, "not a list of numbers"),
        ({**CHAIN.to_dict(), "weight": "1"}, "not a list of numbers"),
    ],
)
def test_what_is_no_chain_is_refused(content: Any, message: str):
    with pytest.raises(ValueError, match=message):
        ActivityChain.from_dict(content)


def test_a_chain_comes_back_as_it_was():
    assert ActivityChain.from_dict(CHAIN.to_dict()) == CHAIN


def test_a_chain_of_other_classes_than_the_contracts_is_refused():
    two = ModelContract(labels=("sit", "walk"), decision=DecisionConfig("markov", chain=CHAIN))
    assert two.decision is not None
    with pytest.raises(ModelError, match=r"decision: found a chain of other classes, expected one of 3 classes"):
        replace(two, labels=("sit", "walk", "run"))


def test_a_list_of_the_fields_names_is_no_chain():
    with pytest.raises(ValueError, match="chain has not the fields"):
        ActivityChain.from_dict(sorted(CHAIN.to_dict()))
