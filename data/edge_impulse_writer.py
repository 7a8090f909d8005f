"""Writing recordings in Edge Impulse's data acquisition format, which :mod:`.edge_impulse` reads.

https://docs.edgeimpulse.com/tools/specifications/data-acquisition/json-cbor: each run of one label is a file. Its name
begins with the label, and ``info.labels`` has them all, as ``edge-impulse-uploader --info-file`` takes them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import atomic_folder

from .recording import UNLABELLED, Dataset, Recording, Segment

_SPELLINGS = {"acc": ("acc", "m/s2"), "gyro": ("gyr", "rad/s"), "mag": ("mag", "uT")}
_EMPTY_SIGNATURE = "0" * 64
_DEVICE_TYPE = "DESEPTR"
# Parts of a file's name; the label ends at the first point.
_UNUSUAL = re.compile(r"[^0-9a-zA-Z_-]+")
_LONGEST_PART = 40


def save_edge_impulse(dataset: Dataset, path: str | Path, *, cbor: bool = False, key: str | None = None) -> None:
    """Write a dataset as a new folder of samples, whole or not at all; values are written to the last bit.

    Held-out subjects are in ``testing``, all others in ``training``. The subject is the device's name.

    Args:
        dataset: any recordings.
        path: the folder.
        cbor: whether the files are CBOR instead of JSON.
        key: the project's HMAC key, as the studio shows it, to sign them; without one they are not signed.

    Raises:
        SetupError: if the folder is there already, or cannot be written.
    """
    suffix, encoded = ("cbor", _cbor) if cbor else ("json", _json)
    files: list[dict[str, Any]] = []
    with atomic_folder(path) as folder:
        for number, recording in enumerate(dataset.recordings, 1):
            category = "testing" if recording.subject in dataset.test_subjects else "training"
            (folder / category).mkdir(exist_ok=True)
            for run, segment in enumerate(recording.segments(), 1):
                label = dataset.label_names[segment.label] if segment.label != UNLABELLED else None
                name = f"{_plain(label or 'unlabeled')}.{_plain(recording.subject)}-{number:05}-{run:05}"
                content = _signed(encoded(_sample(recording, segment, key)), key)
                (folder / category / f"{name}.{suffix}").write_bytes(content)
                files.append(_info(f"{category}/{name}.{suffix}", name, category, label, recording))
        listed = json.dumps({"version": 1, "files": files}, indent=1, ensure_ascii=False)
        (folder / "info.labels").write_text(listed + "\n", "utf-8")


def _info(path: str, name: str, category: str, label: str | None, recording: Recording) -> dict[str, Any]:
    said = {"type": "unlabeled"} if label is None else {"type": "label", "label": label}
    metadata = {"subject": recording.subject, "recording": recording.name}
    return {"path": path, "name": name, "category": category, "label": said, "metadata": metadata}


def _plain(name: str) -> str:
    return _UNUSUAL.sub("_", name)[:_LONGEST_PART]


def _sample(recording: Recording, segment: Segment, key: str | None) -> dict[str, Any]:
    """A sample whose signature is empty."""
    return {
        "protected": {"ver": "v1", "alg": "HS256" if key else "none"},
        "signature": _EMPTY_SIGNATURE,
        "payload": {
            "device_name": recording.subject,
            "device_type": _DEVICE_TYPE,
            "interval_ms": 1000 / recording.rate_hz,
            "sensors": [_sensor(channel) for channel in recording.channels],
            "values": recording.signals[segment.start : segment.stop],
        },
    }


def _sensor(channel: str) -> dict[str, str]:
    sensor, _, axis = channel.partition("_")
    name, units = _SPELLINGS[sensor]
    return {"name": f"{name}{axis.upper()}", "units": units}


def _signed(content: bytes, key: str | None) -> bytes:
    """The file with the HMAC-SHA256 of what it is with an empty signature, which stands before all values."""
    if not key:
        return content
    signature = hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
    return content.replace(_EMPTY_SIGNATURE.encode(), signature.encode(), 1)


def _json(sample: dict[str, Any]) -> bytes:
    values = sample["payload"]["values"]
    rows = ",".join(f"[{','.join([f'{value:.9g}' for value in row])}]" for row in values.tolist())
    # The values come last.
    empty = json.dumps({**sample, "payload": {**sample["payload"], "values": []}}, separators=(",", ":"))
    return f"{empty.removesuffix(']}}')}{rows}]}}}}".encode()


def _cbor(value: Any) -> bytes:
    """A value in CBOR (RFC 8949): texts, mappings, lists, floating-point numbers, and rows of float32."""
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, Mapping):
        return _head(5, len(value)) + b"".join(_cbor(key) + _cbor(each) for key, each in value.items())
    if isinstance(value, np.ndarray):
        return _head(4, len(value)) + _rows(value)
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(_cbor, value))
    return b"\xfb" + struct.pack(">d", value)


def _rows(values: NDArray[np.float32]) -> bytes:
    """Each row is a list of numbers in four bytes, as they are held."""
    count, width = values.shape
    row = np.dtype([("head", "u1"), ("cells", [("head", "u1"), ("value", ">f4")], width)])
    rows = np.empty(count, row)
    rows["head"] = _head(4, width)[0]
    rows["cells"]["head"] = 0xFA
    rows["cells"]["value"] = values
    return rows.tobytes()


def _head(major: int, size: int) -> bytes:
    """First bytes of an item of a major type with a size."""
    for following, form in ((24, ">B"), (25, ">H"), (26, ">I")):
        if size < 24:
            return bytes([major << 5 | size])
        if size < 1 << 8 * struct.calcsize(form):
            return bytes([major << 5 | following]) + struct.pack(form, size)
    return bytes([major << 5 | 27]) + struct.pack(">Q", size)
