"""What is installed and runs on a board."""

from __future__ import annotations

from typing import Any

from .heat import heat
from .installed_service import InstalledServices, MakeService
from .probe import probe
from .release_settings import read_settings
from .releases import Releases
from .service import make_service
from .service_page import page_address


def status(releases: Releases, make: MakeService = make_service) -> dict[str, Any]:
    """The installed releases, the state of the service, and facts about the board; nothing is changed."""
    services = InstalledServices(releases, make)
    kind, current = services.kind(), releases.current()
    service = None if kind is None else services.service(kind)
    settings = services.earlier_settings() or (None if current is None else read_settings(releases.folder / current))
    return {
        **releases.to_dict(),
        "board": probe(releases.prefix),
        "state": heat(),
        "service": "none" if service is None else service.state(),
        "says": "" if service is None else service.says(),
        "service_kind": kind,
        "page": None if current is None else _page(releases, current, kind),
        "signed_only": settings is not None and settings.trust is not None,
        "interrupted": releases.state().trial is not None and not releases.locked(),
    }


def _page(releases: Releases, current: str, kind: str | None) -> str | None:
    return page_address(releases.folder / current, releases.manifest(current), kind)
