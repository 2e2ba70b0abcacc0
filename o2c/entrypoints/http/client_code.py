"""What the client of the service is made from: the table of its operations, and their types for whoever checks a program that calls
them."""

from __future__ import annotations

import inspect
import json
import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from o2c.entrypoints.http.calls import Call, calls
from o2c.entrypoints.http.shapes import call_type
from o2c.views import shown
from o2c.views.versions import STREAMS

TABLE = "o2c/client/operations.json"
TYPES = "o2c/client/clients.pyi"
HEAD = '''\
"""The types of the clients: written by `o2c docs` from the list of verbs and views."""

import builtins
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Self

from o2c.client.calls import Answer, Request
'''
CLIENT = """
class {name}:
    def __init__(self, url: str, credential: str = "", *, timeout_s: float = ..., tries: int = ...) -> None: ...
    {a}def send(self, request: Request) -> Answer[Any]: ...
    def follow(self, after: str = "", *, wait: bool = True, **wanted: Any) -> {many}[tuple[dict[str, Any], str]]: ...
    {a}def close(self) -> None: ...
    {a}def __{x}enter__(self) -> Self: ...
    {a}def __{x}exit__(self, *error: object) -> None: ...
"""


def client_files() -> dict[str, str]:
    """The generated files of the client, by their place in a checkout."""
    every = sorted(calls(), key=lambda call: call.operation.name)
    return {TABLE: json.dumps({call.operation.name: _place(call) for call in every}, indent=1) + "\n", TYPES: _types(every)}


def _place(call: Call) -> dict[str, Any]:
    """Where an operation is and where its parameters stand, without what is empty."""
    body = list(call.body.model_fields) if isinstance(call.body, type) and issubclass(call.body, BaseModel) else []
    outside = {call.identity, call.whole, *body}
    query = [name for name in call.parameters if name not in outside]
    beside = [] if call.verb else ["min_position", *(["why"] if call.discloses else [])]
    place: dict[str, Any] = {
        "method": call.method, "path": f"/api/v1{call.path.replace(':path', '')}", "identity": call.identity,
        "query": [*query, *beside], "body": body, "whole": call.whole, "changes": call.verb,
    }  # fmt: skip
    return {name: value for name, value in place.items() if value}


def _types(every: list[Call]) -> str:
    """The stubs of both clients."""
    parts, bodies = [], []
    for flavour, name in (("", "Client"), ("Async", "AsyncClient")):
        groups: dict[str, list[str]] = {}
        for call in every:
            group, _, action = call.operation.name.replace("-", "_").partition(".")
            groups.setdefault(group, []).append(_method(call, action or group, flavour))
        alone = [lines[0] for group, lines in groups.items() if _is_alone(every, group)]
        named = {group: lines for group, lines in groups.items() if not _is_alone(every, group)}
        for group, lines in named.items():
            parts.append(f"\nclass {flavour}{group.title()}:\n" + "\n".join(lines) + "\n")
        words = {"a": "async ", "x": "a", "many": "AsyncIterator"} if flavour else {"a": "", "x": "", "many": "Iterator"}
        fields = "".join(f"    {group}: {flavour}{group.title()}\n" for group in named)
        bodies.append(CLIENT.format(name=name, **words) + "".join(f"{line}\n" for line in alone) + fields)
    used = sorted(set(shown.__all__) & set(re.findall(r"\w+", " ".join((*parts, *bodies)))))
    imported = f"from o2c.views.shown import {', '.join(used)}\n" if used else ""
    return HEAD + imported + "".join(parts) + "".join(bodies)


def _is_alone(every: list[Call], group: str) -> bool:
    """Whether an operation bears the name of no group, such as `status`."""
    return any(call.operation.name == group for call in every)


def _method(call: Call, action: str, flavour: str) -> str:
    """One operation as a line of the stub."""
    first = [name for name in (call.identity, call.whole) if name]
    rest = [name for name in call.parameters if name not in first]
    if not call.whole and call.method == "POST":
        first, rest = [*first, *(name for name in rest if _needed(call, name))], [name for name in rest if not _needed(call, name)]
    words = ["self", *(f"{name}: {_word(call, name)}" for name in first), "*", *(f"{name}: {_word(call, name)} = ..." for name in rest)]
    extra = ["idempotency_key: str = ...", *(["if_match: str = ..."] if call.operation.decided_by else [])]
    if not call.verb:
        extra = ["min_position: int | None = ...", *(["why: str = ..."] if call.discloses else [])]
        extra += ["if_none_match: str = ..."] if call.operation.name in STREAMS else []
    return f"    {'async ' if flavour else ''}def {action}({', '.join([*words, *extra])}) -> Answer[{_name(call.answer)}]: ..."


def _needed(call: Call, name: str) -> bool:
    return call.parameters[name].default is inspect.Parameter.empty


def _word(call: Call, name: str) -> str:
    """The type of a parameter as a stub says it."""
    return "Mapping[str, Any] | str | bytes" if name == call.whole else _name(call_type(call.hints[name]))


def _name(annotation: Any) -> str:
    """A type in words."""
    if annotation in (str, int, float, bool):
        return str(annotation.__name__)
    if annotation is None or annotation is type(None):
        return "None"
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated and parts[0] is int:
        return "int"
    if origin is list:
        return f"builtins.list[{_name(parts[0])}]"  # `list` is an operation, too
    if getattr(annotation, "__name__", "") in shown.__all__:
        return str(annotation.__name__)
    text = str(annotation)
    if "AwareDatetime" in text:
        return "datetime | str | None" if type(None) in parts else "datetime | str"
    if "date" in text and "Any" not in text:
        return "date | str | None"
    if origin is not None and type(None) in parts:
        return f"{_name(next(part for part in parts if part is not type(None)))} | None"
    if origin is not None and str(origin) == "typing.Literal":
        return "str"
    return "dict[str, Any]"
