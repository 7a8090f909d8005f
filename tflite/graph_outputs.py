"""Which output of a graph is which: told by the contract and the tensor's name, never by the order of the outputs.

Converters and compilers do not promise the order in which a function returned its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from deseptr.contract import ModelContract

EMBEDDING = "embedding"


class OutputPlaces(NamedTuple):
    """Places among a graph's outputs.

    Args:
        logits: of the logits.
        embedding: of the embedding; None for a graph without.
    """

    logits: int
    embedding: int | None = None

    def shapes(self, contract: ModelContract) -> list[tuple[int, int]]:
        """Shapes of the outputs in their order."""
        shapes = {self.logits: (1, len(contract.labels))}
        if self.embedding is not None:
            shapes[self.embedding] = (1, contract.embedding_width)
        return [shapes[place] for place in sorted(shapes)]


def output_places(names: Sequence[str], contract: ModelContract) -> OutputPlaces | None:
    """Places of logits and embedding among outputs with these names; None if they are not those of the contract.

    A graph without embedding has one output of any name; one with has another that is named ``embedding``.

    >>> with_embedding = ModelContract(labels=("still", "walking"), embedding_width=48)
    >>> output_places(["embedding", "logits"], with_embedding)
    OutputPlaces(logits=1, embedding=0)
    >>> output_places(["logits"], with_embedding)
    """
    if not contract.embedding_width:
        return OutputPlaces(0) if len(names) == 1 else None
    if len(names) != 2 or list(names).count(EMBEDDING) != 1:
        return None
    place = list(names).index(EMBEDDING)
    return OutputPlaces(1 - place, place)


def expected_outputs(contract: ModelContract) -> str:
    """The outputs of the contract in words, for an error message."""
    return f"logits and one named {EMBEDDING}" if contract.embedding_width else "one of each"
