"""The fallout queue: open fallouts in the order in which somebody works through them, or one with everything a person needs to act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from o2c.engine.app import Engine
from o2c.fallout.actions import ACTIONS
from o2c.kernel.periods import parse_time
from o2c.kernel.reasons import CodeBook, Codes
from o2c.kernel.refusal import Refused
from o2c.views.codes import guide_of
from o2c.views.fallout_state import State, ranking, with_record
from o2c.views.reading import Page, Rows, page_of
from o2c.views.shown import FalloutListed
from projections import fallout

Sort = Literal["rank", "oldest", "newest", "queue", "reason", "order", "customer", "attempts"]
SORTS: tuple[str, ...] = get_args(Sort)
"""What fallouts can be sorted by; of equals the oldest comes first."""

AGE_DAYS_MAX = 3_650
OFFSET_MAX = 2**31
STOCK = frozenset({"INV-SIM", "INV-NUM"})
"""The codes of those that wait for stock."""
STATES: tuple[str, ...] = get_args(State)
"""What a fallout's `state` can be."""


def list_fallouts(
    app: Engine,
    *,
    fallouts: Sequence[str] = (),
    queue: str = "",
    reason: str = "",
    order: str = "",
    customer: str = "",
    group: str = "",
    owner: str = "",
    state: str = "",
    age_days: int = 0,
    due_by: datetime | None = None,
    rank_max: int | None = None,
    after: str = "",
    everything: bool = False,
    sort: Sort = "rank",
    offset: int = 0,
    limit: int | None = None,
) -> Page[FalloutListed]:
    """Open fallouts (or all) with whose order each is, its age in seconds, what it blocks and what is to be done next, by rank.

    With `fallouts` (ids) those alone, without the first `offset` of them all. `order` is an order's id, `group` the id of a group of like
    fallouts, `owner` a person who has it or the team of its queue, `state` one of `fallout_state.State`, `age_days` since how many days at
    least it is there, `due_by` the latest next date and `rank_max` the last rank. How each stands (`state`, `owner`, `next_at`, `level`,
    `waiting`) is said by `fallout_state.with_record`. One that somebody acted on is in hand until its step goes on (`in_hand_by`,
    `in_hand_since`). By rank it goes on behind the place `after` (`place_of` the last row that was shown), and then counts what is behind
    it. The projections must be caught up. Raises Refused (usage) for a sort, a state, a queue, a reason or an age that is none, and for a
    place that is none or not by rank.
    """
    codes = filtered_by(app, queue, reason, state)
    if sort not in SORTS:
        raise Refused(f"fallouts are not sorted by {sort}; use one of {', '.join(SORTS)}")
    if after and sort != "rank":
        raise Refused("pages go on by rank; leave the sort out, or say how many rows at once")
    filters = {"queue": queue, "reason": reason, "order": order, "customer": customer, "group": group, "owner": owner, "state": state}
    more = {"everything": everything or state == "closed", "due_by": due_by, "rank_max": rank_max, **_behind_place(after)}
    more["opened_by"] = _opened_by(app, age_days)
    if not 0 <= offset <= OFFSET_MAX:
        raise Refused(f"give an offset of 0 to {OFFSET_MAX:,}")
    page = _part(app, {**filters, **more, **ranking(app), "fallouts": list(fallouts), "sort": sort}, offset, limit)
    blocked = blocked_by(app, page)
    now = app.clock().now
    codes_now = codes.at(now)
    for place, row in enumerate(page):
        complete(row, blocked[row["fallout"]], now, codes_now)
        page[place] = {**with_record(row, codes_now, now), "place": place_of(row)}
        for name in ("stream", *(() if more["everything"] else ("closed_at",))):
            page[place].pop(name)
    return page


def _part(app: Engine, picked: Mapping[str, Any], offset: int, limit: int | None) -> Page[Any]:
    """A part of the list. Where no row of it is left, another one says how many there are."""
    rows = app.reads.rows(fallout.LISTED, **picked, offset=offset, limit=limit)
    if not rows and (offset or limit == 0):
        rows, page = app.reads.rows(fallout.LISTED, **picked, offset=0, limit=1), Page[Any]()
        page.more = max(rows[0]["n"] - offset, 0) if rows else 0
        return page
    page = page_of(rows, "n")
    page.more = max(page.more - offset, 0)
    return page


def aged(text: str) -> int:
    """An age in days as a person writes it. Raises Refused (usage) for what is none."""
    if not (text.isascii() and text.isdigit() and int(text) <= AGE_DAYS_MAX):
        raise Refused(f"{text[:40]} is no age; say whole days, at most {AGE_DAYS_MAX:,}")
    return int(text)


def _opened_by(app: Engine, age_days: int) -> datetime | None:
    """Until when what is at least so many days old fell out; None for any age."""
    days = aged(str(age_days))  # first: what is no age is told before anything is looked up
    return app.clock().now - timedelta(days=days) if days else None


def place_of(row: Mapping[str, Any]) -> str:
    """The place by rank of a row of the list, behind which the next page begins."""
    return f"{row['rank']}/{row['opened_at']}/{row['fallout']}"


def _behind_place(after: str) -> dict[str, Any]:
    """The parameters of a place. Raises Refused (usage) for one that is none."""
    if not after:
        return {"after_rank": None, "after_at": None, "after_id": ""}
    rank, _, rest = after.partition("/")
    opened_at, _, fallout_id = rest.partition("/")
    try:
        return {"after_rank": int(rank), "after_at": parse_time(opened_at), "after_id": fallout_id}
    except ValueError:
        raise Refused(f"{after} is no place; say RANK/OPENED_AT/FALLOUT of the last row that was shown") from None


def filtered_by(app: Engine, queue: str, reason: str, state: str = "") -> CodeBook:
    """The reason codes, by which a queue and a reason were judged. Raises Refused (usage) for one that is none, and for a state."""
    codes = app.codes()
    for what, word, known in (("queue", queue, codes.queues), ("reason", reason, tuple(codes.newest.reasons)), ("state", state, STATES)):
        if word and word not in known:
            raise Refused(f"there is no {what} {word}; use one of {', '.join(known)}")
    return codes


def complete(row: dict[str, Any], blocks: str, now: datetime, codes: Codes) -> None:
    """Add what is not in the table: age, what it blocks, what comes next."""
    row["age_s"] = int((now - datetime.fromisoformat(row["opened_at"])).total_seconds())
    if row["state"] == "closed":
        row["in_hand_by"], row["in_hand_since"] = None, None
    row["blocks"] = blocks
    row["next"] = next_of(codes, row)


def next_of(codes: Codes, row: Mapping[str, Any]) -> str:
    """What is to be done next about a fallout, in a few words."""
    if row.get("in_hand_by"):
        return f"in hand, by {row['in_hand_by']}, since {row['in_hand_since']}"
    if row.get("state") == "closed":
        return "nothing: it is closed"
    if row["reason"] == "CR-DEPOSIT" and row.get("detail"):
        return f"take {row['detail']}"
    if row["reason"] in STOCK and row.get("detail"):
        return f"wait: {row['detail']}"
    say = guide_of(codes, row["reason"]).next
    return f"{say}: {row['detail']}" if names_flaw(row) else say


def names_flaw(row: Mapping[str, Any]) -> bool:
    """Whether a fallout is about a flaw of the paper and its detail says which: more than the meaning of its code does."""
    return str(row["reason"]).startswith("DQ-") and bool(row.get("detail"))


def blocked_by(app: Engine, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By fallout what waits for it, in words. Who does not see the log is not told what relies on an item."""
    loaded = app.load({row["stream"] for row in rows}) if app.sees_log else {}
    states = {row["fallout"]: loaded[row["stream"]].state if row["stream"] in loaded else None for row in rows}
    return {row["fallout"]: _blocks(row, states[row["fallout"]] if row["order"] else None) for row in rows}


def _blocks(row: Mapping[str, Any], state: Any) -> str:
    if row["reason"] == "DQ-DUP":
        return "the second paper"
    if row["invoice"]:
        return f"invoice {row['invoice']}"
    if state is None and row["order"]:
        return f"item {row['item']}" if row["item"] else "the order"
    if state is None or not hasattr(state, "progress"):
        return str(row["stream"])
    if not row["item"]:
        count = len(state.items or state.lines)
        return f"the order, {count} item{'' if count == 1 else 's'}" if count else "the order"
    behind = sorted(_behind(state.relied_on_by, row["item"]))
    return f"item {row['item']}" + (f", then {', '.join(behind)}" if behind else "")


def _behind(relied_on_by: Mapping[str, Iterable[str]], item: str) -> set[str]:
    """The items that rely on an item, and those that rely on them."""
    found: set[str] = set()
    left = [item]
    while left:
        new = set(relied_on_by.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


def row_of_fallout(app: Engine, name: str) -> dict[str, Any]:
    """The row of a fallout by its id, or by the first letters of it if they are of no other. Raises Refused: missing, usage (of
    several)."""
    begins = f"{name.replace('%', '').replace('_', '')}%"
    found = app.reads.rows(fallout.ROW_OF_FALLOUT, name=name, begins=begins, **ranking(app))
    if not found:
        raise Refused(f"no fallout {name}; see `o2c fallout list`", kind="missing")
    if len(found) > 1:
        raise Refused(f"{name} begins the ids of {len(found)} fallouts; give more of it")
    return found[0]


def rows_of_fallouts(app: Engine, fallouts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The rows of some fallouts by their ids. The projections must be caught up."""
    return {row["fallout"]: row for row in app.reads.rows(fallout.ROWS_OF_FALLOUTS, list(fallouts))}


def matching(app: Engine, filters: Mapping[str, str], action: str) -> tuple[tuple[str, ...], int]:
    """The ids of the fallouts that fit filters of `list_fallouts`, by rank, and the position of the log that they are as of.

    They are the open ones and those that are looked at again; for an action that can only be taken on others (`ACTIONS`), those.

    The position is 0 where none fits. The projections must be caught up. Raises Refused (usage) for a queue or a reason that is none.
    """
    filtered_by(app, filters.get("queue", ""), filters.get("reason", ""), filters.get("state", ""))
    anything: dict[str, Any] = dict.fromkeys(("queue", "reason", "order", "customer", "group", "owner", "state"), "")
    anything |= {
        "due_by": None,
        "rank_max": None,
        **_behind_place(""),
        "opened_by": _opened_by(app, aged(filters.get("age_days", "0"))),
        "fallouts": [],
    }
    stages = set(ACTIONS[action].stages)
    standing = "closed" if stages == {"closed"} else "reopened" if stages == {"reopened"} else "open"
    found = app.reads.rows(
        fallout.MATCHED,
        everything=True,
        standing=standing,
        **{**anything, **{name: value for name, value in filters.items() if name != "age_days"}},
        **ranking(app),
    )
    return tuple(row["fallout"] for row in found), found[0]["position"] if found else 0


def fallouts_by_reason(app: Engine) -> Rows:
    """How many fallouts there ever were, and how many are open, for each reason in each queue; the most frequent first."""
    return app.reads.rows(fallout.COUNT_BY_REASON_AND_QUEUE)
