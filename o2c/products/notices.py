"""What a customer is told before the term of a contract ends, and once a year after it: the end, the prices, and the best offers.

Source: Directive (EU) 2018/1972, art. 105(3); Ofcom General Conditions of Entitlement, C1.21 to C1.26 [M]. The days are the market's
(`LifeRules.end_notice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from o2c.catalogue.rises import announced, price_on, rises_of
from o2c.catalogue.rules import price_at, unorderable
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.customers.events import CustomerContacted
from o2c.customers.state import stream_of
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.discounts import off_on
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.products.events import Standing
from o2c.products.notice_events import EndNoticeGiven, PriceOffered
from o2c.products.rules import early_minor
from o2c.products.state import BEST_PRICE, ProductState, next_notice, notice_body

OFFERS_MAX = 3
"""How many offers a notice names: the cheapest."""
ORGANISATION = "organisation"
"""The kind of a customer that is a business."""


def still_due(work: Work) -> bool:
    """Whether the notice that was asked for is still the next one: the product is there, and its term is the same."""
    due = next_notice(work.state, work.market)
    return due is not None and due.name == work.state.notice_awaited


def told_of(work: Work) -> Mapping[str, Any]:
    """Give what the notice is about, and the days between which it is in time."""
    due = next_notice(work.state, work.market)
    return notice_body(due) if due else {}


def streams_read(work: Work) -> tuple[str, ...]:
    """Name the catalogue's stream, for offers and announced rises, the account's, for the day of its bills, and the customer's."""
    stands: Standing | None = work.state.standing
    return (CATALOGUE, account_stream(stands.account), stream_of(stands.customer)) if stands else ()


def notified(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the customer is told, at the contact that stands; a business is not where the market leaves it out, and the event says
    so."""
    state, due = cast("ProductState", work.state), next_notice(work.state, work.market)
    assert due is not None
    assert state.standing is not None
    stands, today = state.standing, local_date(at, work.market.zone)
    skipped = not work.market.life.end_notice.businesses and _is_business(work)
    costs = _Costs.of(work, state, stands)
    given = EndNoticeGiven(
        attempt=work.attempt,
        about=due.about,
        ends_on=due.ends_on,
        told_on=today.isoformat(),
        price_minor=costs.on(today),
        price_after_minor=costs.on(max(today, date.fromisoformat(due.ends_on))),
        exit_minor=0
        if due.about == BEST_PRICE
        else early_minor(stands, work.market, today, since=state.priced_from, rises=announced(work)),
        currency=state.currency,
        offers=best_offers(work.read.get(CATALOGUE), stands, work.market.code, at),
        rules=work.market.pin,
        not_told="business" if skipped else "",
    )
    contact = CustomerContacted(customer=stands.customer, medium="courtesy", direction="outbound", topic="contract", order=state.order)
    return Decision((given,), () if skipped else ((stream_of(stands.customer), contact),))


def _is_business(work: Work) -> bool:
    customer = work.read.get(stream_of(work.state.standing.customer))
    return bool(customer and customer.papers and customer.papers.kind == ORGANISATION)


class _Costs(NamedTuple):
    """What a product costs by day: the rises of its price, and the discounts of it, since the day from which it is at that price."""

    stands: Standing
    rises: tuple[Any, ...]
    since: date
    bill_day: int

    @classmethod
    def of(cls, work: Work, state: ProductState, stands: Standing) -> _Costs:
        account = work.read.get(account_stream(stands.account))
        own = {"offering": stands.offering, "market": work.market.code, "recurrence": stands.terms.recurrence}
        bill_day = int(account.next_run[-2:]) if account and account.next_run else 1
        return cls(stands, rises_of(announced(work), starts_on=state.priced_from, **own), date.fromisoformat(state.priced_from), bill_day)

    def on(self, day: date) -> int:
        """A period's price on a day: with the rises that have begun, less the discounts that hold. Net, in minor units."""
        price_minor = price_on(self.stands.recurring_minor, self.rises, day)
        discounts = self.stands.terms.discounts
        return price_minor - off_on(discounts, price_minor=price_minor, day=day, starts_on=self.since, bill_day=self.bill_day)


def best_offers(catalogue: CatalogueState | None, stands: Standing, market: str, at: datetime) -> tuple[PriceOffered, ...]:
    """Give the cheapest offerings of the same kind that are on sale at a time, by their recurring prices for the same period: the
    customer's own only where it is cheaper now."""
    found = []
    for name, offering in (catalogue.offerings if catalogue else {}).items():
        price = price_at(offering, "recurring", at)
        if offering.bundle or (offering.specification, offering.market) != (stands.specification, market) or price is None:
            continue
        if price.recurrence != stands.terms.recurrence or unorderable(catalogue or CatalogueState(), offering=name, at=at, alone=True):
            continue
        if name != stands.offering or price.amount_minor < stands.recurring_minor:
            found.append(PriceOffered(offering=name, price_minor=price.amount_minor))
    return tuple(sorted(found, key=lambda one: (one.price_minor, one.offering))[:OFFERS_MAX])
