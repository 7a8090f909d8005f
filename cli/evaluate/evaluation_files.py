"""The page of ``deseptr evaluate`` and ``deseptr device evaluate`` on labelled windows, with JSON and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.cli.common.options import tested_line
from deseptr.cli.common.page_origin import page_origin

from .report_files import write_report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deseptr.data import Dataset, Windows
    from deseptr.report.evaluation_page import Evaluated

FORMAT = "deseptr evaluate 1"


def evaluated(
    figures: Mapping[str, Any],
    windows: Windows,
    logits: NDArray[np.floating],
    dataset: Dataset,
    matrices: int = 1,
) -> Evaluated:
    """The figures with their interval over wearers, and the windows that were confused.

    Args:
        figures: content of ``Scores.to_dict``.
        windows: the labelled windows.
        logits: ``[window, class]``.
        dataset: the recordings that the windows were cut from.
        matrices: number of matrices on the page, which share its room for examples of confused windows.
    """
    from deseptr.contract import macro_f1_interval, subject_confusions
    from deseptr.evaluate.confused_windows import ALL_EXAMPLES, Origin, confused_windows
    from deseptr.report.evaluation_page import Evaluated

    given, classes = logits.argmax(axis=1), len(figures["labels"])
    interval = macro_f1_interval(subject_confusions(windows.labels, given, windows.subjects, classes))
    origin, limit = Origin(windows, dataset), ALL_EXAMPLES // matrices
    confused = confused_windows(windows.labels, logits, windows.subjects, origin, limit=limit)
    return Evaluated({**figures, "macro_f1_interval": interval and interval._asdict()}, confused)


def write_evaluation(page: Path, content: dict[str, Any], parts: Mapping[str, Evaluated], data_name: str) -> None:
    """Write the page of an evaluation on windows, its Markdown and its JSON.

    Args:
        page: the HTML file.
        content: the content of ``--json``.
        parts: what was measured, by the name of its way.
        data_name: name of the recordings.
    """
    from deseptr.report.evaluation_page import evaluation_page
    from deseptr.report.score_tables import evaluation_markdown

    tested = tested_line(content, data_name)
    title = f"{content['model']} on {data_name}"
    facts = [["model", content["model"]], ["runtime", content["runtime"]], ["recordings", content["data"]]]
    facts.append(["tested on", tested])
    if "machine" in content:
        facts.append(["machine", content["machine"]["cpu"]])
    markdown = evaluation_markdown({name: part.figures for name, part in parts.items()}, f"{title}: {tested}")
    first = next(iter(parts.values())).figures["macro_f1_interval"]
    written = {"format": FORMAT, **content, "macro_f1_interval": first}
    write_report(page, written, evaluation_page(parts, title, facts, page_origin()), markdown)
