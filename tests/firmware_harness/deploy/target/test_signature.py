"""Signatures of manifests, with the real ssh-keygen."""

import subprocess
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.deploy.signing import sign, trust_of
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.signature import verify


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "signers").write_text(trust_of(folder / "mine.pub"))
    return folder


def test_a_trusted_signature_verifies_and_only_while_it_is_trusted(keys: Path, tmp_path: Path):
    signature = sign(b"content", keys / "mine")
    verify(b"content", signature, keys / "signers")
    (tmp_path / "signers").write_text(trust_of(keys / "other.pub"))
    with pytest.raises(RefusedError, match="expected a signature by a key that this board trusts"):
        verify(b"content", signature, tmp_path / "signers")


def test_everything_else_is_refused(keys: Path):
    good = sign(b"content", keys / "mine")
    elsewhere = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(keys / "mine"), "-n", "file"]
    of_another_kind = subprocess.run(elsewhere, input=b"content", capture_output=True, check=True).stdout
    for content, signature in [
        (b"Content", good),
        (b"content", sign(b"content", keys / "other")),
        (b"content", of_another_kind),
        (b"content", good[:-60]),
        (b"content", b""),
        (b"content", None),
    ]:
        with pytest.raises(RefusedError, match="expected a signature by a key that this board trusts"):
            verify(content, signature, keys / "signers")


def test_a_file_without_a_key_cannot_sign(tmp_path: Path):
    (tmp_path / "key").write_text("no key\n")
    with pytest.raises(SetupError, match="expected a key that signs"):
        sign(b"content", tmp_path / "key")
