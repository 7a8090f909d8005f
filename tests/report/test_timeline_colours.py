"""Classes beyond the eighth have an earlier one's colour, hatched or dashed."""

import numpy as np

from deseptr.data import Recording
from deseptr.data.label_page.colours import LABELS
from deseptr.evaluate.continuous.playing import Played
from deseptr.evaluate.continuous.track import Track
from deseptr.report.html.colours import class_colour, is_repeated, line_colour
from deseptr.report.html.timeline import legend, timeline

NAMES = tuple(f"<{number}>" for number in range(9))


def test_colours_come_again():
    assert [class_colour(index) for index in (-1, 0, 7, 8)] == ["#c9d1da", "#E69F00", "#51606F", "#E69F00"]
    assert [is_repeated(index) for index in (-1, 7, 8)] == [False, False, True]
    assert {line_colour(index) for index in range(7)} == {*LABELS} - {"#F0E442"}
    assert (line_colour(0), line_colour(7)) == ("#0072B2", "#0072B2")


def test_the_ninth_class_is_hatched_in_the_legend():
    made = legend(NAMES)
    assert made.startswith(
        '<svg width="0" height="0" aria-hidden="true"><defs>'
        '<pattern id="class-8" width="1" height="4" patternUnits="userSpaceOnUse">'
        '<rect width="1" height="3" fill="#E69F00"/></pattern></defs></svg><p class="legend">'
    )
    assert '<i style="background:#51606F"></i>&lt;7&gt;</span>' in made
    stripes = "repeating-linear-gradient(#E69F00 0 3px,var(--paper) 3px 4px)"
    assert f'<i style="background:{stripes}"></i>&lt;8&gt;</span>' in made
    assert made.endswith('<i style="background:var(--faint)"></i>unlabelled or unknown</span></p>')
    assert "<svg" not in legend(NAMES[:8])


def test_the_ninth_class_is_hatched_and_its_probability_dashed():
    truth = np.full(20, 8, np.int16)
    recording = Recording(np.zeros((20, 3), np.float32), 10.0, "ada", truth, channels=("acc_x", "acc_y", "acc_z"))
    certain = np.eye(9, dtype=np.float32)[[8, 0]]
    played = Played(0, recording, truth, np.array([0.5, 1.5]), certain, (None,) * 2, NAMES, 1.0)
    page = timeline(played, Track("ada", truth, np.zeros(20, int), 10.0), NAMES, "t")
    assert '<rect x="0.00" y="0" width="2.00" height="16" fill="url(#class-8)"><title>truth: &lt;8&gt;' in page
    assert '<rect x="0.00" y="20" width="2.00" height="16" fill="#E69F00"><title>label: &lt;0&gt;' in page
    assert '<path d="M0.50 90V40.0H1.50V90" stroke="#E69F00" stroke-dasharray="6 2"/>' in page
    assert '<path d="M1.50 90V40.0H2.50V90" stroke="#E69F00"/>' in page
