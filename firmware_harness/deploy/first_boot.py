"""Configuration of a board's first boot: user, network, and installation of the bundle on the boot partition.

Raspberry Pi OS Trixie, from October 2025 on, reads cloud-init's files from the boot partition; Bookworm runs a script
named on its kernel command line. Both get the same user, network and unit here.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import dataclass

from deseptr.contract import SetupError

_BOOT = "/boot/firmware"
FOLDER = "deseptr"
BUNDLE = "deseptr.bundle"
TARGET = "target.pyz"
UNIT = "deseptr-first-boot.service"
SCRIPT = "firstrun.sh"
_CLOUD_HEAD = "#cloud-config\n"
_INSTANCE = "deseptr-"
_SCRIPT_HEAD = """\
#!/bin/sh
# First boot of Raspberry Pi OS Bookworm: runs once as root, then the board starts again.
"""
_GROUPS = "adm,dialout,cdrom,sudo,audio,video,plugdev,users,netdev,i2c,gpio,spi"
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [ -~]*)?")
_PSK_ROUNDS = 4096


@dataclass(frozen=True)
class Wifi:
    """A network to join.

    Args:
        ssid: its name.
        psk: 64 hex digits, see :func:`wifi_of`.
        country: country of the access point, as ``DE``, for the radio's legal limits.
    """

    ssid: str
    psk: str
    country: str


@dataclass(frozen=True)
class FirstBoot:
    """User and network of a new board.

    Args:
        user: name of the user, who can log in only with the key, and use sudo.
        key: public ssh key.
        hostname: name of the board.
        wifi: network to join, or None for cable.
    """

    user: str
    key: str
    hostname: str
    wifi: Wifi | None = None

    def __post_init__(self) -> None:
        for thing, value, form in (("user", self.user, _USER), ("hostname", self.hostname, _HOST)):
            if not form.fullmatch(value):
                raise _unfit(thing, value, f"a name such as {'wearer' if thing == 'user' else 'pi-left-wrist'}")
        if not _KEY.fullmatch(self.key):
            raise _unfit("ssh key", self.key[:40], "a public key, one line as of id_ed25519.pub")


def wifi_of(ssid: str, passphrase: str, country: str) -> Wifi:
    """A network from its passphrase, which is not stored: the card holds the key derived from it (IEEE 802.11i, H.4).

    Raises:
        SetupError: if name, passphrase or country are invalid.
    """
    if not 1 <= len(ssid.encode()) <= 32 or not ssid.isprintable():
        raise _unfit("Wi-Fi", ssid, "a name of at most 32 bytes")
    if not 8 <= len(passphrase) <= 63 or not passphrase.isascii():
        raise SetupError(
            "Wi-Fi passphrase",
            found=f"{len(passphrase)} characters",
            expected="8 to 63 of ASCII",
            next_step="correct it",
        )
    if not _COUNTRY.fullmatch(country):
        raise _unfit("Wi-Fi country", country, "two letters, as DE")
    psk = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), _PSK_ROUNDS, 32).hex()
    return Wifi(ssid, psk, country)


def unit_text() -> str:
    """The unit that installs the bundle, repeated at each boot until a release is good."""
    source = f"{_BOOT}/{FOLDER}"
    return f"""\
[Unit]
Description=deseptr: install the bundle on the boot partition
ConditionPathExists={source}/{BUNDLE}
After=local-fs.target systemd-modules-load.service

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 {source}/{TARGET} install-once {source}/{BUNDLE} /opt/deseptr
TimeoutStartSec=1800

[Install]
WantedBy=multi-user.target
"""


def cloud_files(first: FirstBoot, with_bundle: bool) -> dict[str, str]:
    """The three files of cloud-init's NoCloud source, JSON being YAML."""
    user = {
        "name": first.user,
        "groups": _GROUPS,
        "shell": "/bin/bash",
        "lock_passwd": True,  # nosec B105 # no password at all
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": [first.key],
    }
    files = [{"path": "/etc/modules-load.d/deseptr.conf", "content": "i2c-dev\n"}]
    commands = [["modprobe", "i2c-dev"], ["systemctl", "enable", "--now", "ssh"]]
    if first.wifi:
        commands.append(["rfkill", "unblock", "wifi"])
    if with_bundle:
        files.append({"path": f"/etc/systemd/system/{UNIT}", "content": unit_text()})
        commands.append(["systemctl", "daemon-reload"])
        commands.append(["systemctl", "enable", "--now", "--no-block", UNIT])
    data = {
        "hostname": first.hostname,
        "manage_etc_hosts": True,
        "users": [user],
        "ssh_pwauth": False,
        "write_files": files,
        "runcmd": commands,
    }
    text = _CLOUD_HEAD + _yaml(data)
    # cloud-init sets up a new instance, and leaves a known one as it is.
    instance = _INSTANCE + hashlib.sha256(text.encode()).hexdigest()[:12]
    return {
        "user-data": text,
        "meta-data": _yaml({"instance-id": instance, "dsmode": "local"}),
        "network-config": _yaml(_network(first.wifi)),
    }


def starts_of_own_files() -> dict[str, bytes]:
    """First bytes of :func:`cloud_files` and :func:`script_text`, which nobody else's files begin with."""
    starts = {
        "user-data": _CLOUD_HEAD + '{\n  "hostname": ',
        "meta-data": f'{{\n  "instance-id": "{_INSTANCE}',
        "network-config": '{\n  "version": ',
        SCRIPT: _SCRIPT_HEAD,
    }
    return {name: start.encode() for name, start in starts.items()}


def _yaml(value: object) -> str:
    """JSON that is also valid YAML, hence without JSON's escapes of characters beyond 16 bits."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _network(wifi: Wifi | None) -> dict[str, object]:
    network: dict[str, object] = {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "optional": True}}}
    if wifi:
        network["wifis"] = {
            "wlan0": {
                "dhcp4": True,
                "optional": True,
                "regulatory-domain": wifi.country,
                "access-points": {wifi.ssid: {"password": wifi.psk}},
            }
        }
    return network


def script_text(first: FirstBoot, with_bundle: bool) -> str:
    """The script of Bookworm's first boot; ``ROOT`` is empty on a board, and a folder in a test."""
    q = shlex.quote
    wifi = _wifi_lines(first.wifi) if first.wifi else ""
    bundle = _bundle_lines() if with_bundle else ""
    return f"""\
{_SCRIPT_HEAD}ROOT="${{ROOT:-}}"

echo {q(first.hostname)} > "$ROOT/etc/hostname"
sed -i 's/^127\\.0\\.1\\.1.*/127.0.1.1\\t{first.hostname}/' "$ROOT/etc/hosts"

# The image's first user gets the name; its password fits nothing.
if command -v "$ROOT/usr/lib/userconf-pi/userconf" >/dev/null; then
  "$ROOT/usr/lib/userconf-pi/userconf" {q(first.user)} '*'
elif ! id {q(first.user)} >/dev/null 2>&1; then
  useradd --create-home --shell /bin/bash --password '*' {q(first.user)}
fi
usermod --append --groups {q(_GROUPS)} {q(first.user)} || usermod --append --groups sudo,i2c {q(first.user)}
echo {q(first.user + " ALL=(ALL) NOPASSWD:ALL")} > "$ROOT/etc/sudoers.d/020_deseptr"
chmod 0440 "$ROOT/etc/sudoers.d/020_deseptr"
install -d -m 0700 -o {q(first.user)} "$ROOT/home/{first.user}/.ssh"
echo {q(first.key)} > "$ROOT/home/{first.user}/.ssh/authorized_keys"
chown {q(first.user)} "$ROOT/home/{first.user}/.ssh/authorized_keys"
chmod 0600 "$ROOT/home/{first.user}/.ssh/authorized_keys"
echo 'PasswordAuthentication no' > "$ROOT/etc/ssh/sshd_config.d/deseptr.conf"
systemctl enable ssh

echo i2c-dev > "$ROOT/etc/modules-load.d/deseptr.conf"
{wifi}{bundle}
rm -f "$ROOT{_BOOT}/{SCRIPT}"
sed -i 's| systemd\\.[^ ]*||g' "$ROOT{_BOOT}/cmdline.txt"
exit 0
"""


def _wifi_lines(wifi: Wifi) -> str:
    connection = (
        "[connection]\nid=deseptr\ntype=wifi\n\n"
        f"[wifi]\nmode=infrastructure\nssid={_keyfile_bytes(wifi.ssid)}\n\n"
        f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={wifi.psk}\n\n"
        "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n"
    )
    file = '"$ROOT/etc/NetworkManager/system-connections/deseptr.nmconnection"'
    return f"""
umask 077
cat > {file} <<'END'
{connection}END
umask 022
raspi-config nonint do_wifi_country {wifi.country}
rfkill unblock wifi
"""


def _keyfile_bytes(text: str) -> str:
    """An SSID for NetworkManager's keyfiles, as the numbers of its bytes, which is valid for any characters."""
    return "".join(f"{byte};" for byte in text.encode())


def _bundle_lines() -> str:
    return f"""
cat > "$ROOT/etc/systemd/system/{UNIT}" <<'END'
{unit_text()}END
systemctl enable {UNIT}
"""


def _unfit(thing: str, found: str, expected: str) -> SetupError:
    return SetupError(thing, found=repr(found), expected=expected, next_step="correct it")
