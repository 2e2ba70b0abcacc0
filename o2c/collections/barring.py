"""What the network is asked to bar, and what follows of it: lines that it barred are charged, or not, as the market's policy says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from o2c.collections.events import Line
from o2c.kernel.charges import ChargeRested, ChargeResumed, WhileBarred, account_stream
from o2c.kernel.event import Event
from o2c.kernel.work import Work
from o2c.markets.collecting import CollectionRules
from o2c.products.events import product_of


def account_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that a bar reads: the account's own, for its lines."""
    return (account_stream(work.state.account),)


def bar_asked(work: Work) -> Mapping[str, Any]:
    """Give the fields of a bar that is asked for once more: the level and the warnings of the last request."""
    return {"level": work.state.bar_asked, "notices": work.state.bar_notices}


def bar(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network: account, level (empty: lift the bar) and lines, each with the product that it is known
    by at the network; the network keeps emergency calls at every level."""
    lines = [{**line.model_dump(), "product": product} for line, product in _served(work)]
    return {"account": work.state.account, "level": work.state.bar_asked, "lines": lines}


def lines(work: Work) -> tuple[Line, ...]:
    """Give the lines of the account that are served; where it is ended, those that rest, uncharged, with them: the items that brought their
    products."""
    return tuple(line for line, _ in _served(work))


def _served(work: Work) -> Iterator[tuple[Line, str]]:
    """The same, each with its product: a charge can stand under an item that changed that."""
    account = work.read.get(account_stream(work.state.account))
    if account is None:
        return
    for charge in account.running:
        yield Line(order=charge.order, item=charge.item), charge.product or product_of(charge.order, charge.item)
    for name in account.resting if work.state.bar_asked == "ended" else ():
        order, _, item = name.rpartition(":")
        yield Line(order=order, item=item), name


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
