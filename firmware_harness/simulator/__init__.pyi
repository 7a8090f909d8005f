from .bus_profiles import (
    BCM2835 as BCM2835,
    BCM2835_SLOW as BCM2835_SLOW,
    BUS_PROFILES as BUS_PROFILES,
    BusProfile as BusProfile,
    I2C_TINY_USB as I2C_TINY_USB,
    RP1 as RP1,
    bus_profile as bus_profile,
)
from .chips.chip import (
    Chip as Chip,
    ChipOptions as ChipOptions,
    SampleRun as SampleRun,
    SimulatedChip as SimulatedChip,
    SimulatedDevice as SimulatedDevice,
)
from .chips.icm20948 import SimulatedIcm20948 as SimulatedIcm20948
from .chips.ina219 import SimulatedIna219 as SimulatedIna219
from .chips.lsm6ds3trc import SimulatedLsm6ds3trc as SimulatedLsm6ds3trc
from .chips.lsm6dsox import SimulatedLsm6dsox as SimulatedLsm6dsox
from .chips.mpu6050 import SimulatedMpu6050 as SimulatedMpu6050
from .chips.mpu6500 import SimulatedMpu6500 as SimulatedMpu6500
from .clock import PacedClock as PacedClock, VirtualClock as VirtualClock
from .faults.bus_faults import (
    BitFlipRead as BitFlipRead,
    BitFlipWrite as BitFlipWrite,
    BrokenTransfer as BrokenTransfer,
    BusFault as BusFault,
    ClockStretch as ClockStretch,
    Nack as Nack,
    StuckBus as StuckBus,
)
from .faults.chip_faults import (
    BrownOut as BrownOut,
    Clone as Clone,
    Hang as Hang,
    Overflow as Overflow,
    RateError as RateError,
    RegisterUpset as RegisterUpset,
)
from .faults.fault import Fault as Fault
from .faults.injector import FaultInjector as FaultInjector, FaultLog as FaultLog, LoggedFault as LoggedFault
from .faults.toml import (
    KINDS as KINDS,
    fault_to_dict as fault_to_dict,
    faults_from as faults_from,
    faults_to_toml as faults_to_toml,
)
from .outcome import Bounds as Bounds, Expected as Expected, Outcome as Outcome
from .session_replay import (
    Replayed as Replayed,
    ReplayedEvent as ReplayedEvent,
    ReplayedWindow as ReplayedWindow,
    replay as replay,
    run_scenario as run_scenario,
    simulated_session as simulated_session,
    simulated_sessions as simulated_sessions,
    truth_of as truth_of,
)
from .scenario import (
    Scenario as Scenario,
    load_scenario as load_scenario,
    scenario_from as scenario_from,
    scenario_names as scenario_names,
    scenario_text as scenario_text,
)
from .soak.random_faults import DEFAULT_MIX as DEFAULT_MIX, draw_faults as draw_faults, held_s as held_s
from .soak.sample_ledger import (
    LedgerEngine as LedgerEngine,
    LedgerImu as LedgerImu,
    SampleLedger as SampleLedger,
)
from .soak.soak import SoakResult as SoakResult, RecoveryTimes as RecoveryTimes, run_soak as run_soak
from .sources.acted_session import act as act
from .sources.counting import (
    CoarseCountingSource as CoarseCountingSource,
    CountingSource as CountingSource,
    coarse_ticks as coarse_ticks,
    counted_ticks as counted_ticks,
    counted_times as counted_times,
    counting_source as counting_source,
)
from .sources.resting import RestingSource as RestingSource
from .sources.source import (
    ConstantSource as ConstantSource,
    RecordingSource as RecordingSource,
    SignalSource as SignalSource,
)
from .sources.spec import SourceSpec as SourceSpec
from .sources.synthetic import SineSource as SineSource, WearerSource as WearerSource
from .virtual_bus import VirtualI2cBus as VirtualI2cBus
