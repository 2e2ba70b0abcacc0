"""Logs of one shape, ours and the libraries': JSON lines on stderr for machines, a readable form on a terminal.

Every line has `timestamp` (UTC), `level`, `event` and `logger`, and where they are known `order`, `stream`, `command` and `position`, as
text. `event` is a fixed word of ours, or the first line of what a library said. No line has a personal value: of an exception it tells the
type and the place, never the message.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from o2c.desk.act import Refused

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
OURS = ("o2c", "projections")
SILENCED = ("psycopg", "psycopg.pool")
"""The eventsourcing library turns their warnings off when it is imported; a connection that is lost and found again is worth a line."""
FIRST = ("timestamp", "level", "event", "logger", "order", "stream", "command", "position")
AS_TEXT = ("order", "stream", "command", "position")
FOREIGN_LENGTH_MAX = 300

LogLine = MutableMapping[str, Any]


def configure_logs(*, out: TextIO | None = None, machine: bool = False) -> None:
    """Bring all logging of this process to the one shape, at the level of O2C_LOG_LEVEL (INFO unless said otherwise).

    `out` is stderr unless said otherwise; `machine` asks for JSON on a terminal as well, as services and workers do. Raises Refused for
    a level that there is not.
    """
    out = out or sys.stderr
    level = _level(os.environ.get("O2C_LOG_LEVEL") or "INFO")
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_SHAPE, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    readable = out.isatty() and not machine
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(sort_keys=False) if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_first_line, structlog.contextvars.merge_contextvars, *_SHAPE],
            processors=[ProcessorFormatter.remove_processors_meta, _in_order, renderer],
        )
    )
    _attach(handler, level)


def _attach(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell their daily business at INFO; that of their warnings is ours to know.
    root.setLevel(max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=True)
    # A line that cannot be written is lost; what Python would print instead has the arguments in clear.
    logging.raiseExceptions = False
    threading.excepthook = _thread_died


def _level(name: str) -> int:
    if name.upper() not in LEVELS:
        raise Refused(f"O2C_LOG_LEVEL={name} is no level; write one of {', '.join(LEVELS)}")
    return int(getattr(logging, name.upper()))


def _thread_died(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else ""
    structlog.get_logger(__name__).error("thread_died", thread=name, exc_info=died.exc_value or died.exc_type)


def _first_line(logger: Any, method: str, line: LogLine) -> LogLine:
    """What a library says after its first line is detail, and may quote a row of ours."""
    said = str(line["event"]).strip().splitlines() or [""]
    line["event"] = said[0][:FOREIGN_LENGTH_MAX]
    return line


def _named_after_its_stream(logger: Any, method: str, line: LogLine) -> LogLine:
    """The order of an order's stream, and text where a number would outgrow JSON's."""
    kind, _, rest = str(line.get("stream", "")).partition("-")
    if kind == "order" and rest:
        line.setdefault("order", rest)
    for key in AS_TEXT:
        if key in line:
            line[key] = "" if line[key] is None else str(line[key])
    return line


def _without_message(logger: Any, method: str, line: LogLine) -> LogLine:
    """An exception as its type and the place in the code it came from: its message may hold what the log must not."""
    told = line.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told if isinstance(told, BaseException) else told[1] if isinstance(told, tuple) else None
    if error is not None:
        line.setdefault("error", type(error).__name__)
        frames = traceback.extract_tb(error.__traceback__)
        if frames:
            line["at"] = f"{frames[-1].filename}:{frames[-1].lineno}"
    line.pop("stack_info", None)
    return line


def _in_order(logger: Any, method: str, line: LogLine) -> LogLine:
    return {key: line[key] for key in (*(k for k in FIRST if k in line), *(k for k in line if k not in FIRST))}


_SHAPE: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _named_after_its_stream,
    _without_message,
)
