"""Verification of a bundle's signature, with the board's own `ssh-keygen -Y verify`.

OpenSSH instead of minisign, which would have to be installed on every board first: OpenSSH is on every board that can
be reached, its distribution maintains it, and it signs with keys and agents that users already have.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from .refusal import RefusedError

NAMESPACE = "deseptr-bundle"
PRINCIPAL = "deseptr"
_TIMEOUT = 30.0


def verify(content: bytes, signature: bytes | None, signers: Path) -> None:
    """Check that one of the allowed signers signed ``content`` as a bundle's manifest.

    Raises:
        RefusedError: if it is unsigned, signed by another or for something else, or `ssh-keygen` is missing.
    """
    if signature is None:
        raise _untrusted("no signature")
    with tempfile.NamedTemporaryFile(prefix="deseptr-", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", PRINCIPAL, "-n", NAMESPACE, "-s", file.name]
        try:
            ended = subprocess.run(command, input=content, capture_output=True, timeout=_TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _untrusted(f"no working ssh-keygen ({error})") from error
    if ended.returncode:
        answer = (ended.stderr + ended.stdout).decode(errors="replace").split("\n")[0].strip()
        raise _untrusted(f"a signature that does not verify ({answer[:120]})")


def signers_line(public_key: str) -> str:
    """The line of an allowed-signers file that trusts a public key for bundles only."""
    kind, key = public_key.split()[:2]
    return f'{PRINCIPAL} namespaces="{NAMESPACE}" {kind} {key}\n'


def _untrusted(found: str) -> RefusedError:
    return RefusedError(
        "bundle",
        found=found,
        expected="a signature by a key that this board trusts",
        next_step="nothing was changed; sign it with `--sign KEY`, or trust the signer with `flash --trust KEY.pub`",
    )
