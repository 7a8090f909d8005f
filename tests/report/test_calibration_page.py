"""The page of a calibration: both reliabilities and their bins."""

from self_contained import check_page

from deseptr.report.calibration_page import calibration_page

EMPTY = {"windows": 0, "confidence": None, "accuracy": None}


def step(ece: float, confidence: float) -> dict[str, object]:
    return {"ece": ece, "mce": 0.3, "bins": [EMPTY, {"windows": 9, "confidence": confidence, "accuracy": 0.75}]}


def test_both_reliabilities_are_drawn_and_their_bins_can_be_saved():
    steps = {"before": step(0.05, 0.9), "after": step(0.01, 0.76)}
    page = calibration_page(
        {"model": "m.tflite", "temperature": 1.5, "sure": True, "windows": 9, "subjects": list("abcde"), **steps}
    )
    check_page(page)
    assert "<h1>m.tflite, calibrated</h1>" in page
    assert '<tr><th scope="row">after</th><td class="n">0.0100</td><td class="n">0.3000</td></tr>' in page
    assert page.count("<svg") == 2
    assert 'download="before-ece-0-0500.csv" href="data:text/csv;charset=utf-8,windows,confidence,accuracy' in page
    assert "accuracy%0D%0A9,0.76,0.75%0D%0A" in page
