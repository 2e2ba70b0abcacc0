"""Whether every use of a voucher was its campaign's to give, worked out again from events alone, as tests/oracle.py does for money; of the engine nothing is
imported.

A use is one order's at a time and of a code of its campaign, at most so many of a code; all that are not given back come to its budget at most. What a use can
come to is what the discount takes off the prices that the order was planned with: once, or off each period that begins while it lasts (for good: off one), and so it is by the prices that a changed order has from then on. It
is redeemed by an order of which some item that it lowers was completed, and else given back as the order ends. Of a campaign of which nothing is told, as in
timelines of orders alone, nothing is judged.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from tests.oracle import cut, share, turned

Json = Mapping[str, Any]


def at_most(item: Json, discount: Json, on: date) -> int:
    """All that a discount by itself can take off an item that is ordered on a day, in minor units."""
    once = discount["of"] == "one-time"
    price, begun = item["one_time_minor" if once else "recurring_minor"], 1
    if not once and discount["lasts_length"]:
        every = item["terms"]["period_length"], item["terms"]["period_unit"]
        until = turned(on, discount["lasts_length"], discount["lasts_unit"])
        begun = next(turn for turn in range(1, 9999) if turned(on, *every, turn) >= until)
    return begun * share(1, *cut(discount, Fraction(price)).as_integer_ratio())


class Campaigns:
    """All campaigns, as events tell of them; `wrong` are the uses that are not as they must be."""

    def __init__(self) -> None:
        self.issued: dict[str, Json] = {}
        self.uses: dict[str, dict[tuple[str, int], Json]] = defaultdict(dict)
        self.items: dict[str, dict[str, Json]] = defaultdict(dict)
        self.ended, self.wrong = set[str](), list[str]()
        self.changed, self.judged = dict[str, int](), set[str]()

    def take(self, event: Json) -> None:
        """Go on by an event. An order that was changed is judged once all is told that was written with that."""
        for order in [of for of, at in self.changed.items() if of not in self.judged and at != int(event["position"]) >> 16]:
            self.judged.add(order)
            self._planned(order)
        kind, _, key = event["stream"].partition("-")
        name, data = event["type"], event["data"]
        if name == "order.planned":
            self.items[key] = {item["item"]: item for item in data["items"]}
            self._planned(key)
        elif name == "order.revised":
            self.items[key] |= {item["item"]: item for item in data["items"]}
            self.judged.discard(key)
            for item in data["removed"]:
                self.items[key].pop(item, None)
            self.changed[key] = int(event["position"]) >> 16
        elif name == "order.vouchers-expired":
            for item, told in self.items[key].items():
                left = [x for x in told["terms"]["discounts"] if x["voucher"] not in data["codes"]]
                self.items[key][item] = {**told, "terms": {**told["terms"], "discounts": left}}
        elif name in ("item.failed", "item.cancelled"):
            self.ended.add(f"{key}/{data['item']}")
        elif name == "voucher.issued":
            self.issued[key] = data
        elif kind == "voucher" and key in self.issued:
            self._used(key, name, {**data, "on": date.fromisoformat(event["occurred_at"][:10])})

    def _lowered(self, order: str, code: str) -> list[tuple[Json, Json]]:
        """The items of an order that a code lowers, each with its discount."""
        return [(item, x) for item in self.items[order].values() for x in item["terms"]["discounts"] if x["voucher"] == code]

    def _planned(self, order: str) -> None:
        """An order was planned with its prices: what its vouchers take off these is their campaigns', and what each can come to is what was reserved."""
        self._fits(order)
        for code, campaign in self._known(order):
            held = self._held(campaign, code, order)
            must = [sum(at_most(item, x, use["on"]) for item, x in self._lowered(order, code)) for use in held[:1]]
            if not held or must != [use["amount_minor"] for use in held]:
                self.wrong.append(f"voucher {code} of order {order}: must come to {must}, is {held}")

    def _fits(self, order: str) -> None:
        """What an order, as it is planned by now, has off by vouchers it holds them for: what they are for, by as much as they say."""
        for code, campaign in self._known(order):
            told, found = self.issued[campaign], self._lowered(order, code)
            fits = all(item["offering"] in (told["offerings"] or [item["offering"]]) for item, _ in found)
            if not fits or not self._held(campaign, code, order) or any(x != {**told["discount"], "voucher": code} for _, x in found):
                self.wrong.append(f"voucher {code} of order {order}: takes {found} off, not {told['discount']}, fits: {fits}")

    def _known(self, order: str) -> list[tuple[str, str]]:
        """The codes that lower something of an order, each with its campaign."""
        codes = {x["voucher"] for item in self.items[order].values() for x in item["terms"]["discounts"]}
        return [(code, campaign) for code in sorted(codes) if (campaign := code.partition("-")[0]) in self.issued]

    def _held(self, campaign: str, code: str, order: str) -> list[Json]:
        return [use for (of, _), use in self.uses[campaign].items() if (of, use["order"]) == (code, order)]

    def _used(self, campaign: str, name: str, data: Json) -> None:
        told, uses, use = self.issued[campaign], self.uses[campaign], (data["code"], data["turn"])
        if name == "voucher.reserved":
            mine = uses.get(use, {"order": data["order"]})["order"] == data["order"] and (use not in uses or data["order"] in self.changed)
            data = {**data, "on": uses.get(use, data)["on"]}
            over = told["budget_minor"] and sum(each["amount_minor"] for each in {**uses, use: data}.values()) > told["budget_minor"]
            good = mine and data["code"] in told["codes"] and 1 <= data["turn"] <= told["uses_max"] and not over
            uses[use] = data
        else:
            lowered = [item["item"] for item, _ in self._lowered(data["order"], data["code"])]
            done = any(f"{data['order']}/{item}" not in self.ended for item in lowered)
            good = uses.get(use, {"order": ""})["order"] == data["order"] and done == (name == "voucher.redeemed")
            if name == "voucher.released":
                days = (data["on"] - uses.get(use, data)["on"]).days
                good = good and (data["how"] != "expired" or 0 < told["reserved_days"] <= days)
                uses.pop(use, None)
        self.wrong += [] if good else [f"{name} of {use} by order {data['order']} is not {campaign}'s to give: {told}"]
