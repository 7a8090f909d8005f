"""Runs the Python blocks of a page of the documents: a line of JSON in is a block, one out is what it printed."""

import contextlib
import io
import json
import sys
import traceback


def main() -> None:
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
