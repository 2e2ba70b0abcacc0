"""Resources of TM Forum that are read only, over the views there are: one way to list, filter, page and show for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.tmf.asking import Asker, Reading
from o2c.entrypoints.http.tmf.queries import LIMIT_MAX, Filter, Query, Sieve, chosen, page, path_of, query_of
from o2c.entrypoints.http.tmf.schemas import answer, listing, paged, problems, ref, showing

Thing = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource: where it is, the view behind it, and how a row of that becomes a thing in the standard's shape.

    `found_by` says which options of the view find by which attributes, `by_id` what an id is made of where it is not one option's value.
    `spread` makes things of a row: exactly one where `even`. `personal` are the attributes for which the view is asked for what is
    personal; such a resource is found by its id. A view that does not page (`paged` False) is read whole.
    """

    api: str
    base: str
    name: str
    view: str
    spread: Callable[[Thing], Iterator[Thing]]
    attributes: frozenset[str]
    found_by: Mapping[str, str] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    paged: bool = True
    even: bool = True
    by_id: Callable[[str], Mapping[str, Any]] | None = None

    @property
    def schema(self) -> str:
        """The name of its shape in the description of the service."""
        return f"{self.name[0].upper()}{self.name[1:]}_{self.api}"

    @property
    def words(self) -> str:
        """Its name as a person says it: `billingAccount` is "billing account"."""
        return re.sub("[A-Z]", lambda letter: f" {letter[0].lower()}", self.name)

    def href(self, identity: str) -> str:
        """Where one of them is."""
        return f"{self.base}/{self.name}/{quote(identity, safe='')}"

    def listed(self, asking: Asker, query: Query) -> tuple[list[Mapping[str, Any]], int]:
        """The page that was asked for, and how many there are in all."""
        options, rest = self._options(query)
        if self.paged and self.even and not rest and not query.sort:
            found = self._rows(asking, query, {**options, "offset": query.offset, "limit": query.limit})
            total = (
                query.offset + len(found) + found.more if found or found.more or not query.offset else self._total(asking, query, options)
            )
            return [self._placed(thing) for row in found for thing in self.spread(row)], total
        return self._looked_through(asking, replace(query, filters=tuple(rest)), options)

    def _looked_through(self, asking: Asker, query: Query, options: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], int]:
        """By what the view does not find by: every row is looked at. Of what is personal only the page is shown, and taken down as
        shown."""
        wants = self._wants(query)
        sieve = Sieve(query, kept=itemgetter("id") if wants else dict)

        def look(rows: Any) -> None:
            sieve.take(self._placed(thing) for row in rows for thing in self.spread(row))

        if self.paged:
            asking.look_through(self.view, look, **options, **wants)
        else:
            look(asking.ask(self.view, **options, **wants))
        kept, total = sieve.page()
        if not wants:
            return kept, total
        # Whoever asks for no row learns all the same that there are some.
        shown = kept or sieve.all()[:LIMIT_MAX]
        found_by: dict[str, Any] = {self.found_by["id"]: shown, "limit": len(shown)}
        rows = asking.ask(self.view, **found_by, **wants) if shown else ()
        told = {thing["id"]: self._placed(thing) for row in rows for thing in self.spread(row)}
        return [told[name] for name in kept if name in told], total

    def _total(self, asking: Asker, query: Query, options: Mapping[str, Any]) -> int:
        """How many rows there are in all: a page behind the end does not say it."""
        first = self._rows(asking, query, {**options, "limit": 1})
        return len(first) + int(first.more)

    def _options(self, query: Query) -> tuple[dict[str, Any], list[Filter]]:
        options: dict[str, Any] = dict(self.options)
        rest = []
        for each in query.filters:
            name = self.found_by.get(each.path)
            if each.path == "id" and self.by_id is not None and len(each.values) == 1 and "\0" not in each.values[0]:
                # The id is looked at once more, so that of two words for one option the first may stand.
                options = {**self.by_id(each.values[0]), **options}
            if name is None or each.operator != "eq" or name in options or any("\0" in value for value in each.values):
                rest.append(each)
            else:
                options[name] = each.values
        return options, rest

    def _rows(self, asking: Asker, query: Query, options: Mapping[str, Any]) -> Any:
        return asking.ask(self.view, **options, **self._wants(query))

    def _wants(self, query: Query) -> dict[str, Any]:
        """The options by which the view gives what is personal, where it is asked for, or found or sorted by."""
        asked = {name.partition(".")[0] for name in (*query.fields, *(each.path for each in query.filters), *map(path_of, query.sort))}
        return {"personal": True, "why": query.why} if self.personal and (not query.fields or self.personal & asked) else {}

    def _placed(self, thing: Thing) -> Thing:
        return {"id": thing["id"], "href": self.href(thing["id"]), **thing}

    def shown(self, asking: Asker, identity: str, query: Query) -> Mapping[str, Any]:
        """One of them. Raises Refused (missing)."""
        things, _ = self.listed(asking, replace(query, filters=(Filter("id", "eq", (identity,)),), sort=(), offset=0, limit=1))
        if not things:
            raise Refused(f"there is no {self.name} {identity[:60]}; see the list of them", kind="missing")
        return things[0]


def reading(resources: tuple[Resource, ...]) -> APIRouter:
    """The paths of some resources: a list and one of each."""
    router = APIRouter()
    for resource in resources:
        _add(router, resource)
    return router


def _add(router: APIRouter, resource: Resource) -> None:
    path, tags = f"{resource.base}/{resource.name}", [resource.api]

    def several(request: Request, asking: Reading) -> Response:
        query = query_of(request, resource.attributes)
        things, total = resource.listed(asking.up_to_date(), query)
        return page(request, query, things, total)

    def one(request: Request, asking: Reading, identity: str) -> Response:
        query = query_of(request, resource.attributes)
        return JSONResponse(chosen(resource.shown(asking.up_to_date(), identity, query), query.fields))

    said, shape = f"{resource.api} {resource.name}", ref(resource.schema)
    router.add_api_route(
        path,
        several,
        methods=["GET"],
        name=f"{said} list",
        summary=f"List {resource.words}s",
        tags=list(tags),
        operation_id=f"{resource.api.lower()}.{resource.name}.list",
        openapi_extra=listing(resource.attributes),
        responses=paged(shape),
    )
    router.add_api_route(
        f"{path}/{{identity:path}}",
        one,
        methods=["GET"],
        name=f"{said} show",
        summary=f"Show one {resource.words}",
        tags=list(tags),
        operation_id=f"{resource.api.lower()}.{resource.name}.show",
        openapi_extra=showing("why"),
        responses={200: answer(shape, "The one."), **problems(404, 422)},
    )
