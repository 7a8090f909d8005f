"""Recordings of a wearer who lies down, for the tiny model, which knows `lying` and `upright`."""

import numpy as np
import pytest

# So far from zero that the tiny model is certain.
ANGLES = {"up": (30, 0, 0), "down": (0, 30, 0)}


@pytest.fixture
def recording(tmp_path):
    """Writes stretches of seconds as one recording; in those that are shaken, the wearer moves."""

    def write(*stretches, name="wearer"):
        rows = []
        for posture, seconds, shaken in stretches:
            block = np.tile([*ANGLES[posture], 0, 0, 0], (round(seconds * 50), 1)).astype(float)
            block[::2, 2] += 6 * shaken
            rows.append(block)
        signals = np.concatenate(rows)
        path = tmp_path / f"{name}.csv"
        times = np.arange(len(signals)) / 50
        lines = [",".join(f"{value:.4f}" for value in row) for row in np.column_stack([times, signals])]
        path.write_text("time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n" + "\n".join(lines) + "\n")
        return path

    return write
