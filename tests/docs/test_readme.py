"""The README is short, and its figures are those of the files under benchmarks/."""

import json
from statistics import mean, stdev

import pytest
from doc_blocks import ROOT

README = (ROOT / "README.md").read_text("utf-8")
BENCHMARKS = ROOT / "benchmarks"
MOST_WORDS = 1000


def read(name: str) -> dict:
    return json.loads((BENCHMARKS / name).read_text())


def groups(name: str) -> dict[str, dict]:
    return {group["model"]: group for section in read(name)["sections"] for group in section["groups"]}


def int8(*prefixes: str) -> list[float]:
    rows = read("convert/conversions.json")["rows"]
    return [row["macro_f1"] for row in rows if row["model"].startswith(prefixes)]


def row(first: str) -> list[str]:
    lines = [line for line in README.splitlines() if line.startswith(f"| {first}")]
    assert len(lines) == 1, first
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


def spread(values: list[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values):.3f}"


def test_is_short():
    assert len(README.split()) <= MOST_WORDS


@pytest.mark.parametrize(
    ("first", "prefixes", "report"),
    [
        ("HAPT", ("official-",), "hapt-official/report.json"),
        ("MotionSense", ("ms-0", "ms-1", "ms-2"), "motionsense/report.json"),
    ],
)
def test_figures_of_the_official_splits(first: str, prefixes: tuple[str, ...], report: str):
    cells, student = row(first), groups(report)["deseptr_d48_h1"]
    assert int(cells[2]) == len(student["seeds"]) == len(int8(*prefixes))
    assert cells[3] == spread(int8(*prefixes))
    assert cells[4] == spread(student["float"]["macro_f1"]["values"])


def test_figures_of_the_arena_folds():
    cells = row("the same")
    assert len(int8("ms-arena")) == 10
    assert cells[3] == f"{mean(int8('ms-arena')):.3f}"
    over_folds = groups("motionsense-arena/report.json")["deseptr_d48_h1"]["float"]["over_folds"]
    assert cells[4] == f"{over_folds['mean']:.3f}"


def test_figures_of_the_teachers():
    hapt = groups("hapt-official/report.json")["resnet18_w32"]["float"]["macro_f1"]["mean"]
    assert row("HAPT")[5] == f"{hapt:.3f}"
    assert row("MotionSense")[5] == f"{read('motionsense/train.json')['teacher']['macro_f1']:.3f} (seed 0)"


def test_interval_of_the_official_split():
    interval = groups("hapt-official/report.json")["deseptr_d48_h1"]["int8"]["interval"]
    assert round(100 * (interval["high"] - interval["low"]) / 2) == 2
    assert "about two points either way" in " ".join(README.split())


def test_figures_of_the_packaged_model():
    converted, student = read("motionsense/convert.json"), read("motionsense/train.json")["student"]
    text = " ".join(README.split())
    assert f"{student['parameters']:,} parameters, {converted['bytes'] / 1024:.0f} KB" in text
    for figures in (read("motionsense/evaluate_int8.json"), read("motionsense/evaluate_float.json")):
        assert f"macro-F1 {figures['macro_f1']:.3f} in int8 and in float" in text
    assert f"the same class on {converted['agreement']:.2%}".replace("%", " %") in text
    assert f"the {converted['windows']:,} test windows" in text
