"""What a board says in answer to one request."""

from __future__ import annotations

from typing import Any

from .answer_check import Refused, UnfitAnswerError, check, parse_line
from .errors import FlashError
from .target.reporting import Report

_LONGEST_PART = 500


class Conversation:
    """The lines of a board, of which the last message counts.

    Args:
        report: called with each progress line.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: dict[str, Any] | None = None
        self._noise: UnfitAnswerError | None = None

    def hear(self, line: bytes) -> None:
        """Take a line; one that is no answer may be a greeting of the login shell."""
        try:
            message = parse_line(line)
        except UnfitAnswerError as error:
            self._noise = error
            return
        if "say" in message:
            self._report(message["say"])
        else:
            self._last = message

    def result(self, form: Any) -> Any:
        """The result, which has the form; None without an answer.

        Raises:
            FlashError: if the board refuses.
            UnfitAnswerError: if the result has another form.
        """
        if self._last is None:
            return None
        if "refused" in self._last:
            raise FlashError(**{part: self._last["refused"][part][:_LONGEST_PART] for part in Refused.__annotations__})
        check(self._last["result"], form, "")
        return self._last["result"]

    def noise(self) -> str:
        """The last line that was no answer, for a message."""
        return f" after {self._noise.found}" if self._noise else ""
