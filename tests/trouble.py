"""What must hold when partners are in trouble, counted from the log alone: nobody falls out for an outage, and every call is made once."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from o2c.engine.app import Engine
from o2c.views.fallouts import list_fallouts
from tests.fates import Claim

OUTAGES = """SELECT d.body ->> 'partner' AS partner, d.body ->> 'outage' AS outage, (d.body ->> 'since')::timestamptz AS since,
        d.occurred_at AS found_at, min(u.occurred_at) AS up_at, coalesce(min((u.body ->> 'rate_per_min')::integer), 0) AS rate
    FROM o2c.event d LEFT JOIN o2c.event u ON u.stream = d.stream AND u.type = 'partner.came-up' AND u.body ->> 'outage' = d.body ->> 'outage'
    WHERE d.type = 'partner.went-down' GROUP BY 1, 2, 3, 4 ORDER BY 3, 1"""
CALLS = """SELECT type, stream, coalesce(body ->> 'item', '') AS item, body ->> 'step' AS step, (body ->> 'attempt')::integer AS attempt,
        (body ->> 'due_at')::timestamptz AS due_at, occurred_at FROM o2c.event
    WHERE type IN ('call.parked', 'call.resumed') AND body ->> 'outage' = %s ORDER BY position"""
FELL = """SELECT count(*) AS n FROM o2c.event e WHERE jsonb_exists(e.body, 'fallout') AND e.body ->> 'partner_code' IN ('UNAVAILABLE', 'silent', 'never heard')
    AND e.body #>> '{asked,partner}' = %s AND e.occurred_at >= %s AND e.occurred_at < %s"""
FALLOUTS = "SELECT count(DISTINCT body ->> 'fallout') AS n FROM o2c.event WHERE jsonb_exists(body, 'fallout') AND jsonb_exists(body, 'fault_class')"
MINUTE = timedelta(minutes=1)


def claims(app: Engine) -> Iterator[Claim]:
    """One by one, each with its figures."""
    for outage in app.reads.rows(OUTAGES):
        yield from _of_outage(app, outage)
    rows = list_fallouts(app)
    lost = [row["fallout"] for row in rows if not (row["owner"] and row["queue"] and row["next_at"])]
    yield Claim("every open fallout is in a queue, with an owner and a next date", not lost, f"{len(rows)} open, {len(lost)} without")
    [told] = app.reads.rows("SELECT count(*) AS n FROM projection.fallout")
    [counted] = app.reads.rows(FALLOUTS)
    yield Claim("the queue has every fallout of the log", told["n"] == counted["n"], f"{told['n']} in the queue, {counted['n']} in the log")


def _of_outage(app: Engine, outage: Mapping[str, Any]) -> Iterator[Claim]:
    calls = app.reads.rows(CALLS, outage["outage"])
    parked = {_place(call) for call in calls if call["type"] == "call.parked"}
    resumed = {_place(call) for call in calls if call["type"] == "call.resumed"}
    name = f"{outage['partner']} away since {outage['since']:%d %B %H:%M}"
    figures = f"{len(parked)} calls of {len({call['stream'] for call in calls})} streams parked, {len(resumed)} made again"
    yield Claim(f"{name}: what was parked was made again", parked == resumed and bool(outage["up_at"]), figures)
    if not outage["up_at"]:
        return
    times = sorted(call["due_at"] for call in calls if call["type"] == "call.resumed" and call["due_at"] >= outage["up_at"])
    most = max((_within_a_minute(times, at) for at in times), default=0)
    yield Claim(f"{name}: no faster than the rate", most <= outage["rate"], f"at most {most} calls in a minute, {outage['rate']} allowed")
    [before], [fell] = (
        app.reads.rows(FELL, outage["partner"], *period)
        for period in ((outage["since"], outage["found_at"]), (outage["found_at"], outage["up_at"]))
    )
    figures = f"{fell['n']} fallouts for want of an answer, {before['n']} before the calls showed it"
    yield Claim(f"{name}: nobody fell out for it once it was known", not fell["n"], figures)


def _place(call: Mapping[str, Any]) -> tuple[str, str, str, int]:
    return call["stream"], call["item"], call["step"], call["attempt"]


def _within_a_minute(times: list[datetime], begin: datetime) -> int:
    return sum(begin <= at < begin + MINUTE for at in times)
