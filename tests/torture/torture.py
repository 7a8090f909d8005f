"""Kill commands at random moments, 200 times, and count what was promised not to happen.

    python tests/torture/torture.py --kills 200 --seed 1 --out torture

A campaign that has its result in ``--out`` is not run again. Exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from campaigns import Campaign, campaigns

# Before it, a command only imports.
EARLIEST = 0.3


def torture(campaign: Campaign, kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill a campaign's command so often; what was found."""
    campaign.prepare()
    lasts_s = _undisturbed(campaign)
    ended = 0
    for number in range(kills):
        campaign.before(number)
        ended += _kill_after(campaign, number, rng.uniform(EARLIEST * lasts_s, lasts_s))
        campaign.check(number)
    campaign.finish()
    return {
        "kills": kills - ended,
        "ended before": ended,
        "lasts_s": round(lasts_s, 1),
        "counts": dict(campaign.counts),
        "promises": campaign.promises,
        "notes": campaign.notes[:50],
    }


def _undisturbed(campaign: Campaign) -> float:
    """Seconds that the command takes, as number 0; one without an end is taken to last six."""
    campaign.before(0)
    begun = time.monotonic()
    process = _start(campaign, 0)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=campaign.longest_s)
    _end(process)
    lasts_s = time.monotonic() - begun
    campaign.reset()
    return lasts_s


def _kill_after(campaign: Campaign, number: int, seconds: float) -> bool:
    """Whether the command ended before it was to be killed."""
    process = _start(campaign, number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    ended = process.poll() is not None
    _end(process)
    return ended


def _start(campaign: Campaign, number: int) -> subprocess.Popen[bytes]:
    with (campaign.folder / f"{number}.jsonl").open("wb") as out, (campaign.folder / "errors").open("ab") as errors:
        return subprocess.Popen(
            campaign.command(number),
            cwd=campaign.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to it and to all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def show(results: dict[str, Any]) -> None:
    """The table of promises."""
    columns = ("lost", "duplicated", "reordered", "torn", "left", "on their way")
    print(f"\n{'':12}{'kills':>6}" + "".join(f"{column:>14}" for column in columns))
    for name, found in results.items():
        cells = "".join(f"{found['counts'].get(column, '–'):>14}" for column in columns)
        print(f"{name:12}{found['kills']:>6}{cells}")
        for note in found["notes"][:5]:
            print(f"    {note}")


def broken(found: dict[str, Any]) -> int:
    """How often a promise was broken; what is in flight at a kill is promised to nobody."""
    allowed = {"on their way"} | ({"duplicated"} if "QoS 1" in found["promises"].get("duplicated", "") else set())
    return sum(count for promise, count in found["counts"].items() if promise not in allowed)


def main() -> int:
    """Run the campaigns that have no result yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="of all campaigns together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("torture"))
    parser.add_argument("--campaign", action="append", help="only these")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / "torture.json"
    content = json.loads(target.read_text()) if target.exists() else {"seed": options.seed, "campaigns": {}}
    chosen = [each for each in campaigns() if not options.campaign or each.name in options.campaign]
    total = sum(each.share for each in campaigns())
    for each in chosen:
        if each.name in content["campaigns"]:
            continue
        folder = (options.out / each.name.replace(" ", "")).resolve()
        shutil.rmtree(folder, ignore_errors=True)
        kills = max(1, round(options.kills * each.share / total))
        found = torture(each(folder), kills, random.Random(f"{options.seed} {each.name}"))
        content["campaigns"][each.name] = found
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        show({each.name: found})
    show(content["campaigns"])
    total_kills = sum(found["kills"] for found in content["campaigns"].values())
    failures = sum(map(broken, content["campaigns"].values()))
    print(f"\n{total_kills} kills, seed {content['seed']}: {failures} broken promises")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
