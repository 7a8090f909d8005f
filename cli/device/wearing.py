"""Who a run's model is corrected for: by ``--wearer``, or as those who watch its page choose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.cli.common.messages import complain

from .decision_options import decision_config

if TYPE_CHECKING:
    from deseptr.device import MountingWatch
    from deseptr.device.live_page.wearing import Wearing
    from deseptr.device.personal import WearerFile
    from deseptr.tflite import Engine, TfliteEngine, TfliteFile


def first_wearer(chosen: Mapping[str, Any], model: TfliteFile) -> WearerFile | None:
    """The file of the wearer with whom a run begins: that of ``--wearer``, else the one chosen last on the page.

    Raises:
        DataError: if the file of ``--wearer`` cannot be read, or is for another model.
    """
    from deseptr.contract import DataError
    from deseptr.device.personal import WearerFile
    from deseptr.device.personal.wearer_folder import WearerFolder

    if chosen["wearer"] is not None:
        return WearerFile.load_for(chosen["wearer"], model)
    if not _on_page(chosen):
        return None
    folder = WearerFolder(Path(chosen["web_wearers"]), model)
    name = folder.remembered()
    try:
        return None if name is None else folder.find(name)
    except DataError as error:
        complain(f"{error}; the run begins without it")
        return None


def make_wearing(
    chosen: Mapping[str, Any],
    loaded: TfliteEngine,
    at_hop: Engine,
    first: WearerFile | None,
    mounting: MountingWatch | None,
) -> Wearing | None:
    """What the page needs to personalise; None without ``--web-wearers``.

    Args:
        chosen: values of the options.
        loaded: the model.
        at_hop: the same at the hop of the run.
        first: the wearer with whom the run begins.
        mounting: what corrects the run for a turned sensor, and takes as well.

    Raises:
        SetupError: for a model on an Edge TPU, which one thread alone can use.
    """
    if not _on_page(chosen):
        return None
    from deseptr.contract import AS_TRAINED, SetupError
    from deseptr.device.live_page.wearing import Wearing
    from deseptr.device.personal.switch import WearerSwitch
    from deseptr.tflite import TfliteEngine

    if loaded.delegate is not None:
        raise SetupError(
            "--web-wearers",
            found="a model on an Edge TPU",
            expected="one that the processor runs",
            next_step="personalise with `deseptr device personalise`, and run with --wearer FILE",
        )
    make_engine = partial(TfliteEngine, loaded.model, loaded.runtime)
    switch = WearerSwitch(at_hop, partial(decision_config, chosen), first)
    worn = None if first is None else first.wearer
    return Wearing(
        Path(chosen["web_wearers"]),
        loaded.model,
        make_engine,
        switch,
        worn,
        lambda: AS_TRAINED if mounting is None else mounting.settled,
    )


def warn_of_mounting(chosen: Mapping[str, Any], wearer: WearerFile | None) -> None:
    """Say at once if a wearer was recorded with a turned sensor and the run is not told of a turn.

    Under ``--mounting`` the event of the mounting says it, when it is known what is corrected.
    """
    from deseptr.device.personal.mounting_warning import mounting_warning

    if wearer is None or chosen["mounting"] is not None:
        return
    warning = mounting_warning(wearer.wearer, wearer.mountings, "none")
    if warning is not None:
        complain(warning)


def _on_page(chosen: Mapping[str, Any]) -> bool:
    return bool(chosen["web"] and chosen["web_wearers"])
