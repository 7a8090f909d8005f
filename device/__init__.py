"""The wearable: bus, sensor drivers, windows, engines, the runtime and its profiler.

Importing it loads numpy but no engine and no bus library: these come with the first model and the first bus.
"""

from .bus import BusError, I2cBus, LinuxI2cBus, bus_error, bus_errors, bus_exists
from .clock import Clock, SystemClock
from .decide import Decision, decide, softmax
from .engine import Engine, TfliteEngine, load_engine, predict
from .events import Event, GapEvent, LabelEvent, RateEvent, RecoveryEvent, WindowEvent
from .fit import check_fit
from .imu import STANDARD_GRAVITY, Gap, Imu, ImuConfig, ImuSettings, Samples
from .machine import describe_machine
from .mpu6050 import Mpu6050
from .profiler import STAGES, Profiler
from .ring import SampleRing
from .runtime import Runtime
from .sensors import SENSORS, make_sensor
from .session import Profile, Session, default_model, live_session, profile_model, run_live
from .sink import Sink
from .windows import Window, WindowAssembler

__all__ = [
    "SENSORS",
    "STAGES",
    "STANDARD_GRAVITY",
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
    "LinuxI2cBus",
    "Mpu6050",
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
    "Window",
    "WindowAssembler",
    "WindowEvent",
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
    "run_live",
    "softmax",
]
