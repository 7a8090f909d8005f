"""The wearable: bus, sensor drivers, windows, engines, the runtime and its profiler.

Importing it loads numpy but no engine and no bus library: these come with the first model and the first bus.
"""

from .board import BoardState, Throttled, read_board
from .bus import BusError, I2cBus, LinuxI2cBus, bus_error, bus_errors, bus_exists
from .clock import Clock, SystemClock
from .decide import Decision, decide, softmax
from .engine import Engine, TfliteEngine, load_engine, predict
from .events import Event, GapEvent, LabelEvent, RateEvent, RecoveryEvent, WindowEvent
from .fifo_imu import FifoImu, FifoLevel, SettingsLostError
from .fit import check_fit
from .imu import STANDARD_GRAVITY, Gap, Imu, ImuConfig, ImuSettings, Samples
from .ina219 import Ina219
from .machine import describe_machine
from .mpu6050 import Mpu6050
from .power import Power, PowerMeter
from .profiler import STAGES, Profiler
from .recovery import RUNGS, RecoveringImu, Step, UnhealthyError
from .resampler import StreamResampler
from .profiler import STAGES, Profiler, WindowTimes
from .ring import SampleRing
from .runtime import Runtime
from .sensors import SENSORS, Found, make_sensor, probe
from .session import Profile, Session, default_model, live_session, profile_model, run_live
from .sink import Sink
from .stream import RateLock, SampleStream
from .timing import SampleClock
from .windows import Window, WindowAssembler

__all__ = [
    "RUNGS","RecoveringImu","Step","UnhealthyError","StreamResampler","Found","probe","RateLock","SampleStream","SampleClock","FifoImu","FifoLevel","SettingsLostError",
    "SENSORS",
    "STAGES",
    "STANDARD_GRAVITY",
    "BoardState",
    "BusError",
    "Clock",
    "Decision",
    "Engine",
    "Event",
    "Gap",
    "GapEvent",
    "I2cBus",
    "Imu",
    "ImuConfig",
    "ImuSettings",
    "LabelEvent",
    "Ina219",
    "LinuxI2cBus",
    "Mpu6050",
    "Power",
    "PowerMeter",
    "Profile",
    "Profiler",
    "RateEvent",
    "RecoveryEvent",
    "Runtime",
    "SampleRing",
    "Samples",
    "Session",
    "Sink",
    "SystemClock",
    "TfliteEngine",
    "Throttled",
    "Window",
    "WindowAssembler",
    "WindowEvent",
    "WindowTimes",
    "bus_error",
    "bus_errors",
    "bus_exists",
    "check_fit",
    "decide",
    "default_model",
    "describe_machine",
    "live_session",
    "load_engine",
    "make_sensor",
    "predict",
    "profile_model",
    "read_board",
    "run_live",
    "softmax",
]
