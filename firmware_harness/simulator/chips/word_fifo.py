"""A FIFO of words of fixed size, as in ST's chips: a word leaves it once its last byte has been read."""

from __future__ import annotations


class WordFifo:
    """Words of ``word_bytes``, oldest first.

    Args:
        word_bytes: size of a word.
        repeats_last: whether it repeats its last word when it is empty; otherwise it gives zeros.
    """

    def __init__(self, word_bytes: int, *, repeats_last: bool = False) -> None:
        self.word_bytes = word_bytes
        self.repeats_last = repeats_last
        self.clear()

    def __len__(self) -> int:
        return len(self._bytes) // self.word_bytes

    @property
    def gone(self) -> int:
        """Number of words that have left it, read or overwritten, since it was cleared."""
        return self._gone

    def clear(self) -> None:
        """Empty it and reset its counters."""
        self._bytes = bytearray()
        self._gone = 0
        self._last_word = bytes(self.word_bytes)

    def push(self, words: bytes, depth: int) -> bool:
        """Append words; returns whether the oldest were dropped to leave no more than ``depth``."""
        self._bytes += words
        excess = len(self) - depth if words else 0
        self.drop(max(0, excess))
        return excess > 0

    def drop(self, words: int) -> None:
        """Drop the oldest words."""
        del self._bytes[: words * self.word_bytes]
        self._gone += words

    def skip(self, words: int) -> None:
        """Count words that were overwritten before they could be read."""
        self._gone += words

    def read(self, length: int) -> bytes:
        """``length`` bytes from the beginning of the oldest word on."""
        whole = min(length // self.word_bytes, len(self))
        data = bytes(self._bytes[: whole * self.word_bytes])
        self._pop(whole)
        return data + bytes(self.read_byte(byte % self.word_bytes) for byte in range(length - len(data)))

    def read_byte(self, byte: int) -> int:
        """One byte of the oldest word."""
        if not self._bytes:
            return self._last_word[byte] if self.repeats_last else 0
        value = self._bytes[byte]
        if byte == self.word_bytes - 1:
            self._pop(1)
        return value

    def _pop(self, words: int) -> None:
        if words:
            end = words * self.word_bytes
            self._last_word = bytes(self._bytes[end - self.word_bytes : end])
            self.drop(words)
