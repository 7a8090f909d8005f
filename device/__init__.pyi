from .alarms.answers import Answer as Answer, Answers as Answers
from .alarms.watch import EventWatch as EventWatch
from .bus import (
    BusError as BusError,
    I2cBus as I2cBus,
    LinuxI2cBus as LinuxI2cBus,
    bus_error as bus_error,
    bus_errors as bus_errors,
    bus_exists as bus_exists,
)
from .clock import Clock as Clock, SystemClock as SystemClock
from .contract_check import check_fit as check_fit
from .drivers.fifo_imu import FifoImu as FifoImu, FifoLevel as FifoLevel, SettingsLostError as SettingsLostError
from .drivers.icm20948 import Icm20948 as Icm20948
from .drivers.imu import (
    Gap as Gap,
    Imu as Imu,
    ImuConfig as ImuConfig,
    ImuSettings as ImuSettings,
    STANDARD_GRAVITY as STANDARD_GRAVITY,
    Samples as Samples,
)
from .drivers.ina219 import Ina219 as Ina219
from .drivers.lsm6ds3trc import Lsm6ds3trc as Lsm6ds3trc
from .drivers.lsm6dsox import Lsm6dsox as Lsm6dsox
from .drivers.mpu6050 import Mpu6050 as Mpu6050
from .drivers.mpu6500 import Mpu6500 as Mpu6500
from .drivers.sensors import (
    AUTO as AUTO,
    FoundChip as FoundChip,
    SENSORS as SENSORS,
    make_sensor as make_sensor,
    probe as probe,
)
from .drift.summary import DriftSummary as DriftSummary
from .drift.verdict import DriftVerdict as DriftVerdict
from .drift.watch import DriftWatch as DriftWatch
from .events import (
    AlarmEvent as AlarmEvent,
    DriftEvent as DriftEvent,
    Event as Event,
    GapEvent as GapEvent,
    ImplausibleEvent as ImplausibleEvent,
    LabelEvent as LabelEvent,
    MountingEvent as MountingEvent,
    RateEvent as RateEvent,
    RecoveryEvent as RecoveryEvent,
    WindowEvent as WindowEvent,
)
from .host.board import BoardState as BoardState, Throttled as Throttled, read_board as read_board
from .host.machine import describe_machine as describe_machine
from .host.notify import SystemdNotifier as SystemdNotifier
from .host.power import Power as Power, PowerMeter as PowerMeter
from .label.class_of_logits import (
    Classification as Classification,
    classify_logits as classify_logits,
)
from .label.tracker import (
    DecisionConfig as DecisionConfig,
    LabelTracker as LabelTracker,
    UNKNOWN as UNKNOWN,
    LabelDecision as LabelDecision,
)
from .label.unknown import UnknownJudge as UnknownJudge
from .latency import Profiler as Profiler, STAGES as STAGES, WindowTimes as WindowTimes
from .bus_access import (
    OpenBus as OpenBus,
    override_bus as override_bus,
    overriding_bus as overriding_bus,
    open_bus as open_bus,
)
from .mounting.correction import MountingCorrection as MountingCorrection
from .mounting.watch import MountingWatch as MountingWatch
from .profile.measure import Extra as Extra, Profile as Profile, profile_model as profile_model
from .plausibility.judge import Plausibility as Plausibility
from .push_stream import PushStream as PushStream
from .recovery import (
    RUNGS as RUNGS,
    RecoveringImu as RecoveringImu,
    RecoveryStep as RecoveryStep,
    UnhealthyError as UnhealthyError,
)
from .runtime import Runtime as Runtime
from .session import (
    Session as Session,
    default_model as default_model,
    live_session as live_session,
    run_live as run_live,
)
from .sinks.sink import Sink as Sink
from .stream.resampler import StreamResampler as StreamResampler
from .stream.ring import SampleRing as SampleRing
from .stream.stream import RateLock as RateLock, SampleStream as SampleStream
from .stream.timing import SampleClock as SampleClock
from .stream.windows import Window as Window, WindowAssembler as WindowAssembler
