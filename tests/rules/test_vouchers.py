"""Vouchers: issued once, reserved within their uses, validity, segment and budget, and each use ended once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.discounts import Discount
from o2c.kernel.event import Event
from o2c.kernel.partner import RefusedBy
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.orders.validation import flaw
from o2c.vouchers.events import VoucherRedeemed, VoucherReleased, VouchersIssued
from o2c.vouchers.rules import issue, reserve, why_not
from o2c.vouchers.state import KIND, CampaignState
from tests.given import CATALOGUE, MARKET, MONDAY, READ, Document, Story, captured, item
from tests.rules.test_sent_prices import sent

TERMS: dict[str, Any] = {
    "campaign": "SPRING", "market": "GB", "currency": "GBP", "codes": ["SPRING"], "uses_max": 2, "budget_minor": 3000,
    "discount": {"name": "SPRING", "percent": "20", "lasts_length": 3},
}  # fmt: skip


def issued(**changes: Any) -> VouchersIssued:
    """A fifth off three months, twice, within 30.00."""
    return VouchersIssued.model_validate({**TERMS, **changes})


def campaign(*events: Event, **changes: Any) -> CampaignState:
    state = KIND.evolve(KIND.initial(""), issued(**changes))
    for event in events:
        state = KIND.evolve(state, event)
    return state


def why(state: CampaignState | None, **changes: Any) -> str:
    """Why an order of Monday may not use the code."""
    asked: dict[str, Any] = {
        "order": "o-9",
        "at": MONDAY,
        "market": "GB",
        "tier": "standard",
        "fits": ("1",),
        "amount_minor": 1200,
        **changes,
    }
    return why_not(state, asked.pop("code", "SPRING"), **asked)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"campaign": "spring"}, "capitals"), ({"campaign": "X"}, "capitals"), ({"codes": ["OTHER"]}, "cannot be a code"), ({"codes": ["SPRING-a"]}, "cannot be a code"),
        ({"codes": []}, "codes"), ({"codes": ["SPRING", "SPRING"]}, "different codes"), ({"codes": [f"SPRING-{n}" for n in range(1001)]}, "1,000"),
        ({"uses_max": 0}, "times"), ({"budget_minor": -1}, "budget"), ({"discount": {"name": "SPRING", "percent": "5"}}, "no end"),
        ({"valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, "before it begins"),
    ],
)  # fmt: skip
def test_what_cannot_be_issued_is_refused(changes: Document, says: str) -> None:
    """With the campaign, and what to do."""
    with pytest.raises(Refused, match=says):
        issue(CampaignState(), issued(**changes))


def test_a_campaign_is_issued_once_with_its_terms() -> None:
    """Again the same is nothing; other terms are another campaign."""
    assert issue(CampaignState(), issued()) == [issued()]
    assert issue(campaign(), issued()) == []
    with pytest.raises(Refused, match="other terms"):
        issue(campaign(), issued(uses_max=3))


FIRST = reserve(campaign(), "SPRING", order="o-1", amount_minor=1200)
SECOND = reserve(campaign(FIRST), "SPRING", order="o-2", amount_minor=1200)
GIVEN_BACK = VoucherReleased(order="o-1", code="SPRING", turn=1, how="cancelled")


@pytest.mark.parametrize(
    ("state", "asked", "told"),
    [
        (campaign(), {}, ""), (None, {}, "unknown"), (campaign(), {"code": "SPRING-X"}, "unknown"), (campaign(), {"market": "NL"}, "unknown"),
        (campaign(FIRST), {}, ""), (campaign(FIRST, SECOND), {}, "used up"), (campaign(FIRST, SECOND), {"order": "o-1"}, ""),
        (campaign(FIRST, SECOND, GIVEN_BACK), {}, ""), (campaign(), {"amount_minor": 3001}, "budget"), (campaign(FIRST), {"amount_minor": 1801}, "budget"),
        (campaign(FIRST), {"amount_minor": 1800}, ""), (campaign(budget_minor=0), {"amount_minor": 10**9}, ""),
        (campaign(valid_from="2026-01-05T10:00:01Z"), {}, "not valid"), (campaign(valid_to="2026-01-05T10:00:00Z"), {}, "not valid"),
        (campaign(valid_from="2026-01-05T10:00:00Z"), {}, ""), (campaign(tiers=["gold"]), {}, "other customers"), (campaign(tiers=["gold"]), {"tier": "gold"}, ""),
        (campaign(), {"fits": ()}, "other offerings"),
    ],
)  # fmt: skip
def test_who_may_use_a_code(state: CampaignState | None, asked: Document, told: str) -> None:
    """Within validity (half-open), segment, offerings, uses and budget; who has a use already may keep it."""
    wrong = why(state, **asked)
    assert told in wrong
    assert bool(wrong) is bool(told)


def test_a_turn_that_was_given_back_is_had_again() -> None:
    """Of a code that may be used twice the guards are of two turns, whatever was reserved and released in between."""
    assert [FIRST.turn, SECOND.turn] == [1, 2]
    assert reserve(campaign(FIRST, SECOND, GIVEN_BACK), "SPRING", order="o-3", amount_minor=1).turn == 1


@hypothesis.given(
    st.integers(1, 4), st.integers(1, 4000),
    st.lists(st.tuples(st.sampled_from("rrrxd"), st.integers(0, 5), st.sampled_from(["SPRING", "SPRING-B"]), st.integers(1, 1500)), max_size=40),
)  # fmt: skip
def test_a_budget_is_never_exceeded_and_each_reservation_ends_once(
    uses_max: int, budget: int, steps: list[tuple[str, int, str, int]]
) -> None:
    """Whatever orders reserve, redeem and release: budget and uses hold, no two open uses have one turn, and what ended is not open."""
    state = campaign(codes=["SPRING", "SPRING-B"], uses_max=uses_max, budget_minor=budget)
    amounts, open_uses, ended = dict[tuple[str, str], int](), dict[tuple[str, str], int](), Counter[tuple[str, str, int]]()
    redeemed_minor = 0
    for step, number, code, amount in steps:
        order, key = f"o-{number}", (f"o-{number}", code)
        if step == "r":
            if key in open_uses or why(state, code=code, order=order, amount_minor=amount):
                continue
            event: Event = (taken := reserve(state, code, order=order, amount_minor=amount))
            open_uses[key], amounts[key] = taken.turn, amount
        elif key not in open_uses:
            continue
        else:
            use = {"order": order, "code": code, "turn": open_uses.pop(key)}
            event = VoucherRedeemed.model_validate(use) if step == "d" else VoucherReleased.model_validate({**use, "how": "failed"})
            ended[order, code, len(ended)] += 1
            redeemed_minor += amounts.pop(key) if step == "d" else 0
            amounts.pop(key, None)
        state = KIND.evolve(state, event)
        assert (state.reserved_minor, state.redeemed_minor) == (sum(amounts.values()), redeemed_minor)
        assert 0 <= state.left_minor <= budget
        for each in ("SPRING", "SPRING-B"):
            turns = [turn for (_, of), turn in open_uses.items() if of == each]
            assert len(turns) == len(set(turns))
            assert all(1 <= turn <= uses_max for turn in turns)
            assert each not in state.uses or state.uses[each].taken <= uses_max
        before = state
        for again in (event,) if isinstance(event, VoucherRedeemed | VoucherReleased) else ():
            assert KIND.evolve(state, again) == before, "an end that came twice changes nothing"
    assert set(ended.values()) <= {1}


class Vouched(Story):
    """An order whose voucher's campaign stands."""

    of = campaign()

    def _read(self, stream: str) -> Any:
        return {**READ, "voucher-SPRING": self.of}.get(stream)


def vouched(name: str = "1", code: str = "SPRING", **changes: Any) -> Document:
    characteristics: Mapping[str, str] = {"voucher": code}
    return item(name, characteristics=characteristics, **changes)


def test_an_order_holds_its_voucher_from_validation_to_its_end() -> None:
    """Reserved with a guard as it is validated, pinned with the prices of the line that names it alone, redeemed as the order is complete."""
    story = Vouched(vouched(), item("2")).run()
    reserved = story.last("voucher.reserved")
    assert (reserved.order, reserved.code, reserved.turn, reserved.amount_minor) == ("1001", "SPRING", 1, 3 * 400)
    planned = {each.item: each.terms.discounts for each in story.last("order.planned").items}
    assert planned == {"1": (Discount(name="SPRING", percent="20", lasts_length=3, voucher="SPRING"),), "2": ()}
    assert [each.reduced_minor for each in story.last("order.priced").recurring] == [400]
    ends = [event.type_name for stream, event in story.elsewhere if stream == "voucher-SPRING"]
    assert (story.names()[-1], ends) == ("order.completed", ["voucher.reserved", "voucher.redeemed"])
    assert story.holders["voucher", "SPRING#1"] == "order-1001/"


@pytest.mark.parametrize("how", ["cancelled", "failed", "rejected"])
def test_what_comes_to_nothing_gives_its_voucher_back(how: str) -> None:
    """Once, with the guard of the use, however the order ends."""
    story = Vouched(vouched())
    if how == "rejected":
        story.run(until="credit")
        story.attend("credit", answer=RefusedBy("DECLINE"))
    else:
        story.run(until="number" if how == "cancelled" else "activation")
        assert story.holders["voucher", "SPRING#1"] == "order-1001/"
        if how == "cancelled":
            story.cancel()
        else:
            story.attend("activation", "1", RefusedBy("REFUSED"))
            story.give_up("activation")
        story.run()
    ends = [event for stream, event in story.elsewhere if stream == "voucher-SPRING"]
    assert [event.type_name for event in ends] == ["voucher.reserved", "voucher.released"]
    assert isinstance(ends[-1], VoucherReleased)
    assert (ends[-1].how, ("voucher", "SPRING#1") in story.holders) == (how, False)


@pytest.mark.parametrize(
    ("of", "lines", "told"),
    [
        (campaign(), [vouched()], ""), (None, [vouched()], "is unknown"), (campaign(), [vouched(code="OTHER")], "is unknown"),
        (campaign(offerings=["fibre"]), [vouched()], "is for other offerings"), (campaign(FIRST, SECOND), [vouched()], "is used up"),
        (campaign(tiers=["gold"]), [vouched()], "is for other customers"), (campaign(budget_minor=1199), [vouched()], "can come to 12.00 GBP, and its budget has 11.99 GBP left"),
        (campaign(), [vouched(quantity=2)], ""), (campaign(), [vouched(quantity=3)], "can come to 36.00 GBP, and its budget has 30.00 GBP left"),
        (campaign(codes=["SPRING", "SPRING-B"]), [vouched(), vouched("2", "SPRING-B")], "of a campaign of which the order has a code"),
        (campaign(), [item(), vouched("2", "")], ""), (campaign(), [item("9", "office", characteristics={"voucher": "SPRING"}, productOrderItem=[item("1"), item("2", "roaming")])], ""),
    ],
)  # fmt: skip
def test_a_voucher_that_the_order_may_not_have_is_a_flaw(of: CampaignState | None, lines: list[Document], told: str) -> None:
    """The channel must answer; the code itself, which may be worth money, is not repeated."""
    state = captured(*lines)
    wrong = flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": of}, tier="standard")
    assert wrong.startswith("DQ-VOUCHER: ") is bool(told)
    assert told in wrong


def test_a_price_sent_with_the_voucher_taken_off_is_no_flaw() -> None:
    """19.99, or 15.99 with the voucher; nothing else."""
    for net, good in (("19.99", True), ("15.99", True), ("15.98", False)):
        state = captured(vouched(itemPrice=[sent(net=net)]))
        assert (
            flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": campaign()}, tier="") == ""
        ) is good


def test_a_corrected_voucher_lets_the_order_go_on() -> None:
    """Without one, or with another."""
    story = Vouched(vouched(code="NOSUCH"))
    story.attend("validation")
    assert story.last("validation.fell-out").reason == "DQ-VOUCHER"
    story.correct("validation", "", {"line.1.voucher": ""})
    story.run()
    assert story.names()[-1] == "order.completed"
    assert not [stream for stream, _ in story.elsewhere if stream.startswith("voucher-")]


def test_the_time_of_the_order_counts() -> None:
    """Not the time at which it is looked at: a sale happened when its channel says so."""
    valid = campaign(valid_to="2026-01-06T00:00:00Z")
    for on, good in (("2026-01-05T23:59:59Z", True), ("2026-01-06T00:00:00Z", False)):
        state = captured(vouched(), orderDate=on)
        assert state.captured_at == parse_time(on)
        assert (
            flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": valid}, tier="") == ""
        ) is good


@pytest.mark.parametrize("code", ["spring", " SPRING", "Spring ", "\tspring\n"])
def test_a_code_is_the_same_however_it_was_typed(code: str) -> None:
    """Codes are ours, capitals and digits alone: small letters and blanks around one make it no other. What is stored is the code as it was issued."""
    story = Vouched(vouched(code=code)).run()
    assert story.last("voucher.reserved").code == "SPRING"
    assert (story.names()[-1], story.holders["voucher", "SPRING#1"]) == ("order.completed", "order-1001/")


@pytest.mark.parametrize(
    "code", ["SPR ING", "ſpring", "SPRING-", "-", "voucher", "ＳＰＲＩＮＧ", "S" * 5000, "SPRING\x0bX", "SPRING#1", "'; --"]
)
def test_what_is_no_code_is_unknown(code: str) -> None:
    """Whatever it resembles: nothing is repaired beyond its case and the blanks around it, and it is not repeated."""
    state = captured(vouched(code=code))
    wrong = flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": campaign()}, tier="standard")
    assert wrong == "DQ-VOUCHER: the voucher of item 1 is unknown"


def test_a_code_on_two_items_is_one_use_and_of_two_codes_on_one_item_neither_is_dropped() -> None:
    """However each is spelled, one use lowers both items and is reserved for both; two codes of one item, or any value sent twice otherwise, are a flaw."""
    story = Vouched(vouched("1"), vouched("2", " spring ")).run()
    held = [event for stream, event in story.elsewhere if stream == "voucher-SPRING"]
    assert [event.type_name for event in held] == ["voucher.reserved", "voucher.redeemed"]
    assert story.last("voucher.reserved").amount_minor == 2 * 3 * 400
    twice = vouched()
    for value, told in (("SPRING", ""), ("SUMMER", "DQ-VOUCHER: the voucher of item 1 is unknown")):
        twice["product"]["productCharacteristic"].append({"name": "voucher", "value": value})
        state = captured(twice)
        assert flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": campaign()}, tier="") == told
    both = item()
    both["product"]["productCharacteristic"].append({"name": "simType", "value": "physical"})
    told = flaw(captured(both), party_known=True, catalogue=CATALOGUE, market=MARKET)
    assert told == "DQ-OFFER: simType of item 1 is not among the offering's values"


def test_a_voucher_that_takes_nothing_off_is_not_used_up() -> None:
    """One off the price that is charged once, on what has none: the use is the customer's still."""
    once = campaign(discount={"name": "SPRING", "of": "one-time", "percent": "50"})
    for sold, told in (("line", ""), ("roaming", "takes nothing off what it is named for")):
        state = captured(vouched(sold=sold))
        wrong = flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": once}, tier="")
        assert (told in wrong, bool(wrong)) == (True, bool(told))


@pytest.mark.parametrize("named", [{"tiers": [""]}, {"offerings": ["line", " "]}])
def test_a_segment_without_a_name_is_nobody_s(named: Document) -> None:
    """A blank would mean the customers of whom no tier is known."""
    with pytest.raises(Refused, match="without a name"):
        issue(CampaignState(), issued(**named))


def test_a_customer_of_no_known_tier_is_in_no_segment() -> None:
    """Nor is one whose tier is written otherwise."""
    assert [bool(why(campaign(tiers=["gold"]), tier=tier)) for tier in ("gold", "", "Gold", "silver")] == [False, True, True, True]


def test_the_day_of_the_order_is_that_of_its_market() -> None:
    """Of a price by the week, a month from 28 February on has four, one from 1 March on has five: at 23:30 UTC it is March in Amsterdam."""
    amsterdam = replace(MARKET, zone="Europe/Amsterdam")
    of = campaign(discount={"name": "SPRING", "percent": "50", "lasts_length": 1}, budget_minor=4 * 350)
    for on, good in (("2027-02-28T22:30:00Z", True), ("2027-02-28T23:30:00Z", False)):
        state = captured(vouched(sold="care-week"), orderDate=on)
        told = flaw(state, party_known=True, catalogue=CATALOGUE, market=amsterdam, campaigns={"voucher-SPRING": of}, tier="")
        assert ("its budget has 14.00" in told) is not good
