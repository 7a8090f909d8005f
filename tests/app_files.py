"""Files as apps and devices write them, built from their specifications; values are given, headers are literal."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

EPOCH_NS = 1_698_501_144_000_000_000
SENSOR_LOGGER_META = (
    "version,device name,recording epoch time,recording time,recording timezone,platform,appVersion,device id,sensors,"
    "sampleRateMs,standardisation,platform version\n"
    "3,{name},1698501144000,2023-10-28_13-52-24,Europe/London,{platform},1.29.0,{id},"
    "Accelerometer|Gyroscope,10|10,{standard},17"
)


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unpacked(path: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sensor_logger_table(t: Sequence[float], rows: np.ndarray) -> str:
    """One sensor of Sensor Logger: columns in its order z, y, x."""
    lines = [
        f"{EPOCH_NS + round(at * 1e9)},{at!r},{z!r},{y!r},{x!r}"
        for at, (x, y, z) in zip(map(float, t), rows.tolist(), strict=True)
    ]
    return "\n".join(["time,seconds_elapsed,z,y,x", *lines]) + "\n"


def sensor_logger_meta(platform: str, standard: str = "false", name: str = "iPhone", ident: str = "ab12") -> str:
    return SENSOR_LOGGER_META.format(platform=platform, standard=standard, name=name, id=ident)


def phyphox_number(value: float, comma: bool = False) -> str:
    """As Java's pattern 0.000000000E0 writes it."""
    if not np.isfinite(value):
        return "NaN"
    mantissa, _, exponent = f"{value:.9e}".partition("e")
    text = f"{mantissa}E{int(exponent)}"
    return text.replace(".", ",") if comma else text


def phyphox_table(names: Sequence[str], rows: np.ndarray, separator: str = ",", comma: bool = False) -> str:
    header = separator.join(f'"{name}"' for name in names)
    lines = [separator.join(phyphox_number(value, comma) for value in row) for row in rows.tolist()]
    return "\n".join([header, *lines]) + "\n"


def edge_impulse_sample(values: list[list[float]], **more: object) -> str:
    """A sample of acceleration in g and angular rate in degrees a second at 50 Hz."""
    sensors = [{"name": f"acc{axis}", "units": "g"} for axis in "XYZ"]
    sensors += [{"name": f"gyr{axis}", "units": "dps"} for axis in "XYZ"]
    payload = {"device_type": "X", "interval_ms": 20, "sensors": sensors, "values": values, **more}
    return json.dumps({"protected": {"ver": "v1", "alg": "none"}, "signature": "0" * 64, "payload": payload})
