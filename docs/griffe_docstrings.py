"""Docstrings for mkdocstrings: examples become sections of code, and Sphinx's roles plain code.

A paragraph that begins with ``>>>`` is an example.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([^`]+)`")
_EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Brings docstrings into the form that the parser of Google's style and Markdown expect."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            text = _ROLE.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = _EXAMPLE.sub(_section, text)


def _section(example: re.Match[str]) -> str:
    return "Examples:\n" + "\n".join(f"    {line}" for line in example[0].splitlines())
