"""Every line that a run logs has one shape and no personal value, whoever logged it."""

import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from o2c.desk.fallout import Correct
from o2c.entrypoints.cli.logs import configure_logs
from o2c.kernel.partner import Answer, Answered, Request
from o2c.kernel.refusal import Refused
from tests.shell import logs_as_they_were
from tests.world import ADDRESS, World, at, line, order, ported

PLANTED = ("Tamsel", "Holmquay", "1984-02-29", ADDRESS, "Weir Lane", "spoke to the customer")
LEVELS = {"debug", "info", "warning", "error", "critical"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Line = dict[str, Any]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Where this process logs to, at level debug; everything is as it was afterwards."""
    monkeypatch.setenv("O2C_LOG_LEVEL", "debug")
    out = io.StringIO()
    with logs_as_they_were():
        configure_logs(out=out)
        yield out


def lines(out: io.StringIO) -> list[Line]:
    return [json.loads(text) for text in out.getvalue().splitlines()]


def misshapen(found: Line) -> list[str]:
    """What is wrong with the shape of a line."""
    wrong = [key for key in ("timestamp", "level", "event", "logger") if not isinstance(found.get(key), str) or not found[key]]
    wrong += [key for key in ("order", "stream", "command", "position") if not isinstance(found.get(key, ""), str)]
    wrong += ["level"] * (found.get("level") not in LEVELS)
    wrong += ["timestamp"] * (not str(found.get("timestamp")).endswith("Z") or datetime.fromisoformat(found["timestamp"]).tzinfo is None)
    wrong += ["order"] * (str(found.get("stream")).startswith("order-") and found.get("stream") != f"order-{found.get('order')}")
    wrong += [key for key in ("order", "command") if found.get(key) and not UUID.fullmatch(found[key])]
    wrong += [key for key, value in found.items() if not isinstance(value, str | int | float | bool | list)]
    return wrong + ["keys out of order"] * (list(found)[:4] != ["timestamp", "level", "event", "logger"])


class Breaking:
    """A partner whose client breaks over a name and an address at the first call, and a library beside it that complains."""

    def __init__(self) -> None:
        self.broken = 0

    def submit(self, request: Request) -> Answer:
        if request.step == "identity" and not self.broken:
            self.broken += 1
            logging.getLogger("psycopg.pool").warning("discarding closed connection: %s\nDETAIL: Tamsel Holmquay", "gone")
            raise ValueError("no answer for Tamsel Holmquay, 7 Weir Lane")
        return Answered()

    def query(self, request: Request) -> Answer:
        return Answered()


def told(dsn: str, folder: Path) -> None:
    """A small life: taken in, run past a broken partner, a broken rule and a fallout that a person resolves."""
    world = World(dsn, folder, Breaking())
    world.stocked(esims=3)
    world.take(order("A", line()), order("B", ported(code="")), order("C", line(), party="C-2"))
    world.run(at(7))
    world.resolve("NP-CODE", Correct({"portInCode": "ABC123456"}))
    world.close()


def test_every_line_of_a_run_has_one_shape(dsn: str, tmp_path: Path, logged: io.StringIO) -> None:
    """Appends, a partner that broke, a library: the same keys and types, and each command with its stream, order and position."""
    told(dsn, tmp_path)
    found = lines(logged)
    assert [(misshapen(each), each) for each in found if misshapen(each)] == []
    written = [each for each in found if each["event"] == "command_written"]
    with psycopg.connect(dsn) as conn:
        commands = dict(conn.execute("SELECT command_id::text, last_position::text FROM o2c.command").fetchall())
    assert {each["command"]: each["position"] for each in written} == commands
    assert [each for each in written if each["verdict"] != "appended" or bool(each.get("stream")) != bool(each["events"])] == []
    [broke] = [each for each in found if each["event"] == "partner_broke"]
    assert broke["stream"] == f"order-{broke['order']}"
    assert (broke["error"], broke["step"]) == ("ValueError", "identity")
    [library] = [each for each in found if each["logger"] == "psycopg.pool"]
    assert library["event"] == "discarding closed connection: gone"
    assert library["order"] == broke["order"]


def test_no_line_has_a_personal_value(dsn: str, tmp_path: Path, logged: io.StringIO) -> None:
    """Names, birth dates, addresses and notes went through the engine, and none into its log."""
    told(dsn, tmp_path)
    with psycopg.connect(dsn) as conn:
        [stored] = conn.execute("SELECT string_agg(personal::text, ' ') FROM o2c.event").fetchone() or [""]
    assert [name for name in PLANTED if name not in stored] == []
    assert [name for name in PLANTED if name in logged.getvalue()] == []


def _exception() -> None:
    try:
        raise LookupError("Tamsel Holmquay")
    except LookupError:
        structlog.get_logger("o2c.test").exception("broke")
        logging.getLogger("eventsourcing").exception("broke in the library")


def _thread() -> None:
    def work() -> None:
        raise LookupError("Tamsel Holmquay")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)


@pytest.mark.parametrize(
    ("happens", "events", "errors"),
    [
        pytest.param(_exception, ["broke", "broke in the library"], {"LookupError"}, id="an exception"),
        pytest.param(_thread, ["thread_died"], {"LookupError"}, id="a thread that dies"),
        pytest.param(_warning, [], {None}, id="a warning of Python"),
    ],
)
def test_what_goes_wrong_is_told_by_type_and_place(
    logged: io.StringIO, happens: Callable[[], None], events: list[str], errors: set[str | None]
) -> None:
    """An exception is logged by its type and where it was raised, never by its message."""
    happens()
    found = lines(logged)
    assert [misshapen(each) for each in found if misshapen(each)] == []
    assert events in ([each["event"] for each in found], [])
    assert {each.get("error") for each in found} == errors
    assert "Tamsel" not in logged.getvalue()


def test_the_looks_for_shape_and_names_see_what_they_look_for(logged: io.StringIO) -> None:
    """A control: a number for a position, a stream without its order, and a name that somebody logs are all found."""
    structlog.get_logger("o2c.test").info("greeted", name="Tamsel Holmquay", position=7)
    [found] = lines(logged)
    assert misshapen(found) == []
    assert found["position"] == "7"
    assert "Tamsel" in logged.getvalue()
    assert misshapen({**found, "position": 7}) == ["position"]
    assert misshapen({**found, "stream": "order-1"}) == ["order"]
    assert misshapen({**found, "seen": {"a": 1}}) == ["seen"]
    assert "logger" in misshapen({key: value for key, value in found.items() if key != "logger"})
    assert misshapen(dict(reversed(found.items()))) == ["keys out of order"]


def test_the_level_is_chosen_by_the_environment(logged: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without O2C_LOG_LEVEL debug lines are not written; a level that there is not is refused."""
    monkeypatch.setenv("O2C_LOG_LEVEL", "")
    out = io.StringIO()
    configure_logs(out=out)
    structlog.get_logger("o2c.test").debug("small")
    logging.getLogger("psycopg.pool").info("small")
    structlog.get_logger("o2c.test").info("usual")
    assert [each["event"] for each in lines(out)] == ["usual"]
    monkeypatch.setenv("O2C_LOG_LEVEL", "loud")
    with pytest.raises(Refused, match="loud is no level"):
        configure_logs(out=out)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("machine", "json_lines"), [pytest.param(False, False, id="a person"), pytest.param(True, True, id="a service on a terminal")]
)
def test_a_terminal_gets_a_readable_form(logged: io.StringIO, machine: bool, json_lines: bool) -> None:
    """A person reads lines, a service writes JSON wherever it runs."""
    out = _Terminal()
    configure_logs(out=out, machine=machine)
    structlog.get_logger("o2c.test").info("usual", stream="order-1")
    assert "usual" in out.getvalue()
    assert "order" in out.getvalue()
    assert out.getvalue().startswith("{") == json_lines
    assert sys.stderr is not out
