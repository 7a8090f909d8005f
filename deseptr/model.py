"""A ``.tflite`` model and what can be done with it: predict, score, run on a sensor, time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.contract import EventRule, ModelContract

from .arguments import dataset_of
from .classifier import Classifier
from .wording import events_in_python_words, in_python_words

if TYPE_CHECKING:
    from deseptr.convert import Conversion
    from deseptr.data import Dataset
    from deseptr.device import (
        DecisionConfig,
        Event,
        EventWatch,
        LabelTracker,
        MountingWatch,
        Session,
        UnknownJudge,
    )
    from deseptr.device.personal import WearerFile
    from deseptr.device.profile.measure import Profile
    from deseptr.evaluate.predictor import Predictor
    from deseptr.firmware_harness.simulator import Replayed
    from deseptr.tflite import Engine

# Repeated from `run_live`, which imports numpy, as nothing here does before it is used; a test compares the two.
PATIENCE_S, RATE_TOLERANCE = 20.0, 0.02


class Model(Classifier):
    """A ``.tflite`` file with its contract inside.

    >>> import deseptr
    >>> model = deseptr.load_model()
    >>> model.contract.rate_hz
    50.0
    >>> events = model.simulate("synthetic:subjects=1,seconds=10", seconds=4)
    >>> print(next(event for event in events if event.event.to_dict().get("label")).event.t)
    2.54

    Args:
        path: the file.
        engine: ``"auto"``, ``"litert"``, ``"tflite"`` or ``"edgetpu"``.
        threads: that the engine may use.
        conversion: the figures of the conversion that wrote it, if it has just been written.
        wearer: whose correction it gets, or the file of it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        engine: str = "auto",
        threads: int = 1,
        conversion: Conversion | None = None,
        wearer: WearerFile | str | Path | None = None,
    ) -> None:
        super().__init__(path, threads=threads)
        self._kind = engine
        self.conversion = conversion
        self._wearer = wearer

    @property
    def contract(self) -> ModelContract:
        """Labels, rate, window, channels and ranges of the model; a wearer's new labels come last."""
        from deseptr.tflite import read_tflite

        contract = self.conversion.contract if self.conversion else read_tflite(self._path).contract
        if self._wearer is None or self.wearer is None:
            return contract
        from deseptr.device.personal import personal_contract

        return personal_contract(contract, self.wearer)

    @cached_property
    def wearer(self) -> WearerFile | None:
        """The file of the wearer whom it is corrected for, which ``save(path)`` writes; None if it is as trained.

        Raises:
            DataError: if it is no such file, or that of another model.
        """
        if self._wearer is None:
            return None
        from deseptr.device.personal import WearerFile
        from deseptr.tflite import read_tflite

        if not isinstance(self._wearer, WearerFile):
            return WearerFile.load_for(self._wearer, read_tflite(self._path))
        self._wearer.check_model(read_tflite(self._path), f"wearer {self._wearer.wearer}")
        return self._wearer

    def personalise(
        self,
        data: Dataset | str | Path,
        wearer: str | None = None,
        *,
        new_labels: Sequence[str] = (),
        mounting: str | None = None,
    ) -> Model:
        """Correct the model for one wearer, by 3 to 60 s of some or all of their activities; see `docs/personalise.md`.

        >>> import deseptr
        >>> eve = deseptr.load_model().personalise("sample", "eve")
        >>> eve.wearer.wearer, eve.wearer.counts()["walking"]
        ('eve', 14)

        Args:
            data: labelled recordings of this wearer alone. Labels that are neither the model's nor new are left out.
            wearer: the name; that of the recordings' subject by default.
            new_labels: labels of the recordings that the model lacks and gets.
            mounting: how the sensor of the recordings is turned, compared with the training, as ``"x90"``; samples are
                turned back. With ``"auto"`` the turn is estimated from the recordings of several activities.

        Returns:
            The corrected model, whose ``wearer`` can be saved. Of a model that is corrected already, with these
            recordings as well.

        Raises:
            DataError: if the recordings are of several people or do not fit, if they leave open how the sensor is
                turned, or if the correction would make the wearer's own windows worse.
            SetupError: if there is no such turn, if the model has nothing to estimate one by, or a sensor has not all
                three axes.
        """
        from deseptr.contract import AS_TRAINED
        from deseptr.data.recording import names_of
        from deseptr.device.personal import personalise
        from deseptr.tflite import load_engine, read_tflite

        dataset = dataset_of(data)
        name = wearer or (self.wearer.wearer if self.wearer else dataset.subjects[0])
        with in_python_words():
            made = personalise(
                load_engine(self._path, self._kind, self._threads),
                read_tflite(self._path),
                dataset,
                name,
                new_labels=names_of(new_labels, "new_labels") or (),
                before=self.wearer,
                mounting=mounting or AS_TRAINED,
            )
        return Model(self._path, engine=self._kind, threads=self._threads, wearer=made.file)

    def simulate(
        self,
        data: Dataset | str | Path = "synthetic",
        *,
        sensor: str = "auto",
        seconds: float | None = None,
        real_time: bool = False,
        decision: DecisionConfig | None = None,
        plausibility: bool = True,
        unknown: bool = True,
        mounting: str | None = None,
        events: Sequence[EventRule] | None = None,
        patience_s: float = PATIENCE_S,
        rate_tolerance: float = RATE_TOLERANCE,
    ) -> Iterator[Replayed]:
        """Play recordings through a simulated sensor into the real driver and runtime.

        Args:
            data: recordings, or the name of a source of them.
            sensor: chip to simulate; the commonest by default.
            seconds: stop after so much of the wearers' time.
            real_time: take as long as the wearing did, instead of as fast as it goes.
            decision: how windows become a label that lasts, and how often they come; if None, as the model was tuned,
                else the defaults of ``deseptr device run``.
            plausibility: whether the label is ``unknown`` while no worn sensor measures such samples.
            unknown: whether the label is ``unknown`` while windows are unlike those that the model knows, as
                ``deseptr calibrate --known`` found them; without meaning for a model without.
            mounting: how the sensor is turned, compared with the training, as ``"x90"`` or ``"x90+z180"``; samples are
                turned back before the model. With ``"auto"`` the turn is estimated; if None, an event says what it
                seems to be, where the model can tell.
            events: rules of the classes that raise alarms; if None, those that the model brings.
            patience_s: give the sensor up after so many seconds without a sample.
            rate_tolerance: resample where the sensor's rate is further from the model's, as a share.

        Returns:
            Events with ``recording``, and windows with ``truth``, as they come.

        Raises:
            DataError: if the recordings cannot be read.
            SensorError: if the chip does not fit the model.
            SetupError: if a rule in ``events`` does not fit the model.
        """
        from deseptr.firmware_harness.simulator import PacedClock, VirtualClock, replay

        with in_python_words():
            turned, watch = self._mounting(mounting), self._watch(events)
        engine, tracker = self._deciding(decision)
        replayed = replay(
            engine,
            dataset_of(data),
            sensor=sensor,
            seconds=seconds,
            make_clock=PacedClock if real_time else VirtualClock,
            tracker=tracker,
            watch=watch,
            unknown=self._judge(engine.contract, plausibility, unknown),
            mounting=turned,
            patience_s=patience_s,
            rate_tolerance=rate_tolerance,
        )
        return events_in_python_words(replayed)

    def run(
        self,
        bus: int = 1,
        *,
        sensor: str = "auto",
        address: int | None = None,
        seconds: float | None = None,
        decision: DecisionConfig | None = None,
        plausibility: bool = True,
        unknown: bool = True,
        mounting: str | None = None,
        events: Sequence[EventRule] | None = None,
        patience_s: float = PATIENCE_S,
        rate_tolerance: float = RATE_TOLERANCE,
    ) -> Iterator[Event]:
        """Run the model on the sensor of an I2C bus.

        Args:
            bus: number of the bus.
            sensor: driver, or ``"auto"``.
            address: 7-bit address of the sensor; its usual one by default.
            seconds: stop after so long; None for as long as samples come.
            decision: how windows become a label that lasts, and how often they come; if None, as the model was tuned,
                else the defaults of ``deseptr device run``.
            plausibility: whether the label is ``unknown`` while no worn sensor measures such samples.
            unknown: whether the label is ``unknown`` while windows are unlike those that the model knows, as
                ``deseptr calibrate --known`` found them; without meaning for a model without.
            mounting: how the sensor is turned, compared with the training, as ``"x90"`` or ``"x90+z180"``; samples are
                turned back before the model. With ``"auto"`` the turn is estimated; if None, an event says what it
                seems to be, where the model can tell.
            events: rules of the classes that raise alarms; if None, those that the model brings.
            patience_s: give the sensor up after so many seconds without a sample.
            rate_tolerance: resample where the sensor's rate is further from the model's, as a share.

        Returns:
            Events as they come.

        Raises:
            SensorError: if the bus cannot be opened, no sensor answers, or it does not fit the model.
            SetupError: if a rule in ``events`` does not fit the model.
            UnhealthyError: if the sensor fails and cannot be brought back.
        """
        from deseptr.device import live_session, run_live

        with in_python_words():
            turned, watch = self._mounting(mounting), self._watch(events)
            engine, tracker = self._deciding(decision)
            session = live_session(bus, sensor, address)
        came = run_live(
            engine,
            session,
            seconds=seconds,
            tracker=tracker,
            watch=watch,
            unknown=self._judge(engine.contract, plausibility, unknown),
            mounting=turned,
            patience_s=patience_s,
            rate_tolerance=rate_tolerance,
        )
        return events_in_python_words(came)

    def profile(
        self,
        data: Dataset | str | Path | None = "synthetic",
        *,
        bus: int = 1,
        sensor: str = "auto",
        windows: int = 200,
        real_time: bool = False,
        cold_starts: int = 0,
        threads_sweep: bool = False,
        ops: bool = False,
        progress: Callable[[int], None] = lambda windows: None,
    ) -> Profile:
        """Time the model from the sensor's FIFO to the label, stage by stage, on this machine.

        Args:
            data: recordings to play through a simulated sensor; None for the sensor on ``bus``.
            bus: number of the bus.
            sensor: chip.
            windows: how many windows to time.
            real_time: with a simulated sensor, wait for real between polls.
            cold_starts: fresh processes to time a start with.
            threads_sweep: also time an inference with 1, 2 and 4 threads.
            ops: also time each operation.
            progress: called with the number of windows so far.

        Returns:
            Figures with their caveats; ``to_dict()`` is ``deseptr device profile --json``.

        Raises:
            SetupError: if the recordings give no window.
            SensorError: as :meth:`run`.
        """
        from deseptr.device import profile_model
        from deseptr.device.profile.extras import cold_starts_extra, op_times_extra, threads_extra

        extras = {
            **cold_starts_extra(self._path, self._kind, self._threads, cold_starts),
            **threads_extra(self._load, threads_sweep),
            **op_times_extra(self._path, self._threads, ops),
        }
        sessions = _Sessions(data, bus, sensor, real_time)
        return profile_model(self._deciding(None)[0], sessions, windows=windows, extras=extras, progress=progress)

    def _deciding(self, decision: DecisionConfig | None) -> tuple[Engine, LabelTracker]:
        """The engine at the decision's hop, and its label tracker."""
        from deseptr.contract import DecisionConfig
        from deseptr.device import LabelTracker
        from deseptr.device.personal import personalised
        from deseptr.tflite import at_hop

        config = decision or self.contract.decision or DecisionConfig()
        engine = personalised(at_hop(self._trained, config.hop_s), self.wearer)
        return engine, LabelTracker(engine.contract.labels, config, engine.contract.hop_s)

    @staticmethod
    def _judge(contract: ModelContract, plausibility: bool, unknown: bool) -> UnknownJudge:
        from deseptr.device import UnknownJudge

        return UnknownJudge(contract, plausibility=plausibility, familiarity=unknown)

    def _mounting(self, mounting: str | None) -> MountingWatch | None:
        from deseptr.device import MountingWatch

        return MountingWatch.of(self.contract, mounting)

    def _watch(self, events: Sequence[EventRule] | None) -> EventWatch | None:
        """What raises alarms by rules, those of the model if None; None if no class is an event."""
        from deseptr.device import EventWatch

        rules = self.contract.events or () if events is None else events
        return EventWatch(self.contract, rules) if rules else None

    @cached_property
    def _predictor(self) -> Predictor:
        from deseptr.evaluate.predictor import predictor_of

        return predictor_of(self._engine)

    @property
    def _engine(self) -> Engine:
        from deseptr.device.personal import personalised

        return personalised(self._trained, self.wearer)

    @cached_property
    def _trained(self) -> Engine:
        return self._load(self._threads)

    def _load(self, threads: int) -> Engine:
        from deseptr.tflite import load_engine

        return load_engine(self._path, self._kind, threads)

    def __repr__(self) -> str:
        contract = self.contract
        size = self._path.stat().st_size / 1024
        return (
            f"Model({str(self._path)!r}, {contract.model}, {size:.0f} KB, windows of {contract.window_s:g} s at "
            f"{contract.rate_hz:g} Hz, labels {', '.join(contract.labels)})"
        )


@dataclass(frozen=True)
class _Sessions:
    """Makes the sessions of a profile."""

    data: Dataset | str | Path | None
    bus: int
    sensor: str
    real_time: bool

    def __call__(self) -> Iterator[Session]:
        from deseptr.device import SystemClock, live_session

        if self.data is None:
            return iter((live_session(self.bus, self.sensor),))
        from deseptr.firmware_harness.simulator import VirtualClock, simulated_sessions

        dataset = dataset_of(self.data)
        clock: Callable[[], Any] = SystemClock if self.real_time else VirtualClock
        return simulated_sessions(dataset, sensor=self.sensor, make_clock=clock)
