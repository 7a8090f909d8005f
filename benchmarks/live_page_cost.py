"""What the page of a run costs the run: time from read to label, gaps and resident memory, without and with viewers.

    python benchmarks/live_page_cost.py > benchmarks/live_page_cost.json

Plays the recorded wearer in real time, for `--seconds` in each of three ways, which take turns for `--rounds`: without
the page, with it and nobody who watches, and with 20 viewers, one of whom does not read. Times are of all rounds of a
way; memory is the largest of each process (`VmHWM`), the median over rounds. Viewers are in a process of their own.

Then Chromium opens the page of a run `--loads` times: bytes that it fetches, and the time until it shows the label. At
last a wearer personalises on the page for `--fits` seconds, at a shorter hop, so that there are many labels meanwhile.
All of it takes less than three minutes.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
from live_page_fits import measure_fits
from websockets.asyncio.client import connect

from deseptr.device import describe_machine

WAYS = {"without": None, "nobody watches": 0, "20 viewers": 20}


@click.command()
@click.option("--seconds", type=click.IntRange(5), default=10, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--hop", type=click.FloatRange(0.02), default=0.16, show_default=True, help="Seconds between labels.")
@click.option("--loads", type=click.IntRange(1), default=10, show_default=True, help="Times that the page is opened.")
@click.option("--fits", type=click.IntRange(20), default=45, show_default=True, help="Seconds of the run with fits.")
@click.option(
    "--fits-hop", type=click.FloatRange(0.02), default=0.04, show_default=True, help="Its seconds between labels."
)
def main(seconds: int, rounds: int, hop: float, loads: int, fits: int, fits_hop: float) -> None:
    """Measure all ways and print JSON."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, viewers in WAYS.items():
                print(name, file=sys.stderr, flush=True)
                found[name].append(_measure(Path(folder) / "token", seconds, hop, viewers))
        opened = _open_in_browser(Path(folder) / "token", loads)
        print("fits", file=sys.stderr, flush=True)
        wearers = Path(folder) / "wearers"
        wearers.mkdir()
        fitted = measure_fits(wearers, fits, fits_hop)
    told = {"seconds": seconds, "rounds": rounds, "hop_s": hop, "python": platform.python_version()}
    ways = {name: _summary(runs) for name, runs in found.items()}
    click.echo(
        json.dumps({**told, "machine": describe_machine(), "ways": ways, "opened": opened, "fits": fitted}, indent=1)
    )


def _measure(token: Path, seconds: int, hop: float, viewers: int | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--simulate", "--speed", "realtime", "--json"]
    command += ["--hop", str(hop), "--seconds", str(seconds)]
    if viewers is not None:
        command += ["--web", "127.0.0.1:0", "--web-token-file", str(token)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        watching = None
        if viewers is not None:
            url = run.stderr.readline().split()[1]
            if viewers:
                watching = multiprocessing.Process(target=_watch, args=(url, viewers))
                watching.start()
        latencies, gaps, memory = [], 0, 0
        for line in run.stdout:
            event = json.loads(line)
            if "latency_us" in event:
                latencies.append(event["latency_us"])
                memory = _memory_kib(run.pid) or memory
            gaps += "gap" in event
    if watching is not None:
        watching.terminate()
        watching.join()
    return {"latencies_us": latencies, "gaps": gaps, "memory_kib": memory}


def _open_in_browser(token: Path, loads: int) -> dict[str, Any]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from label_person import chromium

    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--simulate", "--speed", "realtime", "--json"]
    command += ["--web", "127.0.0.1:0", "--web-token-file", str(token)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run,
        chromium() as browser,
    ):
        assert run.stdout is not None
        assert run.stderr is not None
        url = run.stderr.readline().split()[1]
        while "latency_us" not in json.loads(run.stdout.readline()):
            pass
        times = []
        for _ in range(loads):
            # A context of its own: nothing is in its cache.
            page = browser.new_context().new_page()
            page.goto(url)
            page.wait_for_function("() => document.getElementById('label').textContent !== '–'")
            times.append(page.evaluate("performance.now()"))
            fetched = page.evaluate(
                "performance.getEntries().reduce((sum, each) => sum + (each.encodedBodySize ?? 0), 0)"
            )
            page.close()
        run.terminate()
    shown = {"median": round(float(np.median(times)), 1), "largest": round(max(times), 1)}
    return {"loads": loads, "label_shown_ms": shown, "bytes": fetched}


def _watch(url: str, viewers: int) -> None:
    asyncio.run(_watch_all(url, viewers))


async def _watch_all(url: str, viewers: int) -> None:
    address = url.replace("http", "ws") + "live"
    origin = url.rstrip("/").rpartition("/")[0]

    async def view(number: int) -> None:
        async with connect(address, origin=origin, proxy=None, max_queue=1) as socket:
            async for _ in socket:
                if number == 0:
                    await asyncio.sleep(3600)

    await asyncio.gather(*map(view, range(viewers)), return_exceptions=True)


def _memory_kib(pid: int) -> int:
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    latencies = np.concatenate([run["latencies_us"] for run in runs])
    p50, p99 = np.percentile(latencies, (50, 99))
    memory = float(np.median([run["memory_kib"] for run in runs])) / 1024
    return {
        "labels": len(latencies),
        "read_to_label_us": {"p50": round(float(p50), 1), "p99": round(float(p99), 1)},
        "gaps": sum(run["gaps"] for run in runs),
        "memory_mib": round(memory, 1),
    }


if __name__ == "__main__":
    main()
