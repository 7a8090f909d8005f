import threading

import pytest

from deseptr.device.sinks import BackgroundSink, Worker


class Slow:
    """A sink that waits to be let go, and keeps what it took."""

    def __init__(self):
        self.go = threading.Event()
        self.taken = []
        self.closed = False

    def take(self, event):
        self.go.wait()
        self.taken.append(event)

    def close(self):
        self.closed = True


def test_events_arrive_in_order_before_it_is_closed(window, warnings):
    slow = Slow()
    sink = BackgroundSink(slow, "csv", warnings)
    events = [window(number) for number in range(100)]
    for event in events:
        sink.take(event)
    assert slow.taken == []
    slow.go.set()
    sink.close()
    assert slow.taken == events
    assert slow.closed
    assert warnings == []


def test_full_queue_drops_and_counts_instead_of_waiting(window, warnings):
    slow = Slow()
    sink = BackgroundSink(slow, "csv", warnings, capacity=3)
    for number in range(20):
        sink.take(window(number))
    slow.go.set()
    sink.close()
    # One more where the thread had already taken the first out of the queue.
    assert len(slow.taken) in (3, 4)
    assert sink.losses.count == 20 - len(slow.taken)
    assert warnings == ["csv: too slow; events are dropped and counted until it works again"]
    assert slow.taken[:3] == [window(number) for number in range(3)]


def test_a_replay_waits_instead_of_dropping(window, warnings):
    slow = Slow()
    slow.go.set()
    sink = BackgroundSink(slow, "csv", warnings, wait=True, capacity=1)
    for number in range(200):
        sink.take(window(number))
    sink.close()
    assert len(slow.taken) == 200
    assert sink.losses.count == 0


def test_an_exception_in_the_sink_is_raised_and_the_sink_is_closed(window, warnings):
    class Broken(Slow):
        def take(self, event):
            raise ZeroDivisionError

    broken = Broken()
    sink = BackgroundSink(broken, "csv", warnings)
    sink.take(window())
    with pytest.raises(ZeroDivisionError):
        sink.close()
    assert broken.closed


def test_an_exception_in_a_call_is_raised_by_the_next_offer():
    worker = Worker("test")
    failed = threading.Event()
    worker.enqueue(lambda: 1 // 0)
    worker.enqueue(failed.set)
    failed.wait()
    with pytest.raises(ZeroDivisionError):
        worker.offer(failed.clear)
    worker.close()
    assert failed.is_set()
