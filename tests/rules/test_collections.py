"""Collections by their rules: which stage an account is in, what it is told, when it is barred, and what holds that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from o2c.collections.events import BarLifted, Barred, BarRequested, Cleared, PromiseBroken, PromiseKept, StageEntered, Warned
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.refusal import Refused
from o2c.markets.collecting import USUAL_STAGES, Stage
from o2c.markets.gb import GB
from tests.owing import Owing

FIFTY = 5_000


def stages(owing: Owing, currency: str = "GBP") -> list[tuple[int, str]]:
    """The days and names of the stages entered in a currency; an empty name where all was cleared."""
    found = [(day, event) for day, event in owing.told(StageEntered, Cleared) if isinstance(event, StageEntered | Cleared)]
    return [(day, getattr(event, "stage", "")) for day, event in found if event.currency == currency]


def test_the_stages_follow_each_other_by_the_days_of_the_market() -> None:
    """billing.md 6.6, proposed default: due, reminder +3, final notice +10, soft bar +17, hard bar +30, terminate +60, agency +90."""
    owing = Owing().owes(FIFTY).until(120)

    assert stages(owing) == [
        (0, "due"), (3, "reminder"), (10, "final-notice"), (17, "soft-bar"), (30, "hard-bar"), (60, "terminated"), (90, "agency"),
    ]  # fmt: skip
    assert owing.notices() == [(3, "reminder"), (10, "final-notice")]
    assert [(day, event.level) for day, event in owing.told(Barred) if isinstance(event, Barred)] == [
        (17, "soft"),
        (30, "hard"),
        (60, "ended"),
    ]


def test_a_stage_says_what_it_rests_on() -> None:
    """The invoices with what is open of each, the earliest due first."""
    owing = Owing().owes(FIFTY).owes(700, "INV-2", due=2).until(10)
    entered = owing.told(StageEntered)[-1][1]

    assert isinstance(entered, StageEntered)
    assert (entered.open_minor, [(owed.invoice, owed.open_minor) for owed in entered.invoices]) == (
        5_700,
        [("INV-1", 5_000), ("INV-2", 700)],
    )


def test_a_bar_names_the_warning_that_preceded_it() -> None:
    """The bar of the 17th day rests on the notice of the 10th."""
    owing = Owing().owes(FIFTY).until(17)
    [(_, warned)], [(_, bar)] = owing.told(Warned), owing.told(BarRequested)

    assert isinstance(warned, Warned)
    assert isinstance(bar, BarRequested)
    assert bar.notices == (warned.notice,)
    assert warned.barred_from == "2026-02-08"


def test_paid_in_full_the_account_is_clear_and_the_bar_is_lifted_at_once() -> None:
    """Whatever the hour: the network is asked as the money comes."""
    owing = Owing().owes(FIFTY).until(20).pays()

    assert stages(owing)[-1] == (20, "")
    assert owing.days(BarLifted) == [20]
    assert owing.until(90).state.stages == {}


def test_paid_in_part_the_account_goes_down_to_what_the_rest_deserves() -> None:
    """The old invoice is paid, the new one is four days late: barred no more, and reminded of the new one."""
    owing = Owing().owes(FIFTY).until(17).owes(700, "INV-2", due=14).pays()

    assert owing.state.stages == {"GBP": "reminder"}
    assert owing.notices() == [(3, "reminder"), (10, "final-notice"), (17, "reminder")]
    assert owing.days(BarLifted) == [17]


def test_what_was_warned_of_before_warns_of_nothing_new() -> None:
    """Cleared after a warning, overdue again later: the second bar waits for a second warning."""
    owing = Owing().owes(FIFTY).until(12).pays().owes(FIFTY, "INV-2", due=31).until(47)
    assert owing.days(Warned) == [10, 41]
    assert owing.days(Barred) == []
    assert owing.until(48).days(Barred) == [48]


@pytest.mark.parametrize("late", [17, 45, 200])
def test_an_account_that_is_looked_at_late_is_warned_first(late: int) -> None:
    """A debt of long ago that comes up today (an old store, a hold that was released): warned now, barred in seven days."""
    owing = Owing().until(late).owes(FIFTY).until(late + 6)
    assert (owing.days(Warned), owing.days(Barred)) == ([late], [])
    assert owing.until(late + 7).days(Barred) == [late + 7]


def test_a_table_that_bars_without_a_warning_is_no_table() -> None:
    """It cannot be made, so that no market can ask for it."""
    with pytest.raises(ValueError, match="soft-bar bars before any stage warns"):
        replace(GB.collections, stages=tuple(stage for stage in USUAL_STAGES if stage.action != "warn"))


L13 = (Stage("request", 0, "remind", balance_min_minor=15_000, attempts=2, days_between=2),)
"""billing.md L13 (lago-api, spec/scenarios/dunning/dunning_campaign_v1_spec.rb): threshold 150, 2 attempts, 2 days apart."""


def test_l13_nothing_is_asked_for_below_the_threshold() -> None:
    """149 is below 150 for ever."""
    assert Owing(stages=L13).owes(14_900, currency="EUR").until(30).notices("EUR") == []


def test_l13_149_then_10_more_is_asked_for_twice_and_no_more() -> None:
    """Asked as the threshold is reached, again two days later, then not again."""
    owing = Owing(stages=L13).owes(14_900, currency="EUR").until(5).owes(1_000, "INV-2", due=5, currency="EUR").until(30)
    assert owing.notices("EUR") == [(5, "request"), (7, "request")]


def test_l13_attempts_are_counted_by_currency() -> None:
    """Two currencies of one account go their own ways; neither reaches the threshold for the other."""
    owing = (
        Owing(stages=L13)
        .owes(16_000, currency="EUR")
        .until(1)
        .owes(16_000, "INV-2", currency="GBP", due=1)
        .owes(14_000, "INV-3", currency="USD")
    )
    owing.until(30)
    assert {currency: [day for day, _ in owing.notices(currency)] for currency in ("EUR", "GBP", "USD")} == {
        "EUR": [0, 2],
        "GBP": [1, 3],
        "USD": [],
    }


CONDITIONS: dict[str, tuple[Stage, Callable[[Owing], Any], Callable[[Owing], Any]]] = {
    "number of unpaid invoices": (
        Stage("it", 0, invoices_min=2), lambda owing: owing.owes(FIFTY), lambda owing: owing.owes(FIFTY).owes(1, "INV-2"),
    ),
    "unpaid balance": (Stage("it", 0, balance_min_minor=FIFTY), lambda owing: owing.owes(4_999), lambda owing: owing.owes(5_000)),
    "time since the earliest unpaid": (
        Stage("it", 5), lambda owing: owing.owes(FIFTY).until(4), lambda owing: owing.owes(FIFTY).owes(1, "INV-2", due=5).until(5),
    ),
    "the last answer": (
        Stage("it", 0, answers=frozenset({"PAY-AUTH"})), lambda owing: owing.owes(FIFTY, answer="PAY-TMO"),
        lambda owing: owing.owes(FIFTY, answer="PAY-AUTH"),
    ),
    "a tag that must be there": (
        Stage("it", 0, only_held=frozenset({"vulnerable"})), lambda owing: owing.owes(FIFTY), lambda owing: owing.owes(FIFTY).holds("vulnerable"),
    ),
    "a tag that must not": (
        Stage("it", 0, not_held=frozenset({"vulnerable"})), lambda owing: owing.holds("vulnerable").owes(FIFTY), lambda owing: owing.owes(FIFTY),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_stage_holds_by_its_condition(name: str) -> None:
    """Kill Bill's conditions (billing.md 6.6), each beside a case in which it does not hold."""
    stage, without, with_ = CONDITIONS[name]
    first, second = Owing(stages=(stage,)), Owing(stages=(stage,))
    without(first)
    with_(second)
    assert (first.state.stages, second.state.stages) == ({}, {"GBP": "it"})


def test_the_worst_stage_that_holds_wins() -> None:
    """By the order of the table, whatever the days are."""
    table = (Stage("many", 0, invoices_min=2), Stage("old", 10), Stage("due", 0))
    assert stages(Owing(stages=table).owes(FIFTY).owes(1, "INV-2", due=9).until(30)) == [(0, "due"), (0, "many")]


def test_a_dispute_holds_its_amount_and_the_rest_is_collected() -> None:
    """All in dispute: nothing is collected; a part: the rest goes on; settled against the customer: all of it again, by its own days."""
    owing = Owing().owes(FIFTY).until(5).owes(FIFTY, cause="dispute", disputed_minor=FIFTY).until(40)
    assert stages(owing) == [(0, "due"), (3, "reminder"), (5, "")]

    owing.owes(FIFTY, cause="dispute").until(47)
    assert owing.days(Warned) == [40]
    assert stages(owing)[-2:] == [(40, "final-notice"), (47, "hard-bar")]

    part = Owing().owes(FIFTY).until(5).owes(FIFTY, cause="dispute", disputed_minor=4_000).until(10).told(Warned)[0][1]
    assert isinstance(part, Warned)
    assert part.open_minor == 1_000


@pytest.mark.parametrize("kind", ["dispute", "payment-pending", "key-account"])
def test_a_hold_keeps_things_as_they_are(kind: str) -> None:
    """No notice, no worse stage while it lasts; what follows its end begins with the warning."""
    owing = Owing().owes(FIFTY).until(3).holds(kind).until(13)
    assert (owing.state.stages, owing.notices()) == ({"GBP": "reminder"}, [(3, "reminder")])

    owing.releases(kind).until(40)
    assert (owing.days(Warned)[0], owing.days(Barred)[0]) == (13, 20)


def test_a_hold_ends_by_itself_on_its_day() -> None:
    """Held through the 12th day: on the 13th in the morning the account is warned."""
    assert Owing().owes(FIFTY).until(3).holds("payment-pending", days=9).until(30).days(Warned) == [13]


def test_a_barred_account_stays_barred_while_it_is_held() -> None:
    """A hold keeps things from becoming worse; it opens no line. The hard bar waits."""
    owing = Owing().owes(FIFTY).until(20).holds("key-account").until(50)
    assert (owing.state.bar, owing.days(BarLifted)) == ("soft", [])


def test_a_vulnerable_customer_is_told_and_never_barred() -> None:
    """Marked while barred, the lines are opened at once; notices go on."""
    told = Owing().holds("vulnerable").owes(FIFTY).until(200)
    assert (told.notices(), told.days(BarRequested)) == ([(3, "reminder"), (10, "final-notice")], [])
    assert Owing().owes(FIFTY).until(20).holds("vulnerable").days(BarLifted) == [20]


def test_a_promise_that_is_kept_leaves_nothing() -> None:
    """Until its day nothing happens; paid in time, the account is clear."""
    owing = Owing().owes(FIFTY).until(9).promises(FIFTY, days=7).until(15).pays()
    assert (owing.days(PromiseKept), owing.days(PromiseBroken), owing.notices()) == ([15], [], [(3, "reminder")])


def test_a_promise_that_is_broken_is_known_the_day_after() -> None:
    """Part of it came: broken, and the course goes on where the days say, with its warning first."""
    owing = Owing().owes(FIFTY).until(9).promises(FIFTY, days=7).until(12).pays(1_000).until(30)
    [(day, broken)] = owing.told(PromiseBroken)
    assert isinstance(broken, PromiseBroken)
    assert (day, broken.paid_minor, owing.days(Warned)[:1], owing.days(Barred)[:1]) == (17, 4_000, [17], [24])


def test_a_promise_of_a_part_is_kept_by_that_part() -> None:
    """The rest is collected from then on."""
    owing = Owing().owes(FIFTY).until(4).promises(2_000, days=5).pays(3_000).until(10)
    assert (owing.days(PromiseKept), owing.days(Warned)) == ([4], [10])


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"amount_minor": FIFTY, "days": 15}, "14 days ahead at most"),
        ({"amount_minor": FIFTY, "days": -1}, "from 2026-01-26 on"),
        ({"amount_minor": FIFTY + 1, "days": 3}, "owes less than that"),
        ({"amount_minor": FIFTY, "days": 3, "currency": "EUR"}, "owes nothing in EUR"),
    ],
)
def test_a_promise_that_cannot_be_taken_is_refused(wish: dict[str, Any], why: str) -> None:
    """Too far off, over already, more than is owed, of nothing."""
    with pytest.raises(Refused, match=why):
        Owing().owes(FIFTY).until(4).promises(**wish)


def test_after_two_broken_promises_none_more_is_taken() -> None:
    """By the market's own figure."""
    owing = Owing().owes(FIFTY).until(4).promises(FIFTY, days=1).until(6).promises(FIFTY, days=1).until(8)
    assert owing.days(PromiseBroken) == [6, 8]
    with pytest.raises(Refused, match="2 promises were broken"):
        owing.promises(FIFTY, days=1)


def test_services_that_were_ended_are_not_opened_by_a_late_payment() -> None:
    """They are over for good; whoever pays late owes nothing and orders anew."""
    owing = Owing().owes(FIFTY).until(61).pays()
    assert (owing.state.bar, owing.days(BarLifted), stages(owing)[-1]) == ("ended", [], (61, ""))


def collected(owing: Owing) -> int:
    return sum(arrear.collected_minor for arrear in owing.state.collected("GBP"))


def test_a_dispute_settled_for_the_operator_is_collected_again() -> None:
    """Opened before the due day: what becomes overdue is the rest; settled, it is all."""
    owing = Owing().disputes(1_000).owes(FIFTY)
    assert collected(owing) == 4_000
    assert collected(owing.settles("operator")) == FIFTY


def test_a_dispute_settled_for_the_customer_is_collected_never() -> None:
    """It stays out of collection until a credit note takes it off the invoice, which leaves the rest as it was."""
    owing = Owing().owes(FIFTY).disputes(1_000).settles("customer")
    assert collected(owing) == 4_000
    assert collected(owing.owes(4_000, cause="credit")) == 4_000
    assert collected(owing.disputes(4_000)) == 0


@pytest.mark.parametrize("paid", [0, 1_000, 4_500])
def test_a_payment_leaves_what_is_disputed_in_dispute(paid: int) -> None:
    """The rest is collected, never less than nothing."""
    assert collected(Owing().owes(FIFTY).disputes(1_000).pays(FIFTY - paid)) == max(4_000 - paid, 0)


def test_a_dispute_that_cannot_be_is_refused() -> None:
    """More than is open, a second one beside the first, an outcome that is none; settled twice, nothing."""
    owing = Owing().owes(FIFTY)
    with pytest.raises(Refused, match="less than that is open"):
        owing.disputes(FIFTY + 1)
    owing.disputes(1_000)
    with pytest.raises(Refused, match="a dispute stands already"):
        owing.disputes(2_000)
    with pytest.raises(Refused, match="for the customer or for the operator"):
        owing.settles("court")
    owing.settles("operator")
    before = len(owing.happened)
    assert len(owing.settles("operator").happened) == before


def test_what_is_in_dispute_is_said_of_the_arrears() -> None:
    """Opened and settled: the arrears say how much of them is not collected; of an invoice that is not overdue nothing is owed past its due day."""
    owing = Owing().owes(FIFTY).disputes(1_000).settles("operator").disputes(400).settles("customer")
    said = [one.event for one in owing.happened if isinstance(one.event, ArrearsChanged) and one.event.cause == "dispute"]
    assert [(event.open_minor, event.disputed_minor, event.due_on) for event in said] == [
        (FIFTY, minor, said[0].due_on) for minor in (1_000, 0, 400, 400)
    ]
    assert not [one for one in Owing().disputes(1_000).happened if isinstance(one.event, ArrearsChanged)]
