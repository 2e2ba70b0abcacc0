"""A connection that is cut after COMMIT was forwarded and before the answer came back: the caller asks again, and it happened once."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c import Context, OrderToCash, Refused
from o2c.engine.app import Written
from tests.attacks.harness import stock_environment
from tests.depth import depth
from tests.world import World

READY = b"Z\x00\x00\x00\x05I"
"""ReadyForQuery, outside a transaction: what was sent has been done (PostgreSQL 18 documentation, 54.7 Message Formats)."""
TRIES = 5
T = TypeVar("T")


class Cutter:
    """A TCP proxy before a server's socket. Once armed, it cuts the connection that sends the text as soon as the server is done with it."""

    def __init__(self, dsn: str) -> None:
        self._behind = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._armed = b""
        self.cuts = 0
        # One path for every byte: an encrypted one would hide what is said.
        place = {"host": "127.0.0.1", "port": self._listening.getsockname()[1], "sslmode": "disable", "gssencmode": "disable"}
        self.dsn = make_conninfo(dsn, **place)

    def arm(self, text: str) -> None:
        """Cut the next connection that sends this."""
        self._armed = text.encode()

    @contextmanager
    def open(self) -> Iterator["Cutter"]:
        accepting = threading.Thread(target=self._accept, daemon=True)
        accepting.start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            accepting.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=[near], daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far, suppress(OSError):
            far.connect(str(Path(self._behind["host"]) / f".s.PGSQL.{self._behind['port']}"))
            while self._pass_on(near, far):
                pass

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        """Carry what has come, in either direction; whether the connection is still there."""
        ready, _, _ = select.select([near, far], [], [])
        for source, other in ((near, far), (far, near)):
            if source not in ready:
                continue
            if not (told := source.recv(1 << 16)):
                return False
            other.sendall(told)
            if source is near and self._armed and self._armed in told:
                self._armed = b""
                self._let_it_be_done(far)
                return False
        return True

    def _let_it_be_done(self, far: socket.socket) -> None:
        heard = b""
        while READY not in heard:
            heard += far.recv(1 << 16)
        self.cuts += 1


def _insistently(ask: Callable[[], T]) -> T:
    """Ask again, in the same words, as long as the answer is that none came."""
    for _ in range(TRIES):
        try:
            return ask()
        except Refused as refused:
            if refused.kind != "unavailable":
                raise
    raise AssertionError("the caller was never told")


def test_what_was_done_is_told_to_who_asks_again(dsn: str, tmp_path: Path) -> None:
    """However often the answer is lost, each contact stands once in the log, and its caller is told where."""
    cuts = depth(10, 200)
    world = World(dsn, tmp_path).stocked(esims=0, physical=0, numbers=0, customers=1)
    world.close()
    told: list[Written] = []
    with Cutter(dsn).open() as cutter, OrderToCash(cutter.dsn) as o2c:
        for n in range(cuts):
            note, context = f"note {n} of {cuts}", Context("shop", command_id=str(uuid4()))
            cutter.arm(note)
            told.append(_insistently(partial(o2c.record_contact, "C-1", context, medium="call", topic="other", note=note)))
        contacts = [record.position for record in o2c.stream("customer-C-1") if record.type == "customer.contacted"]
    assert cutter.cuts == cuts
    assert all(written.repeated for written in told)
    assert [written.position for written in told] == contacts


class Noted(Aggregate):
    """A customer's file in the stock library."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @event("Noted")
    def note(self, text: str) -> None:
        self.notes.append(text)


def test_control_reload_and_retry_does_it_twice(dsn: str) -> None:
    """The stock library retries by itself, reports a conflict for its own success, and the caller that reloads and retries notes it twice."""
    with Cutter(dsn).open() as cutter:
        app = Application[UUID]({**stock_environment(cutter.dsn), "ORIGINATOR_ID_TYPE": "uuid"})
        file = Noted()
        app.save(file)
        conflicts = 0
        for n in range(3):
            cutter.arm("COMMIT")
            for _ in range(TRIES):
                loaded = cast("Noted", app.repository.get(file.id))
                loaded.note(f"note {n}")
                try:
                    app.save(loaded)
                    break
                except IntegrityError:
                    conflicts += 1
        notes = cast("Noted", app.repository.get(file.id)).notes
        app.close()
    assert cutter.cuts == conflicts == 3
    assert notes == [f"note {n}" for n in range(3) for _ in range(2)]
