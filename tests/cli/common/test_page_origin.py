import re
import sys

import pytest

import deseptr
from deseptr.cli.common.page_origin import page_origin


def test_the_command_is_as_a_shell_takes_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/deseptr", "demo", "-o", "my demo"])
    origin = page_origin()
    assert origin.command == "deseptr demo -o 'my demo'"
    assert origin.version == deseptr.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", origin.when)
