"""The subjects that a model was not trained on, remembered without their names.

A model is published, the names of the people in its recordings are not: a contract has salted hashes of them, which
tell whether a name in other recordings is one of them. They hide a name from readers, not from those who try names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import ModelError

_ROUNDS = 2_000
"""Of PBKDF2 (RFC 8018, section 5.2): some 5 ms a name on a board, as much for each name that is tried."""
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,32}")


@dataclass(frozen=True)
class HeldOut:
    """Salted hashes of subjects.

    >>> held_out = HeldOut.of(["Ada", "Grace"], salt=bytes(16))
    >>> held_out.among(["Ada", "Alan"])
    ('Ada',)

    Args:
        salt: hexadecimal, 8 to 32 bytes, of this model alone.
        hashes: of a subject each: the first 8 bytes of PBKDF2-HMAC-SHA-256, hexadecimal, sorted.

    Raises:
        ModelError: if there is no hash, or one is not hexadecimal.
    """

    salt: str
    hashes: tuple[str, ...]

    def __post_init__(self) -> None:
        wrong = [each for each in (self.salt, *self.hashes) if not _HEX.fullmatch(each)]
        if wrong or not self.hashes:
            raise ModelError(
                "contract.held_out",
                found=wrong[0] if wrong else "no hash",
                expected="a salt and hashes of 8 to 32 bytes in hexadecimal",
                next_step="correct the contract",
            )

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, subjects: Iterable[str], salt: bytes) -> HeldOut:
        """Hash the names of subjects."""
        return cls(salt.hex(), tuple(sorted({_hashed(subject, salt) for subject in subjects})))

    def among(self, subjects: Sequence[str]) -> tuple[str, ...]:
        """Those of some subjects that are remembered, in their order."""
        salt, known = bytes.fromhex(self.salt), set(self.hashes)
        return tuple(subject for subject in subjects if _hashed(subject, salt) in known)


def _hashed(subject: str, salt: bytes) -> str:
    # A name that a terminal took in cannot be encoded if it is no text.
    return hashlib.pbkdf2_hmac("sha256", subject.encode("utf-8", "surrogateescape"), salt, _ROUNDS, 8).hex()
