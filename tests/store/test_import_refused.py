"""What an import refuses: a flawed file leaves nothing of its batch, and one line says where the flaw is."""

import io
import json
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from o2c import plan
from o2c.engine.app import Engine
from o2c.files.importing import Import
from o2c.kernel.refusal import Refused
from o2c.store import importing as store
from o2c.store.commands import GuardChange
from o2c.store.connection import Connection
from o2c.store.database import connect
from tests.store.moving import contents, nothing, taken_over
from tests.store.test_roles import database_apart, login
from tests.store.writing import command, send
from tests.tables import empty_log
from tests.world import World

Lines = list[dict[str, Any]]
SECRET = "Tamsel"


def changed(place: int, **members: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[place].update(members)


def _in_body(lines: Lines) -> None:
    lines[4]["body"] = {**lines[4]["body"], "name": SECRET}


def _twice(lines: Lines) -> None:
    lines[5]["event_id"] = lines[4]["event_id"]


NOBODY = str(uuid.uuid5(uuid.NAMESPACE_URL, "nobody"))
FLAWS = {
    "a version left out": (changed(5, version=7), r"line 6: .* version 7: it does not follow version"),
    "a stream without its beginning": (
        changed(5, stream="customer-X", version=2),
        r"line 6: customer-X version 2: it does not follow version 0",
    ),
    "an unknown type": (changed(5, type="order.forgotten"), r"line 6: .* version 1: this program knows no event"),
    "a newer schema": (changed(5, schema_version=9), r"line 6: .* schema version is unknown"),
    "a body its class does not take": (changed(5, body={"colour": SECRET}), r"line 6: .* fields .*colour"),
    "a personal field in the body": (_in_body, r"line 5: .* personal fields of"),
    "a stream of no kind": (changed(5, stream="parcel-1", version=1), r"line 6: parcel-1 version 1: this program knows no such stream"),
    "a version of a catalogue": (changed(5, stream="catalogue-main@3", version=1), r"line 6: .*no such stream"),
    "an event that cannot be first": (
        lambda lines: lines.insert(5, {**lines[5], "stream": "order-1", "event_id": NOBODY}),
        r"line 6: order-1 version 1: .* cannot follow what is before it",
    ),
    "the same event twice": (_twice, r"line 6: .* its event id stands twice"),
    "an id that is none": (changed(5, event_id="7"), "line 6 is no event with its whole envelope"),
    "a time without a zone": (changed(5, occurred_at="2026-01-05T09:00:00"), "line 6 is no event"),
    "a time that there is not": (changed(5, occurred_at="2026-02-30T09:00:00Z"), "line 6 is no event"),
    "a member too many": (changed(5, position=7), "line 6 is no event"),
    "a number for a name": (changed(5, actor=7), "line 6 is no event"),
    "NUL": (changed(5, actor="a\0"), "line 6: .*NUL"),
}


def lines_of(file: bytes) -> Lines:
    """The lines of a file whose sixth is the registration of a customer, and whose fifth is another."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    people = [line for line in lines if line["type"] == "customer.registered"]
    rest = [line for line in lines if line not in people]
    return [*rest[:3], *people, *rest[3:]]


def written(lines: Lines) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize(("spoil", "told"), [pytest.param(*flaw, id=name) for name, flaw in FLAWS.items()])
def test_a_flawed_line_is_named_and_nothing_is_written(file: bytes, taking: Engine, spoil: Callable[[Lines], None], told: str) -> None:
    """One line, by its number, stream and version, never with a value of the body."""
    lines = lines_of(file)
    spoil(lines)

    with pytest.raises(Refused, match=told) as refusal:
        Import(taking, progress=nothing).run(io.BytesIO(written(lines)))

    assert "\n" not in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert not any(contents(taking.dsn).values())


def test_lines_that_are_no_lines(taking: Engine) -> None:
    """Broken JSON, a blank line, a file that is cut off in the middle of a line."""
    for raw in (b"{", b"\n", b"[]\n", b'{"stream": "order-1"', b"\xff\xfe\n", b'"' + b"\\ud800" + b'"\n'):
        with pytest.raises(Refused, match="line 1 is no event"):
            Import(taking, progress=nothing).run(io.BytesIO(raw))


def test_the_batches_before_a_flaw_stay_and_the_mended_file_goes_on(file: bytes, empty: World, lived: World) -> None:
    """What was whole is kept; of the flawed batch nothing is there."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    place = len(lines) - 5
    good, lines[place]["body"] = lines[place]["body"], {"colour": "red"}
    with pytest.raises(Refused, match=f"line {place + 1}: "):
        taken_over(empty, written(lines), batch_events=30)
    kept = contents(empty.dsn)
    assert 0 < len(kept["event"]) < place
    assert kept["agenda"] == kept["pool"] == []

    lines[place]["body"] = good
    taken_over(empty, written(lines), batch_events=30)
    assert contents(empty.dsn) == contents(lived.dsn)


def test_what_this_log_has_from_elsewhere_is_refused(file: bytes, taking: Engine, lived: World) -> None:
    """A stream, a command id and a guard that are here already are named, and nothing of the batch is written."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    last = lines[-1]
    port = next(line for line in contents(lived.dsn)["guard"] if line.startswith("(port-in,"))
    key = port.split(",")[1]
    for foreign, told in (
        (command((last["stream"], 0), each=last["version"]), f"{last['stream']} version 1: this log has other events"),
        (command(("customer-mine", 0), command_id=last["command_id"]), r"line \d+: .* command id .* was used"),
        (command(("customer-mine", 0), guards=(store_guard("port-in", key),)), f"port-in .{key[1:]} is held in this log by me"),
    ):
        with connect(taking.dsn) as conn:
            empty_log(conn)
            send(conn, foreign)
        before = contents(taking.dsn)
        with pytest.raises(Refused, match=told):
            Import(taking, progress=nothing).run(io.BytesIO(file))
        assert contents(taking.dsn) == before


def store_guard(kind: str, key: str) -> Any:
    return GuardChange(True, kind, key, "me")


def test_a_stream_that_comes_while_the_batch_is_written(file: bytes, taking: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was faster has it; the import says which line met it."""
    stream = json.loads(file.splitlines()[0])["stream"]
    write = store.write

    def late(conn: Connection, batch: store.Batch) -> int:
        with connect(taking.dsn) as other:
            send(other, command((stream, 0)))
        return write(conn, batch)

    monkeypatch.setattr(store, "write", late)
    with pytest.raises(Refused, match=f"line 1: {stream} version 1: this log has other events"):
        Import(taking, progress=nothing).run(io.BytesIO(file))
    assert len(contents(taking.dsn)["event"]) == 1


def test_only_the_owner_imports(server_dsn: str, file: bytes) -> None:
    """An appender is refused in one line, before anything is read; a member of the owner may."""
    with database_apart(server_dsn) as dsn:
        for role in ("appender", "owner"):
            with closing(Engine(login(dsn, role), plan.KINDS)) as app:
                if role == "appender":
                    with pytest.raises(Refused, match=r"appender.*_login does not own the store, and only its owner imports"):
                        Import(app, progress=nothing).run(io.BytesIO(b"{"))
                else:
                    assert Import(app, progress=nothing).run(io.BytesIO(file)).events == file.count(b"\n")
