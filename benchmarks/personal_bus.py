"""A wearer's test windows over a simulated bus, with their correction and without."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from fold_models import Folds, Wearer
from personal_scores import Places

from deseptr.device.personal import PersonalEngine, WearerFile
from deseptr.device.personal.wearer_file import model_hash
from deseptr.evaluate.over_bus import evaluate_bus
from deseptr.firmware_harness.simulator import VirtualClock

SENSOR = "mpu6050"


def over_the_bus(folds: Folds, person: Wearer, recorded: Places, tested: Places) -> dict[str, Any]:
    """Play the trials of a test through a simulated sensor, driver and runtime, in virtual time.

    Args:
        folds: the models.
        person: the wearer.
        recorded: windows that the correction is fitted on.
        tested: those of the test, whose whole trials are played.
    """
    engine = folds.engine(person.fold)
    own = folds.dataset.select(subjects=[person.name])
    trials = set(person.trials[tested].tolist())
    played = replace(own, recordings=tuple(each for each in own.recordings if int(each.name) in trials))
    session = person.seen.take(recorded)
    file = WearerFile(person.name, model_hash(engine.model), engine.contract.labels, (), (session,))
    plain, corrected = (
        evaluate_bus(each, played, sensor=SENSOR, make_clock=VirtualClock)
        for each in (engine, PersonalEngine(engine, file))
    )
    straight = np.array(corrected.straight) == np.array(corrected.true)
    return {
        "wearer": person.name,
        "windows": len(corrected.true),
        "gaps": corrected.gaps,
        "before": 100 * plain.scores().macro_f1,
        "after": 100 * corrected.scores().macro_f1,
        "right_straight": float(straight.mean()),
        "right": float((np.array(corrected.predicted) == np.array(corrected.true)).mean()),
        "same_class": corrected.agreement()["share"],
        "largest_difference": corrected.agreement()["largest_difference"],
    }
