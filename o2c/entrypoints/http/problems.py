"""Problem details (RFC 9457): the types of them, and how one goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from o2c.desk.act import IdTaken, Refused, Stale
from o2c.views.following import OtherLog

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457, section 3.1). `type` is a page of this service that says what to do."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(examples=["/problems/missing"])
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="One line: what happened, to what, and what to do.")
    instance: str = Field(default="", description="The path that was asked.")
    errors: list[dict[str, str]] = Field(
        default=[], description="Of a call that does not fit: each `pointer` (RFC 6901) or parameter, and what is wrong with it."
    )
    current: dict[str, int] = Field(default={}, description="Of a stale call: the versions that the streams stand at now.")
    unseen: list[dict[str, Any]] = Field(
        default=[], description="Of a stale call: the events that the caller had not seen, personal fields left out."
    )
    lost: list[dict[str, Any]] = Field(
        default=[],
        description="Of a changed paper: what somebody else changed meanwhile and it wishes otherwise too, with who, when and how it stands.",
    )


TYPES: Mapping[str, tuple[int, str, str]] = {
    "malformed": (
        400,
        "This cannot be read",
        "The body or a header is not what its media type says, or lies deeper than 64 levels. Mend it; it will not pass as it is.",
    ),
    "unauthenticated": (401, "Who are you?", "Send a valid API key or access token in the header Authorization."),
    "forbidden": (403, "You may not", "None of your roles may do this. Ask whoever gives out roles, or use another key."),
    "missing": (404, "There is no such thing", "Nothing bears this name. Look at the list of its kind."),
    "no-method": (405, "Not in this way", "The path is there, and takes other methods: the header Allow names them."),
    "conflict": (409, "Something stands against it", "Read what it is about again, and decide anew."),
    "gone": (410, "It is over", "This was there and is no more. Begin again where you got it."),
    "stale": (412, "It has changed since you looked", "`unseen` has what happened since; decide by it, and send the new ETag."),
    "too-large": (413, "Too much at once", "A body may have 1 MB. Send less at a time."),
    "media-type": (415, "Not in this form", "Send one of the media types that the description of this path lists."),
    "misdirected": (421, "Not here", "The service answers under its own names alone. Use the address that it printed."),
    "usage": (422, "This does not fit", "Correct the call as `detail` and `errors` say."),
    "key-reused": (422, "That key was for something else", "An Idempotency-Key names one wish for ever. Make a new one for another wish."),
    "version-needed": (428, "Say what you decided by", "Send If-Match with the ETag of what you read."),
    "too-many": (429, "Too many at once", "Wait for the seconds in Retry-After."),
    "defect": (
        500,
        "A defect of this service",
        "Nothing acknowledged is lost. Ask again with the same Idempotency-Key, and report the request id.",
    ),
    "unavailable": (
        503,
        "Not now",
        "The database or a partner does not answer. Ask again after Retry-After, with the same Idempotency-Key.",
    ),
}
"""Every type of problem: its status, its title, and what to do."""
OF_STATUS = {status: kind for kind, (status, _, _) in reversed(list(TYPES.items()))}


def problem(kind: str, detail: str, *, instance: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem as it goes over the wire."""
    status, title, _ = TYPES[kind]
    told = Problem(type=f"/problems/{kind}", title=title, status=status, detail=detail, instance=instance, **more)
    later = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}
    who = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(
        told.model_dump(exclude_defaults=True), status_code=status, headers={**later, **who, **(headers or {})}, media_type=MEDIA_TYPE
    )


def kind_of(refused: Refused) -> str:
    """The type of problem that a refusal is."""
    if isinstance(refused, Stale):
        return "stale"
    if isinstance(refused, OtherLog):
        return "gone"
    return "key-reused" if isinstance(refused, IdTaken) else refused.kind
