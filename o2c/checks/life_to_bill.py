"""What the log says of products in service after the order that brought them: which item each is charged under, from which day, until
which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from o2c.checks.order_to_bill import Gone, Item, Said
from o2c.kernel.charges import EARLY
from projections.engine.seen import Seen

TYPES = frozenset(
    {
        "product.started",
        "product.changed",
        "product.suspended",
        "product.resumed",
        "product.terminated",
        "inventory.updated",
        "port-out.completed",
        "switch-out.completed",
    }
)
Of = Callable[[str, str], Item | None]
"""Gives the item of an order, or None for one that somebody else looks at."""


@dataclass(slots=True)
class Products:
    """Products as their own events have them: how each stands, in which currency it is charged, and by account the numbers that left and
    are on no bill since."""

    standing: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    currency: dict[str, str] = field(default_factory=dict)
    gone: dict[str, list[Gone]] = field(default_factory=dict)

    def told(self, seen: Seen, of: Of) -> None:
        """Take an event down, and tell the items under which the product was charged and is charged now."""
        if seen.type == "inventory.updated":
            self._ended_early(seen, of)
            return
        product, body = seen.stream.removeprefix("product-"), seen.body
        before = self.standing.get(product, {})
        match seen.type:
            case "product.started":
                self.standing[product], self.currency[product] = body["standing"], body["currency"]
            case "product.changed":
                self._charged(product, before, body["standing"], body["changed_on"], seen, of)
            case "product.suspended":
                self._charged(product, before, {**before, "charge": body["charge"]}, body["suspended_on"], seen, of)
            case "product.resumed":
                self._charged(product, before, {**before, "charge": body["charge"]}, body["resumed_on"], seen, of)
            case "port-out.completed" if before:
                self._ported_out(product, before, seen, of)
            case "switch-out.completed" if before and body["early_minor"]:
                self._early(product, _item(body["early_charge"], of), body["activated_on"], body["early_minor"], seen)
            case "product.terminated":
                self._charged(product, before, {**before, "charge": ""}, body["ended_on"], seen, of)

    def _charged(self, product: str, before: Mapping[str, Any], after: Mapping[str, Any], day: str, seen: Seen, of: Of) -> None:
        self.standing[product] = after
        if before.get("charge", "") == after["charge"]:
            return
        said = Said(seen.event_id, seen.at, {"starts_on": day, "account": after["account"]})
        if (item := _item(before.get("charge", ""), of)) is not None:
            item.ended, item.ended_position = item.ended or said, item.ended_position or seen.position
        if (item := _item(after["charge"], of)) is not None:
            item.active = item.step = said
            if not item.terms.get("recurring_minor"):
                prices = {"recurring_minor": after["recurring_minor"], "one_time_minor": 0, "terms": after["terms"]}
                told = {"account": after["account"], "offering": after["offering"], "currency": self.currency.get(product, "")}
                item.planned = Said(seen.event_id, seen.at, {**prices, **told})

    def billed(self, account: str) -> None:
        """Take down that an account was billed."""
        self.gone.pop(account, None)

    def _ported_out(self, product: str, before: Mapping[str, Any], seen: Seen, of: Of) -> None:
        """The number of a charged product left: its account is to be billed, and for the contract's early end."""
        order, _, item = product.rpartition(":")
        if before.get("charge"):
            said = Said(seen.event_id, seen.at, seen.body)
            self.gone.setdefault(before["account"], []).append(Gone(order, item, before["account"], self.currency[product], said))
        if seen.body["early_minor"]:
            self._early(product, _item(seen.body["early_charge"], of), seen.body["ported_on"], seen.body["early_minor"], seen)

    def _ended_early(self, seen: Seen, of: Of) -> None:
        """What a contract that ends before its term costs is charged under the item that ended it."""
        if seen.body["early_minor"]:
            apart = seen.body.get("early_charge", "")
            item = _item(apart, of) if apart else of(seen.stream.removeprefix("order-"), seen.body["item"])
            self._early(seen.body["product"], item, seen.body["effective_on"], seen.body["early_minor"], seen)

    def _early(self, product: str, item: Item | None, day: str, early_minor: int, seen: Seen) -> None:
        stands = self.standing.get(product)
        if stands is None or item is None:
            return
        told = {"starts_on": day, "account": stands["account"], "offering": EARLY, "currency": self.currency[product]}
        prices = {"recurring_minor": 0, "one_time_minor": early_minor, "terms": stands["terms"]}
        item.active = item.step = item.ended = Said(seen.event_id, seen.at, told)
        item.planned, item.ended_position = Said(seen.event_id, seen.at, {**told, **prices}), seen.position


def _item(charge: str, of: Of) -> Item | None:
    order, _, item = charge.partition("/")
    return of(order, item) if order else None
