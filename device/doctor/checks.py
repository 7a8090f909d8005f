"""The table of checks, in order, each with the checks that it depends on."""

from __future__ import annotations

from .board_checks import check_board, check_clock, check_cpu_temperature, check_disk, check_governor, check_throttling
from .bus_checks import check_addresses, check_bus, check_bus_clock, check_bus_free, check_identity, check_permission
from .check_runner import Check
from .sensor_checks import (
    check_alive,
    check_chip_temperature,
    check_field,
    check_fifo,
    check_gravity,
    check_gyro_bias,
    check_model_fit,
    check_mounting,
    check_plausible,
    check_rest,
    check_self_test,
    check_set_up,
)
from .software_checks import check_edge_tpu, check_engine, check_model, check_versions

CHECKS = (
    Check("versions", check_versions),
    Check("engine", check_engine),
    Check("model", check_model, needs=("engine",)),
    Check("edge-tpu", check_edge_tpu),
    Check("i2c-bus", check_bus),
    Check("permission", check_permission, needs=("i2c-bus",)),
    Check("bus-free", check_bus_free, needs=("i2c-bus",)),
    Check("addresses", check_addresses, needs=("permission",)),
    Check("identity", check_identity, needs=("addresses",)),
    Check("bus-clock", check_bus_clock, needs=("addresses", "bus-free")),
    Check("set-up", check_set_up, needs=("identity", "bus-free")),
    Check("model-fit", check_model_fit, needs=("model", "set-up")),
    Check("self-test", check_self_test, needs=("set-up",)),
    Check("fifo-rate", check_fifo, needs=("set-up",), slow=True),
    Check("alive", check_alive, needs=("fifo-rate",)),
    Check("at-rest", check_rest, needs=("fifo-rate",)),
    Check("gravity", check_gravity, needs=("fifo-rate",)),
    Check("gyro-bias", check_gyro_bias, needs=("fifo-rate",)),
    Check("magnetic-field", check_field, needs=("fifo-rate",)),
    Check("plausible", check_plausible, needs=("fifo-rate",)),
    Check("mounting", check_mounting, needs=("model-fit", "fifo-rate")),
    Check("chip-temperature", check_chip_temperature, needs=("fifo-rate",)),
    Check("board", check_board),
    Check("throttling", check_throttling),
    Check("cpu-temperature", check_cpu_temperature),
    Check("governor", check_governor),
    Check("disk", check_disk),
    Check("time", check_clock),
)
