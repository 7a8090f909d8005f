"""``deseptr firmware boot-files``: an SD card that sets up its board on the first boot."""

from __future__ import annotations

from pathlib import Path

import click

from deseptr.cli.common.option_rules import goes_with


@click.command("boot-files")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--user", default="wearer", show_default=True, help="User who may log in.")
@click.option("--ssh-key", type=click.Path(path_type=Path), required=True, help="Public key, as ~/.ssh/id_ed25519.pub.")
@click.option("--hostname", default="deseptr", show_default=True, help="Name of the board.")
@click.option("--wifi", "ssid", help="Wi-Fi network; asks for its passphrase, or uses DESEPTR_WIFI_PASSPHRASE.")
@click.option("--wifi-country", default="GB", show_default=True, help="Country of the radio.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to install on the first boot, see `bundle`.")
@click.option(
    "--os",
    "system",
    type=click.Choice(["auto", "trixie", "bookworm"]),
    default="auto",
    show_default=True,
    help="Raspberry Pi OS on the card.",
)
@goes_with("ssid", "wifi_country")
def boot_files(
    folder: Path,
    user: str,
    ssh_key: Path,
    hostname: str,
    ssid: str | None,
    wifi_country: str,
    bundle: Path | None,
    system: str,
) -> None:
    """Prepare a fresh card's boot partition mounted at DIR: a user, an ssh key, I2C at 400 kHz and a release.

    \b
    Examples:
      deseptr firmware boot-files /media/$USER/bootfs --ssh-key key.pub
      deseptr firmware boot-files /media/$USER/bootfs --ssh-key key.pub \\
          --wifi Home --wifi-country DE --bundle mine.bundle
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.contract import SetupError, read_text
    from deseptr.firmware_harness.deploy.boot_files import write_boot_files
    from deseptr.firmware_harness.deploy.first_boot import FirstBoot, wifi_of

    try:
        key = read_text(ssh_key).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "text that is not UTF-8"
        raise SetupError(ssh_key, found=reason, expected="a public ssh key", next_step="check the path") from error
    wifi = None
    if ssid is not None:
        wifi = wifi_of(ssid, _passphrase(ssid), wifi_country)
    for path in write_boot_files(folder, FirstBoot(user, key, hostname, wifi), bundle, system):
        click.echo(path)


def _passphrase(ssid: str) -> str:
    import os

    return os.environ.get("DESEPTR_WIFI_PASSPHRASE") or click.prompt(f"Passphrase of {ssid}", hide_input=True, err=True)
