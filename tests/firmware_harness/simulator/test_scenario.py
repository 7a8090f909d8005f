from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError, DeseptrError, ModelContract, SetupError, StftSpec
from deseptr.data import save_dataset, synthetic_dataset
from deseptr.firmware_harness.simulator import (
    BCM2835,
    BrownOut,
    Expected,
    Hang,
    LedgerEngine,
    Outcome,
    ReplayedEvent,
    load_scenario,
    replay,
    run_scenario,
    scenario_from,
    scenario_names,
    scenario_text,
    simulated_session,
)

SHORT = """
description = "Two words."
duration_s = 20
[expected]
gaps = 1
"""


def engine_of(rate_hz=50.0):
    contract = ModelContract(("a", "b"), rate_hz=rate_hz, window_length=128, hop_length=64, stft=StftSpec(16, 8, 2))
    return LedgerEngine(contract, round(1e9 / rate_hz))


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_has_its_expected_outcome(name):
    scenario = load_scenario(name)
    outcome = Outcome()
    with suppress(DeseptrError):
        for _ in run_scenario(engine_of(scenario.rate_hz), scenario, outcome=outcome):
            pass
    assert scenario.expected.differences(outcome) == []


@pytest.mark.parametrize("name", scenario_names())
def test_no_scenarios_expectation_is_met_without_its_faults(name):
    scenario = load_scenario(name)
    assert scenario.expected.counts or scenario.expected.exit_code
    assert len(scenario.description) > 40
    assert scenario.expected.differences(Outcome())


def test_all_keys_of_a_file():
    scenario = scenario_from(
        """
        description = "Much\\n goes   wrong."
        sensor = "lsm6dsox"
        bus = "rp1"
        bus_hz = 100_000
        rate_hz = 104
        duration_s = 7
        seed = 3
        faults = [{kind = "hang", at_s = 1}, {kind = "brown-out", duration_s = 1, every_s = 2, times = 2}]
        [source]
        kind = "sine"
        frequency_hz = 2
        amplitude = [1, 0, 0, 0, 0, 0]
        [expected]
        exit_code = 3
        """,
        "here",
        name="mine",
    )
    assert (scenario.name, scenario.description, scenario.sensor) == ("mine", "Much goes wrong.", "lsm6dsox")
    assert (scenario.profile.name, scenario.profile.clock_hz, scenario.rate_hz) == ("rp1", 100_000, 104.0)
    assert scenario.faults == (Hang(at_s=1.0), BrownOut(duration_s=1.0), BrownOut(at_s=2.0, duration_s=1.0))
    assert scenario.source.make().at(np.array([125_000_000]))[0] == pytest.approx([1, 0, 0, 0, 0, 0])
    assert (scenario.seed, scenario.expected) == (3, Expected(exit_code=3))


def test_optional_keys_of_a_file():
    scenario = scenario_from(SHORT, "here")
    assert (scenario.sensor, scenario.profile, scenario.rate_hz, scenario.faults) == ("mpu6050", BCM2835, 50.0, ())
    assert scenario.source.kind == "wearer"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description = ", "here: found Invalid value (at end of document), expected TOML; correct it"),
        ("x = 1", "here: found the key x, expected a scenario knows description, sensor, bus"),
        ("description = 'x'", "here: found no duration_s, expected one; write duration_s = …"),
        ("duration_s = '1'", "here, duration_s: found '1', expected a number; write a number"),
        (
            SHORT.replace("20", "0"),
            "here, duration_s: found 0.0, expected above 0 and at most 100000000; change",
        ),
        (SHORT.replace("gaps", "gap"), "here, expected: found the key gap, expected it knows windows, gaps"),
        (SHORT.replace("= 1", "= [2, 1]"), "here, expected, gaps: found [2, 1], expected a number, or [least, most]"),
        (SHORT.replace("= 1", "= true"), "here, expected, gaps: found True, expected a number, or [least, most]"),
        (
            SHORT + "rungs = {ladder = 1}",
            "here, expected, rungs: found the key ladder, expected the ladder knows",
        ),
        (SHORT + "rungs = 3", "here, expected, rungs: found 3, expected a table; write a table"),
        (SHORT + "reasons = [1]", "here, expected, reasons: found 1, expected a text; write a text"),
        ("sensor = 'bno055'" + SHORT, "here, sensor: found bno055, expected one of adxl345"),
        ("bus = 'spi'" + SHORT, "here, bus: found spi, expected one of bcm2835"),
        ("bus_hz = 0" + SHORT, "here, bus_hz: found 0, expected at least 1 and at most 10000000; change bus_hz"),
        ("faults = [1]" + SHORT, "here, faults: found 1, expected a table; write a table"),
        ("faults = [{kind = 'x'}]" + SHORT, "here, fault 1, kind: found x, expected one of nack"),
        ("source = {kind = 'tap'}" + SHORT, "here, source, kind: found tap, expected one of wearer, constant"),
        ("source = {kind = 'sine'}" + SHORT, "here, source: found no frequency_hz, expected one for sine"),
        ("source = {speed = 1}" + SHORT, "here, source: found the key speed, expected a wearer source knows subject"),
        ("source = {subject = 'me'}" + SHORT, "here, source, subject: found 'me', expected a whole number"),
    ],
)
def test_mistakes_have_distinct_errors(text, message):
    with pytest.raises(SetupError) as caught:
        scenario_from(text, "here")
    assert str(caught.value).startswith(message)


def test_unknown_name_and_missing_file(tmp_path):
    with pytest.raises(SetupError, match=r"scenario gremlins: found none of that name, expected one of brown-out, "):
        load_scenario("gremlins")
    with pytest.raises(SetupError, match=r"nowhere\.toml: found No such file or directory, expected a scenario"):
        load_scenario(str(tmp_path / "nowhere.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match=r"binary\.toml: found no text, expected a scenario in TOML"):
        load_scenario(str(tmp_path / "binary.toml"))


def test_scenario_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(scenario_text("frozen"))
    mine, packaged = load_scenario(str(path)), load_scenario("frozen")
    assert (mine.name, mine.faults, mine.expected) == ("mine", packaged.faults, packaged.expected)


def test_recording_beside_the_file(tmp_path):
    save_dataset(synthetic_dataset(1, 10), tmp_path / "walk.npz")
    text = SHORT + "[source]\nkind = 'recording'\ndata = 'walk.npz'\nnumber = 2\n"
    source = scenario_from(text, "here", folder=tmp_path).source.make()
    assert source.duration_ns == round(9.98e9)
    with pytest.raises(SetupError, match=r"recording source, walk.npz: found no recording 9, expected 0 to 5"):
        scenario_from(text.replace("= 2", "= 9"), "here", folder=tmp_path).source.make()
    with pytest.raises(DataError):
        scenario_from(text.replace("walk", "run"), "here", folder=tmp_path).source.make()


@pytest.mark.parametrize("signals", ["[1, 2]", "[1, 2, 3, 4, 5, 'x']"])
def test_constant_of_other_than_six_numbers(signals):
    scenario = scenario_from(SHORT + f"[source]\nkind = 'constant'\nsignals = {signals}\n", "here")
    with pytest.raises(SetupError, match="constant source, signals: found"):
        scenario.source.make()


def test_session_of_a_scenario_has_its_chip_and_bus():
    session = simulated_session(scenario=load_scenario("clone"))
    assert session.sensor == {
        "name": "mpu6500",
        "bus": "virtual I2C bus",
        "simulated": True,
        "bus_hz": 400_000,
        "scenario": "clone",
    }
    session.imu.identify()
    # Another chip may be put through it.
    assert simulated_session(scenario=load_scenario("frozen"), sensor="lsm6dsox").imu.name == "lsm6dsox"


def test_scenario_starts_again_with_each_recording():
    dataset = synthetic_dataset(1, 30)
    scenario = scenario_from(SHORT + "[[faults]]\nkind = 'nack'\nat_s = 10\nduration_s = 3\n", "here")
    events = list(replay(engine_of(), dataset, scenario=scenario))
    gaps = [event for event in events if isinstance(event, ReplayedEvent) and "gap" in event.to_dict()]
    assert [gap.recording for gap in gaps] == list(range(6))


def test_names_are_those_of_the_files():
    folder = Path(__file__).parents[3] / "firmware_harness" / "simulator" / "scenarios"
    assert scenario_names() == sorted(path.stem for path in folder.glob("*.toml"))
