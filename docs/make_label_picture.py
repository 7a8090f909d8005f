"""Write ``docs/images/label-page.png``: the page of ``deseptr data label``, with the recordings of the package.

``make label-picture`` runs it. It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from deseptr.data import Recording, load_sample
from deseptr.data.label_page import LabelServer, LabelStore

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "label-page.png"


def main() -> None:
    """Label some of the sample as a person does, and take a picture."""
    sys.path.insert(0, str(ROOT / "tests"))
    from label_person import Person, chromium

    sample = load_sample()
    parts = [recording.signals[:750] for recording in sample.recordings[:4]]
    signals = np.concatenate(parts)
    rate_hz = sample.recordings[0].rate_hz
    day = Recording(signals, rate_hz, "ada", np.full(len(signals), -1, np.int16))
    dataset = replace(sample, recordings=(day,), label_names=(), name="ada", test_subjects=())
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = LabelServer(LabelStore(dataset, Path(folder) / "ada.labelled.npz"))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        person = Person(page, server.url)
        for number, label in enumerate([r.labels[0] for r in sample.recordings[:3]]):
            person.label(750 * number + 30, 750 * (number + 1) - 60, sample.label_names[label])
        person.save()
        person.drag(2270, 2700)
        person.wait_for_picture()
        page.screenshot(path=PICTURE)
        page.close()
        server.close()
        thread.join()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
