"""Windows as a model takes them."""

from __future__ import annotations

from collections.abc import Sequence

from deseptr.contract import ModelContract, columns_of

from .recording import Dataset
from .windows import Windows, cut_windows


def cut_for_model(
    dataset: Dataset,
    contract: ModelContract,
    label_names: Sequence[str] | None = None,
    next_step: str = "use recordings that have the model's channels",
) -> Windows:
    """Cut recordings into a model's windows, with its channels only and, if it has views, with their history.

    Args:
        dataset: the recordings.
        contract: contract of the model.
        label_names: as of :func:`cut_windows`.
        next_step: what to do if the recordings lack a channel.

    Raises:
        DataError: if the recordings lack a channel of the model, a label is unknown, or no run is long enough.
    """
    # Before the windows are cut, which takes long.
    columns_of(contract.channels, dataset.channels, dataset.name, next_step)
    windows = cut_windows(
        dataset,
        window_length=contract.window_length,
        hop_length=contract.hop_length,
        rate_hz=contract.rate_hz,
        label_names=label_names,
        history=contract.history,
    )
    return windows.with_channels(contract.channels)
