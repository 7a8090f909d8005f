"""What is fuzzed: readers of files, parsers of texts, and every option of every command, each with valid inputs."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import math
import os
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import loggers
import mutators
import numpy as np
from children import children
from hosts import hosts
from kept import kept
from mutators import TEXTS, of_members
from pages import pages
from target import FORMATS, Target, in_run, on_file
from wires import wires
from words import words
from worn import worn

from deseptr.firmware_harness.deploy.target.refusal import RefusedError


def targets() -> list[Target]:
    """All of them."""
    return [
        *_recordings(),
        *_models(),
        *_runs(),
        *_toml(),
        *_boards(),
        *_sinks(),
        *kept(),
        *pages(),
        *words(),
        *worn(),
        *hosts(),
        *children(),
        *wires(),
        *_texts(),
        *_options(),
    ]


def _recordings() -> Iterator[Target]:
    from deseptr.data import load_dataset, save_dataset, synthetic_dataset
    from deseptr.data.info import describe

    def look(path: Path) -> object:
        return describe(load_dataset(path))

    small = synthetic_dataset(subjects=2, seconds=2.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.csv"
        save_dataset(small, path)
        csv = path.read_bytes()
    npz = (FORMATS / "recording.npz").read_bytes()
    yield Target("recording.npz", on_file(".npz", look), (npz,), of_members(mutators.of_bytes))
    plain = b"t,acc_x_g,acc_y_g,acc_z_g,gyro_x,gyro_y,gyro_z\n"
    plain += b"".join(b"%.2f,0.1,0.9,0,0,0,0.5\n" % (row / 50) for row in range(9))
    yield Target("recording.csv", on_file(".csv", look), (csv[:4000], csv[:700], plain), mutators.of_csv)
    foreign = b"sep=;\ntime;ax;ay;az;gx;gy;gz;activity\n"
    foreign += b"".join(b"%d;0,1;0,9;0;0;0;0,5;walk\n" % (20 * row) for row in range(9))
    iso = b"timestamp\tACC_X\tACC_Y\tACC_Z\tGYRO_X\tGYRO_Y\tGYRO_Z\n"
    iso += b"".join(b"2023-11-14T22:13:20.%02d0Z\t0.1\t0.9\t0\t0\t0\t0.5\n" % (2 * row) for row in range(9))
    split = b"date,time,ax,ay,az\n"
    split += b"".join(b"14.11.2023,22:13:20.%02d0,0.1,9.8,0\n" % (2 * row) for row in range(9))
    yield Target(
        "foreign.csv", on_file(".csv", look), (foreign, iso, split, iso.decode().encode("utf-16")), mutators.of_csv
    )
    choices = b'time_unit = "ms"\nunits = "g,dps"\nsubject_from = \'s(\\d+)\'\n[columns]\nax = "acc_x"\n'
    yield Target("recordings.toml", _beside(csv[:700].replace(b"acc_x", b"ax"), look), (choices,), mutators.of_toml)
    yield from _segments(look)
    yield _unsaved_labels()
    yield Target("MotionSense.zip", on_file(".zip", look), (_motionsense(),), of_members(mutators.of_csv))
    yield Target("HAPT.zip", on_file(".zip", look), (_hapt(),), of_members(mutators.of_text))
    yield Target("UCI-HAR.zip", on_file(".zip", look), (_uci_har(),), of_members(mutators.of_text))
    yield from _apps(look)


def _apps(look: Callable[[Path], object]) -> Iterator[Target]:
    rows = "".join(f"{10**18 + 20_000_000 * row},{row / 50},9.8,0,0.5\n" for row in range(9))
    notes = f"time,seconds_elapsed,text,millisecond_press_duration\n{10**18},0,walking,80\n"
    meta = "device name,platform,device id,standardisation\niPhone,ios,ab,false"
    logger = {
        f"{name}.csv": f"time,seconds_elapsed,z,y,x\n{rows}" for name in ("Accelerometer", "Gravity", "Gyroscope")
    }
    logger |= {"Annotation.csv": notes, "Metadata.csv": meta}
    yield Target("SensorLogger.zip", on_file(".zip", look), (_archive(logger),), of_members(mutators.of_csv))
    records = [
        {
            "sensor": sensor,
            "time": str(10**18 + 20_000_000 * row),
            "seconds_elapsed": "0",
            "z": "9.8",
            "y": "0",
            "x": "1",
        }
        for sensor in ("TotalAcceleration", "Gyroscope")
        for row in range(5)
    ]
    yield Target("SensorLogger.json", on_file(".json", look), (json.dumps(records).encode(),), mutators.of_json)
    combined = "time,seconds_elapsed,totalAcceleration_x,totalAcceleration_y,totalAcceleration_z,"
    combined += "gyroscope_x,gyroscope_y,gyroscope_z,annotation_text\n"
    combined += "".join(f"1,{row / 50},0,0,9.8,1,0,0,{'walking' if row == 3 else ''}\n" for row in range(9))
    yield Target("SensorLogger.csv", on_file(".csv", look), (combined.encode(),), mutators.of_csv)
    header = '"Time (s)","{0} x ({1})","{0} y ({1})","{0} z ({1})"\n'
    lines = "".join(f"{row / 50:.9E},0.000000000E0,9.806650000E0,NaN\n".replace("NaN", "5.0E-1") for row in range(9))
    phyphox = {
        "Accelerometer.csv": header.format("Acceleration", "m/s^2") + lines,
        "Gyroscope.csv": header.format("Gyroscope", "rad/s") + lines,
        "meta/time.csv": '"event","experiment time","system time","system time text"\n'
        '"START",0.0E0,1700000000.000,""\n"PAUSE",1.0E-1,1700000000.100,""\n"START",1.0E-1,1700000009.000,""\n',
    }
    yield Target("motion-bids.zip", on_file(".zip", look), (_motion_bids(),), of_members(mutators.of_csv))
    yield Target("logger.cwa", on_file(".cwa", look), loggers.cwa_files(), loggers.of_cwa)
    yield Target("logger.gt3x", on_file(".gt3x", look), loggers.gt3x_files(), of_members(loggers.of_log))
    yield Target("phyphox.zip", on_file(".zip", look), (_archive(phyphox),), of_members(mutators.of_csv))
    names = [f"accelerometerAcceleration{axis}(G)" for axis in "XYZ"] + [f"gyroRotation{axis}(rad/s)" for axis in "XYZ"]
    stamps = ["accelerometerTimestamp_sinceReboot(s)", "gyroTimestamp_sinceReboot(s)"]
    log = ",".join([*stamps, *names, "label(N)"]) + "\n"
    log += "".join(f"{row / 50},{row / 50},0,0,-1,0,1,0,{row // 5}\n" for row in range(9))
    yield Target("SensorLog.csv", on_file(".csv", look), (log.encode(),), mutators.of_csv)
    yield from _edge_impulse(look)
    row = " ".join(["5", "nan", *["0.5"] * 51])
    pamap2 = "".join(f"{count / 100:.2f} {row}\n" for count in range(9))
    yield Target("PAMAP2.dat", on_file(".dat", look), (pamap2.encode(),), mutators.of_text)
    lines = "".join(f"1600,A,{10**14 + 50_000_000 * count},0.5,9.8,-1.0;\n" for count in range(9))
    wisdm = {f"raw/watch/{sensor}/data_1600_{sensor}_watch.txt": lines for sensor in ("accel", "gyro")}
    yield Target("WISDM.zip", on_file(".zip", look), (_archive(wisdm),), of_members(mutators.of_text))


def _edge_impulse(look: Callable[[Path], object]) -> Iterator[Target]:
    names = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
    sensors = [{"name": name, "units": "g" if name < "b" else "dps"} for name in names]
    payload = {"device_name": "a", "interval_ms": 20, "sensors": sensors, "values": [[0, 0, 1, 5, 0.5, 1]] * 9}
    sample = {"protected": {"ver": "v1", "alg": "none"}, "signature": "0" * 64, "payload": payload}
    text = json.dumps(sample).encode()
    yield Target("EdgeImpulse.json", on_file(".walk.json", look), (text,), mutators.of_json)
    info = {"version": 1, "files": [{"path": "a.json", "label": {"type": "label", "label": "walk"}}]}
    archive = _archive({"a.json": text.decode(), "info.labels": json.dumps(info)})
    yield Target("EdgeImpulse.zip", on_file(".zip", look), (archive,), of_members(mutators.of_json))
    if importlib.util.find_spec("cbor2"):
        import cbor2

        yield Target("EdgeImpulse.cbor", on_file(".cbor", look), (cbor2.dumps(sample),), mutators.of_bytes)


def _unsaved_labels() -> Target:
    """What ``data label`` finds beside its output."""
    from deseptr.data import synthetic_dataset
    from deseptr.data.label_page import LabelStore
    from deseptr.data.label_page.labelling import Labelling

    dataset = synthetic_dataset(subjects=1, seconds=2.0)
    with tempfile.TemporaryDirectory() as folder:
        store = LabelStore(dataset, Path(folder) / "walk.npz")
        store.keep(Labelling.of(dataset))
        kept = store.unsaved_path.read_bytes()

    def open_store(path: Path) -> object:
        path.rename(path.with_name("walk.npz.unsaved.json"))
        return LabelStore(dataset, path.with_name("walk.npz"))

    return Target("unsaved.json", on_file(".json", open_store), (kept,), mutators.of_json)


def _segments(look: Callable[[Path], object]) -> Iterator[Target]:
    """The table that ``--segments`` names, and choices that name one, beside recordings of two people."""
    from deseptr.data import ReadOptions, load_dataset
    from deseptr.data.info import describe

    walks = {
        f"{name}.csv": b"t_ms,acc_x,acc_y,acc_z\n"
        + b"".join(b"%d,0.1,%d,9.8\n" % (1_700_000_000_000 + begin + 20 * row, row % 7) for row in range(60))
        for name, begin in (("ada", 0), ("ben", 5000))
    }
    clock = b"start_ms,end_ms,label,subject,recording\n"
    clock += b"".join(b"%d,%d,walk,ada,1\n" % (1_700_000_000_000 + at, 1_700_000_000_200 + at) for at in (0, 200, 400))
    foreign = b"Participant;Begin [s];Duration [s];Activity;Comment\nada;0,0;0,5;walk;-\nben;0,5;0,25;sit;\n"
    iso = b"from,until,activity\n2023-11-14T22:13:20,2023-11-14T22:13:20.5,walk\n"
    iso += b"2023-11-14T23:13:25+01:00,2023-11-14T23:13:25.75+01:00,sit\n"

    def label(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "table.csv"
            table.write_bytes(content)
            for name, walk in walks.items():
                (Path(folder) / "walks").mkdir(exist_ok=True)
                (Path(folder) / "walks" / name).write_bytes(walk)
            return describe(load_dataset(Path(folder) / "walks", ReadOptions.of({"segments": str(table)})))

    yield Target("segments.csv", label, (clock, foreign, iso, iso.decode().encode("utf-16")), mutators.of_csv)
    choices = b'segments = "../labels/walk.txt"\nlabel = "sit"\n[columns]\nay = "acc_y"\n'

    def choose(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "labels").mkdir()
            (Path(folder) / "labels" / "walk.txt").write_bytes(clock)
            (Path(folder) / "data").mkdir()
            (Path(folder) / "data" / "ada.csv").write_bytes(walks["ada.csv"].replace(b"acc_y", b"ay"))
            (Path(folder) / "data" / "recordings.toml").write_bytes(content)
            return look(Path(folder) / "data")

    yield Target("recordings.toml of segments", choose, (choices,), mutators.of_toml)


def _beside(table: bytes, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Hand an input on as the choices beside a table."""

    def call(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "s07.csv").write_bytes(table)
            (Path(folder) / "recordings.toml").write_bytes(content)
            return read(Path(folder))

    return call


def _motion_bids() -> bytes:
    from deseptr.data import save_dataset, synthetic_dataset

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bids"
        save_dataset(synthetic_dataset(subjects=2, seconds=1.0).select(subjects=("1",)), root, "motion-bids")
        # A run is enough to change.
        kept = [
            path for path in root.rglob("*") if path.is_file() and ("run-" not in path.name or "run-01" in path.name)
        ]
        return _archive({path.relative_to(root).as_posix(): path.read_text("utf-8") for path in kept})


def _motionsense() -> bytes:
    columns = "attitude.roll,attitude.pitch,attitude.yaw,gravity.x,gravity.y,gravity.z,"
    columns += "rotationRate.x,rotationRate.y,rotationRate.z,"
    columns += "userAcceleration.x,userAcceleration.y,userAcceleration.z"
    rows = "".join(f"{row},{','.join(['0.25'] * 12)}\n" for row in range(8))
    places = ("dws_1/sub_1", "sit_5/sub_2", "wlk_7/sub_3")
    return _archive({f"A_DeviceMotion_data/{place}.csv": f",{columns}\n{rows}" for place in places})


def _hapt() -> bytes:
    files = {
        "RawData/labels.txt": "1 1 3 3 5 \n1 1 1 7 10\n",
        "activity_labels.txt": " 1 WALKING\n 2 SITTING\n 3 LYING\n",
    }
    for sensor in ("acc", "gyro"):
        files[f"RawData/{sensor}_exp01_user01.txt"] = "0.5 -0.25 1\n" * 12
    return _archive(files)


def _uci_har() -> bytes:
    windows = "".join(" ".join(f"{0.1 * (64 * row + at):.1f}" for at in range(128)) + "\n" for row in range(2))
    files = {"activity_labels.txt": "1 WALKING\n"}
    for part in ("train", "test"):
        for signal in (f"{sensor}_{axis}" for sensor in ("total_acc", "body_gyro") for axis in "xyz"):
            files[f"{part}/Inertial Signals/{signal}_{part}.txt"] = windows
        files |= {f"{part}/subject_{part}.txt": "1\n1\n", f"{part}/y_{part}.txt": "1\n1\n"}
    return _archive(files)


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _models() -> Iterator[Target]:
    from deseptr.contract import ModelContract, Streaming
    from deseptr.contract.held_out import HeldOut
    from deseptr.tflite import StreamingGraphs, embed_contract, read_tflite, streaming_inside
    from deseptr.tflite.graph import read_graph
    from deseptr.train import CalibrationWindows
    from deseptr.train.array_file import ArrayFile
    from deseptr.train.predictions import Predictions

    def look(path: Path) -> object:
        return read_graph(read_tflite(path).content, path)

    def columns(path: Path) -> object:
        return streaming_inside(read_tflite(path))

    def array_file(kind: type[ArrayFile]) -> Callable[[bytes], object]:
        return on_file(".npz", kind.load)

    streaming = Streaming(48, 16, 6, "ab" * 32)
    small = b"\x1c\0\0\0TFL3" + bytes(100)
    contract = (FORMATS / "run" / "contract.json").read_bytes()
    model = (FORMATS / "model.tflite").read_bytes()
    told = replace(ModelContract.from_json(contract), held_out=HeldOut("ab" * 8, ("cd" * 8, "ef" * 8)))
    seeds = (told.to_json().encode(), contract, _every_part(told).to_json().encode())
    yield Target("contract.json", _decide, seeds, mutators.of_json)
    yield Target("model.tflite", on_file(".tflite", look), (model,), mutators.of_bytes)
    yield Target("streaming.json", Streaming.from_json, (streaming.to_json().encode(),), mutators.of_json)
    graphs = StreamingGraphs(replace(streaming, whole_sha256=hashlib.sha256(small).hexdigest()), b"column", b"time")
    streamed = embed_contract(small, ModelContract.from_json(contract), graphs)
    yield Target("model.tflite, its columns", on_file(".tflite", columns), (streamed,), mutators.of_bytes)
    yield Target("model.tflite, its end", on_file(".tflite", look), (model,), _of_end)
    for kind in (CalibrationWindows, Predictions):
        name = {CalibrationWindows: "calibration.npz", Predictions: "predictions.npz"}[kind]
        whole = (FORMATS / "run" / name).read_bytes()
        yield Target(name, array_file(kind), (_few(whole),), of_members(mutators.of_bytes))


def _of_end(rng: random.Random, content: bytes) -> bytes:
    """Changes where the archive with the contract is."""
    return content[:-1500] + mutators.of_bytes(rng, content[-1500:])


def _few(content: bytes) -> bytes:
    """The arrays of an archive, cut to a few rows."""
    buffer = io.BytesIO()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        np.savez(buffer, **{name: array if name == "label_names" else array[:6] for name, array in arrays.items()})
    return buffer.getvalue()


def _every_part(contract: Any) -> Any:
    """A contract with all that later formats have brought."""
    from deseptr.contract import DecisionConfig, EventRule, KnownWindows, statistics_count
    from deseptr.contract.activity_chain import ActivityChain

    statistics = statistics_count(contract.channels)
    classes = len(contract.labels)
    alone = 1 / (classes - 1)
    following = tuple(tuple(0.0 if row == column else alone for column in range(classes)) for row in range(classes))
    first = contract.labels[0]
    return replace(
        contract,
        decision=DecisionConfig(
            "markov",
            thresholds={first: 0.6},
            hop_s=0.32,
            chain=ActivityChain((9.0,) * classes, following, 2, 0.8, 0.01),
        ),
        events=(EventRule(first, confirm_s=5.0, posture_deg=50.0),),
        logit_temperature=0.7,
        embedding_width=8,
        mounting=_mounting(contract),
        known_windows=KnownWindows.of([1.0] * statistics, np.eye(3, statistics), limit=2.0, share=0.99),
        drift=_drift_reference(classes),
    )


def _mounting(contract: Any) -> Any:
    from deseptr.contract.mounting_features import mounting_features
    from deseptr.contract.mounting_reference import ClassMotion, MountingReference

    (features,) = mounting_features(_moved(contract)[None], contract.channels)
    motions = [ClassMotion(label, tuple(map(float, features)), (1.0,) * len(features)) for label in contract.labels]
    return MountingReference(tuple(motions[:2]), (("none", 0.75), ("y180", 0.25)))


def _moved(contract: Any) -> Any:
    """Samples of a window in which something moves."""
    return np.random.default_rng(0).normal(1, 3, (contract.window_length, len(contract.channels))).astype(np.float32)


def _drift_reference(classes: int) -> Any:
    from deseptr.contract import DriftHistogram, DriftReference, EmbeddingReference

    confidence, distance = (
        DriftHistogram(((3,) * bins,) * classes, (0.5, 0.4, 0.3), ((0.8, 0.6, 0.5),) * classes) for bins in (12, 10)
    )
    distance = replace(distance, counts=tuple((*row[:-1], 9) for row in distance.counts))
    embedding = EmbeddingReference.of([1.0] * 8, np.eye(classes, 8), [[0.1 * each for each in range(9)]] * classes)
    return DriftReference(4, 36 * classes, 1.28, 9.8, confidence, distance, None, embedding)


def _decide(content: bytes) -> object:
    """Read a contract; decide on windows, judge them and watch for its events, as the device does with a model."""
    from deseptr.contract import DecisionConfig, ModelContract
    from deseptr.device import DriftWatch, EventWatch, LabelTracker, MountingWatch, UnknownJudge, Window, WindowEvent
    from deseptr.device.drift.window_measures import WindowMeasures

    contract = ModelContract.from_json(content)
    decision = contract.decision or DecisionConfig()
    contract = contract.at_hop(decision.hop_s)
    tracker = LabelTracker(contract.labels, decision, contract.hop_s)
    probabilities = np.full(len(contract.labels), 1 / len(contract.labels), np.float32)
    EventWatch(contract, contract.events or ())
    judge, watch = UnknownJudge(contract, plausibility=False), MountingWatch.of(contract, None)
    for number in range(2):
        window = Window(number * contract.hop_length, _moved(contract))
        score = judge.update(window, 1.0 * number).score
        assert score is None or math.isfinite(score)
        if watch is not None:
            watch.note(window, 1.0 * number, plausible=True)
    distance = WindowMeasures(contract).distance(np.zeros(contract.embedding_width, np.float32), 0)
    drift = DriftWatch(contract)
    drift.note(
        WindowEvent(0.0, contract.labels[0], 0.5, dict.fromkeys(contract.labels, 0.5), 1.0, 0, distance=distance)
    )
    drift.finish()
    return [tracker.update(number * contract.hop_s, probabilities) for number in range(3)]


def _runs() -> Iterator[Target]:
    from deseptr.evaluate.find_runs import find_runs
    from deseptr.evaluate.run_comparison import compare
    from deseptr.report.runs_tables import markdown
    from deseptr.train import RunFolder, TrainConfig
    from deseptr.train.history import read_history

    def report(run: Path) -> object:
        """What ``deseptr report`` does but for its pictures, and for multiply-accumulates, which need Keras."""
        return markdown({**compare(find_runs([run]).finished), "left_out": []})

    for name in ("metrics.json", "config.json"):
        whole = (FORMATS / "run" / name).read_bytes()
        yield Target(f"run/{name}", in_run(name, report), (whole,), mutators.of_json)
    history = (FORMATS / "run" / "history.csv").read_bytes()
    yield Target("run/history.csv", in_run("history.csv", report), (history,), mutators.of_csv)
    predictions = (FORMATS / "run" / "predictions.npz").read_bytes()
    yield Target(
        "run/predictions.npz", in_run("predictions.npz", report), (predictions,), of_members(mutators.of_bytes)
    )
    config = (FORMATS / "run" / "config.json").read_bytes()
    yield Target("config.json", on_file(".json", TrainConfig.load), (config,), mutators.of_json)
    yield Target("history.csv", on_file(".csv", read_history), (history,), mutators.of_csv)
    yield Target(
        "model of a run", in_run("config.json", lambda run: RunFolder(run).trained_model), (config,), mutators.of_json
    )


def _toml() -> Iterator[Target]:
    from deseptr.cli.device.config_file import settings
    from deseptr.cli.device.run import run
    from deseptr.cli.firmware.simulate import _faults
    from deseptr.device.recorder.script import read_protocol
    from deseptr.firmware_harness.simulator import load_scenario, scenario_names
    from deseptr.firmware_harness.simulator.scenario import scenario_text

    scenarios = tuple(scenario_text(name).encode() for name in scenario_names())
    faults = (
        b'[[faults]]\nkind = "brown-out"\nat_s = 5.0\nduration_s = 0.5\n'
        b'[[faults]]\nkind = "hang"\nat_s = 5.0\nevery_s = 60.0\ntimes = 3\n'
        b'[[faults]]\nkind = "bit-flip-read"\nat_s = 1.0\ntransfers = 1\nbit = 3\n'
    )
    session = (
        b'repeats = 2\n[[activity]]\nlabel = "walking"\nseconds = 30\nrepeats = 3\n'
        b'[[activity]]\nlabel = "sitting"\nseconds = 20.5\nprepare_s = 3\nrest_s = 2\n'
    )
    options = b'mqtt = "broker.local"\nthreshold = 0.6\ndwell = 5.0\nsensor = "mpu6050"\nbus = 1\n'
    yield Target("scenario.toml", on_file(".toml", lambda path: load_scenario(str(path))), scenarios, mutators.of_toml)
    yield Target("faults.toml", on_file(".toml", _faults), (faults,), mutators.of_toml)
    yield Target("session.toml", on_file(".toml", read_protocol), (session,), mutators.of_toml)
    yield Target(
        "options.toml", on_file(".toml", lambda path: _parsed(run, settings(path, run))), (options,), mutators.of_toml
    )


def _parsed(command: click.Command, defaults: dict[str, Any]) -> object:
    """What the command's options make of a file's values."""
    context = click.Context(command, default_map=defaults)
    return [each.process_value(context, defaults[each.name]) for each in command.params if each.name in defaults]


def _boards() -> Iterator[Target]:
    from deseptr.firmware_harness.deploy.bundle import inspect_bundle
    from deseptr.firmware_harness.deploy.target.manifest import Manifest
    from deseptr.firmware_harness.emulator.baseline import read_baseline

    bundle = (FORMATS / "wearer.bundle").read_bytes()
    yield Target("wearer.bundle", on_file(".bundle", inspect_bundle), (bundle,), mutators.of_bytes, (RefusedError,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.bundle"
        path.write_bytes(bundle)
        manifest = inspect_bundle(path).to_bytes()
    yield Target("manifest", Manifest.from_bytes, (manifest,), mutators.of_json, (RefusedError,))
    baseline = (Path(__file__).parents[2] / "benchmarks" / "convert" / "arm_cost_packaged.json").read_bytes()
    yield Target("baseline.json", on_file(".json", read_baseline), (baseline,), mutators.of_json)


def _sinks() -> Iterator[Target]:
    from deseptr.device.sinks import CsvFile
    from deseptr.device.sinks.csv_rows import COLUMNS

    header = ",".join([*COLUMNS, "p_sitting", "p_walking"])

    def append(path: Path) -> None:
        """What ``device run --csv`` does to a file that is there: it is continued or put aside, or refused as it is."""
        before = path.read_bytes()
        try:
            CsvFile(path, ("sitting", "walking"), lambda text: None).close()
        finally:
            kept = b"".join(each.read_bytes() for each in path.parent.iterdir())
            if not before.startswith(header[:4].encode()) and before and kept != before:
                raise AssertionError(f"a foreign file was changed: {before[:40]!r}")

    row = "2026-11-26T12:00:00.000Z,1.5,change," + "," * (len(COLUMNS) - 3)
    yield Target(
        "events.csv", on_file(".csv", append), (f"{header}\n{row}\n{row}\n".encode(), b"x,y\n1,2\n"), mutators.of_csv
    )


def _texts() -> Iterator[Target]:
    from deseptr.data import load_dataset
    from deseptr.data.protocols import parse_labels
    from deseptr.data.splits import parse_subjects

    def on_text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
        return lambda content: parse(os.fsdecode(content))

    yield Target("subjects", on_text(parse_subjects), (b"1,2,5-7", b"ada,ben"), mutators.of_text)
    yield Target("reading options", _read_by_choice, CHOICES, _of_choice)
    names = ("walking", "sitting", "lying")
    yield Target(
        "labels", on_text(lambda text: parse_labels(text, names)), (b"walking,sitting", b"1-3"), mutators.of_text
    )
    yield Target(
        "synthetic",
        on_text(lambda text: load_dataset(f"synthetic:{text}")),
        (b"subjects=2,seconds=4,seed=2,rate_hz=50", b"subjects=3"),
        mutators.of_text,
    )


# What is chosen of how a table is read, and how; a name and a text.
CHOICES = (
    *(b"columns\nax=acc_x", b"units\ng,dps", b"subject_from\ns(\\d+)", b"encoding\ncp1252", b"fill_gaps\n0.1"),
    *(b"time_unit\nms", b"label\nwalk", b"placement\nwatch", b"label_from\n(.*)s", b"merge_alike\n1"),
)
TABLE = "t,ax,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n" + "".join(f"{row / 50},0.1,0.9,0,0,0,0.5\n" for row in range(9))


def _of_choice(rng: random.Random, content: bytes) -> bytes:
    name, _, text = content.partition(b"\n")
    if rng.random() < 0.1:
        name = rng.choice(CHOICES).partition(b"\n")[0]
    return name + b"\n" + mutators.of_text(rng, text)


def _read_by_choice(content: bytes) -> object:
    from deseptr.data import load_dataset
    from deseptr.data.read_options import ReadOptions

    name, _, text = content.partition(b"\n")
    choices = {os.fsdecode(name): os.fsdecode(text)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s07.csv"
        path.write_text(TABLE)
        return load_dataset(path, ReadOptions.of({"columns": "ax=acc_x", **choices}))


def commands(command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, click.Command]]:
    """Every command of the command line that is no group, with its full name."""
    context = click.Context(command, info_name=command.name, parent=parent)
    if not isinstance(command, click.Group):
        yield context.command_path, command
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, context)


def _options() -> Iterator[Target]:
    """One target a command: all its options, each of which gets all texts in turn."""
    from deseptr.cli.main import deseptr

    for path, command in commands(deseptr):
        parameters = [each for each in command.params if not isinstance(each.type, click.types.BoolParamType)]
        seeds = tuple(f"{place}\n{_example(each)}".encode() for place, each in enumerate(parameters))
        if seeds:
            yield Target(
                f"options of {path}",
                partial(_option, parameters, path),
                seeds,
                partial(_of_option, len(parameters)),
                valid=False,
            )


def _example(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    return "1" if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType) else "x"


def _of_option(count: int, rng: random.Random, content: bytes) -> bytes:
    value = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        value = mutators.of_text(rng, content.partition(b"\n")[2])
    return b"%d\n%s" % (rng.randrange(count), value)


def _option(parameters: list[click.Parameter], path: str, content: bytes) -> object:
    """Parse one option's text as the command line does; the command itself does not run."""
    place, _, text = content.partition(b"\n")
    parameter = parameters[int(place)]
    # No process can be given a zero; bytes that are no text come as lone surrogates.
    value: Any = os.fsdecode(text.replace(b"\0", b""))
    if parameter.nargs != 1 or parameter.multiple:
        value = (value,) * max(1, parameter.nargs)
    found = parameter.process_value(click.Context(click.Command(path), info_name=path), value)
    for number in found if isinstance(found, tuple) else (found,):
        if isinstance(number, float) and not math.isfinite(number):
            raise AssertionError(f"{path} {parameter.opts[0]} took {number}")
    return found
