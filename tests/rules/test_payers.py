"""The simulated payers: punctual as often as the rates say, paying what is open, under one reference."""

from datetime import UTC, date, datetime, timedelta

import pytest

from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request
from tests.asking import DAY, KEYS, asked, assert_near, partner_of, until_the_end

ISSUED = datetime(2026, 1, 8, 6, tzinfo=UTC)
METHODS = ("card", "direct-debit", "pay-by-link", "invoice")


def paid(method: str, number: int, at: datetime = ISSUED) -> list[tuple[Request, Answer]]:
    return list(until_the_end(partner_of("payment"), asked("payment", number, at=at, method=method)))


def test_a_link_is_used_within_nine_days_or_expires_after_thirty() -> None:
    """Four in a hundred are never used: looked at weekly, expired on the thirtieth day after issue."""
    ends = [paid("pay-by-link", number) for number in range(KEYS)]
    unused = [end for end in ends if end[-1][1] == RefusedBy("EXPIRED")]
    assert_near(len(unused), 4)
    assert {len(end) for end in unused} == {6}
    assert {(end[-1][0].at.date() - ISSUED.date()).days for end in unused} == {30}
    used = [end for end in ends if end[-1][1] != RefusedBy("EXPIRED")]
    assert {len(end) for end in used} == {2}
    assert {(end[-1][0].at.date() - ISSUED.date()).days for end in used} == set(range(10))


def test_a_transfer_arrives_before_it_is_due_or_some_days_after() -> None:
    """Five in a hundred come 3 to 20 days late, the others 3 to 13 days after issue."""
    ends = [paid("invoice", number)[-1] for number in range(KEYS)]
    after_due = [(request.at.date() - date(2026, 1, 22)).days for request, _ in ends]
    late = [days for days in after_due if days >= 0]
    assert_near(len(late), 5)
    assert set(late) == set(range(3, 21))
    assert {days for days in after_due if days < 0} == set(range(-11, 0))


@pytest.mark.parametrize("terms_days", [0, 1, 3, 7, 30])
def test_a_punctual_transfer_keeps_any_terms_of_payment(terms_days: int) -> None:
    """Shorter terms bring the money sooner; terms of no days at all bring it on the day."""
    due_on = ISSUED.date() + timedelta(days=terms_days)
    partner, arrivals = partner_of("payment"), []
    for number in range(500):
        request = asked("payment", number, at=ISSUED, method="invoice", due_on=due_on.isoformat())
        arrivals.append([r.at.date() for r, _ in until_the_end(partner, request)][-1])
    in_time = [day for day in arrivals if day < max(due_on, ISSUED.date() + DAY)]
    assert len(in_time) > 0.9 * len(arrivals)


@pytest.mark.parametrize("method", METHODS)
def test_a_payment_is_the_open_amount_under_one_reference(method: str) -> None:
    """What comes in is what was open, also when the method was changed long after issue."""
    for number in range(200):
        answers = [answer for _, answer in paid(method, number, at=ISSUED + timedelta(days=15))]
        assert isinstance(answers[-1], Answered | RefusedBy)
        if isinstance(answers[-1], Answered):
            assert answers[-1].data["amount_minor"] == 2399
            assert {a.reference for a in answers if isinstance(a, Accepted)} <= {answers[-1].data["reference"]}


@pytest.mark.parametrize("method", ["pay-by-link", "invoice"])
def test_a_payer_asked_too_early_has_not_paid(method: str) -> None:
    """The moment told stays the same however often it is asked about; a link that nobody will use is looked at a week after the last look."""
    partner = partner_of("payment")
    for number in range(200):
        answer = partner.submit(asked("payment", number, at=ISSUED, method=method))
        early = partner.query(asked("payment", number, at=ISSUED + timedelta(hours=1), method=method))
        assert {type(early), type(answer)} == {Accepted}
        unused = paid(method, number)[-1][1] == RefusedBy("EXPIRED")
        assert early.ask_again_at - answer.ask_again_at == (timedelta(hours=1) if unused else timedelta())
