"""Names of channels: which sensors there are, in which order, and where the wanted ones stand."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import (
    ALL_CHANNELS,
    CHANNELS,
    SENSORS,
    UNITS,
    DataError,
    channels_of,
    columns_of,
    parse_sensors,
    sensors_of,
    units_of,
)

some_sensors = st.sets(st.sampled_from(sorted(SENSORS)), min_size=1)


@given(some_sensors, st.randoms(use_true_random=False))
def test_a_list_of_sensors_is_read_in_any_order_and_gives_their_channels(wanted: set[str], random: object) -> None:
    shuffled = sorted(wanted)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    sensors = parse_sensors(" , ".join(shuffled))
    assert set(sensors) == wanted
    channels = channels_of(sensors)
    assert sensors_of(channels) == sensors
    assert channels == tuple(channel for channel in ALL_CHANNELS if channel.partition("_")[0] in wanted)
    assert units_of(channels) == tuple(SENSORS[channel.partition("_")[0]].unit for channel in channels)


@given(st.permutations(CHANNELS), st.integers(1, 6))
def test_columns_are_those_of_the_wanted_names(wanted: list[str], count: int) -> None:
    columns = columns_of(wanted[:count], CHANNELS, "x")
    assert [CHANNELS[column] for column in columns] == wanted[:count]


def test_the_six_channels_and_their_units() -> None:
    assert CHANNELS == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert (*CHANNELS, "mag_x", "mag_y", "mag_z") == ALL_CHANNELS
    assert UNITS == ("m/s^2", "m/s^2", "m/s^2", "rad/s", "rad/s", "rad/s")


@pytest.mark.parametrize("text", ["", "acc,", "baro", "acc_x", "ACC", "acc;gyro"])
def test_other_sensors_are_refused(text: str) -> None:
    with pytest.raises(
        DataError, match=r"--channels: found '.*', expected some of acc, gyro, mag, as acc,gyro; correct it"
    ):
        parse_sensors(text)


def test_a_missing_channel_is_refused_with_both_lists() -> None:
    with pytest.raises(DataError, match="x: found the channels acc_x, acc_y, acc_z, expected gyro_x, gyro_y, gyro_z; "):
        columns_of(channels_of(["gyro"]), channels_of(["acc"]), "x")
