"""Who may what, and who was shown what is personal."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from o2c.access.permissions import PERMISSIONS
from o2c.access.state import ISSUERS_STREAM, IssuersState, KeyState, access_stream, key_stream
from o2c.engine.app import Engine
from o2c.views.reading import Page, page_of, plain
from o2c.views.shown import AccessRecordShown, IssuerShown, KeyShown, PermissionShown

SERVER_TIME = "SELECT now() AS now"
"""The time by the server's clock, which keys and tokens go by. No parameters."""

RECORDS = """SELECT event_id::text AS record, recorded_at, actor, channel, nullif(body ->> 'customer', '') AS customer, body ->> 'operation' AS operation,
    body -> 'subjects' AS subjects, body -> 'kinds' AS kinds, body -> 'roles' AS roles, personal ->> 'note' AS note, count(*) OVER () AS n
FROM o2c.event WHERE stream BETWEEN %(first)s AND %(last)s AND type = 'personal-data.disclosed'
    AND (%(actor)s = '' OR actor = %(actor)s) AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
ORDER BY position DESC LIMIT %(limit)s"""
"""What was taken down of who was shown what, the last first, and how many there are in all (`n`). Parameters: the `first` and `last`
stream, the `actor` (empty text: anybody), `since` when by the server's clock (NULL: ever), the `limit` (NULL: all)."""


def list_permissions() -> list[PermissionShown]:
    """The table of permissions: for each operation what each role may. `yes`, `masked` (nothing personal), `own` (what it began), `-` (may
    not)."""
    return cast("list[PermissionShown]", [{"operation": operation, **cells} for operation, cells in PERMISSIONS.items()])


def list_records(
    app: Engine, *, customer: str = "", actor: str = "", since: datetime | None = None, personal: bool = False, limit: int | None = None
) -> Page[AccessRecordShown]:
    """Who was shown personal data, when, by which operation, of whom and which kinds, the last first; the page says how many more there
    are.

    Of a customer, by an actor, or from a time on by the server's clock, where these are given. `why` it was looked at, where that was said,
    is there where `personal` is asked for, since it may name anybody.
    """
    first, last = (access_stream(customer),) * 2 if customer else ("access-", "access-\U0010ffff")
    page = page_of(app.reads.rows(RECORDS, first=first, last=last, actor=actor, since=since, limit=limit), "n")
    for row in page:
        note = row.pop("note")
        if personal:
            row["why"] = note
    return page


def list_keys(app: Engine) -> list[KeyShown]:
    """The keys: whose name each acts under, in which roles, until when, how it stands (valid, expired, revoked) and the last day of its
    use.

    `operations` are those it is limited to, None for all that its roles may. There is nothing of a secret in it.
    """
    [server] = app.reads.rows(SERVER_TIME)
    streams = app.reads.streams_like(key_stream(""))
    loaded = app.load(streams)
    return [_key_row(loaded[stream].state, server["now"]) for stream in streams]


def _key_row(state: KeyState, now: datetime) -> KeyShown:
    issued = state.issued
    assert issued is not None
    stands = "revoked" if state.revoked else "expired" if issued.expires_at <= now else "valid"
    told = {"prefix": issued.prefix, "acts_as": issued.acts_as, "roles": issued.roles, "operations": issued.operations}
    row: KeyShown = plain({**told, "expires_at": issued.expires_at, "stands": stands, "used_on": state.used_on or None})
    return row


def list_issuers(app: Engine) -> list[IssuerShown]:
    """The issuers whose tokens are believed: for which audience, from which claim roles come, and how long a token may live, in seconds."""
    state: IssuersState = app.load_one(ISSUERS_STREAM).state
    names = ("issuer", "audience", "claim", "roles", "life_s_max", "actor_prefix", "jwks")
    found = [{name: getattr(trusted, name) for name in names} for _, trusted in sorted(state.trusted.items())]
    return cast("list[IssuerShown]", found)
