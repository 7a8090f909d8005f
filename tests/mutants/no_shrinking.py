"""A pytest plugin for tests of which only the outcome matters: hypothesis looks for no smaller counterexample."""

from __future__ import annotations

from hypothesis import Phase, settings


def pytest_sessionstart() -> None:
    # After the tests' conftest has loaded its profile, which this one has for its parent.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", settings(), phases=phases, database=None, report_multiple_bugs=False)
    settings.load_profile("mutants")
