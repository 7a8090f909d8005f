"""Live labels from samples of your own: no I2C, no driver.

    python live_from_any_source.py

Anything that gives arrays will do: a socket, a Bluetooth characteristic, a file that grows.
"""

from collections.abc import Iterator

import numpy as np

import deseptr


def my_sensor() -> Iterator[np.ndarray]:
    """Yield samples as they come: [n, 6], m/s^2 and rad/s, n as your radio packs them; None where a packet was lost."""
    recording = deseptr.load("synthetic:subjects=1,seconds=10").recordings[0]
    for start in range(0, len(recording), 13):
        yield None if start == 13 * 20 else recording.signals[start : start + 13]


# The packaged model; name your own file. A rate other than the model's is resampled.
source = deseptr.stream(deseptr.load_model(), rate_hz=50)
for samples in my_sensor():
    events = [source.gap(seconds=13 / 50)] if samples is None else source.push(samples)
    for event in events:
        print(event)
