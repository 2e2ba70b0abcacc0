"""What the network is asked to bar, and what follows of it: lines that it barred are charged, or not, as the market's policy says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from o2c.collections.events import Line
from o2c.kernel.charges import ChargeRested, ChargeResumed, WhileBarred, account_stream
from o2c.kernel.event import Event
from o2c.kernel.work import Work
from o2c.markets.collecting import CollectionRules


def account_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that a bar reads: the account's own, for its lines."""
    return (account_stream(work.state.account),)


def bar_asked(work: Work) -> Mapping[str, Any]:
    """Give the fields of a bar that is asked for once more: the level and the warnings of the last request."""
    return {"level": work.state.bar_asked, "notices": work.state.bar_notices}


def bar(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network: account, level (empty: lift the bar) and lines; the network keeps emergency calls at
    every level."""
    return {"account": work.state.account, "level": work.state.bar_asked, "lines": [line.model_dump() for line in lines(work)]}


def lines(work: Work) -> tuple[Line, ...]:
    """Give the lines of the account that are served; where it is ended, those that rest, uncharged, with them: the items that brought their
    products."""
    account = work.read.get(account_stream(work.state.account))
    if account is None:
        return ()
    resting = [name.rpartition(":") for name in account.resting] if work.state.bar_asked == "ended" else []
    served = (Line(order=charge.order, item=charge.item) for charge in account.running)
    return (*served, *(Line(order=order, item=item) for order, _, item in resting))


def while_barred(work: Work) -> WhileBarred:
    """Give the market's policy for days at the level that was asked for."""
    rules: CollectionRules = work.market.collections
    return rules.while_barred.get(work.state.bar_asked, "charged")


def rests(running: Iterable[Any], policy: WhileBarred, day: str) -> Iterator[Event]:
    """Give the events by which charges rest or are charged again from a day on, each where it was not by that policy before."""
    for charge in running:
        of = {"order": charge.order, "item": charge.item}
        if not charge.recurring_minor or charge.while_barred == policy:
            continue
        if charge.while_barred != "charged":
            yield ChargeResumed(resumed_on=day, **of)
        if policy != "charged":
            yield ChargeRested(rested_from=day, credited=policy == "credited", **of)
