"""``deseptr`` as the blocks of the documents call it: the same command, made short, with a simulated sensor.

The arguments of the text are passed on as they are. Added are, where the text does not have them already:

- to ``train``, ``crossval`` and ``lab``: a tiny network, one epoch, and one fold or cell;
- to ``tune``: a search of two decisions a hop;
- to ``convert``: a parity gate that a network of one epoch passes;
- to commands that go on until Ctrl-C: a number of seconds, or Ctrl-C itself where they serve a page;
- to commands that read a sensor: a simulated one on a virtual bus.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Sequence

TINY = {
    "--teacher-width": "4",
    "--teacher-epochs": "1",
    "--student-epochs": "1",
    "--dim": "8",
    "--batch-size": "32",
}
SHORT: dict[tuple[str, ...], dict[str, str]] = {
    ("train",): TINY,
    ("crossval",): {**TINY, "--folds": "ada"},
    ("lab",): {**TINY, "--seeds": "1", "--distillation": "none", "--stem": "own"},
    ("convert",): {"--agreement": "0", "--loss": "100"},
    ("compare",): {"--rounds": "20"},
    ("tune",): {"--tries": "2"},
    ("device", "run"): {"--seconds": "10"},
    ("device", "profile"): {"--windows": "20", "--cold-starts": "1"},
    ("device", "doctor"): {"--simulate": ""},
    ("data", "label"): {"--no-browser": ""},
}
# Read the sensor of a bus, unless they are told to simulate one.
SENSOR = (("device", "run"), ("device", "record"))
SIMULATED = ("--simulate", "--scenario")
# Warnings about the machine that runs the tests, which the page is not about.
WARNS = {("device", "doctor"): (1,)}


def shortened(arguments: Sequence[str]) -> list[str]:
    """The arguments with what is added to them; options come before the arguments behind ``--``."""
    words = list(arguments)
    command = _command(words)
    # A check converts nothing, and takes no options of it.
    if command == ("convert",) and "--check" in words:
        return words
    cut = words.index("--") if "--" in words else len(words)
    present = {word.partition("=")[0] for word in words[:cut]}
    added = [
        part
        for option, value in SHORT.get(command, {}).items()
        # The grid of an alarm is short as it is.
        if (option, "--event" in arguments) != ("--tries", True)
        if option not in present
        for part in (option, value)
        if part
    ]
    return [*words[:cut], *added, *words[cut:]]


def with_sensor(arguments: Sequence[str]) -> list[str]:
    """The command that runs these arguments on a simulated bus, where they read one."""
    if _command(arguments) in SENSOR and not set(SIMULATED) & set(arguments):
        return ["firmware", "simulate", "--front", "inprocess", "--", "deseptr", *arguments]
    return list(arguments)


def _command(arguments: Sequence[str]) -> tuple[str, ...]:
    return tuple(arguments[:2] if arguments and arguments[0] in ("device", "firmware", "data") else arguments[:1])


def end_page_soon() -> None:
    """Have ``data label`` get its Ctrl-C a second after its page is there."""
    from deseptr.data.label_page import LabelServer

    serve = LabelServer.serve_forever

    def serve_for_a_second(server: LabelServer) -> None:
        threading.Timer(1.0, _thread.interrupt_main).start()
        serve(server)

    LabelServer.serve_forever = serve_for_a_second  # type: ignore[method-assign]


def main() -> None:
    from deseptr.cli.main import main as deseptr

    arguments = sys.argv[1:]
    if _command(arguments) == ("data", "label"):
        end_page_soon()
    try:
        deseptr(with_sensor(shortened(arguments)))
    except SystemExit as stop:
        if stop.code in WARNS.get(_command(arguments), ()):
            sys.exit(0)
        raise


if __name__ == "__main__":
    main()
