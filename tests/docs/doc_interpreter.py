"""Runs the Python blocks of a page of the documents: a line of JSON in is a block, one out is what it printed.

Calls that train or convert get the same additions as the commands do, see :mod:`doc_command`: a tiny network of one
epoch, one fold, and a parity gate that such a network passes.
"""

import contextlib
import functools
import io
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from doc_command import SHORT

from deseptr import api, run


def shortened(call: Callable[..., Any], *command: str) -> Callable[..., Any]:
    """The call with the additions of a command as keyword arguments."""
    added = {option.removeprefix("--").replace("-", "_"): value for option, value in SHORT[command].items()}
    values = {name: (value,) if name == "folds" else int(value) for name, value in added.items()}

    @functools.wraps(call)
    def short(*arguments: Any, **settings: Any) -> Any:
        return call(*arguments, **{**values, **settings})

    return short


def main() -> None:
    # No page teaches an import path of an earlier version.
    warnings.filterwarnings("error", r"deseptr\..* is now ", FutureWarning)
    api.fit = shortened(api.fit, "train")
    api.crossval = shortened(api.crossval, "crossval")
    run.Run.convert = shortened(run.Run.convert, "convert")  # type: ignore[method-assign]
    answers, names = sys.stdout, {"__name__": "__main__"}
    for line in sys.stdin:
        printed, failed = io.StringIO(), False
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(json.loads(line), "block", "exec"), names)
            except BaseException:
                failed = True
                traceback.print_exc(file=printed)
        answers.write(json.dumps([failed, printed.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
