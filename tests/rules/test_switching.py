"""One Touch Switch as the provider that loses the customer: who is matched, and what each message leads to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from o2c.kernel.decision import Decision
from o2c.kernel.money import half_up
from o2c.kernel.refusal import Refused
from o2c.markets.nl import NL
from o2c.products import switching as rules
from o2c.products.events import ProductChangeAccepted
from o2c.products.state import ProductState, product_work
from o2c.products.switching import Candidate, SwitchWish, match
from tests.given import BOOK, MARKET, MONDAY
from tests.lives_of_goods_in_service import started, then

TODAY = MONDAY.date()
REFERENCE = "R-1"
HERE = "1 Mill Lane, Testford, ZZ1 1AA"


def fits(*candidates: tuple[str, str, str], address: str = HERE, account: str = "") -> str:
    return match([Candidate(*one) for one in candidates], MARKET, address=address, account=account)


@pytest.mark.parametrize(
    "address", [HERE, "1 MILL LANE\nTESTFORD\nzz1 1aa", "1 Mill Lane, ZZ1 1AA", "1 Mill Lane, Testford, ZZ11AA, United Kingdom"]
)
def test_an_address_is_the_same_however_it_is_written(address: str) -> None:
    """By postcode and number."""
    assert fits(("A:1", "BA-1", HERE), ("B:1", "BA-2", "2 Mill Lane, Testford, ZZ1 1AA"), address=address) == "A:1"


@pytest.mark.parametrize("address", ["Flat 2, 10 High Street, Testford, ZZ1 1AA", "10 High Street (flat 2), zz11aa"])
def test_a_flat_is_found_by_both_numbers(address: str) -> None:
    """In either order; the house alone, and the other flat, are somebody else's. The first number alone found the other house."""
    flats = [
        (f"{name}:1", f"BA-{name}", f"{where} High Street, Testford, ZZ1 1AA")
        for name, where in (("A", "2/10"), ("B", "3/10"), ("C", "10"))
    ]
    assert fits(*flats, address=address) == "A:1"


def test_whoever_has_the_whole_name_comes_before_who_has_the_surname() -> None:
    """Of a family at one address; alone, a surname is enough."""
    mother, son = Candidate("A:1", "BA-1", HERE, named=False), Candidate("B:1", "BA-2", HERE)
    assert match([mother, son], MARKET, address=HERE) == "B:1"
    assert match([mother], MARKET, address=HERE) == "A:1"


@pytest.mark.parametrize(
    ("candidates", "more", "why"),
    [
        ((), {}, "NO-MATCH"),
        ((("A:1", "BA-1", "3 Mill Lane, Testford, ZZ1 1AA"),), {}, "NO-MATCH"),
        ((("A:1", "BA-1", HERE),), {"account": "BA-9"}, "NO-MATCH"),
        ((("A:1", "BA-1", "Mill Lane"),), {"address": "Mill Lane"}, "NO-MATCH"),
        ((("A:1", "BA-1", HERE), ("B:1", "BA-2", HERE)), {}, "AMBIGUOUS"),
    ],
)
def test_what_is_not_one_service_is_told_by_its_code(candidates: tuple[tuple[str, str, str], ...], more: dict[str, str], why: str) -> None:
    """And without anything of the customers."""
    with pytest.raises(Refused, match=why) as refused:
        fits(*candidates, **more)
    assert "Mill" not in str(refused.value)


def test_an_account_tells_two_services_apart() -> None:
    """Where name and address are the same."""
    assert fits(("A:1", "BA-1", HERE), ("B:1", "BA-2", HERE), account="BA-2") == "B:1"


def matched(state: ProductState, *, request: str = "OTS-1", reference: str = REFERENCE) -> Decision:
    return rules.matched(state, MARKET, SwitchWish("Other Fibre", request), reference, owed_minor=700, rises=(), at=MONDAY)


def known() -> ProductState:
    return then(started(), matched(started()))


def going(*, days: int = 5) -> ProductState:
    return then(known(), rules.ordered(known(), MARKET, REFERENCE, TODAY + timedelta(days=days), at=MONDAY))


def on() -> ProductState:
    return then(going(), rules.triggered(going(), MARKET, REFERENCE, TODAY, at=MONDAY))


def test_a_customer_is_told_in_the_same_moment() -> None:
    """What leaving costs and what is open: within the market's sixty seconds, and by the event itself."""
    [event], [(stream, contact)] = matched(started()).events, matched(started()).elsewhere

    assert MARKET.life.switching is not None
    assert (event.told_at - MONDAY).total_seconds() <= MARKET.life.switching.told_within_s
    assert event.early_gross_minor == half_up(Fraction(event.early_minor * 120, 100))
    assert (event.early_minor > 0, event.owed_minor, event.valid_through) == (True, 700, (TODAY + timedelta(days=30)).isoformat())
    assert (stream, contact.direction) == ("customer-C-1001", "outbound")


@pytest.mark.parametrize(
    ("before", "decide"),
    [
        (started, matched),
        (known, lambda state: rules.ordered(state, MARKET, REFERENCE, TODAY + timedelta(days=5), at=MONDAY)),
        (going, lambda state: rules.withdrawn(state, REFERENCE)),
        (going, lambda state: rules.triggered(state, MARKET, REFERENCE, TODAY, at=MONDAY)),
    ],
    ids=["match", "order", "cancel", "trigger"],
)
def test_a_message_that_comes_again_changes_nothing(before: Callable[[], ProductState], decide: Callable[[ProductState], Decision]) -> None:
    """The hub sends what it has no answer to."""
    state = then(before(), decide(before()))

    assert not decide(state)


def test_a_day_can_be_moved() -> None:
    """By an order for another."""
    moved = then(going(), rules.ordered(going(), MARKET, REFERENCE, TODAY + timedelta(days=9), at=MONDAY))

    assert (moved.switch_on, moved.status) == ((TODAY + timedelta(days=9)).isoformat(), "pendingTerminate")


ENDING = then(started(), Decision((ProductChangeAccepted(order="D", item="1", attributes=("termination",)),)))


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (lambda: rules.matched(started(), NL, SwitchWish("O", "1"), "R", owed_minor=0, rises=(), at=MONDAY), "not switched by One Touch Switch"),
        (lambda: matched(ProductState()), "no such product"),
        (lambda: matched(ENDING), "being ended by order D"),
        (lambda: matched(going(), request="OTS-2"), "that order stands"),
        (lambda: rules.ordered(known(), MARKET, "R-9", TODAY, at=MONDAY), "match the customer first"),
        (lambda: rules.ordered(known(), MARKET, REFERENCE, TODAY - timedelta(days=1), at=MONDAY), "is over"),
        (lambda: rules.ordered(known(), MARKET, REFERENCE, TODAY + timedelta(days=40), at=MONDAY + timedelta(days=31)), "match the customer anew"),
        (lambda: rules.ordered(on(), MARKET, REFERENCE, TODAY + timedelta(days=9), at=MONDAY), "the new service is on"),
        (lambda: rules.withdrawn(on(), REFERENCE), "cannot be called off"),
        (lambda: rules.triggered(known(), MARKET, REFERENCE, TODAY, at=MONDAY), "was not ordered"),
        (lambda: rules.triggered(going(), MARKET, REFERENCE, TODAY + timedelta(days=1), at=MONDAY), "is no day of the last 31"),
        (lambda: rules.triggered(going(), MARKET, REFERENCE, date(2025, 11, 1), at=MONDAY), "is no day of the last 31"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(decide: Callable[[], Decision], why: str) -> None:
    """In one line."""
    with pytest.raises(Refused, match=why):
        decide()


def test_the_service_ends_on_the_day_of_the_new_one() -> None:
    """Its charge with it, without notice, and the early end of the contract is charged once."""
    work = replace(product_work(on(), "product-A:1", "", "switch-out", BOOK), read={})

    decision = rules.switched_out(work, {}, MONDAY + timedelta(days=3))

    done, ended = decision.events
    assert (done.activated_on, ended.ended_on, ended.cause, done.early_minor > 0) == (
        TODAY.isoformat(),
        TODAY.isoformat(),
        "switched",
        True,
    )
    assert [event.type_name for _, event in decision.elsewhere] == [
        "account.charge-started",
        "account.charge-withdrawn",
        "account.charge-withdrawn",
    ]
