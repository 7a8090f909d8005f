"""``deseptr data label``: give recordings their labels afterwards, on a page in the browser."""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

import click

from deseptr.contract.counts import counted
from deseptr.contract.visible_text import visible

from .common.grouped import GroupedCommand
from .common.messages import suggest_training
from .common.numbers import whole
from .common.options import READING_GROUP, load, print_notes, reading_options

if TYPE_CHECKING:
    from deseptr.data.label_page import LabelStore


@click.command(
    cls=GroupedCommand,
    groups={"Page": ("out", "port", "no_browser"), **READING_GROUP},
    short_help="Label recordings on a page in the browser.",
    epilog="Example: deseptr data label walk.csv",
    help="""Show the signals of FILE on a page in the browser, to select stretches and name them.

    FILE is a .npz or .csv file, or anything else that holds recordings; it is not changed. Labels are saved with the
    signals to FILE.labelled.npz, or to OUT. If that exists, its labels are gone on with. What is not saved yet is kept
    beside it, and is there again at the next start.

    The page is served to this machine alone, until Ctrl-C.
    """,
)
@click.argument("source", metavar="FILE", type=click.Path(exists=True))
@click.option("-o", "--output", "out", type=click.Path(dir_okay=False), help="A .npz or .csv file; may be FILE itself.")
@reading_options
@click.option("--port", type=whole(0, 65535), default=0, help="Where to serve the page. [default: any free port]")
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
def label(source: str, out: str | None, reading: dict[str, str], port: int, no_browser: bool) -> None:
    """Serve the page until Ctrl-C."""
    from deseptr.data.label_page import LabelServer, LabelStore, labelled_path

    dataset = load(source, reading)
    print_notes(dataset)
    store = LabelStore(dataset, out or labelled_path(source))
    server = LabelServer(store, port)
    if store.continues:
        click.echo(f"{visible(str(store.out))}: its labels are gone on with")
    if store.unsaved:
        click.echo(f"{visible(str(store.unsaved_path))}: labels that were not saved are on the page again")
    click.echo(f"{visible(store.dataset.name)}: {server.url} until Ctrl-C; saves to {visible(str(store.out))}")
    if not no_browser and _has_screen():
        # Some browsers do not return until they are closed.
        threading.Thread(target=webbrowser.open, args=(server.opening_url(),), daemon=True).start()
    # A service manager or a closed terminal ends it in another way than Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        _print_end(server.close())


def _has_screen() -> bool:
    """Whether a browser with windows can open; one of text would take the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _print_end(store: LabelStore) -> None:
    out = visible(str(store.out))
    saved = store.saved
    if saved:
        segments = counted(saved.segments, "segment")
        click.echo(f"\n{out}: {segments}, {saved.unlabelled_s / 60:.1f} min unlabelled")
        if not store.unsaved:
            suggest_training(str(store.out))
    if store.unsaved:
        click.echo(f"{visible(str(store.unsaved_path))}: what was not saved, for the next start with the same FILE")
    elif not saved:
        click.echo("\nnothing was saved")
