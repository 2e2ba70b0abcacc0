"""How each verb and view is called over HTTP: its method, its path, and where each parameter of its function stands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as Described

from o2c.desk.gate import DISCLOSED, EVENTS
from o2c.entrypoints.http.shapes import answer_type, call_type, given, hints_of
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS, Operation

ROWS = 100
ROWS_MAX = 1_000
BOUNDS = {"limit": (1, ROWS_MAX), "offset": (0, 2**31)}
SUPPLIED = ("app", "home", "context", "progress", "stop")
"""What the service gives to a function by itself."""
IDENTIFIERS = inspect.Parameter("identifiers", inspect.Parameter.KEYWORD_ONLY, default=False)
"""How the gate is asked for numbers and SIMs in full, where a function itself always gives them."""
WITHOUT_ID = frozenset(
    {
        "msisdn",
        "iccid",
        "imei",
        "text",
        "statement",
        "policy",
        "fix",
        "offerings",
        "document",
        "paper",
        "position",
        "url",
        "link",
        "templates",
        "definitions",
        "sender",
    }
)
"""Parameters that never stand in a path: what is personal must be in no URL, and a text is no name."""
POSTED = frozenset(
    {
        "catalogue.dry-run",
        "counterfactual",
        "credit-notes.preview",
        "devices.show",
        "fallout.prove",
        "numbers.show",
        "orders.by-link",
        "orders.find",
        "sims.show",
        "sql",
        "streams.show",
        "triggers.dry-run",
    }
)
"""Views that are asked by POST: what they ask by is personal, or a text. They change nothing, as every view."""
WHOLE = frozenset({"document", "paper"})
"""Parameters that are the whole body. It is handed on as it came, so that one parser alone says what stands in it (ASVS 5.0, 1.5.3)."""
_FILES = "Over the network papers come one by one; whoever has a file and the machine uses the command line."
_UPKEEP = "Upkeep of tables is work for a person who sees its progress and its differences: at a shell, or a rebuild in the console."
BY_HAND = frozenset({"events.find"})
"""Views whose path is not made from their signature: see `feed`."""
LACKING: Mapping[str, str] = {
    "catalogue.load": _FILES,
    "customers.load": _FILES,
    "events.tail": "The feed of events is it, as a page or as a stream that goes on.",
    "events.wait": "Every view takes `min_position`, and waits for it before it answers.",
    "fallout.load-codes": _FILES,
    "fallout.load-rates": _FILES,
    "orders.ingest": _FILES,
    "projections.rebuild": _UPKEEP,
    "projections.repair": _UPKEEP,
    "projections.retry": _UPKEEP,
    "projections.rollback": _UPKEEP,
    "projections.skip": _UPKEEP,
    "projections.verify": _UPKEEP,
    "replay": "A what-if runs a file of Python; code is taken from nobody over the network.",
    "stock.load": _FILES,
    "store.adopt": "A copy is adopted before anything is written to it, so before any service is started on it.",
    "streams.act": "Rules are code, and code is taken from nobody over the network.",
    "usage.load-zones": _FILES,
    "usage.load": "Records come as a text, which `usage.take` takes in; whoever has a file and the machine uses the command line.",
    "streams.append": "Plain facts bypass rules: that is for a program that embeds the engine and vouches for them.",
}
"""Why a verb or view has no path of its own."""


@dataclass(frozen=True)
class Call:
    """One verb or view over HTTP."""

    operation: Operation
    verb: bool

    @property
    def method(self) -> str:
        """GET for what is asked, POST for what is done, and for what is asked by something that must be in no URL, or by a whole
        document."""
        return "POST" if self.verb or self.whole or self.operation.name in POSTED else "GET"

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The types of the parameters and of the result."""
        return {**hints_of(self.operation.function), IDENTIFIERS.name: bool}

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The parameters that a caller gives, by name."""
        found = inspect.signature(self.operation.function).parameters
        own = {name: parameter for name, parameter in found.items() if name not in SUPPLIED}
        return {**own, IDENTIFIERS.name: IDENTIFIERS} if self.operation.name in EVENTS else own

    @property
    def discloses(self) -> bool:
        """Whether it may show what is personal, which is then taken down with what it was read for."""
        return self.operation.name in DISCLOSED

    @cached_property
    def identity(self) -> str:
        """The parameter that names the thing it is about, which stands in the path; empty where there is none."""
        first = None if self.operation.name in POSTED else next(iter(self.parameters.values()), None)
        named = first is not None and first.default is first.empty and self.hints[first.name] is str and first.name not in WITHOUT_ID
        return first.name if named and first is not None else ""

    @property
    def path(self) -> str:
        """Where it is: `/orders` for the list of its kind, `/orders/{name}` for one of it, `/orders/{name}/cancel` for what is done to
        it."""
        group, _, action = self.operation.name.partition(".")
        plain = self.method == "GET" and (action == "list" or (action == "show" and bool(self.identity)))
        parts = (group, f"{{{self.identity}:path}}" if self.identity else "", "" if plain else action)
        return "".join(f"/{part}" for part in parts if part)

    @cached_property
    def body(self) -> Any:
        """What a caller sends as the body: a model of the parameters that are not in the path, or the one that is the whole; None
        without."""
        rest = [name for name in self.parameters if name != self.identity]
        if self.method == "GET" or not rest:
            return None
        if self.whole:
            return bytes
        title = "".join(part.title() for part in self.operation.name.replace("-", ".").split("."))
        return create_model(f"{title}Call", __config__=ConfigDict(extra="forbid"), **{name: self._described(name) for name in rest})

    @property
    def whole(self) -> str:
        """The parameter that is the whole body, a document in the form of its standard; empty where there is none."""
        return next((name for name in self.parameters if name in WHOLE), "")

    def _described(self, name: str) -> Any:
        """Type and default of a field."""
        default = self.parameters[name].default
        sent = _bounded(name, call_type(self.hints[name]))
        return (sent, ...) if default is inspect.Parameter.empty else (sent, ROWS if name == "limit" else default)

    def queries(self) -> Iterator[inspect.Parameter]:
        """The parameters of the path and of the query, as FastAPI reads them."""
        keyword = inspect.Parameter.KEYWORD_ONLY
        if self.identity:
            yield inspect.Parameter(self.identity, keyword, annotation=Annotated[str, Path(min_length=1, max_length=300)])
        if self.method == "GET" or self.whole:
            for name in self.parameters:
                if name not in (self.identity, self.whole):
                    sent, default = self._described(name)
                    empty = inspect.Parameter.empty if default is ... else default
                    yield inspect.Parameter(name, keyword, annotation=Annotated[sent, Query()], default=empty)

    def arguments(self, sent: Mapping[str, Any], body: Any) -> dict[str, Any]:
        """The arguments of the function that a caller gave."""
        if isinstance(body, BaseModel):
            sent = {**sent, **{name: getattr(body, name) for name in type(body).model_fields}}
        elif body is not None:
            sent = {**sent, self.whole: body}
        return {name: given(value) for name, value in sent.items() if name in self.parameters}

    @property
    def answer(self) -> Any:
        """The type of what is sent back."""
        return answer_type(self.hints["return"])


def _bounded(name: str, sent: Any) -> Any:
    """A number of rows, or of those left out, has a least and a most."""
    least, most = BOUNDS.get(name, (0, 0))
    return Annotated[int, Described(ge=least, le=most)] if name in BOUNDS else sent


def calls() -> list[Call]:
    """Every verb and view that has a path, those with the longer paths first, so that no name swallows what follows it."""
    every = [Call(verb, verb=True) for verb in VERBS] + [Call(view, verb=False) for view in VIEWS]
    return sorted(
        (call for call in every if call.operation.name not in LACKING and call.operation.name not in BY_HAND),
        key=lambda call: (-call.path.count("/"), call.path),
    )
