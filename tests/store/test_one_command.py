"""One command on its two ways into the log, the library's `save` and the set-based `write`: same mapper, same SQL, same rows."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError

from o2c.customers.events import CustomerRegistered
from o2c.engine.app import Engine
from o2c.engine.drafts import Command
from o2c.kernel.carry import Happened
from o2c.kernel.event import EVENT_TYPES, Event, Fact
from o2c.orders.events import OrderCaptured, ValidationRequested
from o2c.plan import KINDS
from o2c.sim.events import SimReceived
from o2c.store.commands import APPEND_SQL
from o2c.store.mapper import FactMapper
from o2c.store.recorder import LogRecorder
from tests.store.writing import NOON, TABLES, take

ORDER, SIM, CUSTOMER = "order-7a0d8a38-5d5c-5f43-8a1b-0f6a7f3c2d11", "sim-8944770000000000009", "customer-C-1001"
COMMAND_ID = "2f4ad1f6-0d1f-5c37-9a51-3a2f1f0f7d42"


def _example(cls: type[Event]) -> Event:
    return cls.model_validate(dict(cls.example))


def _command(command_id: str = COMMAND_ID) -> Command:
    """An order is taken down for a new customer while a SIM comes into stock: three streams, a guard, an agenda entry, a pool change."""
    events = ((ORDER, OrderCaptured), (ORDER, ValidationRequested), (CUSTOMER, CustomerRegistered), (SIM, SimReceived))
    happened = tuple(Happened(stream, _example(cls), NOON) for stream, cls in events)
    return Command(
        command_id, ORDER, happened, {}, "clerk-1", "web", guards=(take("8944770000000000009", f"{ORDER}/1"),), outcome='{"n": 1}'
    )


def _save(app: Engine, command: Command) -> None:
    """The library's way: events of several streams in one call, our command beside them."""
    [draft] = app.drafts([command], {})
    facts: Any = draft.facts
    app.save(*facts, command=draft.append(command))


def _write(app: Engine, command: Command) -> None:
    assert [outcome.verdict for outcome in app.write([command])] == ["appended"]


@pytest.fixture
def app(log_dsn: str) -> Iterator[Engine]:
    with Engine(log_dsn, KINDS) as opened:
        yield opened


@pytest.fixture
def other_app(dsn: str) -> Iterator[Engine]:
    """The engine on another log, so that the very same command can be written twice."""
    with Engine(dsn, KINDS) as opened:
        yield opened


def _noted(patch: pytest.MonkeyPatch, owner: type, name: str, note: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def noting(*args: Any, **kwargs: Any) -> Any:
        note(*args, **kwargs)
        return original(*args, **kwargs)

    patch.setattr(owner, name, noting)


def _walk(app: Engine, way: Callable[[Engine, Command], None]) -> tuple[list[str], list[Fact], list[Any]]:
    """Write the command one way: the places it came through, the facts that were mapped, and the statements that wrote."""
    places: list[str] = []
    mapped: list[Fact] = []
    statements: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((Application, "save"), (LogRecorder, "insert_events"), (LogRecorder, "append")):
            _noted(patch, owner, name, lambda *_, place=name, **__: places.append(place))
        _noted(patch, FactMapper, "to_stored_event", lambda _, fact: mapped.append(fact))
        _noted(patch, psycopg.Cursor, "execute", lambda _, query, parameters=None, **__: statements.append((query, parameters)))
        way(app, _command())
    return places, mapped, [(query, parameters) for query, parameters in statements if query == APPEND_SQL]


def _stored(app: Engine) -> dict[str, list[Any]]:
    """Everything that was written, without positions and the server's clock."""
    sql = "SELECT to_jsonb(t) - '{{position,first_position,last_position,recorded_at}}'::text[] AS row FROM o2c.{} AS t ORDER BY 1"
    return {table: [row["row"] for row in app.reads.rows(sql.format(table))] for table in TABLES}


def test_both_ways_are_one(app: Engine, other_app: Engine) -> None:
    """`save` goes through Application.save and our recorder, `write` straight to it; mapper calls, statement and rows are equal."""
    saved, written = _walk(app, _save), _walk(other_app, _write)
    assert (saved[0], written[0]) == (["save", "insert_events", "append"], ["append"])
    assert saved[1] == written[1]
    assert [fact.event for fact in saved[1]] == [each.event for each in _command().happened]
    assert saved[2] == written[2]
    assert len(saved[2]) == 1
    stored = _stored(app)
    assert stored == _stored(other_app)
    assert {table: len(rows) for table, rows in stored.items()} == {
        "event": 4,
        "head": 3,
        "command": 1,
        "guard": 1,
        "series": 0,
        "agenda": 1,
        "pool": 1,
    }


@pytest.mark.parametrize("way", [pytest.param(_save, id="by save"), pytest.param(_write, id="set-based")])
def test_what_was_written_is_read_back(app: Engine, way: Callable[[Engine, Command], None]) -> None:
    """Every stored event becomes the event it was, with its envelope, and the head's state is the fold of the events."""
    way(app, _command())
    facts: list[Any] = [app.mapper.to_domain_event(stored) for stored in app.log_recorder.select_notifications(None, 10)]
    assert [(fact.stream, fact.version) for fact in facts] == [(ORDER, 1), (ORDER, 2), (CUSTOMER, 1), (SIM, 1)]
    assert [fact.event for fact in facts] == [each.event for each in _command().happened]
    assert {(f.command_id, f.actor, f.channel, f.occurred_at, f.customer_id) for f in facts} == {
        (COMMAND_ID, "clerk-1", "web", NOON, "C-1001")
    }
    assert {fact.order_id for fact in facts} == {ORDER.removeprefix("order-")}
    for stream, loaded in app.load([ORDER, SIM, CUSTOMER]).items():
        assert loaded.state == app.replay(stream)


def test_a_resent_command_is_no_error(app: Engine) -> None:
    """By both ways the same command changes nothing the second time; `save` raises only when the answer is not the first one's."""
    _save(app, _command())
    before = _stored(app)
    _save(app, _command())
    _save(app, replace(_command(), happened=_command().happened[:1]))
    assert [outcome.verdict for outcome in app.write([_command()])] == ["repeated"]
    assert _stored(app) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"command_id": "5b0a6d3a-90c4-5e6e-8a39-6e1f8f1c0c55", "guards": ()}, "stale", id="stale"),
        pytest.param({"fingerprint": "another request"}, "refused", id="refused"),
        pytest.param(
            {
                "command_id": "5b0a6d3a-90c4-5e6e-8a39-6e1f8f1c0c55",
                "stream": "sim-1",
                "happened": (Happened("sim-1", _example(SimReceived), NOON),),
                "guards": (take("8944770000000000009", "order-2/1"),),
            },
            "guarded sim 8944770000000000009",
            id="guarded",
        ),
    ],
)
def test_save_raises_what_write_returns(app: Engine, change: dict[str, Any], message: str) -> None:
    """A command that cannot be appended is a result of `write` and an IntegrityError of `save`, and writes nothing by either."""
    seen = app.load([ORDER, SIM, CUSTOMER])
    _save(app, _command())
    before = _stored(app)
    command = replace(_command(), seen=seen, **change)
    assert [outcome.verdict for outcome in app.write([command])] == [message.split()[0]]
    with pytest.raises(IntegrityError, match=message):
        _save(app, command)
    assert _stored(app) == before


@pytest.mark.parametrize("way", [pytest.param(_save, id="by save"), pytest.param(_write, id="set-based")])
def test_personal_fields_stand_apart(app: Engine, way: Callable[[Engine, Command], None]) -> None:
    """A text given in every personal field is in `personal` of those events, and in no body."""
    details = [{"characteristics": {"remark": "private"}, "place": "private"}]
    order = OrderCaptured.model_validate({**OrderCaptured.example, "details": details, "original": "private"})
    customer = CustomerRegistered.model_validate({**CustomerRegistered.example, **dict.fromkeys(CustomerRegistered.personal, "private")})
    sim = _example(SimReceived)
    happened = tuple(Happened(stream, event, NOON) for stream, event in ((ORDER, order), (CUSTOMER, customer), (SIM, sim)))
    way(app, replace(_command(), happened=happened))
    stored = {row["type"]: row for row in app.reads.rows("SELECT type, body, personal FROM o2c.event")}
    assert {name: row["personal"] for name, row in stored.items()} == {
        "order.captured": {"details": details, "original": "private"},
        "customer.registered": dict.fromkeys(("name", "birth_date", "email", "address"), "private"),
        "sim.received": None,
    }
    assert "private" not in json.dumps([row["body"] for row in stored.values()])
    assert stored["sim.received"]["body"] == dict(SimReceived.example)


@pytest.mark.parametrize("name", sorted(name for name, cls in EVENT_TYPES.items() if cls.personal))
def test_every_personal_field_is_kept_and_kept_apart(app: Engine, name: str) -> None:
    """Each event with personal fields is split on its way out and whole again on its way back."""
    cls = EVENT_TYPES[name]
    fact = Fact("order-1", 1, _example(cls), COMMAND_ID, NOON, "clerk-1", "web", COMMAND_ID)
    mapper: Any = app.mapper
    stored = mapper.to_stored_event(fact)
    assert set(json.loads(stored.state)) | set(json.loads(stored.personal)) == set(cls.model_fields)
    assert set(json.loads(stored.personal)) == cls.personal
    assert mapper.to_domain_event(stored).event == fact.event
