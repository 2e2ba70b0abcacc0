"""The desk for the network: units are granted to sessions before they are used, and what was used of them is taken down.

A reservation frees itself: it counts only while it is valid, and whoever asks next does not see it any more. A timer for each session would
write as much again to say what the time says. What decides is the version of the account's own stream of quota; the record of what was used
is written before the event that says so, once by session and request, so that a crash between the two holds units a while longer and loses
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any
from zlib import crc32

from o2c.desk.act import permitted
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Command
from o2c.engine.mediation import Mediation
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.records import UsageRecord
from o2c.kernel.refusal import Refused
from o2c.quota import rules
from o2c.quota.events import OfQuota
from o2c.quota.state import Hold, QuotaState, stream_of
from o2c.rating.room import Cost, room
from o2c.rating.tariff import USUAL_UNITS
from o2c.rating.units import UNITS
from o2c.store import usage
from o2c.views.reckoned import basis_of
from o2c.views.shown import QuotaShown
from o2c.views.usage import running

if TYPE_CHECKING:
    from o2c.kernel.work import Work

TRIES_MAX = 200
"""How often a request is decided anew when other processes changed the account's quota meanwhile."""
SOURCE = "quota"
_SESSION_MAX = 200
_QUANTITY_MAX = 10**18
_TURNS = tuple(Lock() for _ in range(256))
"""The requests of one account wait for one another in a process, instead of being decided in vain."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request of a session on an account: its name, and what is decided from the quota, the account's work, the day of its next run,
    and the time."""

    account: str
    verb: str
    session: str
    request: int
    wish: list[Any]
    decide: Callable[[QuotaState, Work, date, datetime], Decision]


def reserve(
    app: Engine,
    context: Context,
    party: str,
    *,
    session: str,
    kind: str,
    quantity: int,
    request: int = 0,
    unit: str = "",
    destination: str = "",
    country: str = "",
) -> QuotaShown:
    """Grant units of a kind of usage to a session before they are used: as much of what is asked for as allowances, limits and prepaid
    balance leave room for.

    `party` is a number in E.164 form, or an account; `quantity` is whole, in `unit` (that of the kind when left out). What is granted is
    held for as long as the market says, and what the session held before is let go. By session and request number it is done once. Raises
    Refused: missing (no line of that party that is charged), usage (no such kind or unit, no quantity), conflict (the request was something
    else), unavailable (try again).
    """
    by = permitted(context, "quota.reserve")
    base, asked = _asked(kind, quantity, unit, least=1)
    _named(session, request)
    now = app.clock().now
    mediation = Mediation(app)
    mediation.learn([party])
    line = mediation.line_of(party, now)
    if isinstance(line, str):
        raise Refused(
            f"{_shown(party)} uses no line that is charged ({line}); nothing is granted to session {session[:60]}", kind="missing"
        )
    zone, band, placed_by = mediation.place(line, destination, country, now)

    def decide(state: QuotaState, work: Work, run_on: date, at: datetime) -> Decision:
        customer = work.state.customer
        asking = rules.Asking(line.account, customer, line.owner, party, session, request, kind, zone, band, base, asked, placed_by)
        holds = state.held(at, but=session)
        basis = basis_of(app, work, run_on, at, since=min((hold.began_at for hold in holds), default=at))
        left = room(
            basis,
            [_held(hold) for hold in holds],
            UsageRecord(0, line.owner, kind, zone, band, at, Decimal(asked), base, session),
            left_minor=state.balance_minor(at),
            paid=Cost(*state.paid.get(basis.period_from, (0, 0))),
        )
        return rules.reserve(state, asking, left, valid=timedelta(seconds=work.market.usage.quota.valid_s), at=at)

    return _taken(app, by, _Turn(line.account, "reserve", session, request, [kind, asked, base, party], decide))


def commit(
    app: Engine,
    context: Context,
    account: str,
    *,
    session: str,
    used: int,
    request: int,
    unit: str = "",
    destination: str = "",
    source: str = SOURCE,
) -> QuotaShown:
    """Take down what a session used of what it held: it becomes a record of usage, is paid from the prepaid balance where its price is
    prepaid, and the rest is free.

    The network's own record of the session, with the session as its key and the same `source`, counts once with it. What was used beyond
    the grant is taken down as well; the balance never falls below zero for it. By session and request number it is done once. Raises
    Refused: missing (the session holds nothing, or did so too long ago), usage (no quantity), conflict (the request was something else),
    unavailable (try again).
    """
    by = permitted(context, "quota.commit")
    _named(session, request)
    _named(source, 0)

    def decide(state: QuotaState, work: Work, run_on: date, at: datetime) -> Decision:
        hold = rules.hold_of(state, session)
        _, quantity = _asked(hold.usage, used, unit or hold.unit, least=0)
        if quantity:
            _write_part(app, hold, account, request=request, used=quantity, destination=destination, source=source)
        basis = basis_of(app, work, run_on, at, since=min(one.began_at for one in (hold, *state.held(at))))
        cost = basis.cost(basis.rated())
        told = {"request": request, "used": quantity, "cost": cost, "period_from": basis.period_from, "currency": work.state.currency}
        return rules.commit(state, hold, **told, at=at)

    return _taken(app, by, _Turn(account, "commit", session, request, [used, unit, source], decide))


def release(app: Engine, context: Context, account: str, *, session: str, request: int) -> QuotaShown:
    """Let go what a session holds, of which nothing was used; what is free already changes nothing.

    Raises Refused: missing (no such account), usage (no session), unavailable (try again).
    """
    by = permitted(context, "quota.release")
    _named(session, request)

    def decide(state: QuotaState, work: Work, run_on: date, at: datetime) -> Decision:
        return rules.release(state, session=session, request=request)

    return _taken(app, by, _Turn(account, "release", session, request, [], decide))


def _taken(app: Engine, by: Context, turn: _Turn) -> QuotaShown:
    """Decide a request and write what comes of it; when somebody else wrote meanwhile, decide it again."""
    stream = stream_of(turn.account)
    command_id = derived_id("quota", turn.account, turn.verb, turn.session, str(turn.request))
    fingerprint = digest(json.dumps([stream, turn.verb, *turn.wish]))
    with _TURNS[crc32(turn.account.encode()) % len(_TURNS)]:
        for _ in range(TRIES_MAX):
            if earlier := app.recall(stream, command_id, fingerprint):
                [body] = [row["body"] for row in app.reads.written_with(stream, earlier.position) if row["type"].startswith("quota.")]
                return _answer(turn, body, None, repeated=True)
            work, run_on = running(app, turn.account)
            loaded, now = app.load_one(stream), app.clock().now
            state: QuotaState = loaded.state
            held = state.holds.get(turn.session)
            carried = Carried(app.kind(stream), stream, state)
            carried.carry(turn.decide(state, work, run_on, now), now, app.book, None)
            if not carried.happened:
                return _answer(turn, {}, held, repeated=False)
            told = tuple(carried.happened)
            command = Command(command_id, stream, told, {stream: loaded}, by.actor, by.channel, fingerprint=fingerprint)
            if app.write([command])[0].verdict == "appended":
                [body] = [one.event.model_dump(mode="json") for one in told if isinstance(one.event, OfQuota)]
                return _answer(turn, body, held, repeated=False)
    raise Refused(
        f"session {turn.session[:60]}: others ask for account {turn.account} all the time; send the request again", kind="unavailable"
    )


def _answer(turn: _Turn, body: Mapping[str, Any], held: Hold | None, *, repeated: bool) -> QuotaShown:
    return {
        "account": turn.account,
        "session": turn.session,
        "request": turn.request,
        "unit": body.get("unit", held.unit if held else ""),
        "granted": body.get("granted", 0),
        "final_unit": body.get("final_unit", "why" in body),
        "why": body.get("why", ""),
        "valid_until": body.get("valid_until", ""),
        "used": body.get("used", 0),
        "freed": body.get("freed", 0),
        "charged_minor": body.get("charged_minor", 0),
        "balance_minor": body.get("balance_minor"),
        "repeated": repeated,
    }


def _write_part(app: Engine, hold: Hold, account: str, *, request: int, used: int, destination: str, source: str) -> None:
    """Add the record of what a session used, unless it is there: in the order of places, as a file's records are."""
    told = {"source": source, "sequence": None, "party": hold.party, "other": destination, "kind": hold.usage, "started_at": hold.began_at}
    placed = {
        "zone": hold.zone,
        "band": hold.band,
        "country": "",
        "account": account,
        "owner": hold.owner,
        "waits_for": "",
        "placed_by": hold.placed_by,
    }
    with app.reads.datastore.get_connection() as conn, usage.adding(conn):
        record = {**told, **placed, "quantity": used, "unit": hold.unit}
        usage.add_part(conn, record, session=hold.session, request=request)


def _held(hold: Hold) -> UsageRecord:
    """What is held, as if it had been used when it was reserved."""
    return UsageRecord(0, hold.owner, hold.usage, hold.zone, hold.band, hold.began_at, Decimal(hold.granted), hold.unit, hold.session)


def _asked(kind: str, quantity: int, unit: str, *, least: int) -> tuple[str, int]:
    """The base unit of a kind of usage, and a quantity in it. Raises Refused (usage)."""
    if kind not in USUAL_UNITS:
        raise Refused(f"no such kind of usage; use one of {', '.join(sorted(USUAL_UNITS))}")
    base, times = UNITS.get(unit or USUAL_UNITS[kind], ("", 0))
    if not base:
        raise Refused(f"no such unit; use one of {', '.join(UNITS)}")
    if not least <= quantity * times <= _QUANTITY_MAX:
        raise Refused(f"give a whole quantity of {least} or more, and at most {_QUANTITY_MAX:,} {base}")
    return base, quantity * times


def _named(session: str, request: int) -> None:
    if not session.strip() or not session.isprintable() or len(session) > _SESSION_MAX or request < 0:
        raise Refused(f"name the session in at most {_SESSION_MAX} printable characters, and number its requests from 0")


def _shown(party: str) -> str:
    """A number with its middle left out: who asks for what is personal."""
    return f"{party[:4]}***{party[-3:]}" if party.startswith("+") else f"account {party[:60]}"
