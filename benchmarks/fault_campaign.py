"""A week of wear under ten thousand faults, and whether every sample is accounted for.

    python benchmarks/fault_campaign.py --seed 1 --days 7 --faults 10000 --json week.json

Draws a campaign from the seed, runs the sensor's driver, the recovery ladder and the runtime through it in virtual time
and prints what came of it; exits with 1 if a promise was broken. The list of faults itself can be kept with
``--faults-to FILE.toml``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from deseptr.firmware_harness.simulator import SoakResult, draw_faults, faults_to_toml, run_soak

DAY_S = 86_400
# The sensor is set up before the first fault, and the last is got over before the end.
QUIET_S = 30.0


def main() -> int:
    arguments = _arguments()
    duration_s = arguments.days * DAY_S
    faults = draw_faults(arguments.seed, duration_s - 2 * QUIET_S, arguments.faults, begin_s=QUIET_S)
    if arguments.faults_to:
        arguments.faults_to.write_text(faults_to_toml(faults))
    begun = time.process_time()
    result = run_soak(
        faults,
        duration_s,
        sensor=arguments.sensor,
        seed=arguments.seed,
        progress=lambda seconds: print(f"day {seconds / DAY_S:.0f}", file=sys.stderr),
    )
    took_s = time.process_time() - begun
    print(describe(result, took_s))
    if arguments.json:
        made = {"seed": arguments.seed, "faults": arguments.faults, "processor_s": round(took_s, 1)} | result.to_dict()
        arguments.json.write_text(json.dumps(made, indent=1) + "\n")
    return 1 if result.violations() else 0


def describe(result: SoakResult, took_s: float) -> str:
    """What a run came to, for reading."""
    lines = [
        f"{result.sensor}, {result.duration_s / DAY_S:g} days in {took_s:.0f} s of one processor",
        f"delivered {result.delivered} + reported lost {result.reported_lost} of {result.generated:.0f} samples, "
        f"{result.gaps} gaps, worst off by {result.worst_gap}",
        f"{result.windows} windows, {result.torn} across a gap, reported time off by {result.drift_s:.2f} s at most",
        f"corrupted samples {result.corrupted}, reads of data with a flipped bit {result.undetectable}",
        "rungs: " + ", ".join(f"{rung} {count}" for rung, count in result.rungs.items()),
        f"got over within a hop of {result.hop_s:.2f} s: {result.in_time:.2%}",
        f"{'kind':16} {'faults':>7} {'in time':>8} {'median':>8} {'worst':>8}",
    ]
    for kind, recovery in result.recoveries.items():
        lines.append(
            f"{kind:16} {recovery.count:7} {recovery.in_time:8.2%} {recovery.median_s:7.3f}s {recovery.worst_s:7.3f}s"
        )
    lines.append(f"memory at the end of each day: {', '.join(f'{mib:.0f}' for mib in result.memory_mib)} MiB")
    return "\n".join([*lines, *(f"BROKEN: {broken}" for broken in result.violations())])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A fault campaign in virtual time.")
    parser.add_argument("--seed", type=int, default=1, help="draws the faults")
    parser.add_argument("--days", type=float, default=7.0, help="of the sensor's time")
    parser.add_argument("--faults", type=int, default=10_000, help="how many")
    parser.add_argument("--sensor", default="mpu6050", help="simulated chip")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    parser.add_argument("--faults-to", type=Path, metavar="FILE", help="write the drawn faults there, as TOML")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
