"""What a fit on the page of a run costs the run's loop: time from read to label while it is computed, and otherwise.

A part of `live_page_cost.py`. A wearer with the largest file and a new label, whose fit takes longest, records three
seconds again and again: `device run` computes the correction for all of them each time, with every part held out once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from personalise_cost import file_of, seen_by
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from deseptr.device import default_model
from deseptr.device.personal.wearer_file import MOST_WINDOWS
from deseptr.tflite import load_engine

# Windows of the takes that are added.
_ROOM = 100
_WISH = {"wearer": "eve", "prepare": 1, "steps": [["walking", 3]], "keep": False}
# At other times the take is checked, or a message is on its way.
_AT_REST = ("nobody", "ready", "countdown", "recording")
_WARM_S, _QUIET_S = 2.0, 8.0


def measure_fits(folder: Path, seconds: int, hop: float) -> dict[str, Any]:
    """Figures of one run.

    Args:
        folder: an empty one.
        seconds: length of the run.
        hop: seconds between labels.
    """
    plain = load_engine(default_model())
    windows = MOST_WINDOWS - _ROOM
    file_of(plain, seen_by(plain), windows, 1).save(folder / "eve.deseptr")
    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--simulate", "--speed", "realtime", "--json"]
    command += ["--hop", str(hop), "--seconds", str(seconds), "--web", "127.0.0.1:0"]
    command += ["--web-token-file", str(folder / "token"), "--web-wearers", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        operator = _Operator(run.stderr.readline().split()[1])
        threading.Thread(target=operator.go_on, daemon=True).start()
        latencies: dict[str, list[float]] = {"fitting": [], "rest": []}
        gaps = 0
        for line in run.stdout:
            event = json.loads(line)
            gaps += "gap" in event
            phase = "rest" if operator.phase in _AT_REST else operator.phase
            if "latency_us" in event and phase in latencies:
                latencies[phase].append(event["latency_us"])
    during, rest = (_percentiles(latencies[phase]) for phase in ("fitting", "rest"))
    return {
        "hop_s": hop,
        "seconds": seconds,
        "windows": windows,
        "fits": len(operator.fits_s),
        "fit_s": round(float(np.median(operator.fits_s)), 2),
        "during": during,
        "rest": rest,
        "p99_ratio": round(during["read_to_label_us"]["p99"] / rest["read_to_label_us"]["p99"], 3),
        "gaps": gaps,
    }


def _percentiles(latencies: list[float]) -> dict[str, Any]:
    p50, p99 = np.percentile(latencies, (50, 99))
    return {"labels": len(latencies), "read_to_label_us": {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}}


class _Operator:
    """Somebody who personalises on the page without a pause.

    Args:
        url: of the page.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._origin = url.rstrip("/").rpartition("/")[0]
        self.phase = "starting"
        self.fits_s: list[float] = []
        self._begun = 0.0

    def go_on(self) -> None:
        """Record, keep, and record again, until the run is over."""
        time.sleep(_WARM_S)
        self.phase = "nobody"
        time.sleep(_QUIET_S)
        try:
            with connect(self._url.replace("http", "ws") + "live", origin=self._origin, proxy=None) as page:
                while True:
                    self._session(page)
        except (OSError, ConnectionClosed):
            self.phase = "over"

    def _session(self, page: ClientConnection) -> None:
        key = self._ask("begin", _WISH)["operator"]
        usable = False
        while self.phase not in ("done", "refused"):
            # A take may cross the end of a recording, and is then repeated.
            self._ask("act", {"operator": key, "do": "keep" if usable else "start"})
            usable = self._wait(page)
        self._ask("act", {"operator": key, "do": "cancel"})
        self.phase = "nobody"

    def _wait(self, page: ClientConnection) -> bool:
        """Wait until there is something to do; whether a take can be kept."""
        before = self.phase
        while True:
            message = json.loads(page.recv(30))
            session = message.get("session") if message["kind"] == "personal" else None
            if session is None or session["phase"] == before:
                continue
            before = "other"
            self._enter(session["phase"])
            if self.phase in ("checked", "done", "refused"):
                return session["check"] is not None and session["check"]["usable"]

    def _enter(self, phase: str) -> None:
        if phase == self.phase:
            return
        now = time.monotonic()
        if phase == "fitting":
            self._begun = now
        elif self.phase == "fitting":
            self.fits_s.append(now - self._begun)
        self.phase = phase

    def _ask(self, what: str, content: Mapping[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        request = urllib.request.Request(f"{self._url}personal/{what}", json.dumps(content).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
