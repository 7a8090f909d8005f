"""A terminal of a given size, as tmux shows it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence

TMUX = shutil.which("tmux")
_STEP_S = 0.5


def shown_in_tmux(command: Sequence[str], width: int, height: int, until: str, *, patience_s: float = 90.0) -> str:
    """What a command shows once a text is on its screen.

    Args:
        command: the command.
        width: columns.
        height: rows.
        until: the text to wait for.
        patience_s: time after which the screen is taken as it is.
    """
    assert TMUX is not None
    # A server of its own, that has no settings of whoever runs this.
    tmux = [TMUX, "-L", f"deseptr-{os.getpid()}-{width}", "-f", os.devnull]
    line = f"{shlex.join(command)}; sleep {patience_s}"
    # A size in the environment would go before the terminal's.
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**kept, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    subprocess.run([*tmux, "new-session", "-d", "-x", str(width), "-y", str(height), line], check=True, env=environment)
    try:
        end = time.monotonic() + patience_s
        text = ""
        while until not in text and time.monotonic() < end:
            time.sleep(_STEP_S)
            text = subprocess.run(
                [*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True, env=environment
            ).stdout
        return text
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, env=environment)
