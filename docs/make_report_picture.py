"""Write ``docs/report.png``: the page of ``deseptr demo`` down to its confusion matrices.

``make report-picture`` runs it on ``demo/report.html``. It needs Chromium, as the tests of the pages do.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "report.png"
_WIDTH, _MARGIN = 1280, 24


def main() -> None:
    """Take a picture of the page that is named, or of the demo's."""
    sys.path.insert(0, str(ROOT / "tests"))
    from label_person import chromium

    page = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "demo" / "report.html"
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": _WIDTH, "height": 900})
        tab.goto(page.resolve().as_uri())
        last = tab.locator("#confusion").bounding_box()
        assert last is not None
        height = last["y"] + last["height"] + _MARGIN
        tab.screenshot(path=PICTURE, full_page=True, clip={"x": 0, "y": 0, "width": _WIDTH, "height": height})
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
