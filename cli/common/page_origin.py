"""What made a page: this command, now."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deseptr.report.html.page import Origin


def page_origin() -> Origin:
    """The running command, the version and the time, for a page's footer."""
    from importlib.metadata import version

    from deseptr.report.html.page import Origin

    command = shlex.join(["deseptr", *sys.argv[1:]])
    return Origin(command, version("deseptr"), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
