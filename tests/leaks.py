"""Leaks from order to bill, planted in histories: each a sound story, and the same story with one thing wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from o2c.kernel.discounts import Discount
from tests.histories import Told, order_id
from tests.leaks_told import (
    EVENT_TYPES,
    FEE,
    PRICE,
    SALT,
    TERMS,
    UNNUMBERED,
    asked_back,
    bill,
    changed,
    delayed,
    given_back,
    late,
    left,
    line,
    once,
    packed,
    story,
    told,
    without,
)


def ended(history: Sequence[Told], number: int, *, withdrawn: bool) -> list[Told]:
    """The line failed on 20 January, and billing took notice or did not."""
    order = order_id(number, SALT)
    events = [told(f"order-{order}", "item.failed", 20, order, item="1")]
    events += [told(f"account-BA-L{number}", "account.charge-withdrawn", 20, order=order, item="1")] if withdrawn else []
    return [*history[:6], *events]


def settled(history: Sequence[Told], number: int, *, final: bool = False, rests: bool = False) -> list[Told]:
    """The line was ended for a debt on 10 January, or rests from then on, uncharged; and the bill of 8 February was the final one, or none."""
    order, account = order_id(number, SALT), f"account-BA-L{number}"
    barred = told(f"collection-BA-L{number}", "collections.barred", 10, level="ended", lines=[{"order": order, "item": "1"}])
    over = {"order": order, "item": "1", "served": True, "ended_on": "2026-01-10", "rests": rests, "product": f"{order}:1"}
    billed = told(account, "account.billed", 39, run_on="2026-02-08", invoice="", final=True)
    withdrawn = told(account, "account.charge-withdrawn", 10, **over)
    return [*history[:6], *([] if rests else [barred]), withdrawn, *([billed] if final else [])]


def reported(number: int, day: int) -> Told:
    """Usage came after the final bill, on a day."""
    return told(f"account-BA-L{number}", "account.late-usage-reported", day, account=f"BA-L{number}", came_on="2026-02-10")


def gone(history: Sequence[Told], number: int, *, billed: bool) -> list[Told]:
    """The number of the line went to another operator on 10 January, and its account was billed on 8 February, or was not."""
    order, account = order_id(number, SALT), f"account-BA-L{number}"
    stream, example = f"product-{order}:1", EVENT_TYPES["product.started"].example
    stands = {**example["standing"], "account": f"BA-L{number}", "charge": f"{order}/1", "recurring_minor": PRICE, "terms": TERMS}
    events = [
        told(stream, "product.started", 5, order, product=f"{order}:1", order=order, item="1", standing=stands),
        told(stream, "port-out.completed", 10, order, ported_on="2026-01-10", agreed_on="2026-01-10", early_minor=0, early_charge=""),
        told(stream, "product.terminated", 10, order, order="", item="", cause="ported-out", ended_on="2026-01-10"),
        told(account, "account.charge-withdrawn", 10, order=order, item="1", ended_on="2026-01-10"),
    ]
    return [*history[:6], *events, *([told(account, "account.billed", 39, run_on="2026-02-08", invoice="", final=True)] if billed else [])]


def bar(number: int, policy: str) -> Told:
    """The line was barred on 8 February, before the bill of that day."""
    lines = [{"order": order_id(number, SALT), "item": "1"}]
    return told(f"collection-BA-L{number}", "collections.barred", 39, level="soft", lines=lines, while_barred=policy)


def lifted(number: int) -> Told:
    """It served again on the 14th."""
    return told(f"collection-BA-L{number}", "collections.bar-lifted", 45, lines=[{"order": order_id(number, SALT), "item": "1"}])


def discounted(history: Sequence[Told], number: int) -> list[Told]:
    """A discount from 15 January on, which ends on 15 February; the first bill has it from then on."""
    one = {"name": "WELCOME", "percent": "20", "starts": "day", "from_day": "2026-01-15"}
    terms = {**TERMS, "discounts": [Discount.model_validate({**one, "lasts_length": 1}).model_dump(mode="json")]}
    planned = {**history[0].body["items"][0], "terms": terms}
    first = bill(number, 8, *history[5].body["lines"], {**off(number, "2026-01-15", "2026-02-08", 310), "of_line": 3})
    pinned = changed(changed(history, "order.planned", items=[planned]), "account.charge-started", terms=terms)
    return [*pinned[:5], first, *pinned[6:]]


def off(number: int, from_day: str, to_day: str, minor: int) -> dict[str, Any]:
    """A line of that discount."""
    return {**line(number, "discount", from_day, to_day, -minor), "discount": "WELCOME", "of_line": 1}


def deposited(history: Sequence[Told], number: int, *, freed: bool) -> list[Told]:
    held = {
        "account": f"BA-L{number}",
        "customer": f"C-L{number}",
        "currency": "GBP",
        "amount_minor": 10000,
        "order": order_id(number, SALT),
    }
    kept = [told(f"account-BA-L{number}", "account.deposit-kept", 5, **held)]
    kept += [told(f"account-BA-L{number}", "account.deposit-freed", 5, **held, becomes="credit")] if freed else []
    return [*history, *kept]


def secured(history: Sequence[Told], number: int, *, bills: int = 4, late: int = 0, final: bool = False) -> list[Told]:
    """A deposit that is kept for bills: all but the last one were paid in time, or the one of that place was not."""
    account = f"BA-L{number}"
    held = {"account": account, "customer": f"C-L{number}", "currency": "GBP", "amount_minor": 10000, "order": order_id(number, SALT)}
    done = [
        told(f"account-{account}", "account.deposit-kept", 6, **held),
        told(f"account-{account}", "account.deposit-retained", 6, **held, good_bills=3),
    ]
    for place in range(1, bills + 1):
        paper = f"{account}-S{place}"
        done += [
            told(f"account-{account}", "account.billed", 40 + place, invoice=paper, final=final and place == bills),
            told(f"invoice-{paper}", "invoice.issued", 40 + place, account=account, number=paper, lines=[], **UNNUMBERED),
        ]
        if place < bills:
            done += [told(f"invoice-{paper}", "invoice.overdue", 40 + place)] if place == late else []
            done += [told(f"invoice-{paper}", "payment.received", 40 + place)]
    return [*history, *done]


def device(number: int) -> list[Told]:
    """A device planned on 5 January, delivered on the 7th and invoiced whole on that day, to be paid in 24 instalments."""
    order, account, item = order_id(number, SALT), f"BA-L{number}", {"item": "1"}
    base = EVENT_TYPES["order.planned"].example["items"][0]
    prices = {"recurring_minor": 0, "one_time_minor": FEE, "terms": TERMS}
    steps = [{"step": "device"}, {"step": "delivery", "waits": ["device"]}, {"step": "charging", "waits": ["delivery"]}]
    wanted = {"instalments": "24", "sku": "lark-9-black-128"}
    planned = {**base, **item, **prices, "specification": "spec-device", "characteristics": wanted, "account": account, "steps": steps}
    of = {"account": account, "customer": f"C-L{number}", "order": order, **item}
    on_order, on_account = f"order-{order}", f"account-{account}"
    return [
        told(on_order, "order.planned", 5, order, items=[planned], account=account),
        told(on_order, "device.assigned", 5, order, **item),
        told(on_order, "delivery.delivered", 7, order, **item, delivered_on="2026-01-07"),
        told(on_order, "charging.started", 7, order, **item, account=account, starts_on="2026-01-07"),
        told(on_account, "account.charge-started", 7, **of, **prices, starts_on="2026-01-07", goods=True, instalments=24),
        told(on_order, "order.completed", 7, order),
        bill(number, 7, line(number, "one-time", "2026-01-07", "2026-01-07", FEE)),
        told(on_account, "account.instalments-agreed", 7, **of, currency="GBP", invoice=f"BA-L{number}-7", total_minor=FEE, count=24),
    ]


def paid_off(number: int, bill_has: str, *, at_end: str = "on-plan", asked: bool = False) -> list[Told]:
    """The device, a line beside it that ended on 20 January, and two bills: the second has an instalment, all that is left (`rest`), or nothing."""
    order, account = order_id(number, SALT), f"BA-L{number}"
    item = {"account": account, "customer": f"C-L{number}", "order": order, "item": "1"}
    of, on_account = {**item, "currency": "GBP"}, f"account-{account}"
    prices = {"recurring_minor": PRICE, "one_time_minor": 0, "terms": TERMS, "starts_on": "2026-01-05", "product": f"{order}:2"}

    def run(day: int, on: str) -> Told:
        return told(
            on_account, "account.billed", day, run_on=on, billed_to=on, invoice=f"{account}-{day}", own_periods_to={}, final=day > 8
        )

    def instalment(place: int, day: int, on: str) -> Told:
        return told(on_account, "account.instalment-billed", day, **of, number=place, amount_minor=42, billed_on=on)

    has = {
        "instalment": [instalment(2, 39, "2026-02-08")],
        "rest": [told(on_account, "account.instalments-settled", 39, **of, amount_minor=FEE - 42, billed_on="2026-02-08")],
        "nothing": [],
    }[bill_has]
    bought = changed(device(number), "account.instalments-agreed", at_end=at_end)
    line_beside = {
        **bought[0].body["items"][0],
        "item": "2",
        "recurring_minor": PRICE,
        "one_time_minor": 0,
        "characteristics": {},
        "steps": [],
    }
    return [
        *changed(bought, "order.planned", items=[*bought[0].body["items"], line_beside]),
        told(f"order-{order}", "charging.started", 7, order, item="2", account=account, starts_on="2026-01-05"),
        told(on_account, "account.charge-started", 7, **{**item, "item": "2"}, **prices),
        instalment(1, 8, "2026-01-08"),
        run(8, "2026-01-08"),
        told(on_account, "account.charge-withdrawn", 20, order=order, item="2", product=f"{order}:2", ended_on="2026-01-20", served=True),
        *([told(on_account, "account.settlement-asked", 38, **of, amount_minor=FEE - 42)] if asked else []),
        *has,
        run(39, "2026-02-08"),
    ]


def kept(number: int) -> list[Told]:
    """The device was delivered, and then its item failed before anything was charged."""
    history = without(
        device(number), "charging.started", "account.charge-started", "order.completed", "invoice.issued", "account.instalments-agreed"
    )
    return [*history, told(f"order-{order_id(number, SALT)}", "item.failed", 8, order_id(number, SALT), item="1")]


@dataclass(frozen=True)
class Leaking:
    """A leak: by which rule it is found and what is at stake; the story with it, and the sound one."""

    name: str
    rule: str
    amount_minor: int
    history: Sequence[Told]
    control: Sequence[Told]
    item: str = "1"


Wrong = Callable[[list[Told], int], list[Told]]
SOUND = story(99)


def _planted(number: int, name: str, rule: str, amount_minor: int, wrong: Wrong, right: Wrong = lambda history, number: history) -> Leaking:
    item = "" if rule.startswith(("credit", "deposit", "late-payment", "prepaid")) else "1"
    return Leaking(name, rule, amount_minor, wrong(story(number), number), right(story(number), number), item)


LEAKS: tuple[Leaking, ...] = tuple(
    _planted(number, *row)
    for number, row in enumerate(
        (
            ("switched on, billing never told", "activated-not-billed", PRICE,
             lambda h, n: without(h, "charging.started", "account.charge-started", "invoice.issued")),
            ("charged, and no bill came", "activated-not-billed", PRICE, lambda h, n: without(h, "invoice.issued")),
            ("billed, and never switched on", "billed-not-active", FEE + 193 + 2 * PRICE, lambda h, n: without(h, "service.activated")),
            ("charged from a later day", "start-differs", PRICE, lambda h, n: changed(h, "account.charge-started", starts_on="2026-01-06")),
            ("the account was told another day", "start-differs", PRICE, lambda h, n: changed(h, "charging.started", starts_on="2026-01-06")),
            ("charged from an earlier day", "start-differs", PRICE, lambda h, n: changed(h, "service.activated", starts_on="2026-01-06")),
            ("charged at an older price", "price-differs", -200,
             lambda h, n: changed(h, "order.planned", items=[{**h[0].body["items"][0], "recurring_minor": PRICE + 200}])),
            ("charged for another period", "price-differs", 0,
             lambda h, n: changed(h, "order.planned", items=[{**h[0].body["items"][0], "terms": {**TERMS, "period_length": 3}}])),
            ("billed at another price", "price-differs", 300,
             lambda h, n: [*h[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE + 300))]),
            ("charged for another offering", "price-differs", 0, lambda h, n: changed(h, "account.charge-started", offering="lark-line")),
            ("charged, and no order planned it", "account-differs", 0, lambda h, n: without(h, "order.planned")),
            ("discounted, billed, and charged to no account", "account-differs", FEE + 193 + PRICE - 310,
             lambda h, n: without(discounted(h, n)[:6], "charging.started", "account.charge-started")),
            ("charged to another account", "account-differs", PRICE, lambda h, n: changed(h, "account.charge-started", account="BA-OTHER")),
            ("the order side never began to charge", "account-differs", PRICE, lambda h, n: without(h, "charging.started")),
            ("ended, and still charged", "ceased-but-billed", PRICE,
             lambda h, n: ended(h, n, withdrawn=False), lambda h, n: ended(h, n, withdrawn=True)),
            ("ended, and billed for days after", "ceased-but-billed", PRICE,
             lambda h, n: [*ended(h, n, withdrawn=True), h[6]],
             lambda h, n: [*ended(h, n, withdrawn=True), bill(n, 39, line(n, "part-period", "2026-02-08", "2026-02-08", 0))]),
            ("a deposit kept for good", "deposit-not-returned", 10000,
             lambda h, n: deposited(h, n, freed=False), lambda h, n: deposited(h, n, freed=True)),
            ("a deposit kept after three bills paid in time", "deposit-not-returned", 10000,
             secured, lambda h, n: secured(h, n, late=2)),
            ("a deposit kept after the last bill", "deposit-not-returned", 10000,
             lambda h, n: secured(h, n, bills=1, final=True), lambda h, n: secured(h, n, bills=1)),
            ("ended for a debt, and no final bill", "ended-without-final-bill", 0,
             lambda h, n: settled(h, n, final=False), lambda h, n: settled(h, n, final=True)),
            ("ended while it rested, and no final bill", "ended-without-final-bill", 0,
             lambda h, n: [*settled(h, n, rests=True), told(f"account-BA-L{n}", "account.rest-ended", 14, product=f"{order_id(n, SALT)}:1", ended_on="2026-01-14")],
             lambda h, n: settled(h, n, rests=True)),
            ("used before the end, told late, and on no further bill", "late-usage-not-billed", 0,
             lambda h, n: [*settled(h, n, final=True), reported(n, 11)],
             lambda h, n: [*settled(h, n, final=True), reported(n, 41), told(f"account-BA-L{n}", "account.billed", 46, run_on="2026-03-08", final=True)]),
            ("gone to another operator, and no bill since", "port-out-without-final-bill", 0,
             lambda h, n: gone(h, n, billed=False), lambda h, n: gone(h, n, billed=True)),
            ("barred, and billed against the policy", "barred-but-billed", PRICE,
             lambda h, n: [*h[:6], bar(n, "not-charged"), h[6]], lambda h, n: [*h[:6], bar(n, "charged"), h[6]]),
            ("barred, served again, and billed for the days between", "barred-but-billed", PRICE,
             lambda h, n: [*h[:6], bar(n, "credited"), lifted(n), h[6]],
             lambda h, n: [*h[:6], bar(n, "credited"), lifted(n), bill(n, 39, line(n, "part-period", "2026-02-14", "2026-03-08", 1571))]),
            ("a month on two bills", "billed-twice", PRICE,
             lambda h, n: [*h, bill(n, 40, line(n, "period", "2026-02-08", "2026-03-08", PRICE))]),
            ("a fee on two bills", "billed-twice", FEE, lambda h, n: [*h, bill(n, 40, line(n, "one-time", "2026-01-05", "2026-01-05", FEE))]),
            ("a discount after its end", "discount-not-ended", 300,
             lambda h, n: [*discounted(h, n)[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE), off(n, "2026-02-08", "2026-03-08", 400))],
             lambda h, n: [*discounted(h, n)[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE), off(n, "2026-02-08", "2026-02-15", 100))]),
            ("a discount that nobody promised", "discount-not-ended", 400,
             lambda h, n: [*h[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE), off(n, "2026-02-08", "2026-03-08", 400))]),
            ("a discount larger than promised", "discount-differs", 50,
             lambda h, n: [*discounted(h, n)[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE), off(n, "2026-02-08", "2026-02-15", 150))],
             lambda h, n: [*discounted(h, n)[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE), off(n, "2026-02-08", "2026-02-15", 100))]),
            ("a discount promised and not given", "discount-differs", -100,
             lambda h, n: [*discounted(h, n)[:6], bill(n, 39, line(n, "period", "2026-02-08", "2026-03-08", PRICE))]),
            ("the first bill never came", "days-not-billed", PRICE, lambda h, n: [*h[:5], h[6], once(n, 40)]),
            ("a fee that no bill has", "activated-not-billed", FEE, lambda h, n: [*h[:5], bill(n, 8, *h[5].body["lines"][1:]), h[6]]),
            ("a part of a month at another price", "price-differs", 40,
             lambda h, n: [*h[:5], bill(n, 8, h[5].body["lines"][0], {**h[5].body["lines"][1], "net_minor": 233}, h[5].body["lines"][2]), h[6]]),
            ("billed from before it was on", "start-differs", 258,
             lambda h, n: [*h[:5], bill(n, 8, h[5].body["lines"][0], line(n, "part-period", "2026-01-04", "2026-01-08", 258), h[5].body["lines"][2]), h[6]]),
            ("a part of a month that ends before it begins", "price-differs", 193,
             lambda h, n: [*h[:5], bill(n, 8, h[5].body["lines"][0], line(n, "part-period", "2026-01-09", "2026-01-08", 193), line(n, "period", "2026-01-05", "2026-02-08", PRICE)), h[6]]),
            ("billed in another currency", "price-differs", 0, lambda h, n: [*h[:6], replace(h[6], body={**h[6].body, "currency": "EUR"})]),
            ("on the bill of another account", "account-differs", PRICE,
             lambda h, n: [*h[:6], replace(h[6], body={**h[6].body, "account": "BA-OTHER"})]),
            ("on, billed, and charged to no account", "account-differs", FEE + 193 + 2 * PRICE,
             lambda h, n: without(h, "charging.started", "account.charge-started")),
            ("ended, and its charge ends later", "ceased-but-billed", PRICE,
             lambda h, n: changed(ended(h, n, withdrawn=True), "account.charge-withdrawn", ended_on="2026-01-28"),
             lambda h, n: ended(h, n, withdrawn=True)),
            ("more of a deposit given back than was kept", "deposit-not-returned", -2000,
             lambda h, n: changed(deposited(h, n, freed=True), "account.deposit-freed", amount_minor=12000), lambda h, n: deposited(h, n, freed=True)),
            ("a device charged from a later day", "start-differs", FEE,
             lambda h, n: changed(device(n), "account.charge-started", starts_on="2026-01-09"), lambda h, n: device(n)),
            ("an agreement about fewer instalments", "device-without-agreement", FEE,
             lambda h, n: changed(device(n), "account.instalments-agreed", count=12), lambda h, n: device(n)),
            ("an agreement about less money", "device-without-agreement", FEE,
             lambda h, n: changed(device(n), "account.instalments-agreed", total_minor=FEE - 100), lambda h, n: device(n)),
            ("a device delivered without its agreement", "device-without-agreement", FEE,
             lambda h, n: without(device(n), "account.instalments-agreed"), lambda h, n: device(n)),
            ("a bill without the instalment", "instalment-not-billed", 42, lambda h, n: paid_off(n, "nothing"), lambda h, n: paid_off(n, "instalment")),
            ("the service ended, and what is left was not called as agreed", "instalment-not-billed", FEE - 84,
             lambda h, n: paid_off(n, "instalment", at_end="at-once"), lambda h, n: paid_off(n, "rest", at_end="at-once")),
            ("all called at once, which nobody asked for", "instalment-not-billed", FEE - 42,
             lambda h, n: paid_off(n, "rest"), lambda h, n: paid_off(n, "rest", asked=True)),
            ("a device that is kept and was never charged", "device-without-agreement", FEE,
             lambda h, n: kept(n), lambda h, n: without(kept(n), "delivery.delivered")),
            ("a late day on two bills", "late-payment-twice", 515,
             lambda h, n: [*h, late(n, 40, ("2026-01-23", "2026-02-08"), sums=1), late(n, 41, ("2026-02-07", "2026-02-12"))],
             lambda h, n: [*h, late(n, 40, ("2026-01-23", "2026-02-08"), sums=1), late(n, 41, ("2026-02-08", "2026-02-12"))]),
            ("the fixed sum of an invoice on two bills", "late-payment-twice", 4_000,
             lambda h, n: [*h, late(n, 40, ("2026-01-23", "2026-02-08"), sums=1), late(n, 41, sums=1)],
             lambda h, n: [*h, late(n, 40, ("2026-01-23", "2026-02-08"), sums=1), given_back(n), late(n, 41, sums=1)]),
            ("two days late by us, and nothing credited", "compensation-differs", 2 * 624,
             delayed, lambda h, n: delayed(h, n, credited=2 * 624)),
            ("two days late by the customer, and credited", "compensation-differs", -2 * 624,
             lambda h, n: delayed(h, n, by_customer=True, credited=2 * 624), lambda h, n: delayed(h, n, by_customer=True)),
            ("a visit that nobody made, and nothing credited", "compensation-differs", 3_119,
             lambda h, n: delayed(h, n, by_customer=True, visits=1), lambda h, n: delayed(h, n, by_customer=True, visits=1, credited=3_119)),
            ("prepaid money that was asked back and never went", "prepaid-not-returned", 284,
             lambda h, n: [*h, *asked_back(n)], lambda h, n: [*h, *asked_back(n, paid="R1")]),
            ("prepaid money that was asked back, and another refund went", "prepaid-not-returned", 284,
             lambda h, n: [*h, *asked_back(n, paid="R2")], lambda h, n: [*h, *asked_back(n, paid="by hand")]),
            ("prepaid money whose refund was given up, and no other went", "prepaid-not-returned", 284,
             lambda h, n: [*h, *asked_back(n, given_up=True)], lambda h, n: [*h, *asked_back(n, paid="R2", given_up=True)]),
            ("a credit left on an account that ended", "credit-not-returned", 500, left, lambda h, n: left(h, n, "account.refund-reserved")),
            ("a credit left, and the refund of it given up", "credit-not-returned", 500,
             lambda h, n: left(h, n, "account.refund-reserved", "account.refund-released"), lambda h, n: left(h, n, "account.refund-wanted")),
            ("a pack that no bill has", "pack-not-billed", 500,
             lambda h, n: [*h, *packed(n)], lambda h, n: [*h, *packed(n, 500)]),
            ("a pack bought before a bill that lacks it", "pack-not-billed", 500,
             lambda h, n: [*h, *packed(n, run_on="2026-01-21")], lambda h, n: [*h, *packed(n, run_on="2026-01-20")]),
            ("a pack on two bills", "pack-not-billed", 500,
             lambda h, n: [*h, *packed(n, 500, 500)], lambda h, n: [*h, *packed(n, 500, 500), *packed(n, run_on="2026-01-20")[:1]]),
            ("a pack at another price", "pack-not-billed", -100,
             lambda h, n: [*h, *packed(n, 400)], lambda h, n: [*h, *packed(n, 400, price=400)]),
            ("a pack that nobody bought", "pack-not-billed", 500,
             lambda h, n: [*h, *packed(n, 500, price=0)], lambda h, n: [*h, *packed(n, price=0)]),
            ("a month that no bill has", "days-not-billed", PRICE,
             lambda h, n: [*h[:6], bill(n, 70, line(n, "period", "2026-03-08", "2026-04-08", PRICE))]),
        )
    )
)  # fmt: skip
