"""Documentation made from the code: the catalogue of events. Generated pages are checked, so they cannot drift."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from o2c.kernel.event import Event, Pii, Upcast, types_by_name
from o2c.kernel.shapes import OfStep
from o2c.views.codes import code_page

_TITLE = "# Events"
_INTRO = """Every type of event the log can hold, as it is stored: `o2c docs` writes this page from the event classes, `o2c docs --check` says whether
it is current. Change the class, never the page.

An event is a body in an envelope (stream, version, position, times, actor, channel, command id, causation, order id, customer id, and the
exchange with a partner of which it came, if any). Fields marked personal are stored apart from the body and appear in no log line. Amounts are whole numbers of the currency's minor unit; times are
RFC 3339 in UTC; days are local dates of the market. Events of one shape mean the same to fallout, cycle times, timeline and agenda,
whichever step they speak of."""
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    Decimal: "exact number",
    datetime: "time",
    datetime | None: "time or nothing",
    int | None: "whole number or nothing",
    tuple[str, ...] | None: "list of text or nothing",
}


def event_types() -> list[type[Event]]:
    """The product's event types by capability, then by stored name. Types that a test registers are left out."""
    ours = [cls for cls in types_by_name().values() if cls.__module__.partition(".")[0] == __name__.partition(".")[0]]
    return sorted(ours, key=lambda cls: (capability(cls), cls.type_name))


def capability(cls: type[Event]) -> str:
    """The package an event type is declared in; for one of the kernel, its module."""
    _, package, module = cls.__module__.split(".")
    return module if package == "kernel" else package


def stream_categories(cls: type[Event]) -> tuple[str, ...]:
    """The kinds of stream that events of a type stand in; several for a generic event of any step."""
    if cls.of_stream == "*":
        from o2c import plan

        return tuple(category for category, kind in plan.KINDS.items() if kind.carries_steps)
    return (cls.of_stream,)


def event_catalogue() -> str:
    """The text of docs/events.md."""
    chapters = [(name, list(types)) for name, types in groupby(event_types(), capability)]
    pages = [page for name, types in chapters for page in (_chapter(name, types[0]), *map(_section, types))]
    return "\n\n".join([_TITLE, _INTRO, _contents(chapters), *pages]) + "\n"


def check_docs(root: Path) -> list[str]:
    """One line for each generated page under `root` that is missing or out of date."""
    return [line for name, page in _PAGES.items() for line in _flaws(root / name, name, page())]


def write_docs(root: Path) -> None:
    """Write every generated page under `root`."""
    for name, page in _PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(page(), encoding="utf-8", newline="\n")


_PAGES: Mapping[str, Callable[[], str]] = {"docs/events.md": event_catalogue, "docs/fallout.md": code_page}


def _flaws(path: Path, name: str, page: str) -> Iterator[str]:
    if not path.is_file():
        yield f"{name} is missing; write it with `o2c docs`"
    elif path.read_text(encoding="utf-8") != page:
        yield f"{name} is out of date; write it again with `o2c docs`"


def _contents(chapters: list[tuple[str, list[type[Event]]]]) -> str:
    return "\n".join(
        line
        for name, types in chapters
        for line in (f"- [{name}](#{name})", *(f"  - [{cls.type_name}](#{_anchor(cls.type_name)})" for cls in types))
    )


def _anchor(heading: str) -> str:
    """The address that Markdown pages on GitHub and GitLab give a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _chapter(name: str, first: type[Event]) -> str:
    return f"## {name}\n\n{_told(sys.modules[first.__module__])}"


def _section(cls: type[Event]) -> str:
    example = json.dumps(dict(cls.example), indent=2, ensure_ascii=False)
    return "\n\n".join([f"### {cls.type_name}", _told(cls), _facts(cls), _table(cls), f"```json\n{example}\n```"])


def _told(thing: type[Event] | ModuleType) -> str:
    """A docstring as one paragraph, for its line ends mean nothing."""
    return " ".join((thing.__doc__ or "").split())


def _facts(cls: type[Event]) -> str:
    step = f", of step `{cls.step_name}`" if cls.step_name else ", of the step its field names" if issubclass(cls, OfStep) else ""
    lines = [f"- stream: {', '.join(f'`{category}`' for category in stream_categories(cls))}"]
    if cls.shape:
        lines.append(f"- shape: {cls.shape}{step}")
    lines.append(f"- schema version: {cls.schema_version()}")
    lines += [f"- from version {version} to {version + 1}: {_change(change)}" for version, change in enumerate(cls.upcasts, 1)]
    return "\n".join(lines)


def _change(change: Upcast) -> str:
    renames = [f"`{old}` was renamed `{new}`" for old, new in change.renames.items()]
    return "; ".join([*renames, *(f"`{name}` is new, `{json.dumps(value)}` in older events" for name, value in change.defaults.items())])


def _table(cls: type[Event]) -> str:
    rows = [row for name, info in cls.model_fields.items() for row in _rows(name, info, "")]
    return "\n".join(["| Field | Type | Personal | Default |", "|---|---|---|---|", *rows]) if rows else "It has no fields."


def _rows(name: str, info: FieldInfo, inherited: str) -> Iterator[str]:
    """A field, then the fields of the parts it is made of; what stands in a personal field is personal."""
    kind = inherited or next((mark.kind for mark in info.metadata if isinstance(mark, Pii)), "")
    default = "required" if info.is_required() else f"`{json.dumps(info.get_default(), default=_plain)}`"
    yield f"| `{name}` | {_words(info.annotation)} | {f'yes: {kind}' if kind else 'no'} | {default} |"
    parts = [arg for arg in (info.annotation, *get_args(info.annotation)) if _is_part(arg)]
    if len(parts) == 1:
        [part] = parts
        mark = "[]" if get_origin(info.annotation) is tuple else ""
        for inner, inner_info in part.model_fields.items():
            yield from _rows(f"{name}{mark}.{inner}", inner_info, kind)


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel)


def _plain(part: BaseModel | Decimal) -> Any:
    return str(part) if isinstance(part, Decimal) else part.model_dump(mode="json")


def _words(annotation: Any) -> str:
    """A type in words. Raises KeyError for a type that no event had before: give it words here."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _words(arguments[0])
    if get_origin(annotation) in (Union, UnionType) and annotation not in _WORDS:
        return " or ".join("nothing" if argument is NoneType else _words(argument) for argument in arguments)
    match get_origin(annotation):
        case origin if origin is Literal:
            return "one of " + ", ".join(f"`{value}`" for value in arguments)
        case origin if origin is tuple:
            return f"list of {_words(arguments[0])}"
        case origin if origin is dict:
            return f"map of {_words(arguments[0])} to {_words(arguments[1])}"
    return re.sub(r"(?<!^)(?=[A-Z])", " ", annotation.__name__).lower() if _is_part(annotation) else _WORDS[annotation]
