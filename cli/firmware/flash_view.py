"""Display of flashing: a progress bar for the upload, then the plan or the outcome."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from deseptr.cli.common.messages import suggest
from deseptr.cli.common.remote_text import show
from deseptr.contract.counts import counted
from deseptr.contract.visible_text import visible

if TYPE_CHECKING:
    from deseptr.firmware_harness.deploy import FlashRequest, Plan


class UploadBar:
    """Progress of the upload: a bar on a terminal, a line for each tenth elsewhere; use as a context manager.

    Args:
        console: output; stderr by default, because stdout is for results.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("sending"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: Any = None
        self._tenth = -1

    def __enter__(self) -> UploadBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def step(self, line: str) -> None:
        """Print the step that begins."""
        self._bar.stop()
        self.console.print(f"{visible(line)} …", highlight=False, markup=False)

    def show(self, done: int, size: int) -> None:
        """Show how many bytes of the bundle are sent."""
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("", total=size)
            if done:
                self.console.print(f"{done / size:.0%} was sent by an earlier attempt", highlight=False)
        self._bar.update(self._task, completed=done)
        tenth = 10 * done // max(size, 1)
        if not self.console.is_terminal and tenth > self._tenth:
            self.console.print(f"sent {tenth * 10} % of {size / 1e6:.1f} MB", highlight=False)
            self._tenth = tenth


def show_plan(plan: Plan, request: FlashRequest) -> None:
    """Print the plan of a dry run."""
    facts = plan.board
    running = facts["current"] or "nothing"
    rows = [
        ("board", f"{facts['board'] or 'unknown'}, {facts['os'] or 'unknown system'}"),
        ("wheels for", str(plan.target)),
        ("I2C", ", ".join(f"bus {entry['bus']}" for entry in facts["i2c"]) or "none"),
        ("free", f"{facts['free_bytes'] / 1e9:.1f} GB"),
        ("into", f"{plan.prefix}{' with sudo' if plan.sudo else ''}"),
        ("service", plan.service),
        ("runs now", running),
        ("bundle", _describe_bundle(request)),
        ("then", f"doctor, labels, service up for {request.settle:g} s; otherwise back to {running}"),
    ]
    for name, text in rows:
        show(f"{name:<11}{text}")
    for note in plan.notes:
        show(f"{'note':<11}{note}")
    show("nothing was changed")


def show_flashed(plan: Plan, result: dict[str, Any]) -> None:
    """Print the release that runs now."""
    seen = result["seen"]
    trial = f"{counted(seen['windows'], 'label')} in its trial, last {seen['label']}"
    show(f"{plan.destination}: {result['release']} runs ({trial})")
    show_page(plan.destination, result.get("page"))
    if result["removed"]:
        show(f"removed {', '.join(result['removed'])}")
    suggest("firmware", "status", plan.destination)


def show_page(destination: str, page: str | None) -> None:
    """Print where the page of a service is, and how another machine reaches one that is the board's own."""
    if page is None:
        return
    show(f"page: {page}")
    where = urlsplit(page)
    if where.hostname in ("127.0.0.1", "localhost", "::1"):
        show(f"it is the board's own: first `ssh -L {where.port}:{where.netloc} {destination}`")


def show_status(destination: str, found: dict[str, Any]) -> None:
    """Print the state of a board."""
    board = found["board"]
    rows = [
        ("service", f"{found['service']} ({found['service_kind']})" if found["service_kind"] else "not installed"),
        *([("says", found["says"])] if found.get("says") else []),
        ("current", found["current"] or "none"),
        ("good", ", ".join(found["good"]) or "none"),
        *([("on trial", _trial(found))] if found["trial"] else []),
        *((f"bad {name}", why) for name, why in found["bad"].items()),
        ("signed", "only bundles of a trusted key" if found["signed_only"] else "not required"),
        ("board", f"{board['board'] or board['machine']}, {board['os'] or 'unknown system'}"),
        ("prefix", found["prefix"]),
    ]
    width = max(len(name) for name, _ in rows) + 2
    for name, text in rows:
        show(f"{name:<{width}}{text}")
    show_page(destination, found.get("page"))


def _trial(found: dict[str, Any]) -> str:
    ends = "; interrupted, ended by the next start of the service or flash" if found["interrupted"] else ""
    return f"{found['trial']}{ends}"


def _describe_bundle(request: FlashRequest) -> str:
    from deseptr.firmware_harness.deploy import BundleRequest

    if not isinstance(request.bundle, BundleRequest):
        return str(request.bundle)
    return f"{request.bundle.model.name} with deseptr and its wheels, build {request.bundle.build}"
