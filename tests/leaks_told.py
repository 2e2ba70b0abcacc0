"""What stories of leaks are told with: events on days of January 2026, a sound line, its bills, and what is changed or left out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from o2c.kernel.event import types_by_name
from tests.histories import Told, order_id

EVENT_TYPES = types_by_name()
DAY = 24 * 60
PRICE, FEE, SALT = 1999, 1000, "leaks"
TERMS = {"period_unit": "month", "period_length": 1, "recurring_tax_group": "standard", "one_time_tax_group": "standard"}
UNNUMBERED = {"series": "", "serial": 0, "legal_number": ""}
"""A legal number stands on one invoice of a store."""


def told(stream: str, name: str, day: int, of: str | None = None, **changes: Any) -> Told:
    """An event on a day of January 2026 (or after it), at ten: the example of its class with some fields changed."""
    cls = EVENT_TYPES[name]
    event = cls.model_validate({**cls.example, **changes})
    return Told(stream, name, json.loads(event.model_dump_json(exclude=set(cls.personal))), of, None, (day - 5) * DAY + 60)


def story(number: int) -> list[Told]:
    """A line planned and activated on 5 January, charged from then on, billed on 8 January and 8 February."""
    order, account = order_id(number, SALT), f"BA-L{number}"
    base = EVENT_TYPES["order.planned"].example["items"][0]
    planned = {
        **base,
        "item": "1",
        "recurring_minor": PRICE,
        "one_time_minor": FEE,
        "terms": TERMS,
        "account": account,
        "steps": [{"step": "activation"}],
    }
    charge = {"account": account, "customer": f"C-L{number}", "order": order, "item": "1", "recurring_minor": PRICE, "one_time_minor": FEE,
              "terms": TERMS, "starts_on": "2026-01-05"}  # fmt: skip
    on_order, on_account = f"order-{order}", f"account-{account}"
    return [
        told(on_order, "order.planned", 5, order, items=[planned], account=account),
        told(on_order, "service.activated", 5, order, item="1", starts_on="2026-01-05"),
        told(on_order, "charging.started", 5, order, item="1", account=account, starts_on="2026-01-05"),
        told(on_account, "account.charge-started", 5, **charge),
        told(on_order, "order.completed", 5, order),
        bill(number, 8, line(number, "one-time", "2026-01-05", "2026-01-05", FEE), line(number, "part-period", "2026-01-05", "2026-01-08", 193),
             line(number, "period", "2026-01-08", "2026-02-08", PRICE)),
        bill(number, 39, line(number, "period", "2026-02-08", "2026-03-08", PRICE)),
    ]  # fmt: skip


def line(number: int, kind: str, from_day: str, to_day: str, net_minor: int) -> dict[str, Any]:
    [base] = EVENT_TYPES["invoice.issued"].example["lines"]
    return {
        **base,
        "order": order_id(number, SALT),
        "item": "1",
        "kind": kind,
        "from_day": from_day,
        "to_day": to_day,
        "net_minor": net_minor,
    }


def bill(number: int, day: int, *lines: dict[str, Any]) -> Told:
    """An invoice over some lines; without tax, which no rule reads."""
    invoice, total = f"BA-L{number}-{day}", sum(row["net_minor"] for row in lines)
    return told(
        f"invoice-{invoice}", "invoice.issued", day, number=invoice, **UNNUMBERED, account=f"BA-L{number}",
        lines=lines, order=order_id(number, SALT),
        net_minor=total, tax_minor=0, total_minor=total,
    )  # fmt: skip


def late(number: int, day: int, *spans: tuple[str, str], sums: int = 0) -> Told:
    """A bill that charges for paying the first one late: days of interest, and fixed sums."""
    of = {"order": "", "item": "", "offering": "", "tax_group": "late-payment", "of_invoice": f"BA-L{number}-8"}
    interest = [{**line(number, "late-interest", *span, 515), **of} for span in spans]
    return bill(number, day, *interest, *([{**line(number, "late-sum", "2026-02-08", "2026-02-08", 4_000), **of}] * sums))


def given_back(number: int) -> Told:
    """The fixed sum that the bill of 9 February charged turns out not to be owed."""
    of = {"invoice": f"BA-L{number}-8", "bill": f"BA-L{number}-40", "interest_minor": 515, "fixed_minor": 4_000}
    return told(f"collection-BA-L{number}", "collections.late-payment-overcharged", 41, **of)


def once(number: int, day: int) -> Told:
    """A bill over what is charged once."""
    return bill(number, day, line(number, "one-time", "2026-01-05", "2026-01-05", FEE))


def without(history: Sequence[Told], *names: str) -> list[Told]:
    return [one for one in history if one.type not in names]


def changed(history: Sequence[Told], name: str, **changes: Any) -> list[Told]:
    return [replace(one, body={**one.body, **changes}) if one.type == name else one for one in history]


def delayed(history: Sequence[Told], number: int, *, by_customer: bool = False, credited: int | None = None, visits: int = 0) -> list[Told]:
    """A fixed line that was promised for 3 January, moved to the 5th and on then; so many visits were not kept, and this much was credited for one cause."""
    order, account = order_id(number, SALT), f"BA-L{number}"
    planned = {**history[0].body["items"][0], "specification": "spec-access"}
    moved = {"item": "1", "promised_before": "2026-01-03", "promised_on": "2026-01-05", "by_customer": by_customer}
    done = [
        told(
            f"order-{order}", "promise.made", 2, order, items=[{"item": "1", "promised_on": "2026-01-03", "step": "appointment", "of": ""}]
        ),
        told(f"order-{order}", "promise.revised", 3, order, **moved),
    ]
    done += [told(f"order-{order}", "appointment.fell-out", 3, order, item="1", reason="LOG-MISSED", partner_code="NOT-KEPT")] * visits
    of = {
        "account": account,
        "customer": f"C-L{number}",
        "order": order,
        "item": "1",
        "msisdn": "",
        "rules": "GB@2026-01",
        "missed_on": "2026-01-03",
    }
    if credited is not None:
        cause = "missed-visit" if visits else "late-start"
        done.append(
            told(f"account-{account}", "account.compensated", 5, order, **of, cause=cause, days=2, per_day_minor=624, amount_minor=credited)
        )
    return [*changed(history, "order.planned", items=[planned]), *done]


def asked_back(number: int, *, paid: str = "", given_up: bool = False) -> list[Told]:
    """Who left asked on 6 January for the 2.84 that was left of a top-up, was told the 10th, and got it by its refund or otherwise (`paid`), or did not."""
    account = f"BA-L{number}"
    of = {"account": account, "customer": f"C-L{number}", "currency": "GBP", "amount_minor": 284}
    told_back = {**of, "fee_minor": 0, "tax_minor": 0, "refunds": [f"{account}-R1"], "asked_on": "2026-01-06", "refund_by": "2026-01-10"}
    asked = [
        told(f"quota-{account}", "prepaid.topped-up", 5, **of),
        told(f"quota-{account}", "prepaid.returned", 6, **told_back),
        told(f"account-{account}", "account.prepaid-owed", 6, **of),
    ]
    went = told(
        f"account-{account}",
        "account.money-returned",
        7,
        **of,
        of_owed_minor=284,
        refund="" if paid == "by hand" else f"{account}-R{paid[1:]}",
    )
    released = told(f"account-{account}", "account.refund-released", 6, **of, refund=f"{account}-R1", of_credit_minor=0)
    return [*asked, *([released] if given_up else []), *([went] if paid else [])]


def packed(number: int, *prices_billed: int, price: int = 500, run_on: str = "2026-02-08") -> list[Told]:
    """A pack bought on 20 January, and the account billed after it: its bill has packs of that day at these prices."""
    account, order = f"BA-L{number}", order_id(number, SALT)
    of = {"account": account, "customer": f"C-L{number}", "order": order, "item": "1", "bought_on": "2026-01-20"}
    lines = [{**line(number, "pack", "2026-01-20", "2026-02-08", net_minor), "offering": "data-pack"} for net_minor in prices_billed]
    return [
        *([told(f"account-{account}", "account.pack-added", 20, **of, net_minor=price)] if price else []),
        *([bill(number, 42, *lines)] if lines else []),
        told(f"account-{account}", "account.billed", 39, run_on=run_on),
    ]


def left(history: Sequence[Told], number: int, *went_on: str) -> list[Told]:
    """The line failed on 10 January and is charged no more; 5.00 of a payment are left on its account, of which these are told."""
    account, order = f"BA-L{number}", order_id(number, SALT)
    of = {
        "account": account,
        "customer": f"C-L{number}",
        "currency": "GBP",
        "amount_minor": 500,
        "refund": f"{account}-R1",
        "of_credit_minor": 500,
    }
    names = ("account.credit-received", *went_on)
    held = [told(f"account-{account}", name, 11, **{key: of[key] for key in of if key in EVENT_TYPES[name].model_fields}) for name in names]
    return [
        *history[:6],
        told(f"order-{order}", "item.failed", 10, order, item="1"),
        told(f"account-{account}", "account.charge-withdrawn", 10, order=order, item="1", ended_on="2026-01-10"),
        *held,
    ]
