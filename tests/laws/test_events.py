"""Laws of the event types: named, explained, stored and read back, and what was stored once can be read for ever."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from eventsourcing.persistence import JSONTranscoder
from pydantic import BaseModel, ValidationError

from o2c import plan
from o2c.kernel.event import EVENT_TYPES, Event, Fact, Pii, Upcast
from o2c.kernel.shapes import OfStep
from o2c.orders.rollup import GATES
from o2c.store.mapper import ASKED, EXCHANGE, FactMapper, StoredFact
from o2c.views.event_types import check_docs, event_types, stream_categories, write_docs

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "events"
EVERY = [pytest.param(cls, id=cls.type_name) for cls in event_types()]
FILES = [pytest.param(path, id=path.name) for path in sorted(GOLDEN.glob("*.json"))]
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
MAPPER = FactMapper(transcoder=JSONTranscoder())
NAME = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*")
SENTENCE = re.compile(r"[A-Z][^.]*(\s+\S+){2,}\.", re.DOTALL)
IRREGULAR = frozenset(
    {
        "begun",
        "forgotten",
        "made",
        "withheld",
        "lost",
        "given",
        "brought",
        "set",
        "fell",
        "kept",
        "sent",
        "taken",
        "withdrawn",
        "went",
        "came",
        "broken",
        "written",
        "put",
    }
)
SAID_AS_A_STATE = frozenset({"partner.silent", "invoice.overdue"})


def example(cls: type[Event]) -> Event:
    return cls.model_validate(dict(cls.example))


def fact(event: Event) -> Fact:
    return Fact(
        stream="order-1", version=3, event=event, event_id="5f0c", occurred_at=AT, actor="test", channel="web", command_id="9a1b",
        causation="77", order_id="1", customer_id="C-1001", position=12, recorded_at=AT,
    )  # fmt: skip


def golden(stored: StoredFact) -> dict[str, Any]:
    """What of a stored event its class decides."""
    personal = json.loads(stored.personal) if stored.personal else None
    return {"type": stored.topic, "schema": stored.schema, "body": json.loads(stored.state), "personal": personal}


def read_golden(path: Path) -> Event:
    """The event of a golden file, as this program reads it from the store."""
    told = json.loads(path.read_text(encoding="utf-8"))
    state, personal = json.dumps(told["body"]).encode(), json.dumps(told["personal"]) if told["personal"] is not None else None
    stored = StoredFact(
        originator_id="order-1", originator_version=1, topic=told["type"], state=state, id=1, event_id="5f0c", schema=told["schema"],
        occurred_at=AT, actor="test", channel="web", command_id="9a1b", causation=None, order_id=None, customer_id=None, personal=personal,
        recorded_at=AT,
    )  # fmt: skip
    event: Event = MAPPER.to_domain_event(stored).event
    return event


def parts(annotation: Any) -> Iterator[Any]:
    """A type, and every type it is made of, down to the fields of nested models."""
    yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        for info in annotation.model_fields.values():
            yield from parts(info.annotation)


def numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers(part)
    else:
        yield value


def test_every_type_is_here() -> None:
    """The laws look at something: each step of the plan brings at least what was asked for and how it fell out."""
    names = {cls.type_name for cls in event_types()}

    assert {step.requested.type_name for step in plan.STEPS.values() if step.requested} <= names
    assert {step.fell_out.type_name for step in plan.STEPS.values()} - {"FellOut", ""} <= names


@pytest.mark.parametrize("cls", EVERY)
def test_a_type_is_explained(cls: type[Event]) -> None:
    """A class has a docstring of its own that is a sentence, and an example of its own where it has anything to show."""
    assert SENTENCE.match(cls.__dict__.get("__doc__") or ""), cls
    assert not cls.model_fields or "example" in cls.__dict__


@pytest.mark.parametrize("cls", EVERY)
def test_a_type_is_named_for_what_happened(cls: type[Event]) -> None:
    """A stored name is `thing.past-tense`; two names say a state, as the trade does."""
    words = cls.type_name.partition(".")[2].split("-")

    assert NAME.fullmatch(cls.type_name)
    assert any(word.endswith("ed") or word in IRREGULAR for word in words) or cls.type_name in SAID_AS_A_STATE


@pytest.mark.parametrize("cls", EVERY)
def test_a_type_goes_to_the_store_and_back(cls: type[Event]) -> None:
    """The example, and the envelope around it, come back equal."""
    assert MAPPER.to_domain_event(MAPPER.to_stored_event(fact(example(cls)))) == fact(example(cls))


@pytest.mark.parametrize("cls", EVERY)
def test_an_unknown_field_is_refused(cls: type[Event]) -> None:
    """No event and no part of one takes a field that its class does not declare."""
    with pytest.raises(ValidationError, match="extra_forbidden"):
        cls.model_validate({**cls.example, "unheard_of": "x"})
    assert open_parts(cls) == []


def types_of(cls: type[Event]) -> list[Any]:
    """The types an event's fields are made of."""
    return [part for info in cls.model_fields.values() for part in parts(info.annotation)]


def open_parts(cls: type[Event]) -> list[type[BaseModel]]:
    """The models within an event that take any field."""
    models = [part for part in types_of(cls) if isinstance(part, type) and get_origin(part) is None]
    return [model for model in models if issubclass(model, BaseModel) and not closed(model)]


def closed(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid" and model.model_config.get("frozen") is True


@pytest.mark.parametrize("cls", EVERY)
def test_an_event_cannot_be_changed(cls: type[Event]) -> None:
    """What happened stays as it was told."""
    event = example(cls)
    assert closed(cls)
    for name in cls.model_fields:
        with pytest.raises(ValidationError, match="frozen_instance"):
            setattr(event, name, getattr(event, name))
    assert event == example(cls)


@pytest.mark.parametrize("cls", EVERY)
def test_no_float_anywhere(cls: type[Event]) -> None:
    """Neither a type nor a stored value is a float, or a type that could hide one; containers keep their order."""
    stored = golden(MAPPER.to_stored_event(fact(example(cls))))

    assert inexact(cls) == []
    assert [value for value in numbers([stored["body"], stored["personal"]]) if isinstance(value, float)] == []


def inexact(cls: type[Event]) -> list[Any]:
    """The types within an event that are a float, could hide one, or lose the order of their parts."""
    return [part for part in types_of(cls) if part in (float, Any, object) or get_origin(part) in (list, set, frozenset)]


@pytest.mark.parametrize("cls", EVERY)
def test_a_personal_mark_counts(cls: type[Event]) -> None:
    """A mark stands on a field of the event itself: inside a part or an optional type it would keep nothing apart."""
    hints = get_type_hints(cls, include_extras=True)

    assert {name for name in cls.model_fields if marks(hints[name])} == cls.personal
    assert idle_marks(cls) == []


def idle_marks(cls: type[Event]) -> list[str]:
    """The fields of an event with a mark somewhere inside, where it keeps nothing apart."""
    hints = get_type_hints(cls, include_extras=True)
    return [name for name in cls.model_fields if marks(hints[name], deep=True) and not marks(hints[name])]


def marks(hint: Any, *, deep: bool = False) -> bool:
    if any(isinstance(mark, Pii) for mark in getattr(hint, "__metadata__", ())):
        return True
    inner = list(get_args(hint)) if deep else []
    if deep and isinstance(hint, type) and get_origin(hint) is None and issubclass(hint, BaseModel):
        inner += get_type_hints(hint, include_extras=True).values()
    return any(marks(part, deep=True) for part in inner)


class _Part(BaseModel):
    """A part of an event, made with no care."""

    share: float
    name: Annotated[str, Pii("name")]


class _Flawed(Event):
    """Has been made with no care."""

    parts: tuple[_Part, ...]
    weights: dict[str, list[int]]
    whatever: Any
    born: Annotated[str, Pii("birth-date")] | None
    email: Annotated[str, Pii("e-mail")]


def test_the_laws_would_see_a_flaw() -> None:
    """A float, an open model and an idle mark are found however deep they stand in an event; what is marked as it should be is no flaw."""
    assert inexact(_Flawed) == [float, list[int], Any]
    assert open_parts(_Flawed) == [_Part]
    assert idle_marks(_Flawed) == ["parts", "born"]
    assert _Flawed.personal == {"email"}


@pytest.mark.parametrize("cls", EVERY)
def test_the_stored_form_is_golden(cls: type[Event]) -> None:
    """What the store holds of the example does not change: a golden file is added with a new schema version and never edited."""
    path = GOLDEN / f"{cls.type_name}.v{cls.schema_version()}.json"
    stored = golden(MAPPER.to_stored_event(fact(example(cls))))
    if not path.exists() and os.environ.get("O2C_WRITE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert path.exists(), f"{path.name} is missing: run this test once with O2C_WRITE_GOLDEN=1 and look at what it writes"
    changed = f"{cls.type_name} is stored otherwise: declare an Upcast (a new schema version), leave {path.name} as it is"
    assert json.loads(path.read_text(encoding="utf-8")) == stored, changed


@pytest.mark.parametrize("cls", EVERY)
def test_every_schema_version_has_its_golden_file(cls: type[Event]) -> None:
    """None of the versions between the first and today's is left unproven, and there is none of the future."""
    versions = {path.name for path in GOLDEN.glob(f"{cls.type_name}.v*.json")}

    assert versions == {f"{cls.type_name}.v{version}.json" for version in range(1, cls.schema_version() + 1)}


@pytest.mark.parametrize("path", FILES)
def test_what_was_ever_stored_can_be_read(path: Path) -> None:
    """Each golden file, however old, becomes an event of today's class under the name it says."""
    told = json.loads(path.read_text(encoding="utf-8"))

    assert path.name == f"{told['type']}.v{told['schema']}.json"
    assert type(read_golden(path)) is EVENT_TYPES[told["type"]]


def test_an_old_credit_approval_is_read_as_a_new_one() -> None:
    """Version 1 said `by` and no policy; read today it says `decided_by`, and that no policy, commitment or search was on record."""
    old = json.loads((GOLDEN / "credit.approved.v1.json").read_text(encoding="utf-8"))
    event = read_golden(GOLDEN / "credit.approved.v1.json").model_dump()

    assert "by" in old["body"]
    assert "policy" not in old["body"]
    nothing_of_version_3 = {"committed_minor": 0, "search": "", "reused_from": "", "expires_at": ""}
    assert event == {
        "item": "", "attempt": 1, "decided_by": "bureau", "limit_minor": 0, "policy": "credit/unversioned", **nothing_of_version_3,
    }  # fmt: skip


def test_declared_changes_apply_in_turn() -> None:
    """A rename and a default of two versions compose; what the event said wins over the default."""
    changes = (Upcast(renames={"a": "b"}), Upcast(renames={"b": "c"}, defaults={"d": 1}))
    body = {"a": 5, "d": 2}
    for change in changes:
        body = change.apply(body)

    assert body == {"c": 5, "d": 2}


@pytest.mark.parametrize("cls", EVERY)
def test_a_type_stands_in_a_known_stream(cls: type[Event]) -> None:
    """The catalogue names kinds of stream that there are."""
    assert stream_categories(cls)
    assert set(stream_categories(cls)) <= set(plan.KINDS)


def test_a_step_outside_orders_says_where_it_stands() -> None:
    """A step that no order plans is not said to stand in an order."""
    planned = {row[0] for rows in plan.PLANS.values() for row in rows} | {
        *GATES,
        "duplicate",
        "credit-notice",
        "voucher-expiry",
        "suspension",
    }
    planned |= {row[0] for row in plan.CHANGES}
    planned |= {step.ending.recall for step in plan.STEPS.values() if step.ending.recall}
    elsewhere = {name for name, step in plan.STEPS.items() if stream_categories(step.fell_out) != ("order",)}

    assert elsewhere == set(plan.STEPS) - planned


def test_the_catalogue_of_events_is_current() -> None:
    """docs/events.md is what the classes say; `o2c docs` writes it."""
    assert check_docs(ROOT) == []


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """A page that is missing or was edited by hand is named, with what to do."""
    pages = ("docs/events.md", "docs/fallout.md")
    assert check_docs(tmp_path) == [f"{page} is missing; write it with `o2c docs`" for page in pages]
    write_docs(tmp_path)
    assert check_docs(tmp_path) == []
    (tmp_path / "docs" / "events.md").write_text("# Events\n", encoding="utf-8")
    assert check_docs(tmp_path) == ["docs/events.md is out of date; write it again with `o2c docs`"]


def test_links_of_the_catalogue_lead_somewhere(tmp_path: Path) -> None:
    """Each entry of the table of contents has its heading, and no two headings share an address."""
    write_docs(tmp_path)
    page = (tmp_path / "docs" / "events.md").read_text(encoding="utf-8")
    headings = [re.sub(r"[^a-z0-9-]", "", heading) for heading in re.findall(r"^###? (.+)$", page, flags=re.MULTILINE)]

    assert re.findall(r"\]\(#(.+?)\)", page) == headings
    assert len(set(headings)) == len(headings)


@pytest.mark.parametrize("cls", EVERY)
def test_an_event_says_which_stream_it_belongs_to(cls: type[Event]) -> None:
    """Its class names a kind of stream that there is, or says that it may stand wherever steps are; nothing has to be listed elsewhere."""
    assert cls.of_stream in {*plan.KINDS, "*"}
    assert cls.of_stream != "*" or issubclass(cls, OfStep)
    assert set(cls.named.values()) <= set(plan.KINDS)


@pytest.mark.parametrize("cls", EVERY)
def test_no_field_hides_the_exchange_with_a_partner(cls: type[Event]) -> None:
    """What was asked and answered is stored beside the fields of an event, under names that no field may have."""
    assert not {ASKED, EXCHANGE} & set(cls.model_fields)


def test_every_type_is_known_whatever_was_imported() -> None:
    """A process that imported no capability reads the log like any other: what it did not know it would pass over in silence."""
    program = "from o2c.kernel.event import EVENT_TYPES, types_by_name; print(len(EVENT_TYPES)); print(len(types_by_name()))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert [int(count) for count in told] == [0, len(event_types())]


def test_nobody_looks_among_the_types_imported_so_far() -> None:
    """They are all there only for whoever asks by `types_by_name`."""
    sources = [path for package in ("o2c", "projections") for path in (ROOT / package).rglob("*.py")]
    naming = [str(path.relative_to(ROOT)) for path in sources if "EVENT_TYPES" in path.read_text(encoding="utf-8")]

    assert naming == ["o2c/kernel/event.py"]
