"""What a reader asks of a list, by TM Forum's conventions: attributes, filters, order and page; and how a page is answered.

Source: TMF630 REST API Design Guidelines: `fields`, equality on attributes (commas are or), `.gt .gte .lt .lte`, `sort`, `offset`, `limit`,
X-Total-Count, X-Result-Count, Link; 206 only where a part was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.tmf.values import moment

LIMIT, LIMIT_MAX = 100, 1_000
SCAN_MAX = 20_000
"""So many things are looked through for what no index finds; of more, a reader is asked to narrow the list."""
OPERATORS = ("gt", "gte", "lt", "lte")
RESERVED = frozenset({"fields", "offset", "limit", "sort", "at", "why"})
ALWAYS = ("id", "href", "@type")


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition: a path of attributes, an operator (`eq` or one of OPERATORS), and values of which one must fit."""

    path: str
    operator: str
    values: tuple[str, ...]

    def fits(self, thing: Mapping[str, Any]) -> bool:
        """Whether a thing fits, in the shape that its reader gets."""
        return any(self._one(found) for found in at_path(thing, self.path.split(".")))

    def _one(self, found: Any) -> bool:
        told = "true" if found is True else "false" if found is False else str(found)
        if self.operator == "eq":
            return told in self.values
        return any(_compared(self.operator, told, value) for value in self.values)


def _compared(operator: str, told: str, value: str) -> bool:
    one, other = moment(told), moment(value)
    pair: tuple[Any, Any] = (one, other) if one is not None and other is not None else (told, value)
    if one is None and number_of(told) is not None and number_of(value) is not None:
        pair = (number_of(told), number_of(value))
    less, same = bool(pair[0] < pair[1]), bool(pair[0] == pair[1])
    return {"lt": less, "lte": less or same, "gt": not less and not same, "gte": not less}[operator]


def number_of(value: str) -> float | None:
    """The number that a text is, in plain digits; None for any other."""
    return float(value) if value.removeprefix("-").replace(".", "", 1).isdecimal() and value.isascii() else None


def at_path(thing: Any, path: Sequence[str]) -> Iterator[Any]:
    """Every plain value at a path, through lists."""
    if isinstance(thing, list):
        for part in thing:
            yield from at_path(part, path)
    elif path and isinstance(thing, dict):
        if path[0] in thing:
            yield from at_path(thing[path[0]], path[1:])
    elif not path and not isinstance(thing, dict):
        yield thing


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asked for. `part` says that an offset or a limit was given."""

    fields: tuple[str, ...]
    filters: tuple[Filter, ...]
    sort: tuple[str, ...]
    offset: int
    limit: int
    part: bool
    at: str = ""
    why: str = ""


def query_of(request: Request, attributes: frozenset[str]) -> Query:
    """Read the query of a request. Raises Refused (malformed) for what cannot be read, and for an attribute that the resource does not
    have."""
    given = request.query_params
    filters = []
    for name, value in given.multi_items():
        if name in RESERVED:
            continue
        path, _, operator = name.rpartition(".")
        path, operator = (path, operator) if operator in OPERATORS else (name, "eq")
        if path.partition(".")[0] not in attributes:
            raise Refused(f"there is no attribute {path[:60]} to filter by", kind="malformed")
        filters.append(Filter(path, operator, tuple(_unquoted(part) for part in value.split(","))))
    return Query(
        fields=tuple(filter(None, given.get("fields", "").split(","))),
        filters=tuple(filters),
        sort=tuple(filter(None, given.get("sort", "").split(","))),
        offset=_count(given.get("offset"), 0, "offset", 2**31),
        limit=_count(given.get("limit"), LIMIT, "limit", LIMIT_MAX),
        part="offset" in given or "limit" in given,
        at=given.get("at", ""),
        why=given.get("why", "")[:200],
    )


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _count(value: str | None, otherwise: int, name: str, most: int) -> int:
    if value is None:
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) < 11 and int(value) <= most):
        raise Refused(f"{name} is a whole number from 0 to {most}", kind="malformed")
    return int(value)


def chosen(thing: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """A thing with the attributes that were asked for, and what says which thing it is; all where none was."""
    if not fields:
        return dict(thing)
    wanted = {name.partition(".")[0] for name in fields} | {*ALWAYS}
    return {name: value for name, value in thing.items() if name in wanted}


class Sieve:
    """Things that are looked through for a query: which of them fit, in what order. `kept` is what stays of each that fits."""

    def __init__(self, query: Query, kept: Callable[[Mapping[str, Any]], Any] = lambda thing: thing) -> None:
        self.query, self.kept = query, kept
        self.seen = 0
        self.found: list[tuple[tuple[Any, ...], Any]] = []

    def take(self, things: Iterable[Mapping[str, Any]]) -> None:
        """Look through some. Raises Refused (malformed) where they are too many."""
        keys = [_key(path_of(name)) for name in self.query.sort]
        for thing in things:
            self.seen += 1
            if self.seen > SCAN_MAX:
                raise Refused(
                    f"more than {SCAN_MAX} would have to be looked through; filter by id, state or a time as well", kind="malformed"
                )
            if all(each.fits(thing) for each in self.query.filters):
                self.found.append((tuple(key(thing) for key in keys), self.kept(thing)))

    def all(self) -> list[Any]:
        """What stayed of all that fit, in the order asked for."""
        for place, name in reversed(list(enumerate(self.query.sort))):
            self.found.sort(key=lambda pair: pair[0][place], reverse=name.startswith("-"))
        return [kept for _, kept in self.found]

    def page(self) -> tuple[list[Any], int]:
        """What stayed of those on the page that was asked for, and how many fit in all."""
        return self.all()[self.query.offset : self.query.offset + self.query.limit], len(self.found)


def sifted(things: Iterable[Mapping[str, Any]], query: Query) -> tuple[list[Mapping[str, Any]], int]:
    """Those of some things that fit, in order, the page of them that was asked for, and how many there are. Raises Refused for too many."""
    sieve = Sieve(query)
    sieve.take(things)
    return sieve.page()


def path_of(sort: str) -> str:
    """The path of attributes that a word of `sort` names, without its direction."""
    return sort.lstrip("-+")


def _key(path: str) -> Callable[[Mapping[str, Any]], tuple[bool, bool, Any, str]]:
    """Numbers by their size and before texts, what has no value last."""

    def key(thing: Mapping[str, Any]) -> tuple[bool, bool, Any, str]:
        value = next(at_path(thing, path.split(".")), None)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value is None, not is_number, value if is_number else 0, str(value)

    return key


def page(request: Request, query: Query, things: Sequence[Mapping[str, Any]], total: int) -> Response:
    """A page: 206 where a part was asked for and is not all, else 200; with how many there are, and where the other pages are."""
    partial = query.part and len(things) < total
    headers = {"X-Total-Count": str(total), "X-Result-Count": str(len(things))}
    if query.limit and total > len(things):
        headers["Link"] = ", ".join(_links(request, query, total))
    return JSONResponse([chosen(thing, query.fields) for thing in things], status_code=206 if partial else 200, headers=headers)


def _links(request: Request, query: Query, total: int) -> Iterator[str]:
    last = (total - 1) // query.limit * query.limit
    places = {
        "self": query.offset,
        "first": 0,
        "last": last,
        "prev": max(query.offset - query.limit, 0),
        "next": query.offset + query.limit,
    }
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("offset", "limit")]
    for rel, offset in places.items():
        if (rel == "prev" and query.offset == 0) or (rel == "next" and offset >= total):
            continue
        yield f'<{request.url.path}?{urlencode([*kept, ("offset", offset), ("limit", query.limit)])}>; rel="{rel}"'
