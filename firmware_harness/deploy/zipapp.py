"""The board's side as one zip that the board's Python runs without an installation."""

from __future__ import annotations

import io
import zipfile
from importlib.resources import files

_PACKAGE = "deseptr_target"
_MAIN = f"import sys\nfrom {_PACKAGE}.main import main\n\nsys.exit(main(sys.argv[1:]))\n"
# Same content, same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def target_zip() -> bytes:
    """The zip."""
    sources = {"__main__.py": _MAIN.encode()}
    for item in files(__package__).joinpath("target").iterdir():
        if item.name.endswith(".py"):
            sources[f"{_PACKAGE}/{item.name}"] = item.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(sources.items()):
            archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
