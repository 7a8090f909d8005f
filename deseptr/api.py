"""The verbs of the library; each is one call into a room, as each command is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deseptr.contract import DataError, EventRule, ModelError, SetupError
from deseptr.contract.extras import needing_extra

from .arguments import check_progress, dataset_of, train_config
from .model import Model
from .progress import Callback, fold_reporter, log, round_counter, training_reporter
from .results import Comparison, CrossValidation
from .run import Run
from .wording import in_python_words

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.device import DecisionConfig, PushStream
    from deseptr.device.personal import WearerFile

IfExists = Literal["error", "resume", "overwrite"]


def load(
    source: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    units: str | None = None,
    encoding: str | None = None,
    subject_from: str | None = None,
    recording_from: str | None = None,
    label_from: str | None = None,
    label: str | None = None,
    segments: str | Path | None = None,
    fill_gaps: float | None = None,
    merge_alike: bool = False,
    placement: str | None = None,
    channels: str | None = None,
) -> Dataset:
    """Read recordings.

    Args:
        source: a ``.csv`` or ``.npz`` file, a folder of CSV files, recordings of an app or device, the archive of a
            data set, or ``"synthetic"`` with options, as ``"synthetic:subjects=4,seconds=30,seed=2,rate_hz=100"``.
        columns: names of the header that differ, as ``{"x_acc": "acc_x"}``. This and the others say how CSV files are
            read; without them a ``recordings.toml`` beside the data does, else what the files can only mean.
        time_unit: of a time whose name has none: ``"s"``, ``"ms"``, ``"us"``, ``"ns"`` or ``"iso"``.
        units: of columns whose names have none, as ``"g,dps"``.
        encoding: of the text, as ``"cp1252"``.
        subject_from: regular expression whose first group, found in a file's path, is the subject.
        recording_from: the same for the recording.
        label_from: the same for the label.
        label: the label of all samples.
        segments: path of a table ``start,end,label[,subject][,recording]`` with the labels of stretches.
        fill_gaps: gaps of up to so many seconds are interpolated; those of up to three sample periods always are.
        merge_alike: labels and subjects that differ in case, blanks, hyphens or underscores only are one.
        placement: of several in one recording, as ``"watch"`` or ``"ankle"``.
        channels: sensors to read, as ``"acc"``; by default all that there are.

    Returns:
        Recordings in SI units: m/s^2 and rad/s. ``oddities`` has what looked wrong.

    Raises:
        DataError: if there is no such file, its layout is unknown, or its content is broken; one line says where.

    >>> load("synthetic:subjects=2,seconds=10")
    Dataset('synthetic', 2 subjects, 12 recordings, 2.0 minutes at 50 Hz,
            labels downstairs, upstairs, sitting, standing, walking, jogging)
    """
    chosen = {
        "columns": columns,
        "time_unit": time_unit,
        "units": units,
        "encoding": encoding,
        "subject_from": subject_from,
        "recording_from": recording_from,
        "label_from": label_from,
        "label": label,
        "segments": segments and str(segments),
        "fill_gaps": fill_gaps,
        "merge_alike": merge_alike,
        "placement": placement,
        "channels": channels,
    }
    with in_python_words():
        return dataset_of(source, {name: value for name, value in chosen.items() if value})


def fit(
    data: Dataset | str | Path,
    run: str | Path,
    *,
    test_subjects: Sequence[str] | None = None,
    unlabelled: Dataset | str | Path | None = None,
    teacher: Run | str | Path | None = None,
    if_exists: IfExists = "error",
    progress: bool | Callback = False,
    **settings: Any,
) -> Run:
    """Train a model on labelled recordings and measure it on held-out subjects; silent by default.

    The default model is DeSepTr, distilled from a larger network that is trained first. Interrupted at any moment, the
    folder holds the best student so far, and ``if_exists="resume"`` goes on after the last whole epoch.

    Args:
        data: recordings of at least three subjects, or the name of a source of them. Windows never cross subjects.
        run: folder to write: checkpoint, contract, calibration windows, metrics, history, settings.
        test_subjects: subjects to hold out; the dataset's own choice by default, else a quarter.
        unlabelled: further recordings, which a distilled model learns from without labels.
        teacher: another run whose teacher to take instead of training one.
        if_exists: of a folder that holds a run: refuse it, go on with it, or begin anew.
        progress: ``True`` for bars on stderr, or a callback that takes a :class:`deseptr.Progress` after every step and
            cancels by returning ``False``.
        settings: of :class:`deseptr.train.TrainConfig`, as ``model="tinierhar"``, ``student_epochs=40``, ``seed=1``;
            durations in seconds, learning rates a step.

    Returns:
        The finished run.

    Raises:
        DataError: if the data cannot be split by subject, or a class has no window where one is needed.
        ModelError: if a setting is of another type or out of its range, or the run to resume has other settings.
        SetupError: if the folder is in use, a setting is unknown, or the extra ``train`` is not installed.
        CancelledError: if the callback returned ``False``.

    >>> import tempfile
    >>> data = load("synthetic:subjects=4,seconds=12")
    >>> run = fit(data, tempfile.mkdtemp() + "/run", model="cnn-har", student_epochs=1)
    >>> 0 <= run.macro_f1 <= 1
    True
    """
    from deseptr.data.recording import names_of

    _check_if_exists(if_exists)
    check_progress(progress)
    held_out = names_of(test_subjects, "test_subjects")
    with needing_extra("deseptr.fit"):
        from deseptr.train.quiet_import import load_quietly

        load_quietly()
        from deseptr.train.config import NETWORK_NAMES
        from deseptr.train.pipeline import train
    dataset, config = _loaded(data, unlabelled), train_config(settings)
    _check_classes(dataset)
    batch_size = config.batch_size if config.model in NETWORK_NAMES else None
    with in_python_words(), training_reporter(progress, run, batch_size) as reporter:
        train(
            dataset,
            Path(run),
            config,
            reporter=reporter,
            test_subjects=held_out,
            teacher_run=_teacher_path(teacher),
            resume=if_exists == "resume",
            overwrite=if_exists == "overwrite",
        )
    return Run(run)


def crossval(
    data: Dataset | str | Path,
    out: str | Path,
    *,
    protocol: str = "loso",
    unlabelled: Dataset | str | Path | None = None,
    labels: Sequence[str] | None = None,
    folds: Sequence[str] | None = None,
    int8: bool = True,
    jobs: int = 1,
    window_s: float | None = None,
    overlap: float | None = None,
    if_exists: IfExists = "resume",
    progress: bool | Callback = False,
    **settings: Any,
) -> CrossValidation:
    """Train and test a model on folds by subject; finished folds are kept, and the same call goes on.

    Args:
        data: recordings, or the name of a source of them.
        out: folder to write: one folder a fold, ``crossval.json`` and ``crossval.md``.
        protocol: ``"loso"`` (a fold a subject), ``"arena"`` (ten folds) or ``"official"`` (the dataset's own split).
        unlabelled: further recordings, which a distilled model learns from without labels.
        labels: classes to keep; all by default.
        folds: names of the folds to run; all by default.
        int8: also convert each network and test it.
        jobs: folds at once.
        window_s: length of a window, s; the protocol's by default.
        overlap: share of a window that the next one repeats; the protocol's by default.
        if_exists: of folds that were begun: refuse, go on, or begin anew.
        progress: ``True`` for a line a fold on stderr, or a callback, which may cancel between folds.
        settings: as of :func:`fit`.

    Returns:
        The content of ``crossval.json`` with its keys as attributes; ``macro_f1`` is the mean over folds.

    Raises:
        DataError: if there is no such fold, or anything of a test subject is in the training windows.
        SetupError: if ``out`` holds something else, or folds of other settings, or ``if_exists`` is none of the three.
        CancelledError: if the callback returned ``False``.
    """
    from deseptr.data import make_protocol
    from deseptr.data.recording import names_of

    _check_if_exists(if_exists)
    check_progress(progress)
    folder = Path(out)
    if if_exists == "error" and folder.exists() and any(folder.iterdir()):
        raise SetupError(folder, found="a folder in use", expected="a new one", next_step='pass if_exists="resume"')
    with needing_extra("deseptr.crossval"):
        from deseptr.train.quiet_import import load_quietly

        load_quietly()
        from deseptr.evaluate.crossval import cross_validate
        from deseptr.evaluate.executors import local_executor
        from deseptr.train.config import NETWORK_NAMES
    dataset, config = _loaded(data, unlabelled), train_config(settings)
    with in_python_words(), fold_reporter(progress, folder) as reporter:
        folds_of = make_protocol(
            protocol, dataset, labels=names_of(labels, "labels"), window_s=window_s, overlap=overlap
        )
        summary = cross_validate(
            dataset,
            folds_of,
            config,
            folder,
            reporter=reporter,
            folds=names_of(folds, "folds"),
            int8=int8 and config.model in NETWORK_NAMES,
            executor=local_executor(jobs),
            overwrite=if_exists == "overwrite",
            command=f"deseptr.crossval({dataset.name!r}, {str(out)!r}, protocol={protocol!r})",
        )
    return CrossValidation({"path": str(folder), **summary})


def compare(
    *models: Model | str | Path,
    data: Dataset | str | Path | None = None,
    threads: int = 1,
    kernels: Literal["default", "reference"] = "default",
    rounds: int = 1000,
    seed: int = 0,
    progress: bool | Callback = False,
) -> Comparison:
    """Time models against each other on this machine, interleaved, and score them.

    Args:
        models: two or more ``.tflite`` or ``.onnx`` files; ratios and agreement are with the first.
        data: labelled recordings of the test subjects, for models that have a contract.
        threads: that each engine may use.
        kernels: of the TFLite runtime: its fastest, or its reference.
        rounds: timed calls of each.
        seed: draws orders, noise and resamples.
        progress: ``True`` for a bar on stderr, or a callback, which may cancel.

    Returns:
        The keys of ``deseptr compare --json``; durations in microseconds of this machine.

    Raises:
        ModelError: if a model cannot be read or does not fit its contract.
        SetupError: if there is a dataset and no model with a contract.
        CancelledError: if the callback returned ``False``.

    >>> packaged = load_model()
    >>> compare(packaged, packaged, rounds=2).models[0]["bytes"] > 10_000
    True
    """
    check_progress(progress)
    paths = [_path_of(model) for model in models]
    if not paths:
        raise SetupError("compare", found="no model", expected="two or more", next_step="name their .tflite files")
    with needing_extra("deseptr.compare"):
        from deseptr.evaluate.compare import Timing, compare_models, observe_machine
        from deseptr.evaluate.contestant import Engines, load_contestants
    machine = observe_machine()
    engines = Engines(threads, kernels)
    dataset = None if data is None else _loaded(data)
    with in_python_words(), round_counter(progress, rounds) as step:
        contestants = load_contestants(paths, engines)
        figures = compare_models(contestants, dataset, engines, Timing(rounds, seed=seed), machine, progress=step)
    return Comparison(figures)


def load_run(path: str | Path) -> Run:
    """The run in a folder, finished or not.

    Args:
        path: the folder, as :func:`fit` or ``deseptr train`` left it.

    Raises:
        ModelError: if there is no run.
    """
    folder = _run_folder(path)
    run = Run(folder)
    run.contract  # noqa: B018 - reads it, or says what is missing
    return run


def load_model(
    path: str | Path | None = None,
    *,
    engine: str = "auto",
    threads: int = 1,
    wearer: WearerFile | str | Path | None = None,
) -> Model:
    """A ``.tflite`` model with its contract inside.

    Args:
        path: the file; the model that comes with the package by default.
        engine: ``"auto"``, ``"litert"``, ``"tflite"`` or ``"edgetpu"``.
        threads: that the engine may use.
        wearer: whose correction it gets, as :meth:`Model.personalise` made it, or the file of it.

    Raises:
        ModelError: if it cannot be read or has no contract.
        DataError: if the wearer's file cannot be read, or is of another model.

    >>> load_model().contract.labels[:2]
    ('downstairs', 'upstairs')
    """
    from deseptr.device import default_model

    if path is not None:
        _check_file(Path(path))
    model = Model(default_model() if path is None else path, engine=engine, threads=threads, wearer=wearer)
    model.contract  # noqa: B018 - reads it and the wearer's file, or says what is wrong
    return model


def stream(
    model: Model | str | Path | None = None,
    rate_hz: float | None = None,
    *,
    decision: DecisionConfig | None = None,
    plausibility: bool = True,
    unknown: bool = True,
    mounting: str | None = None,
    events: Sequence[EventRule] | None = None,
) -> PushStream:
    """Feed samples of your own to a model, from whatever source.

    Args:
        model: a model or its file; the packaged one by default.
        rate_hz: rate of the samples; the model's by default.
        decision: how windows become a label that lasts, and how often they come; if None, as the model was tuned, else
            the defaults of ``deseptr device run``.
        plausibility: whether the label is ``unknown`` while no worn sensor measures such samples.
        unknown: whether the label is ``unknown`` while windows are unlike those that the model knows, as
            ``deseptr calibrate --known`` found them; without meaning for a model without.
        mounting: how the sensor is turned, compared with the training, as ``"x90"`` or ``"x90+z180"``; samples are
            turned back before the model. With ``"auto"`` the turn is estimated; if None, an event says what it
            seems to be, where the model can tell.
        events: rules of the classes that raise alarms; if None, those that the model brings.

    Returns:
        A stream: ``push(samples)`` takes ``[n, channels]`` in SI units and returns the events they bring about,
        ``gap(seconds)`` notes lost samples, ``end()`` raises alarms that wait for their confirmation.

    Raises:
        SetupError: if the rate is too far from the model's, or a rule does not fit the model.

    >>> import numpy as np
    >>> source = stream()
    >>> events = source.push(np.zeros((300, 6)))
    >>> [round(event.t, 2) for event in events if hasattr(event, "probabilities")]
    [2.54, 3.82, 5.1]
    """
    from deseptr.device import PushStream

    if not isinstance(rate_hz, Real | None):
        raise SetupError("rate_hz", found=repr(rate_hz), expected="a number of Hz", next_step="pass the samples' rate")
    loaded = model if isinstance(model, Model) else load_model(model)
    engine, tracker = loaded._deciding(decision)
    return PushStream(
        engine,
        rate_hz,
        tracker=tracker,
        watch=loaded._watch(events),
        unknown=loaded._judge(engine.contract, plausibility, unknown),
        mounting=loaded._mounting(mounting),
    )


def _check_if_exists(if_exists: str) -> None:
    if if_exists not in ("error", "resume", "overwrite"):
        raise SetupError(
            "if_exists", found=if_exists, expected="error, resume or overwrite", next_step="choose one of them"
        )


def _teacher_path(teacher: Run | str | Path | None) -> Path | None:
    if teacher is None:
        return None
    return teacher.path if isinstance(teacher, Run) else _run_folder(teacher)


def _run_folder(path: str | Path) -> Path:
    folder = Path(path)
    if not folder.is_dir() or not (folder / "contract.json").exists():
        raise ModelError(
            folder,
            found="no contract.json in it" if folder.is_dir() else "no such folder",
            expected="a run folder, with its contract.json",
            next_step="check the path, or make a run with deseptr.fit",
        )
    return folder


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(
            path,
            found="a folder" if path.is_dir() else "no such file",
            expected="a .tflite file",
            next_step=f"make one with deseptr.load_run({str(path)!r}).convert()" if path.is_dir() else "check the path",
        )


def _path_of(model: Any) -> Path:
    if isinstance(model, Model):
        return model.path
    if isinstance(model, str | Path):
        _check_file(Path(model))
        return Path(model)
    raise SetupError(
        "compare",
        found=f"a {type(model).__name__}",
        expected="models or their files, each an argument of its own",
        next_step="convert a Run first" if isinstance(model, Run) else "write compare(first, second)",
    )


def _check_classes(dataset: Dataset) -> None:
    if len(dataset.label_names) == 1:
        raise DataError(
            f"{dataset.name}: labels",
            found=f"{dataset.label_names[0]} alone",
            expected="at least two classes to tell apart",
            next_step="add recordings of another label",
        )


def _loaded(data: Dataset | str | Path, unlabelled: Dataset | str | Path | None = None) -> Dataset:
    dataset = dataset_of(data)
    for oddity in dataset.oddities:
        log.warning("%s: %s", dataset.name, oddity)
    return dataset if unlabelled is None else dataset.with_unlabelled(_loaded(unlabelled))
