"""Write ``docs/images/live-page.png``: the page of ``deseptr device run --web`` on the recorded wearer.

``make live-picture`` runs it. It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "live-page.png"
_RUN = ["-m", "deseptr.cli", "device", "run", "--simulate", "--speed", "realtime", "--sensor", "mpu6050", "--json"]
# Of the recorded wearer: until two activities were seen.
_SECONDS = 45


def main() -> None:
    """Watch the recorded wearer in real time, and take a picture."""
    sys.path.insert(0, str(ROOT / "tests"))
    from label_person import chromium

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        token = Path(folder) / "token"
        command = [sys.executable, *_RUN, "--web", "127.0.0.1:0", "--web-token-file", str(token)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr is not None
            url = run.stderr.readline().removeprefix("page: ").strip()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(url)
            page.wait_for_selector("#link.on")
            page.select_option("#span", "60")
            page.wait_for_timeout(1000 * _SECONDS)
            page.screenshot(path=PICTURE)
            page.close()
            run.terminate()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
