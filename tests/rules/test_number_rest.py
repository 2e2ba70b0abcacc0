"""How long a number rests: by what it was used for, as the market says, and for whom it may be kept meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.agenda import Dropped, Entry
from o2c.kernel.event import upcast
from o2c.kernel.partner import RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.kernel.step import RECALL_LEAD
from o2c.markets.base import Market, NumberUse, number_rest
from o2c.markets.registry import MARKETS
from o2c.numbers import rules
from o2c.numbers.events import NumberBroughtIn, NumberQuarantined, NumberReserved, NumberTaken
from o2c.numbers.state import KIND, NumberState
from o2c.orders.rules import fail_item
from o2c.orders.step import KIND as ORDER
from tests.given import BOOK, MARKET, MONDAY, PORTING, Story, item

VERSIONS = [market for versions in MARKETS.values() for market in versions]
MSISDN = "+447700910001"


def never_on() -> Story:
    story = Story(item()).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    story.give_up("activation", at=MONDAY)
    return story.run()


def perhaps_on() -> Story:
    """The network was asked and never answered: the line may have been on."""
    story = Story(item()).run(until="activation")
    story.attend("activation", "1", Unknown(MONDAY + timedelta(minutes=5)))
    for _ in range(20):
        if story.state.record("1", "activation").waiting_for:
            break
        story.attend("activation", "1", Unknown(MONDAY + timedelta(hours=5)))
    story.give_up("activation")
    return story.run()


def replaced() -> Story:
    return Story(item(characteristics=PORTING)).run()


def ended_in_service() -> Story:
    """The line is on, under the number that it was given until its own comes; then its port fails for good, and the line with it."""
    story = Story(item(characteristics=PORTING)).run(but={("1", "cutover"): RefusedBy("PERMANENT")})
    story.give_up("cutover")
    return story.run()


@pytest.mark.parametrize(
    ("life", "use", "days", "claimable"),
    [
        pytest.param(never_on, "never-used", 1, False, id="never on"),
        pytest.param(perhaps_on, "in-use", 31, True, id="perhaps on"),
        pytest.param(replaced, "temporary", 14, False, id="given until another came"),
        pytest.param(ended_in_service, "in-use", 31, True, id="in service to the end"),
    ],
)
def test_a_number_rests_by_what_it_was(life: Callable[[], Story], use: str, days: int, claimable: bool) -> None:
    """Its order's steps say what it was; the days and the claim are the market's for that use, and stand on the event with its customer."""
    story = life()
    rest = story.last("number.quarantined")
    given_back_at = rest.due_at - timedelta(days=days)
    assert (rest.use, rest.customer, rest.claimable) == (use, "C-1001", claimable)
    assert MONDAY <= given_back_at <= MONDAY + timedelta(days=9) + RECALL_LEAD


def not_charged_for() -> Story:
    """A line that serves under the number it brought, whose account could not take the charge."""
    story = Story(item(characteristics={**PORTING, "simType": "physical"})).run(until="charging")
    entry = story.agenda.pop(("1", "charging"))
    story.run()
    story.agenda["1", "charging"] = entry
    return story


def cut_over_for_nothing() -> Story:
    """The number was cut over to us, and the line ended before it took the temporary one's place."""
    return Story(item(characteristics=PORTING)).run(until="number-change")


def folded(story: Story, msisdn: str) -> NumberState:
    state: NumberState = KIND.initial(f"number-{msisdn}")
    for stream, event in story.elsewhere:
        state = KIND.evolve(state, event) if stream == f"number-{msisdn}" else state
    return state


@pytest.mark.parametrize("life", [pytest.param(not_charged_for, id="served"), pytest.param(cut_over_for_nothing, id="never served")])
def test_a_number_brought_in_is_never_ours_to_give(life: Callable[[], Story]) -> None:
    """When its line ends it rests as one in use, for its customer to have back, and then goes back to the holder of its range.

    The donor is not asked to drop a port that was done, and nothing holds the number: it can be brought in again.
    """
    story = life()
    end = MONDAY + timedelta(days=9)
    off = end + RECALL_LEAD  # the network is asked to switch it off first
    story.take(fail_item(story.state, "1", reason="SYS-BUG", note="", at=end, book=BOOK), at=end)
    story.run()
    brought = PORTING["portInNumber"]
    rests = {stream.removeprefix("number-"): event for stream, event in story.elsewhere if isinstance(event, NumberQuarantined)}
    assert (rests[brought].use, rests[brought].due_at, rests[brought].customer) == ("in-use", off + timedelta(days=31), "C-1001")
    assert (story.states()[""], story.holders) == ("failed", {})
    assert "porting-cancel.requested" not in story.names()
    number = folded(story, brought)
    assert (number.status, number.brought_in) == ("quarantined", True)
    [gone] = rules.rested(KIND.work(number, f"number-{brought}", "", "number-restock", BOOK), {}, rests[brought].due_at).events
    assert (gone.type_name, KIND.evolve(number, gone)) == ("number.returned", NumberState("returned"))


def test_a_number_brought_in_that_its_customer_has_back_is_still_not_ours() -> None:
    """Claimed, taken by another line of theirs and given back once more, it goes back to the holder of its range in the end."""
    number = KIND.evolve(KIND.initial(""), NumberBroughtIn.model_validate({**NumberBroughtIn.example, "msisdn": MSISDN}))
    rest = rules.resting(MARKET, MSISDN, "in-use", customer="C-1001", at=MONDAY)
    number = KIND.evolve(number, rest)
    [(_, kept)] = reserve(number).elsewhere
    number = KIND.evolve(number, kept)
    number = KIND.evolve(number, NumberTaken(msisdn=MSISDN, order="1001", item="1"))
    assert (number.status, number.brought_in) == ("assigned", True)
    number = KIND.evolve(number, rest)
    [gone] = rules.rested(KIND.work(number, f"number-{MSISDN}", "", "number-restock", BOOK), {}, MONDAY).events
    assert gone.type_name == "number.returned"


def test_a_number_that_another_line_holds_is_left_to_it() -> None:
    """What was cut over and could not be taken, because another line has it, is neither brought in nor given back by this one."""
    brought = PORTING["portInNumber"]
    story = Story(item(characteristics=PORTING)).run(until="cutover")
    story.holders["number", brought] = "order-2/1"
    story.run()
    assert story.state.record("1", "number-change").reason == "NP-NOTPORT"
    story.give_up("number-change")
    assert [stream for stream, _ in story.elsewhere if stream == f"number-{brought}"] == []
    assert story.holders["number", brought] == "order-2/1"


@pytest.mark.parametrize("market", [pytest.param(market, id=market.pin) for market in VERSIONS])
def test_a_market_has_a_rest_for_every_use(market: Market) -> None:
    """Each with its source; and a number is on offer again before its maximum, where there is one."""
    assert set(market.numbering.rests) == set(get_args(NumberUse))
    assert market.numbering.returned_by
    for rest in market.numbering.rests.values():
        assert rest.source
        assert rest.days_min >= 1
        assert rest.days_max is None or rest.days_min <= rest.days_max


@hypothesis.given(market=st.sampled_from(VERSIONS), use=st.sampled_from(get_args(NumberUse)), minutes=st.integers(0, 10**6))
def test_no_number_rests_beyond_its_maximum(market: Market, use: NumberUse, minutes: int) -> None:
    """Whenever it is given back: never less than the minimum, never more than the maximum, whose day the event names."""
    at, rule = MONDAY + timedelta(minutes=minutes), number_rest(market, use)
    rest = rules.resting(market, MSISDN, use, customer="C-1", at=at)
    assert rest.due_at >= at + timedelta(days=rule.days_min)
    assert (rest.free_by is None) == (rule.days_max is None)
    if rest.free_by is not None and rule.days_max is not None:
        assert rest.due_at <= rest.free_by == at + timedelta(days=rule.days_max)


def test_what_rested_before_uses_were_told_apart_is_nobodys_to_claim() -> None:
    """An event of version 1 tells of no use and no customer."""
    old = NumberQuarantined.model_validate(upcast("number.quarantined", 1, {"msisdn": MSISDN, "due_at": "2026-02-08T00:00:00Z"}))
    assert (old.use, old.customer, old.claimable, old.free_by) == ("", "", False, None)


def at_rest(**changes: Any) -> NumberState:
    """A number that rests, for the customer of the story to claim unless said otherwise."""
    body = {
        "msisdn": MSISDN,
        "due_at": MONDAY + timedelta(days=20),
        "use": "in-use",
        "customer": "C-1001",
        "claimable": True,
        "free_by": None,
    }
    state: NumberState = KIND.evolve(KIND.initial(f"number-{MSISDN}"), NumberQuarantined.model_validate({**body, **changes}))
    return state


def reserve(number: NumberState) -> Any:
    work = Story(item()).run(until="number").work("1", "number")
    return rules.reserve(work, number, msisdn=MSISDN, until=None, note="", at=MONDAY)


def test_its_former_customer_may_have_it_back() -> None:
    """The number is kept for their order, and rests no more: what would have ended its rest is off the agenda."""
    decision = reserve(at_rest())
    [(stream, event)] = decision.elsewhere
    kept = KIND.evolve(at_rest(), event)
    assert (stream, event.type_name, kept.status, kept.customer) == (f"number-{MSISDN}", "number.reserved", "reserved", "C-1001")
    assert Dropped(stream, "", "number-restock") in KIND.agenda(kept, event, stream)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"customer": "C-2"}, "rests until 2026-01-25T10:00:00Z; until then only its former customer may have it", id="another's"
        ),
        pytest.param({"claimable": False}, "rests until 2026-01-25T10:00:00Z and nobody may claim it", id="no claim in the market"),
        pytest.param({"customer": ""}, "and nobody may claim it", id="nobody on record"),
    ],
)
def test_nobody_else_may_have_it(changes: dict[str, Any], says: str) -> None:
    """One line says until when it rests and whether anybody may claim it, and not whose it was."""
    with pytest.raises(Refused, match=says) as refused:
        reserve(at_rest(**changes))
    assert refused.value.kind == "conflict"
    assert "C-2" not in str(refused.value)


@pytest.mark.parametrize("how", ["released", "lapsed", "ended"])
def test_a_claim_that_is_dropped_lets_the_number_rest_to_its_day(how: str) -> None:
    """Released, lapsed, or let go with its item: it rests on as it was, to the day it would have rested to, and is held by nobody."""
    story = Story(item()).run(until="number")
    decision = rules.reserve(story.work("1", "number"), at_rest(), msisdn=MSISDN, until=None, note="", at=MONDAY)
    kept = KIND.evolve(at_rest(), decision.elsewhere[0][1])
    if how == "released":
        dropped = rules.release_reservation(kept, msisdn=MSISDN, at=MONDAY)
    elif how == "lapsed":
        dropped = rules.lapse(KIND.work(kept, f"number-{MSISDN}", "1", "reservation", BOOK), {}, MONDAY + timedelta(days=8))
    else:
        state = ORDER.evolve(story.state, decision.events[0])
        dropped = rules.let_go(ORDER.work(state, story.stream, "1", "number", BOOK), MONDAY)
    told = [*dropped.events, *(event for _, event in dropped.elsewhere)]
    [event] = [event for event in told if event.type_name == "number.claim-dropped"]
    after = KIND.evolve(kept, event)
    assert after == at_rest()
    assert "number.earmark-dropped" in {event.type_name for event in told}
    assert [guard.key for guard in dropped.frees] == [MSISDN]
    rows = KIND.agenda(after, event, f"number-{MSISDN}")
    assert Dropped(f"number-{MSISDN}", "1", "reservation") in rows
    assert [row.due_at for row in rows if isinstance(row, Entry)] == [MONDAY + timedelta(days=20)]


def test_a_reservation_from_stock_remembers_no_rest() -> None:
    """A control: what was free and is given back is free again."""
    number = NumberState("available")
    kept = KIND.evolve(number, NumberReserved.model_validate(NumberReserved.example))
    assert kept.rests_until is None
    assert rules.release_reservation(kept, msisdn=MSISDN, at=MONDAY).events[0].type_name == "number.reservation-released"
