"""Signing a bundle's manifest with an ssh key, which may be held by an agent or a token."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deseptr.contract import SetupError, check_input, read_text

from .target.signature import NAMESPACE, signers_line


def check_key(key: Path) -> None:
    """Refuse what cannot be a key's file: ssh-keygen would wait for the writer of a named pipe without end.

    Raises:
        SetupError: if there is no such file, or it is no regular one.
    """
    try:
        check_input(key)
    except OSError as error:
        raise SetupError(
            key, found=error.strerror or error, expected="a key that signs", next_step="name an ssh key with --sign"
        ) from error


def sign(content: bytes, key: Path) -> bytes:
    """The signature of `ssh-keygen -Y sign`.

    Args:
        content: the bytes to sign.
        key: a private key, or a public one whose private key an agent holds.

    Raises:
        SetupError: if the key cannot sign.
    """
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE]
    try:
        ended = subprocess.run(command, input=content, capture_output=True, check=False)
    except OSError as error:
        raise SetupError(
            "ssh-keygen", found=error.strerror, expected="OpenSSH's", next_step="install openssh-client"
        ) from error
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines() or ["no signature"]
        raise SetupError(key, found=lines[-1], expected="a key that signs", next_step="name an ssh key with --sign")
    return ended.stdout


def trust_of(public_key: Path) -> str:
    """The allowed-signers line of a public key's file.

    Raises:
        SetupError: if it is no public key.
    """
    try:
        text = read_text(public_key)
        kind = text.split()[0]
        if not kind.startswith(("ssh-", "ecdsa-", "sk-")):
            raise ValueError(kind)
        return signers_line(text)
    except (OSError, ValueError, IndexError) as error:
        raise SetupError(
            public_key,
            found=getattr(error, "strerror", None) or str(error) or "nothing",
            expected="a public ssh key",
            next_step="name the .pub file of the key that signs",
        ) from error
