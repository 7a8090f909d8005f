"""Alarms against a real HTTPS server on loopback that misbehaves, and against commands."""

import json
import threading
import time
from dataclasses import replace

import pytest
from alarm_receiver import KEY, Receiver, until
from closed_sinks import close, close_rest

from deseptr.contract import SetupError
from deseptr.device import AlarmEvent, GapEvent
from deseptr.device.sinks.alarm_command import AlarmCommand
from deseptr.device.sinks.delivery import AlarmDelivery
from deseptr.device.sinks.heartbeat import Heartbeat
from deseptr.device.sinks.http_post import Endpoint, HttpPost, parse_endpoint, secret_of, signature_of
from deseptr.device.sinks.spool import Spool
from deseptr.device.sinks.spool_file import Purpose

PURPOSE = Purpose("the webhook", "--alarm-spool", every_commit=True)


def alarm(number=0, state="raised"):
    return AlarmEvent(10.0 + number, "fall", state, 0.9, f"key{number}", 9.5 + number)


@pytest.fixture
def receiver(certificates):
    made = Receiver(certificates).start()
    yield made
    made.stop()


@pytest.fixture
def make_post(certificates):
    def make(port, path="/alarm?token=hidden", **options):
        endpoint = Endpoint("127.0.0.1", port, path, tls=True)
        return HttpPost(endpoint, KEY, certificates / "ca.pem", **{"timeout_s": 5.0} | options)

    return make


@pytest.fixture
def deliver(tmp_path, warnings):
    made = []

    def make(receiver, **options):
        spool = Spool(tmp_path / "spool", warnings, purpose=PURPOSE)
        sink = AlarmDelivery(receiver, spool, "wrist", warnings, **{"retry_s": 0.01, "jitter": lambda: 0.0} | options)
        made.append(sink)
        return sink

    yield make
    close_rest(made)


def test_alarms_arrive_signed_and_other_events_do_not(receiver, make_post, deliver, window, warnings):
    sink = deliver(make_post(receiver.port), wall=lambda: 1_700_000_000.5)
    eves = replace(alarm(0, "acknowledged"), wearer="eve")
    for event in (window(), GapEvent(1.0, "overflow", 3), alarm(0, "suspected"), alarm(), eves):
        sink.take(event)
    close(sink)
    assert receiver.ids == ["key0-raised", "key0-acknowledged"]
    assert receiver.forged == []
    assert json.loads(receiver.heard[0][1]) == {
        "type": "alarm.raised",
        "timestamp": "2023-11-14T22:13:20.500+00:00",
        "data": alarm().to_dict()["alarm"] | {"t": 10.0, "node": "wrist"},
    }
    assert json.loads(receiver.heard[1][1])["data"]["wearer"] == "eve"
    assert warnings == []


@pytest.mark.parametrize("behaviour", [500, 503, 429, "reset", "garbage", "drip", "hang"])
def test_a_receiver_in_trouble_gets_everything_once_it_is_well(receiver, make_post, deliver, warnings, behaviour):
    receiver.script = [behaviour, behaviour, 200]
    sink = deliver(make_post(receiver.port, timeout_s=0.3))
    for number in range(3):
        sink.take(alarm(number))
    until(lambda: len(receiver.heard) == 5)
    close(sink)
    assert receiver.ids == ["key0-raised"] * 3 + ["key1-raised", "key2-raised"]
    assert len({body for _, body in receiver.heard}) == 3
    assert len(warnings) == 2
    assert warnings[0].startswith(f"webhook https://127.0.0.1:{receiver.port}: ")
    assert warnings[0].endswith("; alarms wait in the spool")
    assert warnings[1] == f"webhook https://127.0.0.1:{receiver.port}: works again"
    assert "hidden" not in "".join(warnings)


def test_a_refused_alarm_does_not_hold_up_the_others(receiver, make_post, deliver, warnings):
    receiver.script = [404, 200]
    sink = deliver(make_post(receiver.port), retry_s=0.2)
    sink.take(alarm(0))
    until(lambda: receiver.heard)
    sink.take(alarm(1))
    until(lambda: len(receiver.heard) == 3)
    close(sink)
    assert receiver.ids == ["key0-raised", "key1-raised", "key0-raised"]
    assert warnings == [f"webhook https://127.0.0.1:{receiver.port}: answers 404; alarms wait in the spool"]


def test_a_receiver_that_asks_for_time_gets_it(receiver, make_post, deliver):
    begun = time.monotonic()
    receiver.script = [503, 200]
    original = receiver._take

    def take(request):
        request.send_response_only = lambda status, message=None: (
            type(request).send_response_only(request, status, message),
            request.send_header("Retry-After", "1"),
        )
        original(request)

    receiver._take = take
    sink = deliver(make_post(receiver.port))
    sink.take(alarm())
    until(lambda: len(receiver.heard) == 2)
    assert time.monotonic() - begun >= 1
    close(sink)


def test_alarms_outlive_receiver_and_process(certificates, make_post, deliver, warnings):
    receiver = Receiver(certificates).start()
    receiver.stop()
    for number in range(2):
        sink = deliver(make_post(receiver.port))
        sink.take(alarm(number))
        close(sink)
    name = f"webhook https://127.0.0.1:{receiver.port}"
    assert warnings[0] == f"{name}: cannot be reached (Connection refused); alarms wait in the spool"
    assert warnings[-1] == f"{name}: 2 alarms wait in the spool for the next run"
    again = Receiver(certificates, receiver.port).start()
    close(deliver(make_post(receiver.port)))
    again.stop()
    assert again.ids == ["key0-raised", "key1-raised"]


def test_an_alarm_is_on_the_medium_when_it_is_taken(certificates, make_post, deliver, tmp_path, warnings):
    import shutil

    sink = deliver(make_post(1), wait=True)
    sink.take(alarm())
    copy = shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-killed")
    with_it = Spool(copy / "spool", warnings, purpose=PURPOSE)
    assert [each.message.topic for each in with_it.after(-1, 10)] == ["key0-raised"]
    with_it.close()


def test_closing_does_not_wait_for_a_receiver_that_hangs(receiver, make_post, deliver, warnings):
    receiver.script = ["hang"]
    sink = deliver(make_post(receiver.port, timeout_s=60), drain_s=0.2)
    sink.take(alarm())
    until(lambda: receiver.heard)
    close(sink)
    assert warnings == [f"webhook https://127.0.0.1:{receiver.port}: 1 alarm waits in the spool for the next run"]


def test_a_certificate_of_somebody_else_gets_no_alarm(receiver, deliver, warnings):
    sink = deliver(HttpPost(Endpoint("127.0.0.1", receiver.port, "/", tls=True), KEY))
    sink.take(alarm())
    until(lambda: warnings)
    assert "cannot be reached (unable to get local issuer certificate)" in warnings[0]
    assert receiver.heard == []


def test_signature_is_that_of_the_published_example():
    """https://docs.svix.com/receiving/verifying-payloads/how-manual"""
    key = secret_of("whsec_plJ3nmyCDGBKInavdOK15jsl", "test")
    body = b'{"event_type":"ping","data":{"success":true}}'
    expected = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert signature_of(key, "msg_loFOjxBNrRLzqYUf", 1731705121, body) == expected


@pytest.mark.parametrize("secret", ["horse", "whsec_!!!", "whsec_c2hvcnQ="])
def test_weak_secrets_are_refused_without_being_repeated(secret):
    with pytest.raises(SetupError, match=r"^file: found a secret that is too short or no base64") as caught:
        secret_of(secret, "file")
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("https://example.org", Endpoint("example.org", 443, "/", tls=True)),
        ("https://example.org:8443/a?b=c", Endpoint("example.org", 8443, "/a?b=c", tls=True)),
        ("http://127.0.0.1:8123/api/webhook/x", Endpoint("127.0.0.1", 8123, "/api/webhook/x", tls=False)),
        ("https://[::1]/x", Endpoint("::1", 443, "/x", tls=True)),
        ("https://bücher.example/", Endpoint("xn--bcher-kva.example", 443, "/", tls=True)),
    ],
)
def test_addresses(text, endpoint):
    assert parse_endpoint(text, "--webhook") == endpoint
    assert endpoint.path == "/" or endpoint.path not in repr(endpoint)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "ftp://example.org",
        "https://",
        "https://u:secret@example.org",
        "https://x:99999",
        "https://x/ä",
    ],
)
def test_other_addresses_are_refused_without_being_repeated(text):
    with pytest.raises(SetupError, match=r"^--webhook: found another kind of address") as caught:
        parse_endpoint(text, "--webhook")
    assert "secret" not in str(caught.value)


def test_a_command_gets_the_alarm(deliver, tmp_path, warnings):
    script = "cat > $0.json; env | grep ^DESEPTR_ALARM | sort > $0.env; echo noise"
    sink = deliver(AlarmCommand(f"sh -c '{script}' {tmp_path}/said"))
    sink.take(alarm())
    until(lambda: (tmp_path / "said.env").exists() and len((tmp_path / "said.env").read_text().splitlines()) == 4)
    close(sink)
    assert json.loads((tmp_path / "said.json").read_text())["data"]["key"] == "key0"
    lines = dict(line.split("=", 1) for line in (tmp_path / "said.env").read_text().splitlines())
    assert (lines["DESEPTR_ALARM_EVENT"], lines["DESEPTR_ALARM_STATE"]) == ("fall", "raised")
    assert lines["DESEPTR_ALARM_KEY"] == "key0"
    assert warnings == []


def test_a_command_that_fails_or_hangs_is_run_again(deliver, tmp_path, warnings):
    script = "echo . >> $0; case $(wc -l < $0) in 1) exit 3;; 2) sleep 60;; esac"
    sink = deliver(AlarmCommand(f"sh -c '{script}' {tmp_path}/runs", timeout_s=0.5))
    sink.take(alarm())
    until(lambda: len(warnings) == 2)
    close(sink)
    assert (tmp_path / "runs").read_text() == ".\n" * 3
    assert warnings == [
        "command sh: ended with exit code 3; alarms wait in the spool",
        "command sh: works again",
    ]


@pytest.mark.parametrize("text", ["", "no-such-program --now", "sh 'open"])
def test_a_command_that_is_none_is_refused(text):
    with pytest.raises(SetupError, match=r"^--alarm-command: found "):
        AlarmCommand(text)


def test_the_heart_beats_while_windows_come_and_only_then(receiver, make_post, window, warnings):
    clock = [0.0]
    heart = Heartbeat(make_post(receiver.port), "wrist", 60, warnings, now=lambda: clock[0])
    due, begun = heart._due.set, []
    heart._due.set = lambda: (begun.append(clock[0]), due())
    for number, (at, beats) in enumerate([(0, 1), (30, 1), (59, 1), (60, 2), (200, 3)]):
        clock[0] = at
        heart.take(alarm())
        heart.take(window(number))
        until(lambda beats=beats: len(receiver.heard) == beats)
    assert begun == [0, 60, 200]
    heart.close()
    assert [json.loads(body)["type"] for _, body in receiver.heard] == ["heartbeat"] * 3
    assert len(set(receiver.ids)) == 3
    assert receiver.forged == []
    assert warnings == []


def test_a_beat_that_fails_is_said_once_and_not_repeated(receiver, make_post, window, warnings):
    clock = [0.0]
    receiver.script = [500, 500, 200]
    heart = Heartbeat(make_post(receiver.port), "wrist", 60, warnings, now=lambda: clock[0])
    for number in range(3):
        clock[0] = 60.0 * number
        heart.take(window(number))
        until(lambda number=number: len(receiver.heard) == number + 1)
        until(lambda: not heart._due.is_set())
    until(lambda: len(warnings) == 2)
    heart.close()
    name = f"heartbeat webhook https://127.0.0.1:{receiver.port}"
    assert warnings == [f"{name}: answers 500", f"{name}: works again"]


def test_what_nobody_foresaw_ends_no_delivery(deliver, warnings):
    class Odd:
        name = "odd"

        def __init__(self):
            self.taken = []

        def deliver(self, message):
            if not self.taken:
                self.taken.append(None)
                raise ZeroDivisionError("odd")
            self.taken.append(message.identity)

        def abort(self):
            pass

    odd = Odd()
    sink = deliver(odd)
    sink.take(alarm())
    until(lambda: len(odd.taken) == 2)
    assert odd.taken[1] == "key0-raised"
    assert warnings == ["odd: ZeroDivisionError: odd; alarms wait in the spool"]


def test_threads_end(deliver, receiver, make_post):
    before = threading.active_count()
    close(deliver(make_post(receiver.port)))
    assert threading.active_count() <= before
