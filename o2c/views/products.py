"""What customers have and had in service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.following import EventRecord, show_stream
from o2c.views.reading import Page, part_of, plain
from o2c.views.shown import NoticeShown, ProductEventShown, ProductShown
from projections import products

STATUSES = ("active", "suspended", "pendingTerminate", "terminated")
"""The statuses of a product. Source: TM Forum TMF637 v4.0.0, ProductStatusType; created, pendingActive and cancelled are of an item in its
order."""


_TELLS = (
    ("reason", "cause", "about", "ground"),
    ("gaining", "operator", "to", "by"),
    ("planned_on", "activated_on", "ported_on", "agreed_on"),
)
"""The fields that say why something happened to a product, for or by whom, and for which day: the first of each that there is."""


def list_products(
    app: Engine,
    *,
    orders: Sequence[str] = (),
    items_named: Sequence[str] = (),
    customers: Sequence[str] = (),
    offerings: Sequence[str] = (),
    statuses: Sequence[str] = (),
    captured_by: str = "",
    offset: int = 0,
    limit: int = 100,
) -> Page[ProductShown]:
    """Products, the oldest first: those in service, or those of some `statuses`; the page says how many more there are.

    There are as many in service as items were completed that brought one, without those that ended. The projections must be caught up.
    Raises Refused (usage), for a status that is none as well.
    """
    if unknown := sorted(set(statuses) - set(STATUSES)):
        raise Refused(f"{unknown[0]} is no status of a product; use some of {', '.join(STATUSES)}")
    picked = {"orders": list(orders), "items": list(items_named), "customers": list(customers), "offerings": list(offerings)}
    return part_of(app, products.LISTED, products.COUNT, {**picked, "statuses": list(statuses), "captured_by": captured_by}, offset, limit)


def product_history(app: Engine, product: str, *, customer: str = "") -> list[ProductEventShown]:
    """What happened to a product, oldest first: each event with its time, who did it, and the order that it came from.

    For a `customer` only what happened while it was his: what another did with it before or after is not his to see. Raises Refused
    (missing).
    """
    events = show_stream(app, f"product-{product}")
    if not events:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    if customer:
        events = list(_while_his(events, customer))
    return [
        ProductEventShown(
            at=plain(event.occurred_at), event=event.type, what=_what(event.data), order=str(event.data.get("order", "")), actor=event.actor
        )
        for event in events
    ]


def _while_his(events: Sequence[EventRecord], customer: str) -> Iterator[EventRecord]:
    """The events of a product from the one that made it a customer's up to the one that made it another's, which is that one's."""
    owner = ""
    for event in events:
        standing = event.data.get("standing")
        owner = str(standing["customer"]) if isinstance(standing, dict) else owner
        if owner == customer:
            yield event


def product_notices(app: Engine, product: str) -> list[NoticeShown]:
    """The notices of the end of a product's term, and of the best prices after it, oldest first: those given, with what the customer was
    told, and the next one.

    None for a product without a term. Raises Refused (missing).
    """
    events = show_stream(app, f"product-{product}")
    if not events:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    found: list[NoticeShown] = []
    for event in events:
        open_ = found[-1] if found and found[-1]["state"] == "awaited" else None
        if event.type == "end-notice.awaited":
            if open_ and (open_["about"], open_["ends_on"]) == (event.data["about"], event.data["ends_on"]):
                found.pop()
            elif open_:
                open_["state"] = "moved"
            found.append(_awaited(event.data))
        elif event.type == "end-notice.given" and open_:
            found[-1] = _given(open_, event.data)
        elif event.type == "step.cancelled" and event.data.get("step") == "end-notice" and open_:
            open_["state"] = "called-off"
    return found


def _awaited(body: Mapping[str, Any]) -> NoticeShown:
    told: dict[str, Any] = {name: body[name] for name in ("about", "ends_on")}
    amounts = dict.fromkeys(("price_minor", "price_after_minor", "exit_minor"))
    return cast(
        "NoticeShown", {**told, "state": "awaited", "due_at": str(body["due_at"]), "told_on": "", **amounts, "currency": "", "offers": []}
    )


def _given(awaited: NoticeShown, body: Mapping[str, Any]) -> NoticeShown:
    told = {name: body[name] for name in ("told_on", "price_minor", "price_after_minor", "exit_minor", "currency")}
    offers = [dict(each) for each in body["offers"]]
    return cast(
        "NoticeShown", {**awaited, **told, "offers": offers, "state": f"not told: {why}" if (why := body.get("not_told")) else "given"}
    )


def _what(body: dict[str, object]) -> str:
    """In a word what changed, for or by whom, and for which day."""
    attributes = body.get("attributes")
    if isinstance(attributes, list | tuple):
        return ", ".join(str(name) for name in attributes)
    found = (next((str(body[name]) for name in names if body.get(name)), "") for names in _TELLS)
    return ", ".join(part for part in found if part)
