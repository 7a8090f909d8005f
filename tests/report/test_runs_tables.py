"""The tables of `deseptr report`, cell by cell, from figures written here by hand."""

import re
from typing import Any

import pytest

from deseptr.report.runs_page import report_page
from deseptr.report.runs_tables import (
    classes_table,
    confusion_table,
    description,
    interval_text,
    kinds,
    markdown,
    models_table,
    origins_table,
    reliability_table,
    si,
    subjects_table,
    title,
)


def figures(mean: float, std: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "macro_f1": {"mean": mean, "std": std},
        "interval": {"low": mean - 0.0321, "high": mean + 0.0123, "level": 0.95},
        "over_folds": None,
        "accuracy": {"mean": 0.9, "std": std},
        "ece": 0.0456,
        "per_class_f1": {"sit": 0.75, "walk": None},
        "per_subject_f1": {"ada": 0.5, "eve": 0.25},
        "confusion": [[12, 3], [4, 56]],
        "reliability": [
            {"windows": 0, "confidence": None, "accuracy": None},
            {"windows": 75, "confidence": 0.8125, "accuracy": 0.9},
        ],
        **changes,
    }


def group(label: str, **changes: Any) -> dict[str, Any]:
    return {
        "label": label,
        "best": False,
        "seeds": [0],
        "parameters": 1234567,
        "macs": None,
        "minutes": None,
        "windows_per_s": 1305.4,
        "float": figures(0.8, None),
        "runs": [{"path": f"runs/{label}", "seed": 0, "command": None, "commits": []}],
        **changes,
    }


@pytest.fixture
def section() -> dict[str, Any]:
    runs = [
        {"path": "runs/0", "seed": 0, "command": "deseptr train a.csv", "commits": ["abc123", "def456+"]},
        {"path": "runs/7", "seed": 7, "command": None, "commits": []},
    ]
    ours = group(
        "ours",
        best=True,
        seeds=[0, 7],
        parameters=59804,
        macs=4_712_345,
        minutes=12.345,
        float=figures(0.9612, 0.0034),
        int8=figures(0.955, 0.002, reliability=None),
        runs=runs,
    )
    return {
        "dataset": "hapt",
        "protocol": "held-out subjects",
        "folds": {"test": ["ada", "cem", "dora", "eve", "fay"]},
        "subjects": ["ada", "bob", "cem", "dora", "eve", "fay"],
        "windows": 2996,
        "window_s": 2.56,
        "overlap": 0.5,
        "labels": ["sit", "walk"],
        "groups": [ours, group("other")],
    }


def test_models(section: dict[str, Any]):
    assert models_table(section) == (
        [
            "model",
            "seed",
            "parameters",
            "MACs",
            "macro-F1 float",
            "95 % interval",
            "macro-F1 int8",
            "95 % interval",
            "accuracy",
            "ECE",
            "minutes",
            "windows/s",
        ],
        [
            [
                "★ ours",
                "0, 7",
                "59,804",
                "4.71 M",
                "0.961 ± 0.003",
                "0.929–0.974",
                "0.955 ± 0.002",
                "0.923–0.967",
                "0.900 ± 0.003",
                "0.046",
                "12.3",
                "1,305",
            ],
            ["other", "0", "1,234,567", "–", "0.800", "0.768–0.812", "–", "–", "0.900", "0.046", "–", "1,305"],
        ],
    )


def test_models_of_a_crossval_have_the_mean_of_folds(section: dict[str, Any]):
    section["groups"][1]["float"]["over_folds"] = {"mean": 0.7891, "std": 0.0456}
    head, (ours, other) = models_table(section)
    assert head[8:10] == ["mean of folds", "accuracy"]
    assert (ours[8], other[8]) == ("–", "0.789 ± 0.046")


def test_without_int8_there_is_no_column_of_it(section: dict[str, Any]):
    del section["groups"][0]["int8"]
    assert kinds(section) == ["float"]
    head, rows = models_table(section)
    assert head[4:7] == ["macro-F1 float", "95 % interval", "accuracy"]
    assert rows[1][4:7] == ["0.800", "0.768–0.812", "0.900"]


def test_classes_and_subjects_are_of_the_float_model(section: dict[str, Any]):
    section["groups"][0]["int8"]["per_class_f1"] = {"sit": 0.1, "walk": 0.1}
    section["groups"][0]["float"]["per_subject_f1"] = {"ada": 0.125, "eve": None}
    assert classes_table(section) == (
        ["float", "sit", "walk"],
        [["ours", "0.750", "–"], ["other", "0.750", "–"]],
    )
    assert subjects_table(section) == (
        ["float", "ada", "eve"],
        [["ours", "0.125", "–"], ["other", "0.500", "0.250"]],
    )


def test_confusion_has_the_true_classes_down(section: dict[str, Any]):
    assert confusion_table(section, section["groups"][0], "float") == (
        ["true \\ predicted", "sit", "walk"],
        [["sit", "12", "3"], ["walk", "4", "56"]],
    )


def test_reliability_leaves_empty_bins_out(section: dict[str, Any]):
    ours = section["groups"][0]
    assert reliability_table(ours, "float") == (["windows", "confidence", "accuracy"], [["75", "0.812", "0.900"]])
    assert reliability_table(ours, "int8")[1] == []


def test_origins(section: dict[str, Any]):
    assert origins_table(section) == (
        ["model", "seed", "run", "commit", "command"],
        [
            ["ours", "0", "runs/0", "abc123, def456+", "deseptr train a.csv"],
            ["ours", "7", "runs/7", "–", "–"],
            ["other", "0", "runs/other", "–", "–"],
        ],
    )


def test_an_interval_over_few_people_is_marked(section: dict[str, Any]):
    section["folds"] = {"0": ["ada", "cem"], "1": ["dora", "eve"]}
    assert models_table(section)[1][0][5] == "0.929–0.974 †"
    assert description(section).endswith(
        "† An interval over fewer than five people says next to nothing: others may be unlike all of them."
    )
    assert (
        models_table({**section, "folds": {"0": ["ada", "cem", "fay"], "1": ["dora", "eve"]}})[1][0][5] == "0.929–0.974"
    )


def test_title_and_description_of_held_out_subjects(section: dict[str, Any]):
    assert title(section) == "hapt: held out ada, cem, dora, eve, fay"
    assert description(section) == (
        "2,996 test windows of 2.56 s, 50% overlapping, of 5 of 6 subjects; 2 classes: sit, walk."
    )


def test_title_and_description_of_a_crossval(section: dict[str, Any]):
    section |= {"protocol": "arena", "folds": {"0": ["ada"], "1": ["eve"], "2": ["bob"]}}
    assert title(section) == "hapt: arena, 3 subjects in turn"
    assert description(section).startswith("3 folds, 2,996 test windows of 2.56 s, 50% overlapping, of 3 of 6 subjects")


@pytest.mark.parametrize(
    ("count", "text"), [(None, "–"), (1499, "1 k"), (7304, "7 k"), (999_999, "1000 k"), (1_000_000, "1.00 M")]
)
def test_counts(count: int | None, text: str):
    assert si(count) == text


def test_an_unknown_interval_is_a_dash():
    assert interval_text(None) == "–"
    assert interval_text({"low": 0.9349, "high": 0.97951}) == "0.935–0.980"


def test_markdown_has_the_tables_in_order(section: dict[str, Any]):
    page = markdown({"sections": [section], "left_out": ["runs/begun", "runs/lost"]})
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == [
        "# Runs compared",
        "## hapt: held out ada, cem, dora, eve, fay",
        "### What made them",
        "### F1 of each class",
        "### Macro-F1 of each subject",
        "### ours, float: confusion",
        "### ours, float: reliability",
        "### ours, int8: confusion",
        "### other, float: confusion",
        "### other, float: reliability",
    ]
    assert "| ours | 7 | runs/7 | – | – |\n" in page
    assert "| sit | 12 | 3 |\n" in page
    assert "| 75 | 0.812 | 0.900 |\n" in page
    assert page.endswith("Left out because incomplete: runs/begun, runs/lost\n")
    assert "Left out" not in markdown({"sections": [section], "left_out": []})


def test_page_has_a_figure_for_everything_that_is_known(section: dict[str, Any]):
    section["groups"][1] |= {"best": False, "teacher": True}
    section["groups"][0] |= {"teacher": False}
    history = [{"stage": "student", "epoch": epoch, "loss": 1.0, "val_macro_f1": 0.5} for epoch in (1, 2)]
    for group in section["groups"]:
        for run in group["runs"]:
            run["histories"] = {"0": [], "1": []}
    section["groups"][0]["runs"][0]["histories"] = {"0": history, "1": history}
    section["groups"][0]["runs"][1]["histories"] = {"0": history}
    page = report_page({"sections": [section], "left_out": ["runs/begun"]})
    assert "<h2>hapt: held out ada, cem, dora, eve, fay</h2>" in page
    assert "<caption>★ highest macro-F1 in float</caption>" in page
    assert "<h2>Left out because incomplete</h2>" in page
    assert "<p>runs/begun</p>" in page

    captions = [re.sub(" <a .*", "", each) for each in re.findall("<figcaption>(.*?)</figcaption>", page)]
    interval = "Bars: 95 % interval over test subjects, where known."
    # Parameters are known of both, multiply-accumulates of one, which is no comparison.
    assert captions == [
        interval,
        "ours; dashed: mean; lowest: wearer eve, 0.250",
        "other; dashed: mean; lowest: wearer eve, 0.250",
        "ours, float: ECE 0.046",
        "other, float: ECE 0.046",
        "ours, seed 0, 2 folds",
        "ours, seed 7",
    ]
    assert ">multiply-accumulates of a window<" not in page
    assert page.count("wearer,macro-F1%0D%0Aeve,0.2500%0D%0Aada,0.5000%0D%0A") == 2
    tables = re.findall("<caption>(.*?): windows, and their share of the true class</caption>", page)
    assert tables == ["ours, float, 2 seeds pooled", "ours, int8, 2 seeds pooled", "other, float"]
    assert '<p class="answer">Of 2 models, ours has the highest macro-F1, 0.961 ± 0.003 over seeds' in page
    other = {**section["groups"][1], "parameters": 0, "float": figures(0.8, None, reliability=None)}
    alone = {**section, "groups": [other]}
    bare = report_page({"sections": [alone], "left_out": []})
    assert "★" not in bare.partition("<section>")[2].partition("What made them")[0]
    assert not any(part in bare for part in ("Left out", "<h3>Reliability", "Learning curves", interval))


def test_points_with_a_long_label_are_numbered(section: dict[str, Any]):
    section["groups"] = [group("a" * 24, teacher=False), group("b", teacher=True)]
    for each in section["groups"]:
        each["runs"][0]["histories"] = {}
    assert f">{'a' * 24}</text>" in report_page({"sections": [section], "left_out": []})
    section["groups"][0]["label"] += "a"
    page = report_page({"sections": [section], "left_out": []})
    assert f"<figcaption>1: {'a' * 25}. 2: b. Bars: 95 % interval over test subjects, where known.</figcaption>" in page
    assert f">{'a' * 25}</text>" not in page
    assert ">1</text>" in page
