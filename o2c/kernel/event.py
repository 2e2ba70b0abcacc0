"""Events, their stored names, their versions and their personal fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Pii:
    """Marks a field as personal data: `Annotated[str, Pii("name")]`. It is stored apart and never logged.

    `kind` says what it is in a word (name, birth-date, address, e-mail, note, original).
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a field that holds the key of another stream: `Annotated[str, Names("sim")]` is the ICCID of a stream `sim-…`."""

    category: str


@dataclass(frozen=True, slots=True)
class Upcast:
    """Declared change from one schema version of an event to the next: renames first, then defaults for new fields.

    Declared rather than coded, so that a projection can read old events straight out of the table with the same rule.
    """

    renames: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Give the body in the next schema version; a default never replaces a value that the body has."""
        renamed = {self.renames.get(key, key): value for key, value in body.items()}
        return {**self.defaults, **renamed}


class Event(BaseModel):
    """Something that happened. Frozen, closed to unknown fields; its stored name is chosen by us and never an import path.

    Declared as `class SimAssigned(Done, name="sim.assigned", step="sim", stream="order")`, with a docstring (the catalogue's text) and one
    `example`. `stream` is the kind of stream the event belongs to; `*` stands for every kind that carries steps.
    """

    # A value that fails validation may be personal, so no error text shows it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type_name: ClassVar[str] = ""
    shape: ClassVar[str] = ""
    step_name: ClassVar[str] = ""
    of_stream: ClassVar[str] = ""
    named: ClassVar[Mapping[str, str]] = {}
    example: ClassVar[Mapping[str, Any]] = {}
    upcasts: ClassVar[tuple[Upcast, ...]] = ()
    personal: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, *, name: str = "", step: str = "", stream: str = "", **rest: Any) -> None:
        """Takes the three class keywords; pydantic hands them on once the class is complete."""
        super().__init_subclass__(**rest)

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str = "", step: str = "", stream: str = "", **rest: Any) -> None:
        super().__pydantic_init_subclass__(**rest)
        marks = [(key, mark) for key, info in cls.model_fields.items() for mark in info.metadata]
        cls.personal = frozenset(key for key, mark in marks if isinstance(mark, Pii))
        cls.named = {key: mark.category for key, mark in marks if isinstance(mark, Names)}
        cls.step_name, cls.of_stream = step or cls.step_name, stream or cls.of_stream
        if name:
            register(name, cls)

    def __repr_args__(self) -> Any:
        """Personal values stay out of every repr, and so out of every log line and exception."""
        return [(key, "***" if key in self.personal else value) for key, value in super().__repr_args__()]

    __str__ = BaseModel.__repr__

    @classmethod
    def schema_version(cls) -> int:
        """1 for a class that never changed; one more for each declared upcast."""
        return len(cls.upcasts) + 1


EVENT_TYPES: dict[str, type[Event]] = {}
"""The classes that were imported so far; whoever looks one up asks `types_by_name`."""


def register(name: str, cls: type[Event]) -> None:
    """Give a class its stored name. Raises ValueError when two classes claim one name."""
    if EVENT_TYPES.setdefault(name, cls) is not cls:
        raise ValueError(f"event name {name} is claimed by {EVENT_TYPES[name].__name__} and {cls.__name__}; choose another")
    cls.type_name = name


def types_by_name() -> Mapping[str, type[Event]]:
    """The classes of all events by their stored names, whatever was imported before: a reader that misses one would pass it over in
    silence."""
    load_event_types()
    return EVENT_TYPES


_IN_KERNEL = ("shapes", "charges", "balances", "arrears", "debts", "lateness", "reversals")
"""The modules beside this one that declare events: those that several capabilities share."""


@cache
def load_event_types() -> None:
    """Import the events of the kernel and of every capability, once.

    The packages beside this one are looked through (`events`, and what is named `..._events` beside it), so that a new capability needs no
    line here.
    """
    for name in _IN_KERNEL:
        import_module(f"{__package__}.{name}")
    package = __name__.partition(".")[0]
    for folder in sorted(path.parent for path in Path(__file__).parents[1].glob("*/events.py")):
        for module in sorted(folder.glob("*events.py")):
            import_module(f"{package}.{folder.name}.{module.stem}")


def upcast(name: str, version: int, body: dict[str, Any]) -> dict[str, Any]:
    """Bring a stored body from its schema version to the newest, step by step."""
    for change in types_by_name()[name].upcasts[version - 1 :]:
        body = change.apply(body)
    return body


@dataclass(frozen=True, slots=True)
class Asked:
    """The exchange with a partner that led to an event, with enough of it to make the decision again.

    `answer` is done, refused, failed, accepted, silent or never-heard; `code` is the partner's own; `latency_ms` is the time the answer
    took (0 for a simulated partner). `digest` of the request's body and `data` of the answer may be personal and are stored apart.
    """

    partner: str
    answer: str
    code: str = ""
    latency_ms: int = 0
    digest: str = field(default="", repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its envelope: stream and version, times, actor and channel, the command and the cause, order and customer.

    `occurred_at` is business time. `recorded_at` and `position` are the server's and None until the event is stored. `asked` is set where
    the event came from a partner's answer. `originator_id` and `originator_version` are the names that the eventsourcing library reads.
    """

    stream: str
    version: int
    event: Event
    event_id: str
    occurred_at: datetime
    actor: str
    channel: str
    command_id: str
    causation: str | None = None
    order_id: str | None = None
    customer_id: str | None = None
    position: int | None = None
    recorded_at: datetime | None = None
    asked: Asked | None = None

    @property
    def originator_id(self) -> str:
        """The stream, under the name that the eventsourcing library reads."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version in the stream, under the name that the eventsourcing library reads."""
        return self.version
