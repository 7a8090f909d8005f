"""Write ``docs/images/confused-windows.png``: windows that the packaged model confuses on the recorded wearer.

``make confusion-picture`` runs it. It needs Chromium, as the tests of the pages do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "confused-windows.png"


def main() -> None:
    """Evaluate the packaged model, open the cell with the most windows, and take a picture of the matrix and them."""
    sys.path.insert(0, str(ROOT / "tests"))
    from label_person import chromium

    from deseptr.device import default_model

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page_file = Path(folder) / "page.html"
        command = [sys.executable, "-m", "deseptr.cli", "evaluate", str(default_model()), "sample"]
        subprocess.run([*command, "-o", str(page_file)], check=True, stdout=subprocess.DEVNULL)
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.goto(page_file.as_uri())
        # Groups are in the order of their windows.
        largest = page.locator(".confused").first.get_attribute("id")
        page.locator(f'a[href="#{largest}"]').click()
        page.locator(".confusion").screenshot(path=PICTURE)
        page.close()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
