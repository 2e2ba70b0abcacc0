"""What every path of a TM Forum interface does with a request: who asks, of which operation, and how what is posted is read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from o2c.desk.act import Context, Refused
from o2c.desk.capture import document as strict
from o2c.entrypoints.http.callers import Caller, wishing
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.native import Key, Match
from o2c.entrypoints.verbs_and_views import named
from o2c.running.session import Session
from o2c.views.reading import all_seen

JSON = "application/json"
PART = 1_000
"""So many rows are looked through at once."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks over a TM Forum interface."""

    request: Request
    context: Context

    @property
    def session(self) -> Session:
        """The open store."""
        return held_by(self.request).session

    def ask(self, operation: str, *arguments: Any, why: str = "", **options: Any) -> Any:
        """Call an operation for him. Raises Refused."""
        return named(operation).ask(self.context, self.session.app, *arguments, why=why, **options)

    def ask_of(self, operation: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call for him, under the rights of an operation, a function that gives the same of what is at hand. Raises Refused."""
        return replace(named(operation), function=function).ask(self.context, self.session.app, *arguments)

    def look_through(self, operation: str, look: Callable[[Any], None], **options: Any) -> None:
        """Let every row of a list be looked at, a part at a time; none is shown to him. Raises Refused."""
        offset, found = 0, None
        while found is None or (found.seen and found.more):
            found = self.ask(operation, **options, offset=offset, limit=PART, kept=partial(_looked_at, look))
            offset += found.seen

    def admitted(self, operation: str) -> Asker:
        """Him, if he may ask it, whatever he asks by: who may not is not answered as if there were nothing. Raises Refused (forbidden)."""
        named(operation).admit(self.context, self.session.app)
        return self

    def up_to_date(self) -> Asker:
        """Him, once lists show what was written before."""
        all_seen(self.session.app)
        return self

    def deciding(self, expected: tuple[tuple[str, int], ...]) -> Asker:
        """Him, deciding by what stood at these versions."""
        return replace(self, context=replace(self.context, expected=expected))


async def asker(request: Request, context: Caller, key: Key = None) -> Asker:
    """Who asks, with the id of the wish where an Idempotency-Key names it."""
    return Asker(request, wishing(context, key))


async def reader(request: Request, context: Caller) -> Asker:
    """Who reads."""
    return Asker(request, context)


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """A part of a list that was looked at: how many rows it had, and how many there are behind them."""

    seen: int
    more: int


def _looked_at(look: Callable[[Any], None], rows: Any) -> _LookedAt:
    look(rows)
    return _LookedAt(len(rows), rows.more)


Asking = Annotated[Asker, Depends(asker)]
Reading = Annotated[Asker, Depends(reader)]
IfMatch = Match


async def sent(request: Request) -> bytes:
    """The body as it came."""
    return await request.body()


Sent = Annotated[bytes, Depends(sent)]


def media_type(request: Request) -> str:
    """What a body says that it is."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def refuse_other_media(request: Request, known: Collection[str] = (JSON,)) -> str:
    """The media type of a body. Raises Refused (media-type) for one that is not known."""
    kind = media_type(request)
    if kind not in known:
        raise Refused(f"a body is sent as {' or '.join(known)}, not as {kind or 'nothing that it says'}", kind="media-type")
    return kind


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """A body as a strict JSON object. Raises Refused (malformed)."""
    try:
        return strict(body, what)
    except Refused as refused:
        raise Refused(str(refused), kind="malformed") from None


def read_patch(body: bytes, what: str) -> Any:
    """A body as a patch: an object, or a list of operations, read by the one parser. Raises Refused (malformed)."""
    if body.lstrip()[:1] != b"[":
        return read_object(body, what)
    read = read_object(b'{"patch": ' + body + b"}", what)
    if len(read) != 1:
        raise Refused(f"{what} cannot be read: there is something behind its list", kind="malformed")
    return read["patch"]


def made(thing: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """What was made, with where it is."""
    return JSONResponse(thing, status_code=201, headers={"Location": str(thing["href"]), **(headers or {})})
