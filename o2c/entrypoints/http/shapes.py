"""The shapes of calls and answers: made from the types of the functions behind them, strict about what is not asked for."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, create_model
from pydantic import Field as Described

from o2c.views.following import EventRecord, Mark
from o2c.views.reading import Page, plain

LISTS = (Sequence, list, tuple, Iterator)
INTEGER_END = 2**63
"""Whole numbers end here: the store has room for 64 bits."""
BESIDE = frozenset({"repeated"})
"""What is told in a header, so that the answer to a repeat is the first answer."""
AS_IT_IS = frozenset({str, int, float, bool, type(None)})
"""What JSON has itself."""
_MADE_FROM: dict[type[BaseModel], type] = {}
"""The dataclass that a model of a call stands for."""


def call_type(annotation: Any) -> Any:
    """What a caller sends for a parameter of this type: aware times, lists, and a model for each dataclass."""
    if annotation is datetime:
        return Annotated[AwareDatetime, AfterValidator(_in_utc)]
    if annotation is int:
        return Annotated[int, Described(ge=-INTEGER_END, lt=INTEGER_END)]
    if is_dataclass(annotation) and isinstance(annotation, type):
        return call_model(annotation)
    parts = get_args(annotation)
    if get_origin(annotation) in LISTS:
        return list[call_type(parts[0])]  # type: ignore[misc]  # a type made while the program runs
    if get_origin(annotation) in (Union, types.UnionType):
        return _one_of([call_type(part) for part in parts])
    return Any if annotation is Mapping[str, Any] and not parts else annotation


def _in_utc(time: datetime) -> datetime:
    """A time of any zone in UTC: PostgreSQL takes none that is 16 hours or more away. Raises ValueError."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time that a calendar has") from None


def _one_of(options: Sequence[Any]) -> Any:
    """One of several types; those that each bear the name of an action are told apart by it."""
    united = reduce(or_, options)
    named = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel) and "action" in option.model_fields]
    return Annotated[united, Described(discriminator="action")] if len(named) == len(options) > 1 else united


@cache
def call_model(cls: type) -> type[BaseModel]:
    """The model of a dataclass that a caller sends, refusing what it does not have. A class-wide `action` is a field of it, to tell it
    by."""
    hints = get_type_hints(cls)
    made: dict[str, Any] = {field.name: (call_type(hints[field.name]), _default(field)) for field in fields(cls)}
    if isinstance(action := getattr(cls, "action", None), str):
        made = {"action": (Literal[action], ...), **made}
    model = create_model(cls.__name__, __config__=ConfigDict(extra="forbid"), __doc__=_meaning(cls), **made)
    _MADE_FROM[model] = cls
    return model


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return ... if field.default_factory is MISSING else Described(default_factory=field.default_factory)


def given(value: Any) -> Any:
    """What a caller sent as the function takes it: dataclasses for their models."""
    if isinstance(value, BaseModel):
        cls = _MADE_FROM[type(value)]
        return cls(**{field.name: given(getattr(value, field.name)) for field in fields(cls)})
    return tuple(given(part) for part in value) if isinstance(value, list) else value


def answer_type(annotation: Any) -> Any:
    """What a caller is sent for a result of this type: lists for whatever comes one by one, a model for each dataclass."""
    if isinstance(annotation, type) and (is_dataclass(annotation) or hasattr(annotation, "_fields")):
        return answer_model(annotation)
    if is_typeddict(annotation):
        return shown_model(annotation)
    parts = get_args(annotation)
    if get_origin(annotation) in (*LISTS, Page):
        return list[answer_type(parts[0])]  # type: ignore[misc]  # a type made while the program runs
    if get_origin(annotation) in (Union, types.UnionType):
        return reduce(or_, [answer_type(part) for part in parts])
    if get_origin(annotation) in (dict, Mapping):
        return dict[str, answer_type(parts[1])]  # type: ignore[misc]  # a type made while the program runs
    return {Path: str, timedelta: float}.get(annotation, annotation) if isinstance(annotation, type) else annotation


def _told_as(name: str, kind: Any) -> str:
    """The name of a field as it is sent: of a time that something takes it says the unit, which is seconds."""
    return f"{name}_s" if kind is timedelta else name


@cache
def answer_model(cls: type) -> type[BaseModel]:
    """The model of a dataclass that a caller is sent. A position is text, for it passes 2^53 one day."""
    hints = get_type_hints(cls)
    shown = [field.name for field in fields(cls) if field.repr] if is_dataclass(cls) else list(hints)
    made: dict[str, Any] = {
        _told_as(name, hints[name]): (str if name == "position" else answer_type(hints[name]), ...) for name in shown if name not in BESIDE
    }
    return create_model(f"{cls.__name__}Shown", __config__=ConfigDict(extra="forbid"), __doc__=_meaning(cls), **made)


@cache
def shown_model(cls: Any) -> type[BaseModel]:
    """The model of a typed dictionary that a caller is sent, of the same name: it has these keys, and no other."""
    made: dict[str, Any] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        may_lack = get_origin(hint) is NotRequired
        made[name] = (answer_type(get_args(hint)[0] if may_lack else hint), Described(default_factory=object) if may_lack else ...)
    return create_model(cls.__name__, __config__=ConfigDict(extra="forbid"), __doc__=_meaning(cls), **made)


def answered(value: Any) -> Any:
    """A result as JSON has it."""
    # Nearly all of an answer is of these kinds; to ask what else it may be takes ten times as long.
    kind = type(value)
    if kind in AS_IT_IS:
        return value
    if kind is dict:
        return {str(key): answered(part) for key, part in value.items()}
    if kind is list:
        return [answered(part) for part in value]
    if isinstance(value, EventRecord):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        told = {field.name: getattr(value, field.name) for field in fields(value) if field.repr and field.name not in BESIDE}
        shown = {_told_as(name, type(part)): answered(part) for name, part in told.items()}
        return {**shown, "position": str(shown["position"])} if "position" in shown else shown
    if isinstance(value, BaseModel):
        return {name: answered(part) for name, part in value}
    if isinstance(value, Mark):
        return {**value._asdict(), "position": str(value.position)}
    if isinstance(value, Mapping):
        return {str(key): answered(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset | Iterator):
        return [answered(part) for part in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Path) else plain(value)


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of a function's parameters and its result, those told only to a type checker as they are written."""
    try:
        return get_type_hints(function)
    except NameError:
        return dict(inspect.get_annotations(function))


def _meaning(cls: type) -> str:
    return inspect.getdoc(cls) or ""
