"""All that the page can be asked for: keys, fingers, several recordings and windows, a command that ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from label_person import Person, saved

from deseptr.data import Dataset
from deseptr.data.label_page import LabelServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


def test_number_keys_delete_split_and_the_last_name_again(person: Person, tmp_path: Path):
    person.label(0, 20, "a")
    person.label(40, 60, "b")
    person.drag(80, 120)
    person.press("1")
    person.click(100)
    person.press("s", "2")
    person.click(10)
    person.press("Delete")
    person.drag(150, 160)
    person.press("Enter")
    person.press("Control+s")
    person.page.wait_for_selector("#mark", state="hidden")
    assert saved(tmp_path) == [(40, 60, "b"), (80, 100, "a"), (100, 120, "b"), (150, 160, "b")]


def test_keyboard_alone(person: Person, tmp_path: Path):
    person.page.focus("#signals")
    person.press("Home", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+Alt+ArrowRight", "Enter")
    person.page.keyboard.type("still")
    person.press("Enter")
    assert person.text("#said") == "still, 0:00.04 to 0:00.14, 0.1 s"
    person.press("ArrowRight", "Shift+End", "1", "ArrowUp")
    assert person.text("#said") == "still, segment 1 of 2, 0:00.04 to 0:00.14, 0.1 s"
    person.save()
    assert saved(tmp_path) == [(2, 7, "still"), (9, 200, "still")]


def test_another_recording_keeps_its_own_labels(person: Person, tmp_path: Path):
    person.label(20, 60, "a")
    person.page.select_option("#recording", "1")
    person.wait_for_recording(1)
    person.label(0, 30, "b")
    person.press("Control+z", "Control+z")
    person.wait_for_recording(0)
    person.press("Control+Shift+z", "Control+Shift+z")
    person.wait_for_recording(1)
    person.save()
    assert (saved(tmp_path), saved(tmp_path, 1)) == ([(20, 60, "a")], [(0, 30, "b")])


def test_bounds_are_typed_and_names_are_checked(person: Person, tmp_path: Path):
    person.label(20, 60, "Walking")
    person.page.fill("#from", "1")
    person.page.fill("#to", "3.5")
    person.press("Tab")
    person.label(180, 199.8, "unlabelled")
    assert "Delete removes one" in person.text("#said")
    # In another case it is the same name.
    person.page.fill("#name", "  WALKING ")
    person.press("Enter")
    person.save()
    assert saved(tmp_path) == [(50, 175, "Walking"), (180, 200, "Walking")]


@pytest.mark.parametrize(
    "person", [{"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}], indirect=True
)
def test_fingers_label_and_zoom_on_a_phone(person: Person, tmp_path: Path):
    touch = person.page.context.new_cdp_session(person.page)

    def fingers(kind: str, *samples: float) -> None:
        points = [dict(zip("xy", person.point(sample), strict=True), id=n) for n, sample in enumerate(samples)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 50)
    fingers("touchMove", 75)
    fingers("touchMove", 100)
    fingers("touchEnd")
    person.page.fill("#name", "walking")
    person.page.click("#give")
    fingers("touchStart", 80, 120)
    points = [person.point(60), person.point(140)]
    touch.send(
        "Input.dispatchTouchEvent",
        {"type": "touchMove", "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]},
    )
    fingers("touchEnd")
    person.point(0)
    assert float(str(person.page.get_attribute("#signals", "data-span"))) == pytest.approx(100, abs=15)
    person.save()
    [(start, stop, name)] = saved(tmp_path)
    assert (start, stop, name) == (pytest.approx(50, abs=1), pytest.approx(100, abs=1), "walking")


def test_of_two_windows_the_second_is_told(person: Person, browser: Browser, tmp_path: Path):
    other = Person(browser.new_page(), person.url)
    person.label(20, 60, "a")
    person.save()
    before = (tmp_path / "walk.labelled.npz").read_bytes()
    other.drag(100, 150)
    other.page.keyboard.type("b")
    other.press("Enter")
    other.page.wait_for_selector("#trouble:not([hidden])")
    assert "another window" in other.text("#trouble")
    assert (tmp_path / "walk.labelled.npz").read_bytes() == before
    other.page.close(run_before_unload=False)


def test_what_was_not_saved_is_there_after_a_reload_and_can_be_undone(person: Person, tmp_path: Path):
    with person.page.expect_response(lambda answer: answer.url.endswith("/keep")):
        person.label(20, 60, "walking")
    person.load()
    assert person.segments() == [("walking", "0:00.40 – 0:01.20")]
    assert person.text("#state").startswith("● Unsaved")
    with person.page.expect_response(lambda answer: answer.url.endswith("/keep")):
        person.page.click("#undo")
    assert person.segments() == []
    assert list(tmp_path.iterdir()) == []


def test_ended_command_is_told(browser: Browser, data: Dataset, serve: Callable[[Dataset], LabelServer]):
    server = serve(data)
    person = Person(browser.new_page(), server.url)
    server.close()
    person.label(20, 60, "a")
    person.page.wait_for_selector("#trouble:not([hidden])")
    assert "start it again" in person.text("#trouble")
    person.page.close(run_before_unload=False)


def test_opening_address_leads_there_once(browser: Browser, data: Dataset, serve: Callable[[Dataset], LabelServer]):
    server = serve(data)
    opening = server.opening_url()
    page = browser.new_page()
    page.goto(opening)
    assert page.url == server.url
    again = page.goto(opening)
    assert again is not None
    assert again.status == 403
    page.close()


ATTACK = """(url) => Promise.all([
  fetch(url, { method: "POST", mode: "no-cors", body: '{"revision": 0, "names": ["x"], "segments": [[], []]}' }),
  fetch(url, { method: "POST", headers: { "Content-Type": "application/json" },
    body: '{"revision": 0, "names": ["x"], "segments": [[], []]}' }),
].map((each) => each.then((answer) => answer.type, (error) => error.name)))"""


def test_page_of_another_site_that_knows_the_address_changes_nothing(
    browser: Browser, data: Dataset, serve: Callable[[Dataset], LabelServer], tmp_path: Path
):
    own, foreign = serve(data), browser.new_page()
    # Another origin on the same machine.
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=answer_once, args=(other,), daemon=True).start()
        foreign.goto(f"http://127.0.0.1:{other.getsockname()[1]}/")
        assert foreign.evaluate(ATTACK, own.url + "save") == ["TypeError", "TypeError"]
    assert list(tmp_path.iterdir()) == []
    foreign.close()


def answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        body = b"<title>evil</title>"
        connection.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
