"""Compiles one source file mutated, in every process that has this folder on its ``PYTHONPATH``.

``DESEPTR_MUTANT`` is the file's path, the kind and the number of the mutant, separated by ``::``. No file is changed.
While tests are traced, it starts coverage in the processes that they start.
"""

import ast
import linecache
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

_mutant = os.environ.get("DESEPTR_MUTANT")


def _install(path: str, kind: str, number: int) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import mutate

    sys.path.pop(0)
    unchanged = SourceFileLoader.get_code

    def get_code(self, fullname):  # type: ignore[no-untyped-def]
        found = self.get_filename(fullname)
        if not found.endswith(Path(path).name) or str(Path(found).resolve()) != path:
            return unchanged(self, fullname)
        source = ast.unparse(mutate.mutant(Path(path).read_text("utf-8"), kind, number).tree)
        # AutoGraph compiles functions anew from their source, which must not be the file's.
        name = f"<mutant of {found}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        return compile(source, name, "exec", dont_inherit=True)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


if _mutant:
    _path, _kind, _number = _mutant.split("::")
    _install(_path, _kind, int(_number))

if "COVERAGE_PROCESS_CONFIG" in os.environ:
    import coverage

    coverage.process_startup()
