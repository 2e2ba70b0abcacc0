"""Gathering the evidence that assurance compares from the events of the log, one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.checks import compensation_due, credit_left, credit_to_return, late_to_bill, life_to_bill, packs_billed
from o2c.checks.order_to_bill import ENDS, Billed, Closing, Deposit, Evidence, Item, Said, Secured
from o2c.customers.events import CustomerRegistered
from o2c.kernel.charges import LATE_CHANGE, PriceTerms
from o2c.orders.penalties import charge_of
from projections.engine.seen import Seen

TYPES = ENDS | life_to_bill.TYPES | late_to_bill.TYPES | compensation_due.TYPES | credit_to_return.TYPES | credit_left.TYPES | packs_billed.TYPES | {
    "order.planned", "order.revised", "order.vouchers-expired", "service.activated", "service.deactivated", "esim.downloaded", "step.forced", "step.skipped", "charging.started", "item.failed",
    "item.cancelled", "account.charge-started", "account.charge-withdrawn", "invoice.issued", "account.deposit-kept", "account.deposit-freed",
    "account.deposit-retained", "invoice.overdue", "invoice.voided", "payment.received", "payment.charged-back", "payment.moved", "payment.refund-reclaimed",
    "catalogue.price-rise-announced", "account.billed", "account.late-usage-reported", "account.rest-ended",
    "collections.barred", "collections.bar-lifted", "device.assigned", "delivery.delivered", "account.instalments-agreed", "account.instalment-billed",
    "account.settlement-asked", "account.instalments-settled",
}  # fmt: skip


def gathered(records: Iterable[Seen], mine: Callable[[str], bool] = lambda order: True) -> Evidence:
    """Gather the evidence of events of TYPES in the order of the log, of those orders, and accounts by their names, that are `mine`."""
    evidence, products, payers = Evidence(), life_to_bill.Products(), dict[str, Secured]()
    of = partial(_mine, evidence, mine)
    for seen in records:
        if seen.type in life_to_bill.TYPES:
            products.told(seen, of)
            continue
        if seen.stream.startswith("account-") and mine(account := seen.stream.removeprefix("account-")):
            evidence.closings.setdefault(account, Closing(account)).told(seen)
            if seen.type in credit_left.TYPES:
                credit_left.moved(evidence, seen)
        _of_secured(evidence, payers, seen)
        if seen.type == "account.billed":
            products.billed(seen.stream.removeprefix("account-"))
            packs_billed.billed(evidence, seen)
        if seen.type == "invoice.issued":
            _billed(evidence, seen, mine)
            if mine(seen.body["account"]):
                late_to_bill.billed_late(evidence, seen)
                packs_billed.billed(evidence, seen)
        elif seen.type in credit_to_return.TYPES | packs_billed.TYPES:
            if mine(seen.body["account"]):
                (packs_billed.bought if seen.type in packs_billed.TYPES else credit_to_return.given_back)(evidence, seen)
        elif seen.type in late_to_bill.TYPES:
            late_to_bill.given_back(evidence, seen)
        elif seen.stream.startswith("invoice-"):
            continue
        elif seen.type == PriceRiseAnnounced.type_name:
            evidence.rises.append(PriceRiseAnnounced.model_validate(seen.body))
        elif seen.type == CustomerRegistered.type_name:
            (evidence.organisations.add if seen.body["kind"] == "organisation" else evidence.organisations.discard)(seen.body["customer"])
        elif seen.stream.startswith("collection-"):
            _barred(evidence, seen, mine)
        elif (order := seen.body.get("order") or seen.order_id or seen.stream.removeprefix("order-")) and mine(order):
            _told(evidence, seen, order)
    evidence.gone = [gone for account, each in products.gone.items() if mine(account) for gone in each]
    return evidence


def _of_secured(evidence: Evidence, payers: dict[str, Secured], seen: Seen) -> None:
    """What an account that retains deposits is billed, and how it pays; `payers` finds it by the stream of its invoice."""
    if seen.type == "invoice.issued" and seen.body["account"] in evidence.secured:
        payers[seen.stream] = evidence.secured[seen.body["account"]]
    if secured := payers.get(seen.stream):
        secured.told(seen)
    elif seen.type in ("account.billed", "account.instalments-agreed") and (
        secured := evidence.secured.get(seen.stream.removeprefix("account-"))
    ):
        secured.instalments = secured.instalments or seen.type != "account.billed"
        if seen.type == "account.billed":
            secured.run(Said(seen.event_id, seen.at, seen.body))


def _mine(evidence: Evidence, mine: Callable[[str], bool], order: str, item: str) -> Item | None:
    return evidence.of(order, item) if mine(order) else None


def _billed(evidence: Evidence, seen: Seen, mine: Callable[[str], bool]) -> None:
    body, items = seen.body, {(line["order"], line["item"]) for line in seen.body["lines"]}
    of_invoice = (body["account"], body["currency"], body["total_minor"] if len(items) == 1 else 0)
    for place, line in enumerate(body["lines"], 1):
        if line["order"] and mine(line["order"]):
            billed = Billed(seen.event_id, seen.at, seen.position, body["number"], line, body["issued_on"], place, *of_invoice)
            evidence.of(line["order"], line["item"]).lines.append(billed)


def _barred(evidence: Evidence, seen: Seen, mine: Callable[[str], bool]) -> None:
    """The lines that the network ended because nobody paid for them, and those that it barred or that serve again: these go on, and may not
    be charged meanwhile."""
    for line in seen.body["lines"]:
        if mine(line["order"]):
            item = evidence.of(line["order"], line["item"])
            said = Said(seen.event_id, seen.at, seen.body)
            if seen.body.get("level") == "ended":
                item.ended, item.ended_position = item.ended or said, item.ended_position or seen.position
            else:
                item.bars(said, seen.position)


def _told(evidence: Evidence, seen: Seen, order: str) -> None:
    said = Said(seen.event_id, seen.at, seen.body)
    if seen.type in compensation_due.TYPES:
        for item in [seen.body, *seen.body.get("items", ())]:
            if "item" in item:
                evidence.of(order, item["item"]).compensating.told(seen.type, seen.event_id, seen.at[:10], item)
    elif seen.type in ("order.planned", "order.revised"):
        for planned in seen.body["items"]:
            named = {**planned, "account": planned.get("account") or seen.body["account"], "currency": seen.body["currency"]}
            evidence.of(order, planned["item"]).planned = Said(seen.event_id, seen.at, named)
        _changed_late(evidence, seen, order)
    elif seen.type == "order.vouchers-expired":
        _without(evidence, order, seen)
    elif seen.type in ENDS:
        evidence.deposits.setdefault(order, Deposit(order)).ended = said
    elif seen.type.startswith("account.deposit-"):
        deposit = evidence.deposits.setdefault(order, Deposit(order))
        if seen.type != "account.deposit-retained":
            (deposit.kept if seen.type == "account.deposit-kept" else deposit.freed).append(said)
        elif deposit.retained is None:
            deposit.retained, secured = said, evidence.secured.setdefault(seen.body["account"], Secured())
            secured.deposits.append((deposit, len(secured.bills)))
    elif "item" in seen.body:
        _of_item(evidence.of(order, seen.body["item"]), seen, said)


def _changed_late(evidence: Evidence, seen: Seen, order: str) -> None:
    """What it costs that an order was changed when work of it had begun is charged once, under names of its own."""
    for one in seen.body.get("penalties", ()):
        planned = evidence.of(order, one["item"]).planned
        item, body = evidence.of(order, charge_of(one["item"], seen.body["revision"])), planned.body if planned else {}
        amount_minor = one["amount_minor"] + item.terms.get("one_time_minor", 0)
        terms = PriceTerms(one_time_tax_group=(body.get("terms") or {}).get("one_time_tax_group", "standard")).model_dump(mode="json")
        told = {
            "account": body.get("account", seen.body["account"]),
            "offering": LATE_CHANGE,
            "currency": seen.body["currency"],
            "terms": terms,
        }
        said = Said(seen.event_id, seen.at, told | {"recurring_minor": 0, "one_time_minor": amount_minor})
        item.active = item.step = item.ended = item.planned = said
        item.ended_position = seen.position


def _without(evidence: Evidence, order: str, seen: Seen) -> None:
    """What the vouchers took off that the order held too long is pinned no more."""
    for item in (item for (of, _), item in evidence.items.items() if of == order and item.planned and seen.body["codes"]):
        assert item.planned is not None
        body = item.planned.body
        terms = PriceTerms.model_validate(body.get("terms") or {}).without(seen.body["codes"])
        item.planned = item.planned._replace(body={**body, "terms": terms.model_dump(mode="json")})


def _of_item(item: Item, seen: Seen, said: Said) -> None:
    match seen.type:
        case "service.activated":
            # Whoever changes what he ordered has it switched off and on again: it did not end.
            item.active, item.ended, item.ended_position = said, None, 0
        case "esim.downloaded":
            item.begun = said
        case "step.forced" | "step.skipped" if seen.step in ("activation", "esim-download"):
            item.vouched = True
            item.active = item.active or said
        case "device.assigned":
            item.device = said
        case "delivery.delivered":
            item.delivered = said
            item.active = said if item.device else item.active
        case "step.forced" | "step.skipped" if seen.step == "delivery" and item.device:
            item.delivered = item.active = said
        case "account.instalments-agreed":
            item.agreement = said
        case "charging.started":
            item.step = said
        case "account.charge-started":
            item.charge, item.charged_from = said, min(item.charged_from or said.body["starts_on"], said.body["starts_on"])
        case "account.charge-withdrawn":
            item.withdrawn = said
        case "item.failed" | "item.cancelled" | "service.deactivated":
            item.ended, item.ended_position = item.ended or said, item.ended_position or seen.position
