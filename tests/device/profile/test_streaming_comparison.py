from deseptr.device import default_model
from deseptr.device.profile.extras import streaming_extra
from deseptr.report.profile_tables import streaming_table
from deseptr.tflite import at_hop, load_engine

ENGINE = load_engine(default_model())


def test_columns_are_compared_with_whole_windows_where_a_run_uses_them():
    extra = streaming_extra(at_hop(ENGINE, 0.32))["streaming"]
    found = extra.measure()
    assert (found["columns"], found["new_columns"]) == (6, 1)
    for name in ("whole", "streamed"):
        assert 0 < found[name]["p50_us"] <= found[name]["p95_us"] <= found[name]["p99_us"]
        # 11,250 windows an hour.
        assert abs(found[name]["s_per_hour"] - found[name]["p50_us"] * 0.01125) < 0.001
    assert found["ratio"] > 0


def test_nothing_is_compared_where_a_run_takes_whole_windows():
    assert streaming_extra(ENGINE) == {}


def test_rows_of_the_comparison():
    spread = {"p50_us": 1000.0, "p95_us": 1100.0, "p99_us": 1200.0, "s_per_hour": 11.25}
    found = {
        "columns": 6,
        "new_columns": 1,
        "ratio": 0.4,
        "whole": spread,
        "streamed": {"p50_us": 400.0, "p95_us": 410.0, "p99_us": 420.0, "s_per_hour": 4.5},
    }
    head, rows = streaming_table({"streaming": found, "emulated": False})
    assert head == ["a window", "p50 µs", "p95 µs", "p99 µs", "s/hour", "ratio"]
    assert rows == [
        ["whole", "1,000.0", "1,100.0", "1,200.0", "11.25", "1.00"],
        ["columns, 1 of 6 new", "400.0", "410.0", "420.0", "4.50", "0.40"],
    ]
    assert streaming_table({"streaming": None, "emulated": False})[1] == []
