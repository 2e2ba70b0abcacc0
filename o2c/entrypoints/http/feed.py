"""The feed of events: pages from a position on, or a stream that goes on (server-sent events), in the order of the log, each event once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse

from o2c.desk.act import Context
from o2c.entrypoints.http.callers import Caller
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.native import POSITION, WAIT_S, MinPosition, Why
from o2c.entrypoints.http.problems import MEDIA_TYPE, Problem
from o2c.entrypoints.http.pulse import LOOK_S, Pulse
from o2c.entrypoints.http.shapes import answer_type, answered
from o2c.entrypoints.verbs_and_views import VIEWS
from o2c.running.session import Session
from o2c.views.following import EVERYTHING, EventRecord, Mark, Wanted, beginning_at, wait_for, wanted

FIND = next(view for view in VIEWS if view.name == "events.find")
NEXT = "O2C-Next"
"""The header with the mark to go on from."""
STREAM = "text/event-stream"
PAGE_EVENTS = 200
"""So many events of a stream are in memory at once, however slow its reader is."""
BEAT_S = 15.0
"""After so long without an event a stream shows that it lives."""
LONGEST_S = 600.0
"""A stream ends after so long: whoever reads on comes again, and who he is and what he may is asked again."""
Types = Annotated[list[str] | None, Query(description="Stored names, or patterns such as order.*; all when there are none.")]
After = Annotated[str, Query(max_length=80, description="Where to begin: POSITION, POSITION:ID as a page gave it, or a time.")]
LastId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=80, description="The id of the last event that a stream gave.")]

router = APIRouter(prefix="/api/v1")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads the feed: what he wants of it, and how."""

    session: Session
    context: Context
    wanted: Wanted
    identifiers: bool
    why: str
    pulse: Pulse

    def page(self, after: Mark, size: int) -> tuple[list[EventRecord], Mark]:
        """The next events, and the mark up to which nothing more is to be read."""
        app, last = self.session.app, self.pulse.last(self.session)
        if last.position <= after.position:
            return [], after
        options: Any = {"after": after, "before": last.position + 1, "limit": size}
        found = list(FIND.ask(self.context, app, self.wanted, identifiers=self.identifiers, why=self.why, **options))
        return found, found[-1].mark if len(found) == size else last


@router.get(
    "/events",
    name="events.find",
    operation_id="events.find",
    tags=["events"],
    summary=FIND.help,
    response_model=None,
    responses={
        200: {"model": answer_type(list[EventRecord]), "content": {STREAM: {"schema": {"type": "string"}}}, "description": "The events."},
        "default": {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": "Why there are none (RFC 9457)."},
    },
)
def feed(
    request: Request,
    context: Caller,
    after: After = "",
    types: Types = None,
    order: Annotated[str, Query(max_length=300, description="An order's id or external id.")] = "",
    customer: Annotated[str, Query(max_length=300)] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    identifiers: Annotated[bool, Query(description="Give numbers and SIMs in full; it is taken down who was shown them.")] = False,
    why: Why = "",
    min_position: MinPosition = None,
    last_event_id: LastId = None,
) -> Response:
    """Events after a mark, oldest first: a page with the mark to go on from, or, to who accepts text/event-stream, a stream that goes on.

    Each event comes once, and none is left out: the log is read only as far as no earlier event can appear in it any more. A mark of
    another log (a restore, another store) is a conflict.
    """
    session = held_by(request).session
    FIND.admit(context, session.app, EVERYTHING)
    if min_position is not None:
        wait_for(session.app, min_position, timeout_s=WAIT_S)
    mark, fitting = beginning_at(
        session.app, last_event_id or after, wanted(session.app, types=types or (), order=order, customer=customer)
    )
    streaming = STREAM in request.headers.get("accept", "")
    # A page has what was written a moment ago, a stream what comes.
    reader = Reader(session, context, fitting, identifiers, why, held_by(request).pulse if streaming else Pulse())
    if streaming:
        first, mark = reader.page(mark, PAGE_EVENTS)  # What is refused is refused before the stream begins.
        return StreamingResponse(_stream(request, reader, first, mark), media_type=STREAM, headers={"Cache-Control": "no-store"})
    found, mark = reader.page(mark, limit)
    return JSONResponse([answered(event) for event in found], headers={NEXT: text_of(mark), POSITION: str(mark.position)})


async def _stream(request: Request, reader: Reader, first: list[EventRecord], mark: Mark) -> AsyncIterator[str]:
    """The stream of a reader, until he leaves. It waits while he is slow, and holds no thread, connection or snapshot meanwhile."""
    page, quiet_s, end = first, 0.0, asyncio.get_running_loop().time() + LONGEST_S
    yield ": events\n\n"
    while asyncio.get_running_loop().time() < end and not await request.is_disconnected():
        for text in _told(page):
            yield text
        if len(page) < PAGE_EVENTS:
            await asyncio.sleep(LOOK_S)
        quiet_s = 0.0 if page else quiet_s + LOOK_S
        if quiet_s >= BEAT_S:
            quiet_s = 0.0
            yield ": nothing new\n\n"
        page, mark = await run_in_threadpool(reader.page, mark, PAGE_EVENTS)


def _told(page: Iterable[EventRecord]) -> Iterable[str]:
    for event in page:
        yield f"id: {text_of(event.mark)}\nevent: {event.type}\ndata: {json.dumps(answered(event), ensure_ascii=False)}\n\n"


feed.stands_for = FIND.function  # type: ignore[attr-defined]  # what the law of faces reads


def text_of(mark: Mark) -> str:
    """A mark as a caller keeps it and gives it back."""
    return f"{mark.position}:{mark.event_id}" if mark.event_id else str(mark.position)
