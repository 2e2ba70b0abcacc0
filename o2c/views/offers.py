"""What offers to customers whom we let down come to: beside each, those who were held out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from o2c.engine.app import Engine
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.views.complaints import list_complaints, offer_book
from o2c.views.journeys import list_journeys
from o2c.views.reading import part_after_part
from o2c.views.shown import OfferEffectShown, OfferShown
from projections.products import ENDED_OF_CUSTOMERS

if TYPE_CHECKING:
    from o2c.complaints.offers import Offer

DAYS = 90
DAYS_MAX = 730


def list_offers(app: Engine) -> list[OfferShown]:
    """The offers to customers whom we let down that are in force: on which grounds, what, why, the share that is held out, and the version
    of the file."""
    book = offer_book(app)
    return [
        {
            "offer": one.name,
            "remedy": one.remedy,
            "when": list(one.when),
            "reason": one.reason,
            "held_out_percent": one.held_out_percent,
            "version": book.version,
        }
        for one in book.offers
    ]


def offer_effects(app: Engine, *, days: int = DAYS) -> list[OfferEffectShown]:
    """What each offer comes to: of the customers for whom there were grounds, how many ended a product within some `days`, of those who
    could be offered it and of those who were held out.

    Who is held out follows from customer and offer alone, so that the two differ in nothing but the offer. A customer counts from the first
    time there were grounds, and only once those days are over. Offers on other grounds than a complaint or a failed attempt are not counted
    yet and left out. The projections must be caught up. Raises Refused (usage).
    """
    if not 1 <= days <= DAYS_MAX:
        raise Refused(f"give 1 to {DAYS_MAX} days in which a customer who leaves would have left")
    grounds = {"complaint-open": dict(_complained(app)), "attempt-failed": dict(_failed(app))}
    whose = sorted({customer for since in grounds.values() for customer in since})
    ended: dict[str, list[date]] = {}
    for row in app.reads.rows(ENDED_OF_CUSTOMERS, whose):
        ended.setdefault(row["customer_id"], []).append(row["ended_on"])
    today = app.clock().now.date()

    def told(offer: Offer, since: Mapping[str, date]) -> OfferEffectShown:
        over = {customer: on for customer, on in since.items() if on + timedelta(days=days) <= today}
        left = {customer for customer, on in over.items() if any(on <= end <= on + timedelta(days=days) for end in ended.get(customer, ()))}
        held = {customer for customer in over if offer.held_out(customer)}
        counted: dict[str, int] = {
            "eligible": len(over) - len(held),
            "left": len(left - held),
            "held_out": len(held),
            "held_out_left": len(left & held),
        }
        return cast(
            "OfferEffectShown", {"offer": offer.name, "remedy": offer.remedy, "days": days, **counted, "kept_points": _points(**counted)}
        )

    return [told(offer, grounds[offer.when[0]]) for offer in offer_book(app).offers if len(offer.when) == 1 and offer.when[0] in grounds]


def _points(*, eligible: int, left: int, held_out: int, held_out_left: int) -> str | None:
    """By how many percentage points fewer of those left who could be offered it, as decimal text; None where one of the two groups is
    empty."""
    if not eligible or not held_out:
        return None
    return f"{100 * (Decimal(held_out_left) / held_out - Decimal(left) / eligible):.1f}"


def _complained(app: Engine) -> Iterator[tuple[str, date]]:
    rows = part_after_part(lambda **part: list_complaints(app, **part))
    return _first((row["customer"], row["raised_at"]) for row in rows)


def _failed(app: Engine) -> Iterator[tuple[str, date]]:
    rows = part_after_part(lambda **part: list_journeys(app, **part))
    return _first((row["customer"], row["failed_at"]) for row in rows if row["customer"] and row["failed_at"])


def _first(found: Iterator[tuple[str, str]]) -> Iterator[tuple[str, date]]:
    """The first day of each customer."""
    first: dict[str, date] = {}
    for customer, at in found:
        on = parse_time(at).date()
        first[customer] = min(on, first.get(customer, on))
    return iter(first.items())
