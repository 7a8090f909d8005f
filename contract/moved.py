"""New locations of modules and names of version 0.1; the old paths work with a warning for one release.

The migration page of the documents is generated from these tables.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# New module by its path in version 0.1.
MODULES = {
    "deseptr.cli.attention_form": "deseptr.report.attention_form",
    "deseptr.cli.board_options": "deseptr.cli.firmware.board_options",
    "deseptr.cli.bundle_options": "deseptr.cli.firmware.bundle_options",
    "deseptr.cli.compare": "deseptr.cli.evaluate.compare",
    "deseptr.cli.compare_page": "deseptr.report.comparison_page",
    "deseptr.cli.compare_tables": "deseptr.report.comparison_tables",
    "deseptr.cli.comparing": "deseptr.evaluate.compare",
    "deseptr.cli.config_file": "deseptr.cli.device.config_file",
    "deseptr.cli.contestants": "deseptr.evaluate.contestant",
    "deseptr.cli.convert_page": "deseptr.report.conversion_page",
    "deseptr.cli.convert_tables": "deseptr.report.conversion_tables",
    "deseptr.cli.crossval": "deseptr.cli.evaluate.crossval",
    "deseptr.cli.decision_options": "deseptr.cli.device.decision_options",
    "deseptr.cli.device_doctor": "deseptr.cli.device.doctor",
    "deseptr.cli.device_evaluate": "deseptr.cli.device.evaluate",
    "deseptr.cli.device_evaluation": "deseptr.evaluate.over_bus",
    "deseptr.cli.device_live": "deseptr.cli.device.live_view",
    "deseptr.cli.device_options": "deseptr.cli.device.options",
    "deseptr.cli.device_profile": "deseptr.cli.device.profile",
    "deseptr.cli.device_profile_page": "deseptr.report.profile_page",
    "deseptr.cli.device_profile_tables": "deseptr.report.profile_tables",
    "deseptr.cli.device_profile_view": "deseptr.cli.device.profile_view",
    "deseptr.cli.device_record": "deseptr.cli.device.record",
    "deseptr.cli.device_run": "deseptr.cli.device.run",
    "deseptr.cli.device_view": "deseptr.cli.device.line_view",
    "deseptr.cli.evaluation": "deseptr.evaluate.predictor",
    "deseptr.cli.firmware_arm_cost": "deseptr.cli.firmware.arm_cost",
    "deseptr.cli.firmware_board": "deseptr.cli.firmware.board",
    "deseptr.cli.firmware_boot_files": "deseptr.cli.firmware.boot_files",
    "deseptr.cli.firmware_bundle": "deseptr.cli.firmware.bundle",
    "deseptr.cli.firmware_flash": "deseptr.cli.firmware.flash",
    "deseptr.cli.firmware_measure": "deseptr.cli.firmware.measure",
    "deseptr.cli.firmware_scenarios": "deseptr.cli.firmware.scenarios",
    "deseptr.cli.firmware_simulate": "deseptr.cli.firmware.simulate",
    "deseptr.cli.firmware_verify_arm": "deseptr.cli.firmware.verify_arm",
    "deseptr.cli.flash_view": "deseptr.cli.firmware.flash_view",
    "deseptr.cli.grid_options": "deseptr.cli.evaluate.grid_options",
    "deseptr.cli.grouped": "deseptr.cli.common.grouped",
    "deseptr.cli.html": "deseptr.report.html",
    "deseptr.cli.html.comparison_figures": "deseptr.report.html.run_figures",
    "deseptr.cli.html.conversion_figures": "deseptr.report.html.conversion_figures",
    "deseptr.cli.html.figures": "deseptr.report.html.figures",
    "deseptr.cli.html.page": "deseptr.report.html.page",
    "deseptr.cli.html.plain_figures": "deseptr.report.html.plain_figures",
    "deseptr.cli.lab": "deseptr.cli.evaluate.lab",
    "deseptr.cli.lazy": "deseptr.cli.common.lazy",
    "deseptr.cli.measure_page": "deseptr.report.measure_page",
    "deseptr.cli.mqtt_output": "deseptr.cli.device.mqtt_options",
    "deseptr.cli.options": "deseptr.cli.common.options",
    "deseptr.cli.progress": "deseptr.cli.train.progress",
    "deseptr.cli.record_view": "deseptr.cli.device.record_view",
    "deseptr.cli.report": "deseptr.cli.evaluate.report",
    "deseptr.cli.report_files": "deseptr.cli.evaluate.report_files",
    "deseptr.cli.report_page": "deseptr.report.runs_page",
    "deseptr.cli.report_tables": "deseptr.report.runs_tables",
    "deseptr.cli.run_figures": "deseptr.cli.device.run_summary",
    "deseptr.cli.run_outputs": "deseptr.cli.device.outputs",
    "deseptr.cli.tables": "deseptr.cli.common.tables",
    "deseptr.cli.tensorboard": "deseptr.cli.train.tensorboard",
    "deseptr.cli.tensorflow": "deseptr.train.quiet_import",
    "deseptr.cli.training_options": "deseptr.cli.train.training_options",
    "deseptr.contract.tflite_file": "deseptr.tflite.file",
    "deseptr.convert.add_ops": "deseptr.tflite.edit",
    "deseptr.convert.attempt": "deseptr.convert.try_recipe",
    "deseptr.convert.blocks": "deseptr.convert.lowering.blocks",
    "deseptr.convert.engines": "deseptr.tflite.installed_engines",
    "deseptr.convert.fold": "deseptr.evaluate.int8_predictions",
    "deseptr.convert.gru": "deseptr.convert.lowering.gru",
    "deseptr.convert.lower_convolutions": "deseptr.convert.lowering.lower_convolutions",
    "deseptr.convert.lower_front_end": "deseptr.convert.lowering.lower_front_end",
    "deseptr.convert.lower_transformers": "deseptr.convert.lowering.lower_transformers",
    "deseptr.convert.lower_windows": "deseptr.convert.lowering.lower_windows",
    "deseptr.convert.micro_runtime": "deseptr.convert.micro.runtime",
    "deseptr.data.oddities": "deseptr.data.quality",
    "deseptr.device.attached": "deseptr.device.bus_access",
    "deseptr.device.bare_model": "deseptr.tflite.bare_model",
    "deseptr.device.board": "deseptr.device.host.board",
    "deseptr.device.decision": "deseptr.device.label.class_of_logits",
    "deseptr.device.doctor.examination": "deseptr.device.doctor.check_runner",
    "deseptr.device.doctor.patient": "deseptr.device.doctor.subject",
    "deseptr.device.edgetpu": "deseptr.tflite.edgetpu",
    "deseptr.device.engine": "deseptr.tflite.engine",
    "deseptr.device.fifo_imu": "deseptr.device.drivers.fifo_imu",
    "deseptr.device.fit": "deseptr.device.contract_check",
    "deseptr.device.graph": "deseptr.tflite.graph",
    "deseptr.device.host_files": "deseptr.contract.host_files",
    "deseptr.device.icm20948": "deseptr.device.drivers.icm20948",
    "deseptr.device.imu": "deseptr.device.drivers.imu",
    "deseptr.device.ina219": "deseptr.device.drivers.ina219",
    "deseptr.device.interleaved": "deseptr.tflite.interleaved",
    "deseptr.device.lsm6ds": "deseptr.device.drivers.lsm6ds",
    "deseptr.device.lsm6ds3trc": "deseptr.device.drivers.lsm6ds3trc",
    "deseptr.device.lsm6dsox": "deseptr.device.drivers.lsm6dsox",
    "deseptr.device.machine": "deseptr.device.host.machine",
    "deseptr.device.mpu": "deseptr.device.drivers.mpu",
    "deseptr.device.mpu6050": "deseptr.device.drivers.mpu6050",
    "deseptr.device.mpu6500": "deseptr.device.drivers.mpu6500",
    "deseptr.device.notify": "deseptr.device.host.notify",
    "deseptr.device.op_times": "deseptr.tflite.op_times",
    "deseptr.device.power": "deseptr.device.host.power",
    "deseptr.device.profiler": "deseptr.device.latency",
    "deseptr.device.quiet": "deseptr.tflite.native_stderr",
    "deseptr.device.registers": "deseptr.device.drivers.registers",
    "deseptr.device.resampler": "deseptr.device.stream.resampler",
    "deseptr.device.ring": "deseptr.device.stream.ring",
    "deseptr.device.sensors": "deseptr.device.drivers.sensors",
    "deseptr.device.sink": "deseptr.device.sinks.sink",
    "deseptr.device.smoothing": "deseptr.device.label.tracker",
    "deseptr.device.tflite_runtimes": "deseptr.tflite.runtimes",
    "deseptr.device.timing": "deseptr.device.stream.timing",
    "deseptr.device.windows": "deseptr.device.stream.windows",
    "deseptr.firmware_harness.accounting": "deseptr.firmware_harness.simulator.soak.sample_ledger",
    "deseptr.firmware_harness.acted": "deseptr.firmware_harness.simulator.sources.acted_session",
    "deseptr.firmware_harness.arm": "deseptr.firmware_harness.emulator",
    "deseptr.firmware_harness.arm.baseline": "deseptr.firmware_harness.emulator.baseline",
    "deseptr.firmware_harness.arm.command": "deseptr.cli.firmware.arm_cost",
    "deseptr.firmware_harness.arm.console": "deseptr.firmware_harness.emulator.console",
    "deseptr.firmware_harness.arm.cost": "deseptr.firmware_harness.emulator.cost",
    "deseptr.firmware_harness.arm.cpio": "deseptr.firmware_harness.emulator.cpio",
    "deseptr.firmware_harness.arm.guest": "deseptr.firmware_harness.emulator.guest",
    "deseptr.firmware_harness.arm.image": "deseptr.firmware_harness.emulator.image",
    "deseptr.firmware_harness.arm.kernel_check": "deseptr.firmware_harness.emulator.kernel_check",
    "deseptr.firmware_harness.arm.kernel_guest": "deseptr.firmware_harness.emulator.kernel_guest",
    "deseptr.firmware_harness.arm.logits": "deseptr.firmware_harness.emulator.logits",
    "deseptr.firmware_harness.arm.machine": "deseptr.firmware_harness.emulator.machine",
    "deseptr.firmware_harness.arm.modules": "deseptr.firmware_harness.emulator.modules",
    "deseptr.firmware_harness.arm.packages": "deseptr.firmware_harness.emulator.packages",
    "deseptr.firmware_harness.arm.process": "deseptr.firmware_harness.emulator.process",
    "deseptr.firmware_harness.arm.verify": "deseptr.firmware_harness.emulator.verify",
    "deseptr.firmware_harness.arm.verify_checks": "deseptr.firmware_harness.emulator.verify_checks",
    "deseptr.firmware_harness.arm.verify_guest": "deseptr.firmware_harness.emulator.verify_guest",
    "deseptr.firmware_harness.arm.verify_job": "deseptr.firmware_harness.emulator.verify_commands",
    "deseptr.firmware_harness.arm.verify_machine": "deseptr.firmware_harness.emulator.verify_machine",
    "deseptr.firmware_harness.arm.verify_said": "deseptr.firmware_harness.emulator.verify_console",
    "deseptr.firmware_harness.at_rest": "deseptr.firmware_harness.simulator.sources.resting",
    "deseptr.firmware_harness.bus_faults": "deseptr.firmware_harness.simulator.faults.bus_faults",
    "deseptr.firmware_harness.bus_profiles": "deseptr.firmware_harness.simulator.bus_profiles",
    "deseptr.firmware_harness.campaign": "deseptr.firmware_harness.simulator.soak.random_faults",
    "deseptr.firmware_harness.chip": "deseptr.firmware_harness.simulator.chips.chip",
    "deseptr.firmware_harness.chip_faults": "deseptr.firmware_harness.simulator.faults.chip_faults",
    "deseptr.firmware_harness.chips": "deseptr.firmware_harness.simulator.chips.registry",
    "deseptr.firmware_harness.clock": "deseptr.firmware_harness.simulator.clock",
    "deseptr.firmware_harness.counting_source": "deseptr.firmware_harness.simulator.sources.counting",
    "deseptr.firmware_harness.endurance": "deseptr.firmware_harness.simulator.soak.soak",
    "deseptr.firmware_harness.fault_injector": "deseptr.firmware_harness.simulator.faults.injector",
    "deseptr.firmware_harness.fault_list": "deseptr.firmware_harness.simulator.faults.toml",
    "deseptr.firmware_harness.faults": "deseptr.firmware_harness.simulator.faults.fault",
    "deseptr.firmware_harness.flash": "deseptr.firmware_harness.deploy",
    "deseptr.firmware_harness.flash.boot_files": "deseptr.firmware_harness.deploy.boot_files",
    "deseptr.firmware_harness.flash.bundle": "deseptr.firmware_harness.deploy.bundle",
    "deseptr.firmware_harness.flash.deploy": "deseptr.firmware_harness.deploy.flash",
    "deseptr.firmware_harness.flash.errors": "deseptr.firmware_harness.deploy.errors",
    "deseptr.firmware_harness.flash.first_boot": "deseptr.firmware_harness.deploy.first_boot",
    "deseptr.firmware_harness.flash.measure": "deseptr.firmware_harness.deploy.measure",
    "deseptr.firmware_harness.flash.own_wheel": "deseptr.firmware_harness.deploy.own_wheel",
    "deseptr.firmware_harness.flash.signing": "deseptr.firmware_harness.deploy.signing",
    "deseptr.firmware_harness.flash.ssh": "deseptr.firmware_harness.deploy.ssh",
    "deseptr.firmware_harness.flash.target": "deseptr.firmware_harness.deploy.target",
    "deseptr.firmware_harness.flash.target.bundle": "deseptr.firmware_harness.deploy.target.bundle",
    "deseptr.firmware_harness.flash.target.deployment": "deseptr.firmware_harness.deploy.target.deployment",
    "deseptr.firmware_harness.flash.target.environment": "deseptr.firmware_harness.deploy.target.environment",
    "deseptr.firmware_harness.flash.target.health": "deseptr.firmware_harness.deploy.target.health",
    "deseptr.firmware_harness.flash.target.installing": "deseptr.firmware_harness.deploy.target.installing",
    "deseptr.firmware_harness.flash.target.main": "deseptr.firmware_harness.deploy.target.main",
    "deseptr.firmware_harness.flash.target.manifest": "deseptr.firmware_harness.deploy.target.manifest",
    "deseptr.firmware_harness.flash.target.measuring": "deseptr.firmware_harness.deploy.target.measuring",
    "deseptr.firmware_harness.flash.target.probe": "deseptr.firmware_harness.deploy.target.probe",
    "deseptr.firmware_harness.flash.target.refusal": "deseptr.firmware_harness.deploy.target.refusal",
    "deseptr.firmware_harness.flash.target.releases": "deseptr.firmware_harness.deploy.target.releases",
    "deseptr.firmware_harness.flash.target.service": "deseptr.firmware_harness.deploy.target.service",
    "deseptr.firmware_harness.flash.target.signature": "deseptr.firmware_harness.deploy.target.signature",
    "deseptr.firmware_harness.flash.target.supervisor": "deseptr.firmware_harness.deploy.target.supervisor",
    "deseptr.firmware_harness.flash.target.unit": "deseptr.firmware_harness.deploy.target.unit",
    "deseptr.firmware_harness.flash.target.upload": "deseptr.firmware_harness.deploy.target.upload",
    "deseptr.firmware_harness.flash.wheelhouse": "deseptr.firmware_harness.deploy.wheelhouse",
    "deseptr.firmware_harness.flash.zipapp": "deseptr.firmware_harness.deploy.zipapp",
    "deseptr.firmware_harness.front": "deseptr.firmware_harness.simulator.front",
    "deseptr.firmware_harness.front.availability": "deseptr.firmware_harness.simulator.front.availability",
    "deseptr.firmware_harness.front.cuse": "deseptr.firmware_harness.simulator.front.cuse",
    "deseptr.firmware_harness.front.driver": "deseptr.firmware_harness.simulator.front.driver",
    "deseptr.firmware_harness.front.i2c_dev": "deseptr.firmware_harness.simulator.front.i2c_dev",
    "deseptr.firmware_harness.front.ioctl": "deseptr.firmware_harness.simulator.front.ioctl",
    "deseptr.firmware_harness.front.messages": "deseptr.firmware_harness.simulator.front.messages",
    "deseptr.firmware_harness.front.smbus": "deseptr.firmware_harness.simulator.front.smbus",
    "deseptr.firmware_harness.front.tiny_usb": "deseptr.firmware_harness.simulator.front.tiny_usb",
    "deseptr.firmware_harness.front.umockdev_relay": "deseptr.firmware_harness.simulator.front.umockdev_relay",
    "deseptr.firmware_harness.front.usbip": "deseptr.firmware_harness.simulator.front.usbip",
    "deseptr.firmware_harness.icm20948": "deseptr.firmware_harness.simulator.chips.icm20948",
    "deseptr.firmware_harness.ina219": "deseptr.firmware_harness.simulator.chips.ina219",
    "deseptr.firmware_harness.invensense": "deseptr.firmware_harness.simulator.chips.invensense",
    "deseptr.firmware_harness.lsm6ds": "deseptr.firmware_harness.simulator.chips.lsm6ds",
    "deseptr.firmware_harness.lsm6ds3trc": "deseptr.firmware_harness.simulator.chips.lsm6ds3trc",
    "deseptr.firmware_harness.lsm6ds_counts": "deseptr.firmware_harness.simulator.chips.lsm6ds_counts",
    "deseptr.firmware_harness.lsm6dsox": "deseptr.firmware_harness.simulator.chips.lsm6dsox",
    "deseptr.firmware_harness.mpu": "deseptr.firmware_harness.simulator.chips.mpu",
    "deseptr.firmware_harness.mpu6050": "deseptr.firmware_harness.simulator.chips.mpu6050",
    "deseptr.firmware_harness.mpu6500": "deseptr.firmware_harness.simulator.chips.mpu6500",
    "deseptr.firmware_harness.outcome": "deseptr.firmware_harness.simulator.outcome",
    "deseptr.firmware_harness.replay": "deseptr.firmware_harness.simulator.session_replay",
    "deseptr.firmware_harness.scenario": "deseptr.firmware_harness.simulator.scenario",
    "deseptr.firmware_harness.source": "deseptr.firmware_harness.simulator.sources.source",
    "deseptr.firmware_harness.source_spec": "deseptr.firmware_harness.simulator.sources.spec",
    "deseptr.firmware_harness.synthetic_source": "deseptr.firmware_harness.simulator.sources.synthetic",
    "deseptr.firmware_harness.virtual_bus": "deseptr.firmware_harness.simulator.virtual_bus",
    "deseptr.firmware_harness.word_fifo": "deseptr.firmware_harness.simulator.chips.word_fifo",
    "deseptr.train.comparison": "deseptr.evaluate.run_comparison",
    "deseptr.train.crossval": "deseptr.evaluate.crossval",
    "deseptr.train.crossval_summary": "deseptr.evaluate.crossval_summary",
    "deseptr.train.executors": "deseptr.evaluate.executors",
    "deseptr.train.find_runs": "deseptr.evaluate.find_runs",
    "deseptr.train.finished_run": "deseptr.evaluate.finished_run",
    "deseptr.train.fit": "deseptr.train.training_loop",
    "deseptr.train.fold": "deseptr.evaluate.fold_job",
    "deseptr.train.heads": "deseptr.evaluate.heads",
    "deseptr.train.lab": "deseptr.evaluate.lab.lab",
    "deseptr.train.lab_arms": "deseptr.evaluate.lab.variants",
    "deseptr.train.lab_effects": "deseptr.evaluate.lab.effects",
    "deseptr.train.lab_grid": "deseptr.evaluate.lab.grid",
    "deseptr.train.lab_page": "deseptr.evaluate.lab.page",
    "deseptr.train.lab_summary": "deseptr.evaluate.lab.summary",
    "deseptr.train.markdown": "deseptr.evaluate.markdown",
    "deseptr.train.spread": "deseptr.evaluate.mean_and_std",
    "deseptr.train.statistics": "deseptr.train.window_statistics",
}


def _all_in(package: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), package)


# Names of a package in version 0.1 with their package now and, after a colon, the new name if it has changed.
NAMES = {
    "deseptr.data": {"Protocol": "deseptr.data:FoldProtocol"},
    "deseptr.train": {"Calibration": "deseptr.train:CalibrationWindows"},
    "deseptr.convert.lowering": {
        **_all_in("deseptr.convert.lowering.inference_graph", "InferenceGraph"),
    },
    "deseptr.convert.micro": {
        **_all_in("deseptr.convert.micro.source", "resolver_ops write_firmware"),
    },
    "deseptr.device.stream": {
        **_all_in("deseptr.device.stream.stream", "LOCK_SPREAD LOCK_STEP RATE_TOLERANCE RateLock SampleStream"),
    },
    "deseptr.contract": {
        **_all_in("deseptr.tflite", "TfliteFile embed_contract read_flatbuffer read_tflite without_archive"),
    },
    "deseptr.device": {
        **_all_in("deseptr.tflite", "Engine TfliteEngine load_engine predict"),
        **_all_in("deseptr.contract", "softmax"),
        "Decision": "deseptr.device:Classification",
        "Found": "deseptr.device:FoundChip",
        "Step": "deseptr.device:RecoveryStep",
        "Verdict": "deseptr.device:LabelDecision",
        "attached_bus": "deseptr.device:override_bus",
        "decide": "deseptr.device:classify_logits",
    },
    "deseptr.device.doctor": {
        "Finding": "deseptr.device.doctor:DoctorFinding",
        "Patient": "deseptr.device.doctor:Subject",
        "Verdict": "deseptr.device.doctor:CheckResult",
        "examine": "deseptr.device.doctor:run_checks",
    },
    "deseptr.device.recorder": {
        "Recovery": "deseptr.device:RecoveryStep",
        "Step": "deseptr.device.recorder:SessionStep",
    },
    "deseptr.firmware_harness.emulator": {
        "Recipe": "deseptr.firmware_harness.emulator:ImageRecipe",
    },
    "deseptr.firmware_harness": {
        **_all_in(
            "deseptr.firmware_harness.simulator",
            """
            BCM2835 BCM2835_SLOW BUS_PROFILES BitFlipRead BitFlipWrite Bounds BrokenTransfer BrownOut
            BusFault BusProfile Chip ChipOptions ClockStretch Clone ConstantSource CountingSource
            DEFAULT_MIX Expected Fault FaultInjector FaultLog Hang I2C_TINY_USB KINDS LoggedFault Nack
            Outcome Overflow PacedClock RP1 RateError RecordingSource RegisterUpset Replayed ReplayedEvent
            ReplayedWindow SampleLedger SampleRun Scenario SignalSource SimulatedChip SimulatedDevice
            SimulatedIcm20948 SimulatedIna219 SimulatedLsm6ds3trc SimulatedLsm6dsox SimulatedMpu6050
            SimulatedMpu6500 SineSource SourceSpec StuckBus VirtualClock VirtualI2cBus WearerSource act
            bus_profile counted_times fault_to_dict faults_from faults_to_toml held_s load_scenario replay
            run_scenario scenario_from scenario_names scenario_text simulated_session simulated_sessions
            truth_of
            """,
        ),
        "AccountingEngine": "deseptr.firmware_harness.simulator:LedgerEngine",
        "AccountingImu": "deseptr.firmware_harness.simulator:LedgerImu",
        "AtRest": "deseptr.firmware_harness.simulator:RestingSource",
        "Endurance": "deseptr.firmware_harness.simulator:SoakResult",
        "Recovery": "deseptr.firmware_harness.simulator:RecoveryTimes",
        "draw_campaign": "deseptr.firmware_harness.simulator:draw_faults",
        "endure": "deseptr.firmware_harness.simulator:run_soak",
    },
}


def moved_name(package: str, name: str) -> Any:
    """A name that ``package`` had in version 0.1, from its new location, with a warning.

    Raises:
        AttributeError: if the package never had it.
    """
    target = NAMES.get(package, {}).get(name)
    if target is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    home, _, new_name = target.partition(":")
    new_name = new_name or name
    warn_moved(f"{package}.{name}", f"{home}.{new_name}")
    return getattr(import_module(home), new_name)


def warn_moved(old: str, new: str) -> None:
    """Warn that a path has changed."""
    warnings.warn(f"{old} is now {new}; the old path ends with the next release", FutureWarning, stacklevel=3)


class MovedModules(MetaPathFinder, Loader):
    """Finds modules of version 0.1 by their old names and returns the modules of today, never copies."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find old names only."""
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system create a module, which :meth:`exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        """Register the module of today under the old name."""
        old = module.__name__
        warn_moved(old, MODULES[old])
        sys.modules[old] = import_module(MODULES[old])
