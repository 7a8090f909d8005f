"""What do imports cost the device? Fresh interpreters, interleaved, each timing one import.

    python benchmarks/import_time.py > import_time.json

`numpy` is the measure; `device` is `import deseptr.device`, which imports names when they are used; `loop` is all
that classifying from a sensor needs but the engine's runtime, which comes with the first model; `help` is what
`deseptr device run --help` imports. Prints JSON: medians, and ratios to numpy with 95 % intervals.
"""

import json
import os
import subprocess
import sys

import click
import numpy as np

from deseptr.device import describe_machine
from deseptr.tflite.interleaved import pair

IMPORTS = {
    "numpy": "import numpy",
    "device": "import deseptr.device",
    "loop": "from deseptr.device import LabelTracker, Runtime, live_session, run_live; "
    "from deseptr.tflite import load_engine",
    "help": "import deseptr.cli.main, deseptr.cli.device.group, deseptr.cli.device.run",
}
_CODE = "import time\nbegan = time.perf_counter_ns()\n{}\nprint(time.perf_counter_ns() - began)"


@click.command()
@click.option("--rounds", type=click.IntRange(2), default=40, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws the orders.")
def main(rounds: int, seed: int) -> None:
    """Time imports in fresh interpreters."""
    rng = np.random.default_rng(seed)
    codes = [_CODE.format(line) for line in IMPORTS.values()]
    durations = np.zeros((rounds, len(codes)), np.int64)
    for code in codes:  # once untimed, for the page cache and the compiled files
        fresh(code)
    for row in durations:
        for index in rng.permutation(len(codes)):
            row[index] = fresh(codes[index])
    result = {
        "rounds": rounds,
        "imports": {
            name: {
                "code": IMPORTS[name],
                "median_ms": each.median_us / 1000,
                "over_numpy": each.ratio,
                "interval": each.interval and [each.interval.low, each.interval.high],
            }
            for name, each in zip(IMPORTS, pair(durations, seed=seed), strict=True)
        },
        "machine": {**describe_machine(), "load_average": os.getloadavg()[0]},
    }
    json.dump(result, sys.stdout, indent=2)


def fresh(code: str) -> int:
    """What a fresh interpreter prints: how long its import took, in ns."""
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
