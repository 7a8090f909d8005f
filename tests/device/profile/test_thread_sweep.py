import numpy as np

from deseptr.device.profile.thread_sweep import available_cores, thread_sweep
from deseptr.tflite import load_engine


def test_every_number_of_threads_is_timed_against_the_first(int8_model):
    loaded = []

    def load(threads):
        loaded.append(threads)
        return load_engine(int8_model, threads=threads)

    assert [row["threads"] for row in thread_sweep(load, rounds=3)] == [1, 2, 4]
    loaded.clear()
    rows = thread_sweep(load, (1, 2, 256), rounds=5)
    assert loaded == [row["threads"] for row in rows] == [1, 2, 256]
    assert rows[0]["speedup"] == 1
    assert [row["oversubscribed"] for row in rows] == [count > available_cores() for count in loaded]
    for row in rows:
        assert 0 < row["p50_us"] <= row["p95_us"] <= row["p99_us"]
        assert np.isclose(row["speedup"], rows[0]["p50_us"] / row["p50_us"], rtol=0.01, atol=0.001)
