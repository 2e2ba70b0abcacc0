"""The conditions of a trigger: a closed set of comparisons on the fields of an event. Nothing of them is ever run as code. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

Plain = StrictBool | StrictInt | StrictStr
"""What a field is held against. Values of different kinds are never equal: 1 is not true, and not "1"."""


class Part(BaseModel):
    """Base of what a trigger is made of: frozen and closed like the events that keep it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Same(Part):
    """A value of the field equals `value`; or, where it `differs`, none does."""

    compare: Literal["equals", "differs"]
    field: StrictStr
    value: Plain


class Among(Part):
    """A value of the field is `one-of` the values; or none is (`none-of`)."""

    compare: Literal["one-of", "none-of"]
    field: StrictStr
    values: Annotated[tuple[Plain, ...], Field(min_length=1, max_length=100)]


class Ordered(Part):
    """A number of the field, or a text such as an ISO day or time, stands so to `value`. Numbers and texts do not compare."""

    compare: Literal["under", "at-most", "over", "at-least"]
    field: StrictStr
    value: StrictInt | StrictStr


class Contains(Part):
    """A text of the field has `value` somewhere in it."""

    compare: Literal["contains"]
    field: StrictStr
    value: Annotated[StrictStr, Field(min_length=1)]


class There(Part):
    """The field has a value; or it has none (`absent`)."""

    compare: Literal["present", "absent"]
    field: StrictStr


Comparison = Annotated[Same | Among | Ordered | Contains | There, Field(discriminator="compare")]


class AnyOf(Part):
    """One of some comparisons holds, or several do."""

    compare: Literal["any"]
    of: Annotated[tuple[Comparison, ...], Field(min_length=1, max_length=20)]


Condition = Annotated[Same | Among | Ordered | Contains | There | AnyOf, Field(discriminator="compare")]


def holds(condition: Same | Among | Ordered | Contains | There | AnyOf, data: Mapping[str, Any]) -> bool:
    """Whether a condition holds for the body of an event, as it is published."""
    if isinstance(condition, AnyOf):
        return any(holds(each, data) for each in condition.of)
    found = list(values_at(data, condition.field.split(".")))
    match condition:
        case Same():
            return any(_same(value, condition.value) for value in found) == (condition.compare == "equals")
        case Among():
            among = any(_same(value, wanted) for value in found for wanted in condition.values)
            return among == (condition.compare == "one-of")
        case Ordered():
            return any(_stands(value, condition.compare, condition.value) for value in found)
        case Contains():
            return any(isinstance(value, str) and condition.value in value for value in found)
        case There():
            return bool(found) == (condition.compare == "present")


def values_at(data: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values of a field: several where a list stands on the way, none where it is missing or says nothing (None)."""
    if isinstance(data, list | tuple):
        for each in data:
            yield from values_at(each, path)
    elif not path:
        if data is not None:
            yield data
    elif isinstance(data, Mapping) and path[0] in data:
        yield from values_at(data[path[0]], path[1:])


def fields_named(condition: Same | Among | Ordered | Contains | There | AnyOf) -> tuple[str, ...]:
    """The fields that a condition looks at."""
    return tuple(name for each in condition.of for name in fields_named(each)) if isinstance(condition, AnyOf) else (condition.field,)


def _same(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)


def _stands(value: Any, compare: str, wanted: Any) -> bool:
    if type(value) is not type(wanted):
        return False
    match compare:
        case "under":
            return bool(value < wanted)
        case "at-most":
            return bool(value <= wanted)
        case "over":
            return bool(value > wanted)
    return bool(value >= wanted)
