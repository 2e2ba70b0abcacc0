"""When a customer is told that a term ends, and what: given a product, its market and the catalogue."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from o2c.catalogue.events import OfferingPrice, PriceRiseAnnounced
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.customers.events import CustomerRegistered
from o2c.customers.state import CustomerState
from o2c.kernel.carry import Carried
from o2c.kernel.decision import just
from o2c.kernel.discounts import Discount
from o2c.kernel.work import Work
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.pt import PT
from o2c.products.events import ProductChanged, ProductResumed, ProductStarted, ProductTerminated
from o2c.products.notice_events import EndNoticeGiven
from o2c.products.notices import best_offers, notified
from o2c.products.state import KIND, ProductState, next_notice, product_work
from tests.given import BOOK, MONDAY, offering

STREAM = "product-A:1"
TOLD_AT = datetime(2026, 12, 6, 10, tzinfo=UTC)


def started(ends_on: str = "2027-01-05", **standing: object) -> ProductStarted:
    """A product that starts on 5 January with a term up to a day (empty: none)."""
    example = ProductStarted.example
    stands = {**example["standing"], "commitment_ends_on": ends_on, **standing}
    return ProductStarted.model_validate({**example, "product": "A:1", "order": "A", "standing": stands})


def lived(*events: object, at: datetime = MONDAY) -> Carried:
    """A product after events, each followed by what it leads to."""
    carried = Carried(KIND, STREAM, KIND.initial(STREAM))
    for event in events:
        carried.carry(just(event), at, BOOK, None)  # type: ignore[arg-type] # any event
    return carried


def types(carried: Carried) -> list[str]:
    return [one.event.type_name for one in carried.happened]


def told(on: str, *, ends_on: str = "2027-01-05", about: str = "end-of-contract") -> EndNoticeGiven:
    return EndNoticeGiven.model_validate({**EndNoticeGiven.example, "told_on": on, "ends_on": ends_on, "about": about})


def work_of(state: ProductState, market: Market = GB, **read: object) -> Work:
    """The work of the notice, with what it read."""
    return replace(product_work(state, STREAM, "", "end-notice", BOOK), market=market, read=read)


@pytest.mark.parametrize(
    ("market", "on", "first", "last"),
    [
        (GB, date(2026, 12, 6), "2026-11-26", "2026-12-26"),
        (NL, date(2026, 11, 21), "2026-11-06", "2026-12-06"),
        (PT, date(2026, 12, 6), "2026-11-06", "2026-12-26"),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_a_notice_is_due_between_the_days_of_the_market(market: Market, on: date, first: str, last: str) -> None:
    """For a term that ends on 5 January 2027."""
    due = next_notice(lived(started()).state, market)

    assert due is not None
    assert (due.about, due.on, due.from_day, due.to_day) == ("end-of-contract", on, first, last)
    assert due.from_day <= on.isoformat() <= due.to_day


def test_each_product_with_a_term_asks_once() -> None:
    """With the term's end, and when it is due; nothing more follows of what else happens to it."""
    carried = lived(started(), *[ProductResumed.model_validate(ProductResumed.example)] * 2)

    asked = [one.event for one in carried.happened if one.event.type_name == "end-notice.awaited"]
    assert [(one.ends_on, one.due_at.isoformat()) for one in asked] == [("2027-01-05", "2026-12-06T10:00:00+00:00")]


def test_a_product_without_a_term_asks_for_none() -> None:
    """Nobody is bound, so nothing ends."""
    assert types(lived(started(""))) == ["product.started"]


def test_another_term_moves_the_notice() -> None:
    """A plan that binds anew asks for its own, in place of the one that was awaited; a term that was told of already is no bar to it."""
    standing = {**ProductStarted.example["standing"], "commitment_ends_on": "2028-03-05"}
    changed = ProductChanged.model_validate({**ProductChanged.example, "standing": standing})

    moved, again = lived(started(), changed), lived(started(), told("2026-12-06"), changed)

    assert [one.event.attempt for one in moved.happened if one.event.type_name == "end-notice.awaited"] == [1, 2]
    assert moved.state.notice_awaited == again.state.notice_awaited == "end-of-contract 2028-03-05"


def test_what_ended_is_told_of_no_more() -> None:
    """The notice is called off with the product."""
    carried = lived(started(), ProductTerminated.model_validate(ProductTerminated.example))

    assert types(carried) == ["product.started", "end-notice.awaited", "product.terminated", "step.cancelled"]
    assert next_notice(carried.state, GB) is None


def test_a_term_that_is_shorter_than_the_notice_is_told_of_at_once() -> None:
    """As late as it must be: nobody can be told before the contract is made."""
    carried = lived(started("2026-01-20"))

    assert carried.happened[-1].event.due_at == MONDAY


def test_whoever_stays_is_told_of_the_best_prices_each_year() -> None:
    """Twelve months after the last notice, as long as there is no other term; never where the market asks for none."""
    state = lived(started(), told("2026-12-06")).state
    due, later = next_notice(state, GB), next_notice(lived(started(), told("2026-12-06"), told("2027-12-06", about="best-price")).state, GB)
    never = replace(GB, life=replace(GB.life, end_notice=replace(GB.life.end_notice, best_price_months=0)))

    assert (due.about, due.on, later.on) == ("best-price", date(2027, 12, 6), date(2028, 12, 6))  # type: ignore[union-attr] # there is one
    assert next_notice(state, never) is None


YEARLY = (OfferingPrice(kind="recurring", amount_minor=100, period_unit="year"),)
SOLD = CatalogueState(
    offerings={
        one.offering: one
        for one in (
            *(
                offering(name, recurring_minor=minor)
                for name, minor in (("a", 900), ("b", 700), ("c", 1999), ("d", 800), ("mobile-line", 2500))
            ),
            offering("gone", status="Retired", recurring_minor=100),
            offering("fibre", "spec-access", recurring_minor=100),
            offering("yearly", prices=YEARLY),
        )
    },
    rises=(PriceRiseAnnounced.model_validate({**PriceRiseAnnounced.example, "from_day": "2027-01-01"}),),
)


def test_the_best_offers_are_the_cheapest_of_its_kind_on_sale() -> None:
    """Three of them, for the same period; what the customer has is none, unless it is cheaper now."""
    stands = started().standing

    assert [(one.offering, one.price_minor) for one in best_offers(SOLD, stands, "GB", TOLD_AT)] == [("b", 700), ("d", 800), ("a", 900)]
    assert best_offers(None, stands, "GB", TOLD_AT) == ()
    cheaper = replace(SOLD, offerings={"mobile-line": offering("mobile-line", recurring_minor=1)})
    assert [one.offering for one in best_offers(cheaper, stands, "GB", TOLD_AT)] == ["mobile-line"]


def test_a_notice_says_what_is_paid_now_and_after_the_end() -> None:
    """With the rise that has begun by then, and without the discount that has ended; what an end today costs (nothing for who was told of a rise); and who was told."""
    discount = Discount(name="First year", percent="50", lasts_length=12)
    state = lived(started(terms={"discounts": [discount.model_dump()]})).state

    decision = notified(work_of(state, **{CATALOGUE: SOLD}), {}, TOLD_AT)

    [given], [(stream, contact)] = decision.events, decision.elsewhere
    assert (given.told_on, given.ends_on, given.rules, given.not_told) == ("2026-12-06", "2027-01-05", "GB@2026-01", "")
    assert (given.price_minor, given.price_after_minor, given.exit_minor) == (999, 1999 + 150, 0)
    bound = notified(work_of(state, **{CATALOGUE: replace(SOLD, rises=())}), {}, TOLD_AT).events[0]
    assert (bound.price_after_minor, bound.exit_minor) == (1999, 1935)
    assert (stream, contact.topic, contact.direction) == ("customer-C-1001", "contract", "outbound")


@pytest.mark.parametrize(
    ("kind", "businesses", "told_"), [("individual", False, True), ("organisation", True, True), ("organisation", False, False)]
)
def test_a_business_is_told_where_the_market_says_so(kind: str, businesses: bool, told_: bool) -> None:
    """Where it is not, the event says why, and nobody is written to."""
    market = replace(GB, life=replace(GB.life, end_notice=replace(GB.life.end_notice, businesses=businesses)))
    papers = CustomerRegistered.model_validate({**CustomerRegistered.example, "kind": kind})

    decision = notified(work_of(lived(started()).state, market, **{"customer-C-1001": CustomerState(papers)}), {}, TOLD_AT)

    assert (decision.events[0].not_told, len(decision.elsewhere)) == (("", 1) if told_ else ("business", 0))
