"""The page of a conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deseptr.convert import Conversion


def convert_page(result: Conversion) -> str:
    """The conversion as one HTML file without a link to anything."""
    from . import html

    return html.render_page(f"deseptr: {result.contract.model} converted", "", [])
