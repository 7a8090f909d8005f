"""Targets that a device or a board reads: a model with its contract, a wearer's file, secrets, its own torn files."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mutators
import numpy as np
from mutators import of_members
from target import Target, on_file


def worn() -> Iterator[Target]:
    """All of them."""
    yield _model()
    yield _wearer()
    yield _folder_of_wearers()
    yield from _files()
    yield from _torn()


def _model() -> Target:
    """A packaged graph with another contract, as ``device run --model`` takes it."""
    from deseptr.device import default_model
    from deseptr.tflite import load_engine
    from deseptr.tflite.file import CONTRACT_NAME

    whole = default_model().read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    graph = whole[: whole.rindex(b"PK\x03\x04", 0, whole.index(CONTRACT_NAME.encode(), len(whole) // 2))]

    def run(content: bytes) -> object:
        buffer = io.BytesIO(graph)
        with zipfile.ZipFile(buffer, "a") as archive:
            for name, member in {**members, CONTRACT_NAME: content}.items():
                archive.writestr(name, member)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.tflite"
            path.write_bytes(buffer.getvalue())
            engine = load_engine(path)
            contract = engine.contract
            logits = engine.invoke(np.zeros((contract.input_length, len(contract.channels)), np.float32))
            assert logits.shape == (len(contract.labels),)
            return logits

    return Target("contract in model.tflite", run, (members[CONTRACT_NAME],), mutators.of_json)


def _wearer() -> Target:
    from deseptr.device import default_model
    from deseptr.device.personal import PersonalEngine, WearerFile
    from deseptr.device.personal.recorded import Recorded
    from deseptr.device.personal.wearer_file import model_hash
    from deseptr.tflite import load_engine

    engine = load_engine(default_model())
    file, count = engine.model, 6
    classes, width = len(file.contract.labels), file.contract.embedding_width
    embedding = np.zeros(width, np.float32) if width else None
    window = np.zeros((file.contract.input_length, len(file.contract.channels)), np.float32)
    session = Recorded(
        np.eye(count, classes, dtype=np.float32),
        np.zeros((count, width), np.float32),
        np.arange(count) % (classes + 1),
        np.arange(count) // 2,
        np.arange(count),
        np.zeros((count, 9), np.float32),
    )
    made = WearerFile("eve", model_hash(file), file.contract.labels, ("cycling",), (session, session))

    def look(path: Path) -> object:
        read = WearerFile.load_for(path, file)
        return PersonalEngine(engine, read).correct(np.zeros(classes, np.float32), embedding, window), read.undone()

    return Target("wearer.deseptr", on_file(".deseptr", look), (made.to_json().encode(),), mutators.of_json)


def _folder_of_wearers() -> Target:
    """Who was worn last, and whose files are there, as the page of a run asks for."""
    from deseptr.device import default_model
    from deseptr.device.personal.wearer_folder import WearerFolder
    from deseptr.tflite import read_tflite

    model = read_tflite(default_model())

    def look(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / ".worn").write_bytes(content)
            (folder / "eve.deseptr").write_bytes(content)
            (folder / "ada.deseptr").mkdir()
            wearers = WearerFolder(folder, model)
            who = wearers.remembered()
            if who is not None:
                wearers.remember(who)
                assert wearers.remembered() == who
            return who, wearers.wearers()

    return Target("folder of wearers", look, (b"eve\n", "Zoë B.\n".encode(), b"\n"), mutators.of_text)


def _files() -> Iterator[Target]:
    from deseptr.cli.data import _key
    from deseptr.cli.device.mqtt_options import read_secret
    from deseptr.device.drivers.bmi270_config import BEGIN, SIZE, read_config
    from deseptr.device.live_page import read_or_make_secret
    from deseptr.firmware_harness.deploy.boot_files import write_boot_files
    from deseptr.firmware_harness.deploy.first_boot import FirstBoot
    from deseptr.firmware_harness.deploy.signing import trust_of
    from deseptr.firmware_harness.deploy.wheelhouse import check_wheel

    def secret(path: Path) -> object:
        path.chmod(0o600)
        return read_or_make_secret(path)

    def config(path: Path) -> object:
        os.environ["DESEPTR_BMI270_CONFIG"] = str(path)
        return read_config()

    def password(path: Path) -> object:
        return read_secret(path, "NONE", "--mqtt-password-file", "the password")

    def wheel(path: Path) -> object:
        return check_wheel(path.rename(path.with_name("deseptr-1.0-py3-none-any.whl")))

    def card(content: bytes) -> object:
        first = FirstBoot("wearer", "ssh-ed25519 AAAA", "wrist")
        with tempfile.TemporaryDirectory() as name:
            for file in ("config.txt", "cmdline.txt"):
                (Path(name) / file).write_bytes(content)
            return write_boot_files(Path(name), first, None, "bookworm")

    yield Target("secret of the page", on_file("", secret), (b"a" * 32 + b"\n",), mutators.of_bytes)
    yield Target("password", on_file("", password), (b"correct horse\n",), mutators.of_bytes)
    yield Target("HMAC key", on_file("", lambda path: _key(str(path))), (b"0123abcd\n",), mutators.of_bytes)
    yield Target("public key", on_file(".pub", trust_of), (b"ssh-ed25519 AAAA eve\n",), mutators.of_bytes)
    yield Target("BMI270's configuration", on_file(".fw", config), (BEGIN.ljust(SIZE, b"\x11"),), mutators.of_bytes)
    yield Target("boot partition", card, (b"dtparam=i2c_arm=on\n[all]\n",), mutators.of_bytes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("deseptr-1.0.dist-info/METADATA", "Name: deseptr\nRequires-Dist: numpy>=2; extra == 'web'\n")
    yield Target("wheel", on_file("", wheel), (buffer.getvalue(),), of_members(mutators.of_text))


def _torn() -> Iterator[Target]:
    """Files that the package wrote itself, read by a board's recovery or a resumed run: none ends in a traceback."""
    from deseptr.firmware_harness.deploy.target.environment import read_environment
    from deseptr.firmware_harness.deploy.target.installed_service import InstalledServices
    from deseptr.firmware_harness.deploy.target.release_settings import LINK, read_settings
    from deseptr.firmware_harness.deploy.target.releases import Releases
    from deseptr.firmware_harness.deploy.target.supervisor import read_state

    def of_board(prefix: Path) -> object:
        releases = Releases(prefix)
        services = InstalledServices(releases)
        state = releases.state(), read_state(prefix), services.kinds(), services.earlier_settings()
        return state, releases.names(), services.is_settled()

    def of_release(prefix: Path) -> object:
        return read_settings(prefix / "1.0-1"), read_environment(prefix / "1.0-1")

    files = {
        "state.json": {"good": ["1.0-1"], "trial": None, "bad": {"0.9-1": "no labels"}},
        "supervisor.json": {"runs": 3, "ready": True},
        "settings.json": {"service": "system", "trying": None, "for": "1.0-1/settings-1"},
    }
    for name, content in files.items():
        seed = json.dumps(content).encode()
        yield Target(f"board/{name}", partial(_in_folder, name, of_board), (seed,), mutators.of_json)
    settings = f"1.0-1/{LINK}-1/"
    for name, seed in (("service.json", b'{"service": "system"}'), ("service.env", b'A="b"\n# c\n')):
        mutate = mutators.of_json if name.endswith(".json") else mutators.of_bytes
        yield Target(f"board/{name}", partial(_in_folder, settings + name, of_release), (seed,), mutate)
    yield from _of_run()


def _of_run() -> Iterator[Target]:
    from deseptr.train.few_labels import record_labelled

    def labelled(path: Path) -> object:
        return record_labelled(None, path)

    def epochs(folder: Path) -> object:
        from deseptr.train.training_loop import finished_epochs

        return finished_epochs(folder)

    seed = json.dumps({"labelled": ["1"], "unlabelled": ["2"], "unlabelled_windows": 3}).encode()
    yield Target("run/labelled.json", on_file(".json", labelled), (b"{}", seed), mutators.of_json)

    def spent(path: Path) -> object:
        from deseptr.train.reporters import _seconds

        found = _seconds(path)
        assert 0 <= found < float("inf"), f"{found} s"
        return found

    read = on_file(".json", spent)
    yield Target("run/seconds.json", read, (b"12.5",), mutators.of_text, preload=("deseptr.train.reporters",))
    history = json.dumps([{"epoch": 1, "loss": 0.5}]).encode()
    call = partial(_in_folder, "history.json", epochs)
    preload = ("deseptr.train.training_loop",)
    yield Target("run/history.json", call, (history,), mutators.of_json, preload=preload)


def _in_folder(name: str, read: Callable[[Path], object], content: bytes) -> object:
    """Hand an input on as one file of a folder; the settings of a release are reached by a link."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != Path(folder):
            path.parent.with_name(path.parent.name.rpartition("-")[0]).symlink_to(path.parent.name)
        path.write_bytes(content)
        return read(Path(folder))
