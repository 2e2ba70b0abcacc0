"""Laws of personal data: a marked value stands in its own column and in no text that anybody logs, prints or reads as an error."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from eventsourcing.persistence import JSONTranscoder, MapperDeserialisationError
from pydantic import BaseModel, ValidationError
from rich.pretty import pretty_repr

from o2c.kernel.event import Event, Fact, Pii
from o2c.orders.document import ITEMS_MAX, LINE_BYTES_MAX, Unreadable, read
from o2c.store.mapper import FactMapper, StoredFact
from o2c.views.event_types import event_types

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
MAPPER = FactMapper(transcoder=JSONTranscoder())
SECRET = "Zebra Private 4711"
PLAIN = "Unmarked 0815"
EVERY = [pytest.param(cls, id=cls.type_name) for cls in event_types()]
PERSONAL = [pytest.param(cls, id=cls.type_name) for cls in event_types() if cls.personal]
INVENTED = {
    "name": r"\w+ Example",
    "birth-date": r"1980-02-29",
    "e-mail": r"[a-z]+@example\.org",
    "address": r"[0-9]+ [A-Z][a-z]+ Lane, Testford, ZZ1 1AA|[a-z]+@example\.org",
    "note": r"[a-z ]+",
    "correction": r"ABC123456",
    "details": r"esim|[0-9]+ [A-Z][a-z]+ Lane, Testford, ZZ1 1AA",
    "original": r"\{\}",
    "phone": r"\+447700900[0-9]{3}",
    "values": r"WEB-[0-9]+|[A-Z][a-z]+ (Example|Mobile)",
    "remittance": r"TFR-[0-9]+",
    "porting-code": r"EXO[0-9]{6}",
    "identity-digest": r"[0-9a-f]{32}",
    "sealed": r"2026-01-05:c2VhbGVk",
    "digest": r"[0-9a-f]{16}",
    "key-digest": r"[0-9a-f]{64}",
}
"""By kind of personal field, what its examples look like. No postcode begins with ZZ; example.org is reserved (RFC 2606 section 3)."""


def marked(value: Any) -> Any:
    """The same value with every text in it replaced by the secret."""
    if isinstance(value, dict):
        return {key: marked(part) for key, part in value.items()}
    return [marked(part) for part in value] if isinstance(value, list | tuple) else SECRET


def body(cls: type[Event]) -> dict[str, Any]:
    """The example with the secret in every personal field, and a recognisable text in the first plain one that takes any."""
    secret = {name: marked(cls.example.get(name, "")) for name in cls.personal}
    plain = next(name for name, info in cls.model_fields.items() if info.annotation is str and name not in cls.personal)
    return {**cls.example, **secret, plain: PLAIN}


def fact(cls: type[Event]) -> Fact:
    return Fact(
        stream="order-1", version=3, event=cls.model_validate(body(cls)), event_id="5f0c", occurred_at=AT, actor="test", channel="web",
        command_id="9a1b",
    )  # fmt: skip


def stored(cls: type[Event]) -> StoredFact:
    return MAPPER.to_stored_event(fact(cls))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)
    else:
        yield str(value)


def logged(renderer: Callable[..., Any], thing: Any, *, failing: bool = False) -> str:
    """What structlog writes when somebody logs the thing by mistake, or an exception that carries it."""
    processors: list[Any] = [structlog.processors.format_exc_info, renderer]
    lines: list[str] = []

    class _Sink:
        def msg(self, line: str) -> None:
            lines.append(line)

        info = error = msg

    logger = structlog.wrap_logger(_Sink(), processors=processors, wrapper_class=structlog.BoundLogger)
    if failing:
        try:
            raise RuntimeError(thing)
        except RuntimeError:
            logger.error("failed", exc_info=True)
    else:
        logger.info("happened", thing=thing, within=[thing])
    return "\n".join(str(line) for line in lines)


RENDERERS = [
    pytest.param(structlog.processors.JSONRenderer(), id="json"),
    pytest.param(structlog.processors.KeyValueRenderer(), id="key-value"),
    pytest.param(structlog.processors.LogfmtRenderer(), id="logfmt"),
    pytest.param(structlog.dev.ConsoleRenderer(colors=False), id="console"),
]


def test_there_is_something_personal() -> None:
    """The laws look at the types known to hold personal data, and at more than one field."""
    names = {cls.type_name for cls in event_types() if cls.personal}

    assert {"customer.registered", "order.captured", "fallout.correction-applied", "item.failed"} <= names
    assert sum(len(cls.personal) for cls in event_types()) >= 10


@pytest.mark.parametrize("cls", PERSONAL)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda event: f"{event}", id="format"),
        pytest.param(lambda event: f"{[event]} { ({'key': event}) }", id="in a container"),
        pytest.param(pretty_repr, id="rich"),
        pytest.param(lambda event: str(RuntimeError(event)), id="in an exception"),
        pytest.param(lambda event: logging.LogRecord("", 20, "", 1, "%s %r", (event, event), None).getMessage(), id="logging"),
    ],
)
def test_no_text_of_an_event_shows_a_personal_value(cls: type[Event], text: Callable[[Any], str]) -> None:
    """However an event, or the fact around it, is made text, personal values are masked and the others are there."""
    for thing in (fact(cls).event, fact(cls)):
        assert SECRET not in text(thing)
        assert PLAIN in text(thing)


@pytest.mark.parametrize("cls", PERSONAL)
@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("failing", [pytest.param(False, id="as a value"), pytest.param(True, id="in an exception")])
def test_no_log_line_shows_a_personal_value(cls: type[Event], renderer: Callable[..., Any], failing: bool) -> None:
    """An event logged by mistake tells its plain fields only."""
    for thing in (fact(cls).event, fact(cls)):
        line = logged(renderer, thing, failing=failing)
        assert SECRET not in line
        assert PLAIN in line


@pytest.mark.parametrize("cls", EVERY)
def test_the_stored_body_holds_nothing_personal(cls: type[Event]) -> None:
    """Marked fields stand in their own column, all of them and nothing else; a type without any has none."""
    event = cls.model_validate(body(cls) if cls.personal else dict(cls.example))
    row = MAPPER.to_stored_event(replace(fact_of(event), event=event))

    assert SECRET not in row.state.decode()
    assert set(json.loads(row.state)) == set(cls.model_fields) - cls.personal
    assert set(json.loads(row.personal) if row.personal else {}) == cls.personal
    assert (SECRET in (row.personal or "")) == bool(cls.personal)


def fact_of(event: Event) -> Fact:
    return Fact(stream="order-1", version=1, event=event, event_id="1", occurred_at=AT, actor="test", channel="web", command_id="1")


@pytest.mark.parametrize("cls", PERSONAL)
def test_a_broken_stored_event_is_named_without_its_values(cls: type[Event]) -> None:
    """Type, stream and fields are named, the values of the row are not: not in the error, and not in what led to it."""
    row = stored(cls)
    whole = json.loads(row.state)
    broken = [
        replace(row, state=json.dumps({**whole, "unheard_of": SECRET}).encode()),
        replace(row, personal=json.dumps({name: [[SECRET]] for name in cls.personal})),
        replace(row, state=b"{}", personal=json.dumps({**json.loads(row.personal or "{}"), "unheard_of": SECRET})),
    ]
    for wrong in broken:
        with pytest.raises(MapperDeserialisationError, match=f"{re.escape(cls.type_name)} at order-1 version 3: fields") as caught:
            MAPPER.to_domain_event(wrong)
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize("cls", PERSONAL)
def test_a_refused_value_is_not_told(cls: type[Event]) -> None:
    """An event that cannot be made says which field is wrong and how, never what was given."""
    given = body(cls)
    wrong: list[dict[str, Any]] = [{**given, "unheard_of": SECRET}]
    if any(info.is_required() for name, info in cls.model_fields.items() if name not in cls.personal):
        wrong.append({name: given[name] for name in cls.personal})
    wrong += [{**given, name: [[SECRET]]} for name in cls.personal]
    for values in wrong:
        with pytest.raises(ValidationError, match=cls.__name__) as caught:
            cls.model_validate(values)
        assert SECRET not in f"{caught.value} {caught.value!r}"


class _Unguarded(BaseModel):
    """A model as pydantic makes it."""

    name: str


def test_the_laws_would_see_a_leak() -> None:
    """A model that takes no care shows its value in text, in a log line and in the error of a wrong one; so does a plain event field."""
    careless = _Unguarded(name=SECRET)
    with pytest.raises(ValidationError) as caught:
        _Unguarded.model_validate({"name": [SECRET]})

    assert SECRET in repr(careless)
    assert SECRET in str(caught.value)
    assert all(SECRET in logged(renderer.values[0], careless) for renderer in RENDERERS)  # type: ignore[arg-type] # a set of a param is untyped


def order(**changes: Any) -> bytes:
    """A readable order whose every text is personal, with some keys changed."""
    item = {"id": "1", "product": {"productCharacteristic": [{"name": "note", "value": SECRET}], "place": [{"name": SECRET}]}}
    whole = {"externalId": SECRET, "orderDate": "2026-01-05T09:00:00Z", "productOrderItem": [item], "description": SECRET, **changes}
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


BAD_ORDERS = [
    pytest.param(order() + b"}", "not JSON: Extra data", id="something behind the object"),
    pytest.param(order()[:-1], "not JSON: Expecting", id="cut off"),
    pytest.param(order().replace(b'"description": "', b'"description": "\\q'), "not JSON: Invalid", id="a wrong escape"),
    pytest.param(order().replace(b'"description": "', b'"description": "\x01'), "not JSON: Invalid control", id="a control character"),
    pytest.param(f'"{SECRET}"'.encode(), "not a JSON object", id="a text"),
    pytest.param(f'["{SECRET}"]'.encode(), "not a JSON object", id="a list"),
    pytest.param(SECRET.encode(), "not JSON: Expecting value", id="no JSON at all"),
    pytest.param(order() + "é".encode("latin-1"), "not UTF-8 at byte", id="not UTF-8"),
    pytest.param(order().replace(b'"description": "', b'"description": "\\ud800'), "an unpaired surrogate", id="an unpaired surrogate"),
    pytest.param(order().replace(b'"description": "', b'"description": "\\u0000'), "a NUL character", id="a NUL"),
    pytest.param(
        order().replace(b'{"externalId"', f'{{"{SECRET}": 1, "{SECRET}": 2, "externalId"'.encode()), "the same key twice", id="a key twice"
    ),
    pytest.param(order(orderDate=SECRET), "orderDate is no time", id="an order date that is none"),
    pytest.param(order(orderDate=None), "orderDate is missing", id="no order date"),
    pytest.param(order(externalId={"id": SECRET}), "externalId has no id", id="an external id of the wrong kind"),
    pytest.param(order(externalId=float("nan")), "NaN is no JSON number", id="no number"),
    pytest.param(order().replace(b'"1"', b"4711" * 2_000), "too many digits", id="a number with too many digits"),
    pytest.param(order(description=SECRET * (LINE_BYTES_MAX // 18 + 1)), "bytes in one line", id="too long"),
    pytest.param(order(description=json.loads("[" * 70 + f'"{SECRET}"' + "]" * 70)), "nested deeper", id="too deep"),
    pytest.param(b"[" * 200_000 + SECRET.encode(), "nested deeper", id="much too deep"),
    pytest.param(order(productOrderItem=[{"id": "1", "action": SECRET}] * (ITEMS_MAX + 1)), "5001 items", id="too many items"),
]


@pytest.mark.parametrize(("raw", "why"), BAD_ORDERS)
def test_a_bad_order_is_refused_without_its_values(raw: bytes, why: str) -> None:
    """What makes a line unreadable is said in one line that holds nothing of it, nor does the error it came from."""
    with pytest.raises(Unreadable, match=why) as caught:
        read(raw)

    told = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not any(word in told for word in (*SECRET.split(), "Example"))
    assert "\n" not in str(caught.value)


def test_the_order_the_bad_ones_are_made_from_is_readable() -> None:
    """Nothing else is wrong with them: as it stands the order is read, with the values that must not be told."""
    assert read(order()).external_id == SECRET


@pytest.mark.parametrize("cls", PERSONAL)
def test_the_examples_are_invented(cls: type[Event]) -> None:
    """No example of a personal field could be anybody's: each kind has a form that cannot be real, and an example of each field is given."""
    for name in cls.personal:
        [kind] = [mark.kind for mark in cls.model_fields[name].metadata if isinstance(mark, Pii)]
        found = list(texts(cls.example[name]))
        assert found
        assert [text for text in found if not re.fullmatch(INVENTED[kind], text)] == []
