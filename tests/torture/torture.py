"""Kill commands at random moments, 240 times, and count what was promised not to happen.

    python tests/torture/torture.py --kills 240 --seed 1 --out torture

A campaign that has fewer kills than its share goes on where it was. Exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from campaign import Campaign, campaigns

# A command that mostly ends by itself before its kill is not looked at for ever.
MOST_STARTS = 4
COLUMNS = ("lost", "duplicated", "reordered", "torn", "left")


def torture(campaign: Campaign, kills: int, rng: random.Random, minutes: float) -> dict[str, Any]:
    """Kill a campaign's command so often, or until its time is over; what was found."""
    begun = time.monotonic()
    killed = number = 0
    try:
        campaign.prepare()
        prepared = time.monotonic()
        while killed < kills and number < MOST_STARTS * kills and time.monotonic() - prepared < 60 * minutes:
            killed += _kill(campaign, number, rng)
            campaign.check(number)
            number += 1
        campaign.finish()
    finally:
        campaign.close()
    return {
        "kills": killed,
        "ended_before": number - killed,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "counts": dict(campaign.counts),
        "excused": list(campaign.excused),
        "promises": campaign.promises,
        "notes": campaign.notes[:50],
    }


def _kill(campaign: Campaign, number: int, rng: random.Random) -> bool:
    """Whether the command was killed; otherwise it had ended before."""
    campaign.before(number)
    process = campaign.start(number)
    campaign.wait(process, rng)
    ended = process.wait(0) is not None
    campaign.kill(process)
    return not ended and process.wait(0) == -9


def added(before: Mapping[str, Any] | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """What was found, with what an earlier part of the campaign had found."""
    if before is None:
        return dict(found)
    sums = {name: before[name] + found[name] for name in ("kills", "ended_before", "notes")}
    sums["minutes"] = round(before["minutes"] + found["minutes"], 1)
    sums["counts"] = {name: before["counts"].get(name, 0) + count for name, count in found["counts"].items()}
    return {**found, **sums}


def show(results: Mapping[str, Any]) -> None:
    """The table of promises."""
    print(f"\n{'':12}{'kills':>6}" + "".join(f"{column:>12}" for column in COLUMNS))
    for name, found in results.items():
        cells = "".join(f"{found['counts'].get(column, '–'):>12}" for column in COLUMNS)
        excused = ", ".join(f"{found['counts'][what]} {what}" for what in found["excused"])
        print(f"{name:12}{found['kills']:>6}{cells}  {excused}".rstrip())
        for note in found["notes"][:5]:
            print(f"    {note}")


def broken(found: Mapping[str, Any]) -> int:
    """How often a promise was broken."""
    return sum(count for promise, count in found["counts"].items() if promise not in found["excused"])


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def main() -> int:
    """Run the campaigns that have not made all their kills yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=240, help="of all campaigns together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("torture"), help="a folder for what the commands write")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures [default: OUT/torture.json]")
    parser.add_argument("--again", action="store_true", help="begin anew")
    parser.add_argument("--campaign", action="append", help="only these")
    parser.add_argument("--minutes", type=float, default=60, help="of a campaign, after which it kills no more")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.json or options.out / "torture.json"
    content: dict[str, Any] = {"seed": options.seed, "campaigns": {}}
    if target.exists() and not options.again:
        content = json.loads(target.read_text())
    total = sum(each.share for each in campaigns())
    for each in campaigns():
        before = content["campaigns"].get(each.name)
        kills = max(1, round(options.kills * each.share / total)) - (before["kills"] if before else 0)
        if kills <= 0 or (options.campaign and each.name not in options.campaign):
            continue
        folder = (options.out / each.name.replace(" ", "")).resolve()
        shutil.rmtree(folder, ignore_errors=True)
        rng = random.Random(f"{options.seed} {each.name} {before['kills'] if before else 0}")
        found = torture(each(folder), kills, rng, options.minutes)
        content["campaigns"][each.name] = {**added(before, found), "commit": _commit()}
        content["kills"] = sum(each["kills"] for each in content["campaigns"].values())
        content["broken"] = sum(map(broken, content["campaigns"].values()))
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    show(content["campaigns"])
    print(f"\n{content['kills']} kills, seed {content['seed']}: {content['broken']} broken promises")
    return 1 if content["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
