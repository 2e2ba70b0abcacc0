"""The command line: one file a group of commands."""

from __future__ import annotations

import sys
from types import TracebackType

_otherwise = sys.excepthook


def _stopped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C before a command has begun (its imports take a second) is no defect to show a traceback of."""
    if not issubclass(kind, KeyboardInterrupt):
        _otherwise(kind, error, trace)
        return
    sys.stderr.write("o2c: stopped; nothing acknowledged is lost\n")


sys.excepthook = _stopped
