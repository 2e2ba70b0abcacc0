"""Promises: each day that was promised, by which event and through which channel, and whether it was kept, broken or is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.views.orders import find_order
from o2c.views.reading import Page, plain
from o2c.views.shown import DayPromisedShown, PromiseCountShown
from projections import contacts, messages, promises

STATES = ("kept", "broken", "open")


def promises_of_order(app: Engine, name: str) -> list[DayPromisedShown]:
    """Every day that was promised for the items of an order, the first first, and what became of it: kept, broken or open.

    Each promise is judged by its own day, local to the market. `kept`: the item was complete by then, or its customer took it back by then,
    or wished something else of which the day is another (`withdrawn`). `broken`: the day passed before, or we gave the item up; `broken_by`
    is the event that moved the promise, ended the item, or was its last fallout, with its `cause` in words, and `late_days` how late it
    came, or is by now. `open`: the day is not over. `agreed_by` is the agreement with the customer from which the day follows, as
    VERSION/NAME. `audience` says who was told as far as the log says: the `customer`, in a message that names the day or a contact about
    the order (`channel` is its medium), whichever came first, else the `channel` that sent the order, which the promise answers. The
    projections must be caught up. Raises Refused (missing).
    """
    _, state = find_order(app, name)
    return [plain(row) for row in _judged(app, [state.order_id], "")]


def list_promises(app: Engine, *, state: str = "", customer: str = "", limit: int | None = None) -> Page[DayPromisedShown]:
    """Every day that was promised for any item, as `orders.promises` tells it; of a state (kept, broken or open) or a customer where one is
    given.

    Those of programs and of tests of our own are left out where no customer is given. The page says how many more there are. The
    projections must be caught up. Raises Refused (usage) for a state that is none.
    """
    if state and state not in STATES:
        raise Refused(f"a promise is {', '.join(STATES)}, not {state}")
    found = [row for row in _judged(app, [], customer) if state in ("", row["state"])]
    page: Page[DayPromisedShown] = Page(plain(row) for row in found[:limit])
    page.more = len(found) - len(page)
    return page


def count_promises(app: Engine) -> list[PromiseCountShown]:
    """How many promises were made, kept and broken, and are open, by channel; `*` stands for all. Made is the sum of the three, always.

    Nothing counts of orders of programs and of tests of our own. `withdrawn` are those of the kept that their customers took back in time,
    with the item or by what they wished instead; `kept_share` leaves them out, as nobody could break them. The projections must be caught
    up.
    """
    counts: dict[str, Counter[str]] = {"*": Counter()}
    for row in _judged(app, [], ""):
        told = (row["state"], *(("withdrawn",) if row["withdrawn"] else ()))
        for channel in ("*", row["sent_by"]):
            counts.setdefault(channel, Counter()).update(told)
    return [_count(channel, counts[channel]) for channel in sorted(counts)]


def _count(channel: str, counted: Counter[str]) -> PromiseCountShown:
    kept = counted["kept"] - counted["withdrawn"]
    judged = kept + counted["broken"]
    told = {name: counted[name] for name in (*STATES, "withdrawn")}
    share = round(kept / judged, 6) if judged else None
    return cast("PromiseCountShown", {"channel": channel, "made": sum(counted[name] for name in STATES), **told, "kept_share": share})


def _judged(app: Engine, ids: Sequence[str], customer: str) -> Iterator[dict[str, Any]]:
    """Every promise of some orders (none: of all, or of a customer's)."""
    now = app.clock().now
    rows = app.reads.rows(promises.EVERY, orders=list(ids), customer=customer)
    if not rows:
        return
    # Of one customer, what was said of his orders alone is read.
    about = sorted({row["order_id"] for row in rows}) if customer else list(ids)
    spoken: dict[str, list[Mapping[str, Any]]] = {}
    for contact in app.reads.rows(contacts.ABOUT_ORDERS, orders=about):
        spoken.setdefault(contact["order_id"], []).append(contact)
    named: dict[tuple[str, str], Mapping[str, Any]] = {}
    for message in app.reads.rows(messages.DAYS_TOLD, orders=about):
        named.setdefault((message["order_id"], message["promised_on"]), message)
    for row in rows:
        for one in judged(row, now):
            of_day = named.get((row["order_id"], one["promised_on"].isoformat()))
            told = told_of(one, spoken.get(row["order_id"], ()), row["channel"], of_day)
            yield {
                "order": row["order_id"],
                "external_id": row["external_id"],
                "item": row["item"],
                "sent_by": row["channel"],
                **one,
                **told,
            }


def judged(row: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """What became of each promise made of an item by a time: one of kept, broken and open. Pure."""
    today = local_date(now, row["zone"])
    return [_one(row, place, today) for place in range(len(row["made"]))]


def _one(row: Mapping[str, Any], place: int, today: date) -> dict[str, Any]:
    promise, after = row["made"][place], row["made"][place + 1 :]
    day = date.fromisoformat(promise["promised_on"])
    revised_by = after[0] if after else None
    over: date | None = row["completed_on"] or row["ended_on"]
    is_ours = row["completed_on"] is None and row["ended_on"] is not None and (row["state"] != "cancelled" or row["given_up_by_us"])
    let_go = revised_by is not None and revised_by["wished"] and _day_of(revised_by, row["zone"]) <= day
    state = "kept" if let_go else "broken" if is_ours or (over or today) > day else "kept" if over else "open"
    cause, event = _cause(row, revised_by) if state == "broken" else ("", None)
    return {
        "promised_on": day,
        "made_at": datetime.fromisoformat(promise["made_at"]),
        "until": datetime.fromisoformat(revised_by["made_at"]) if revised_by else None,
        "by_event": promise["by_event"],
        "agreed_by": promise["agreed_by"],
        "revised_by": revised_by["by_event"] if revised_by else None,
        "state": state,
        "withdrawn": let_go or (state == "kept" and row["completed_on"] is None),
        "broken_by": event,
        "cause": cause,
        "late_days": max(((over or today) - day).days, 0) if state == "broken" else 0 if state == "kept" else None,
    }


def _day_of(promise: Mapping[str, Any], zone: str) -> date:
    return local_date(datetime.fromisoformat(promise["made_at"]), zone)


def _cause(row: Mapping[str, Any], revised_by: Mapping[str, Any] | None) -> tuple[str, str | None]:
    """What broke a promise, in words (a step, and the reason of its fallout), and the event: what moved it, what ended the item, its last
    fallout."""
    if revised_by:
        return _words(revised_by["cause_step"], revised_by["cause_reason"]), revised_by["by_event"]
    step, reason, event = row["fell_out"] or ("", "", None)
    if row["completed_on"] is None and row["ended_event"]:
        return _words(step, reason) or row["state"], row["ended_event"]
    return _words(step, reason), event


def _words(step: str, reason: str) -> str:
    return " ".join(part for part in (step, reason) if part)


def told_of(one: dict[str, Any], spoken: Sequence[Mapping[str, Any]], channel: str, message: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who was told of a promise while it stood, and how: the customer, where a message named the day or the log has a contact about the
    order then; else the channel."""
    begun, ended = one["made_at"], one.pop("until")
    told = [(contact["contacted_at"], contact["medium"]) for contact in spoken]
    told += [(message["sent_at"], message["medium"])] if message else []
    for at, medium in sorted(told):
        if at >= begun and (ended is None or at < ended):
            return {"channel": medium, "audience": "customer", "told_at": at}
    return {"channel": channel, "audience": "channel", "told_at": one["made_at"]}
