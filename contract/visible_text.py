"""Text of strangers on a terminal: shown, never obeyed."""

from __future__ import annotations


def visible(text: str, *, kept: str = "") -> str:
    r"""Replace every character that is not printable by its escape sequence of Python, such as ``\x1b``.

    That covers control characters, and the format characters that reorder, hide or join others (Unicode's categories
    Cc, Cf, Cs, Co, Cn, Zl, Zp, and Zs except the space), so that no sequence of a terminal remains.

    Args:
        text: any text, lone surrogates included.
        kept: characters to leave as they are, such as the newline.

    >>> print(visible("a\x1b]0;title\x07"))
    a\x1b]0;title\x07
    """
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)
