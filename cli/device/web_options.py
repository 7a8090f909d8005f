"""Options of ``deseptr device run --web``: where the page listens, and who may see it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.option_rules import goes_with

from .mqtt_options import FILE, state_folder

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import Answers, Profiler
    from deseptr.device.live_page import ListenAddress
    from deseptr.device.live_page.live_page import LivePage
    from deseptr.device.live_page.wearing import Wearing
    from deseptr.tflite import TfliteFile

WEB_NAMES = ("web", "web_no_auth", "web_cert", "web_key", "web_token_file", "web_recordings", "web_wearers")
LOOPBACK = "127.0.0.1:8384"


def web_options(command: Any) -> Any:
    """Add the options of the page to a command."""
    options = (
        click.option(
            "--web",
            metavar="[HOST:PORT]",
            is_flag=False,
            flag_value=LOOPBACK,
            envvar="DESEPTR_WEB",
            show_envvar=True,
            help=f"Show the run on a page in the browser, at {LOOPBACK} by default; 0.0.0.0:8384 for phones.",
        ),
        click.option(
            "--web-no-auth",
            count=True,
            type=whole(0, 2),
            help="Said twice: whoever reaches the port may watch, without the secret in the page's address.",
        ),
        click.option("--web-cert", type=FILE, metavar="FILE", help="Certificate for HTTPS, with its chain, in PEM."),
        click.option("--web-key", type=FILE, metavar="FILE", help="Its private key."),
        click.option(
            "--web-token-file",
            type=FILE,
            metavar="FILE",
            help="File of the secret in the page's address. [default: web-token in the state folder]",
        ),
        click.option(
            "--web-recordings",
            type=FILE,
            metavar="FOLDER",
            help="Let those who watch record labelled takes into FOLDER.",
        ),
        click.option(
            "--web-wearers",
            type=FILE,
            metavar="FOLDER",
            help="Let those who watch personalise the model, and choose whose file in FOLDER it is corrected by.",
        ),
    )
    command = goes_with("web", *WEB_NAMES[1:])(command)
    for option in reversed(options):
        command = option(command)
    return command


def open_web(
    chosen: Mapping[str, Any],
    model: TfliteFile,
    contract: ModelContract,
    profiler: Profiler,
    about: tuple[str, str | None],
    answers: Answers,
    wearing: Wearing | None = None,
) -> LivePage:
    """Start the page and print its address.

    Args:
        chosen: values of the options.
        model: the model that runs.
        contract: its contract, with the wearer's labels.
        profiler: of the run.
        about: text that says which sensor it is, and for whom the model is corrected.
        answers: takes what people answer to alarms.
        wearing: lets those who watch personalise; None if nobody may.

    Raises:
        SetupError: if address, secret, certificate or folder cannot be used.
        ModuleNotFoundError: without starlette and uvicorn.
    """
    from deseptr.device.live_page import Access, parse_listen, read_or_make_secret
    from deseptr.device.live_page.live_page import LivePage, Tls
    from deseptr.device.live_page.spectrogram import spectrogram_of

    if chosen["web_no_auth"] == 1:
        raise click.UsageError("--web-no-auth lets everybody on the network watch: say it twice if that is meant")
    if (chosen["web_cert"] is None) != (chosen["web_key"] is None):
        raise click.UsageError("--web-cert and --web-key go together")
    tls = Tls(chosen["web_cert"], chosen["web_key"]) if chosen["web_cert"] else None
    where = parse_listen(chosen["web"])
    secret = "" if chosen["web_no_auth"] else read_or_make_secret(_token_file(chosen))
    access = Access("https" if tls else "http", secret)
    recordings = Path(chosen["web_recordings"]) if chosen["web_recordings"] else None
    listening = where.listen()
    try:
        page = LivePage(
            contract,
            profiler,
            access,
            listening,
            sensor=about[0],
            wearer=about[1],
            tls=tls,
            answers=answers,
            recordings=recordings,
            wearing=wearing,
            spectrogram=spectrogram_of(model),
        )
    except BaseException:
        listening.close()
        raise
    _announce(access, where, listening.getsockname()[1], _token_file(chosen))
    return page


def _token_file(chosen: Mapping[str, Any]) -> Path:
    return Path(chosen["web_token_file"] or state_folder() / "web-token")


def is_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream goes to systemd's journal, which others may read (systemd.exec(5), ``JOURNAL_STREAM``)."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _announce(access: Any, where: ListenAddress, port: int, file: Path) -> None:
    address = f"{access.scheme}://{where.reached_at()}:{port}/"
    if access.secret and is_journal(sys.stderr):
        click.echo(f"page: {address}, followed by the secret, which is in {file}", err=True)
        return
    url = f"{address}{access.secret}{'/' if access.secret else ''}"
    click.echo(f"page: {url}", err=True)
    if not where.is_loopback and sys.stderr.isatty():
        import segno

        segno.make(url, error="l").terminal(sys.stderr, compact=True)
