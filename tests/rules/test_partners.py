"""The simulated partners: as frequent as the rates say, repeatable, deaf to retries where a person decides, and known to the steps."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.partners.registry import simulated_partners
from o2c.plan import STEPS
from tests.asking import BODIES, KEYS, MONDAY, SEED, asked, assert_near, partner_of, until_the_end
from tests.given import codes_of

METHODS = ("card", "direct-debit", "pay-by-link", "invoice")
MARKABLE = ("esim", "activation", "activation-cancel", "delivery", "porting", "cutover")
TECHNICAL = ("esim", "activation", "qualification", "appointment", "delivery", "cutover", "porting-cancel")


def submitted(step: str, **more: Any) -> list[Answer]:
    partner = partner_of(step)
    return [partner.submit(asked(step, number, **more)) for number in range(KEYS)]


def kinds(answers: Iterable[Answer]) -> Counter[str]:
    return Counter(getattr(answer, "code", type(answer).__name__) for answer in answers)


def test_every_partner_a_step_names_is_simulated() -> None:
    """Names of steps' partners and of simulators are the same set, and every such step is tried here."""
    assert {step.partner for step in STEPS.values() if step.partner} == set(simulated_partners(SEED))
    assert {name for name, step in STEPS.items() if step.partner} == set(BODIES)


IDENTITY = {"Answered": 96, "REFER": 2.5, "FAIL": 1.5}
FAULTS = {"UNAVAILABLE": 1.5, "PERMANENT": 0.3, "Unknown": 0.5}


@pytest.mark.parametrize(
    ("step", "body", "percents"),
    [
        pytest.param("identity", {}, IDENTITY, id="identity-of-an-adult"),
        pytest.param("identity", {"kind": "organisation", "birth_date": ""}, IDENTITY, id="identity-of-an-organisation"),
        pytest.param("credit", {}, {"Answered": 92, "DEPOSIT": 3, "REFER": 3, "DECLINE": 2}, id="credit"),
        pytest.param("porting", {}, {"Answered": 91, "CODE-EXPIRED": 4, "NAME-MISMATCH": 2, "NUMBER-INACTIVE": 1, "BARRED": 2}, id="donor"),
        pytest.param("payment", {"method": "card"}, {"Answered": 97, "DECLINED": 3}, id="card"),
        pytest.param("payment", {"method": "direct-debit"}, {"Answered": 98.5, "RETURNED": 1.5}, id="direct-debit"),
        pytest.param("refund", {"method": "card"}, {"Answered": 98, "NOT-REFUNDABLE": 2}, id="refund-to-a-card"),
        pytest.param("refund", {"method": "bank-transfer"}, {"Accepted": 99, "ACCOUNT-CLOSED": 1}, id="refund-to-a-bank"),
        *(
            pytest.param(step, {}, {"Answered": 97.7, **FAULTS}, id=step)
            for step in ("esim", "activation", "activation-cancel", "product-off", "qualification", "cutover")
        ),
        pytest.param("appointment", {}, {"Accepted": 97.7, **FAULTS}, id="appointment"),
        pytest.param("delivery", {}, {"Accepted": 97.02, "UNAVAILABLE": 1.5, "WRONG-ADDRESS": 0.98, "Unknown": 0.5}, id="delivery"),
    ],
)
def test_answers_come_as_often_as_the_rates_say(step: str, body: dict[str, str], percents: dict[str, float]) -> None:
    """Over many orders each kind of answer has its share, and there is no other kind."""
    seen = kinds(submitted(step, **body))
    assert seen.keys() == percents.keys()
    for kind, percent in percents.items():
        assert_near(seen[kind], percent)


def test_some_approvals_carry_a_limit_that_covers_the_order() -> None:
    """Four in a hundred, from once to three times the commitment, in whole thousands."""
    limits = [answer.data["limit_minor"] for answer in submitted("credit") if isinstance(answer, Answered) and answer.data]
    assert_near(len(limits), 4)
    assert all(limit % 1_000 == 0 and 47_976 <= limit <= 3 * 47_976 + 1_000 for limit in limits)
    assert len(set(limits)) > 50


def test_a_limit_is_never_nothing() -> None:
    """An order without commitment gets the smallest limit, for no limit at all reads as unlimited."""
    answers = submitted("credit", commitment_minor=0)
    assert {a.data["limit_minor"] for a in answers if isinstance(a, Answered) and a.data} == {1_000}


def test_a_donor_delays_by_one_to_three_working_days() -> None:
    """Five in a hundred accept later; the others say nothing of days."""
    answers = [answer for answer in submitted("porting") if isinstance(answer, Answered)]
    delays = Counter(answer.data.get("working_days_more") for answer in answers)
    assert delays.keys() == {None, 1, 2, 3}
    assert_near(delays[1] + delays[2] + delays[3], 5)
    assert all(re.fullmatch(r"PRT-[0-9]{6}", answer.data["reference"]) for answer in answers)


@pytest.mark.parametrize(
    ("birth_date", "code"),
    [
        pytest.param("2008-01-06", "FAIL", id="eighteen-tomorrow"),
        pytest.param("2008-01-05", "", id="eighteen-today"),
        pytest.param("2026-01-01", "FAIL", id="a-baby"),
        pytest.param("", "REFER", id="none"),
        pytest.param("01/02/1980", "REFER", id="not-iso"),
        pytest.param("1981-02-29", "REFER", id="no-such-day"),
    ],
)
def test_minors_fail_and_unreadable_birth_dates_are_referred(birth_date: str, code: str) -> None:
    """Whatever the seed says of adults."""
    codes = {getattr(partner_of("identity", seed).submit(asked("identity", birth_date=birth_date)), "code", "") for seed in range(20)}
    assert codes == {code} if code else "" in codes


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    """On 28 February of a common year the eighteenth birthday has not come."""
    asked_on = {day: asked("identity", at=datetime(2026, *day, tzinfo=UTC), birth_date="2008-02-29") for day in ((2, 28), (3, 1))}
    assert partner_of("identity").submit(asked_on[2, 28]) == RefusedBy("FAIL")
    assert partner_of("identity").submit(asked_on[3, 1]) == Answered()


@pytest.mark.parametrize(
    ("step", "kind", "correction"),
    [
        pytest.param("identity", "REFER", {"name": "Ada B. Example"}, id="identity"),
        pytest.param("credit", "DECLINE", {"commitment_minor": 12_000}, id="credit"),
        pytest.param("porting", "CODE-EXPIRED", {"code": "XYZ654321"}, id="porting-code"),
        pytest.param("delivery", "WRONG-ADDRESS", {"address": "2 Mill Lane, Testford, ZZ1 1AA"}, id="address"),
        pytest.param("payment", "DECLINED", {"method": "direct-debit"}, id="payment-method"),
    ],
)
def test_a_retry_changes_no_refusal_but_a_correction_may(step: str, kind: str, correction: dict[str, Any]) -> None:
    """Whoever was refused is refused again on the same terms, and nearly always accepted on others."""
    partner = partner_of(step)
    refused = [n for n in range(5_000) if kinds([partner.submit(asked(step, n))])[kind]]
    again = kinds(partner.submit(asked(step, n, attempt=2)) for n in refused)
    assert set(again) <= {kind, "UNAVAILABLE", "Unknown"}
    assert again[kind] > 0.9 * len(refused)
    corrected = kinds(partner.submit(asked(step, n, attempt=2, **correction)) for n in refused)
    assert corrected["Answered"] + corrected["Accepted"] > 0.8 * len(refused) > 30


@pytest.mark.parametrize("step", TECHNICAL)
def test_a_technical_fault_is_drawn_for_each_attempt(step: str) -> None:
    """Of those who found the partner unavailable nearly all get through the second time."""
    partner = partner_of(step)
    failed = [n for n in range(KEYS) if partner.submit(asked(step, n)) == Failed("UNAVAILABLE")]
    again = kinds(partner.submit(asked(step, n, attempt=2)) for n in failed)
    assert again["Answered"] + again["Accepted"] > 0.9 * len(failed) > 200


@pytest.mark.parametrize("step", MARKABLE)
@pytest.mark.parametrize(
    ("suffix", "codes"),
    [
        pytest.param("999", ("UNAVAILABLE",) * 4, id="always-unavailable"),
        pytest.param("998", ("REFUSED",) * 4, id="always-refused"),
        pytest.param("997", ("UNAVAILABLE", "UNAVAILABLE", "", ""), id="twice-unavailable"),
    ],
)
def test_the_last_digits_of_a_resource_ask_for_a_fault(step: str, suffix: str, codes: tuple[str, ...]) -> None:
    """Attempt by attempt, in an ICCID as in an MSISDN, under any seed and order."""
    for name in set(BODIES[step]) & {"iccid", "msisdn"}:
        body = {name: BODIES[step][name][:-3] + suffix}
        for number in range(100):
            partner = partner_of(step, seed=number)
            answers = [partner.submit(asked(step, number, attempt=attempt, **body)) for attempt in range(1, 5)]
            assert tuple(getattr(answer, "code", "") for answer in answers) == codes
            assert all(isinstance(a, Answered | Accepted) for a, code in zip(answers, codes, strict=True) if not code)
            assert {a.code for a in answers if isinstance(a, Failed)} <= {"UNAVAILABLE"}


def test_an_outage_comes_before_a_refusal() -> None:
    """Who is not there refuses nothing."""
    answer = partner_of("cutover").submit(asked("cutover", iccid="8944100000000000998", msisdn="+447700900999"))
    assert answer == Failed("UNAVAILABLE")


@pytest.mark.parametrize("step", TECHNICAL)
def test_after_silence_half_of_the_work_is_found_done(step: str) -> None:
    """Five minutes later the partner knows of the request, or never heard of it; what takes time is then under way."""
    partner, soon = partner_of(step), MONDAY + timedelta(minutes=5)
    silent = [n for n in range(KEYS) if partner.submit(asked(step, n)) == Unknown(soon)]
    found = kinds(partner.query(asked(step, n, at=soon)) for n in silent)
    assert 0.3 < found["NeverHeard"] / len(silent) < 0.7
    done = "Accepted" if step in ("appointment", "delivery") else "Answered"
    assert found[done] > 0.8 * (len(silent) - found["NeverHeard"])
    assert set(found) <= {"NeverHeard", "Answered", done, "WRONG-ADDRESS"}


@pytest.mark.parametrize("step", ["appointment", "delivery"])
def test_work_that_takes_time_comes_to_its_end(step: str) -> None:
    """Asked whenever told, also after silence, a partner ends with the reference it gave."""
    partner, ends = partner_of(step), Counter[str]()
    for number in range(KEYS):
        answers = [answer for _, answer in until_the_end(partner, asked(step, number))]
        ends[kinds(answers[-1:]).most_common(1)[0][0]] += 1
        references = {a.reference for a in answers if isinstance(a, Accepted)}
        if references and isinstance(answers[-1], Answered):
            assert references == {answers[-1].data["reference"]}
            assert len(answers) <= 6
    assert_near(ends["LOST"] + ends["PERMANENT"], 0.3)
    assert_near(ends["NeverHeard"], 0.25)


def test_a_parcel_arrives_in_one_to_three_days_in_working_hours() -> None:
    """Every day of the three and the whole of the day is used."""
    answers = [answer for answer in submitted("delivery") if isinstance(answer, Accepted)]
    moments = [answer.ask_again_at for answer in answers]
    assert {(moment.date() - MONDAY.date()).days for moment in moments} == {1, 2, 3}
    assert {moment.hour for moment in moments} == set(range(9, 18))
    assert all((moment.hour, moment.minute) <= (17, 0) for moment in moments)
    assert all(re.fullmatch(r"PCL-[0-9]{6}", answer.reference) for answer in answers)


@pytest.mark.parametrize("days", range(7))
def test_a_fitter_comes_on_a_weekday_three_to_eight_days_later(days: int) -> None:
    """Whatever day of the week it was asked for on; at nine or at one."""
    at = MONDAY + timedelta(days=days)
    answers = [partner_of("appointment").submit(asked("appointment", number, at=at)) for number in range(500)]
    moments = [answer.ask_again_at for answer in answers if isinstance(answer, Accepted)]
    assert {(moment.date() - at.date()).days for moment in moments} <= set(range(3, 9))
    assert {moment.weekday() for moment in moments} <= set(range(5))
    assert {(moment.hour, moment.minute) for moment in moments} == {(9, 0), (13, 0)}


def test_a_fitter_who_finds_nobody_says_so() -> None:
    """Two in a hundred visits are in vain."""
    partner = partner_of("appointment")
    ends = [list(until_the_end(partner, asked("appointment", number)))[-1][1] for number in range(KEYS)]
    booked = [answer for answer in ends if answer == RefusedBy("NOBODY-HOME") or isinstance(answer, Answered)]
    assert_near(sum(answer == RefusedBy("NOBODY-HOME") for answer in booked), 2, of=len(booked))


def test_a_fitter_comes_on_the_day_that_was_chosen_or_says_that_it_is_full() -> None:
    """At the hour of the window; of the working days a tenth is full, for everybody alike; an hour that is past is taken by nobody."""
    partner = partner_of("appointment")
    days = [date(2026, 1, 6) + timedelta(days=n) for n in range(600)]
    told = {
        (day, window): partner.submit(asked("appointment", 1, visit_on=day.isoformat(), window=window))
        for day in days
        for window in ("morning", "afternoon")
    }
    full = {day for day, window in told if told[day, window] == RefusedBy("DAY-FULL")}

    assert_near(len(full), 10, of=len(days))
    assert all(partner.submit(asked("appointment", 2, visit_on=day.isoformat())) == RefusedBy("DAY-FULL") for day in full)
    for (day, window), answer in told.items():
        if isinstance(answer, Accepted):
            assert answer.ask_again_at == datetime(day.year, day.month, day.day, {"morning": 9, "afternoon": 13}[window], tzinfo=UTC)
    assert partner.submit(asked("appointment", 1, visit_on="2026-01-05", window="morning")) == RefusedBy("DAY-FULL")


def test_a_profile_gets_a_matching_id_of_its_own() -> None:
    """In the form of GSMA SGP.22, different for each profile, the same at every attempt."""
    ids = {n: a.data["matching_id"] for n, a in enumerate(submitted("esim")) if isinstance(a, Answered)}
    assert all(re.fullmatch(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){3}", text) for text in ids.values())
    assert set("".join(ids.values())) == set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-")
    assert len(set(ids.values())) == len(ids)
    again = [(n, partner_of("esim").submit(asked("esim", n, attempt=2))) for n in range(100)]
    assert all(ids.get(n, a.data["matching_id"]) == a.data["matching_id"] for n, a in again if isinstance(a, Answered))


def test_a_line_is_found_for_an_address() -> None:
    """Another address of the same order is another line."""
    answers = [partner_of("qualification").submit(asked("qualification", address=text)) for text in ("1 Mill Lane", "2 Mill Lane")]
    lines = {answer.data["line_id"] for answer in answers if isinstance(answer, Answered)}
    assert len(lines) == 2
    assert all(re.fullmatch(r"LINE-[0-9]{10}", line) for line in lines)


def every_code(step: str) -> set[str]:
    """All codes a step's partner answers, over many orders, marks, ages, methods and queries."""
    partner = partner_of(step)
    bodies: list[dict[str, Any]] = [{}, {"birth_date": "2020-01-01"}, {"birth_date": "?"}]
    bodies += [{"msisdn": f"+447700900{mark}"} for mark in (997, 998, 999)] if step in MARKABLE else []
    bodies += [{"method": method} for method in METHODS] if step in ("payment", "refund") else []
    requests = [asked(step, number, **body) for number in range(4_000) for body in bodies]
    answers = (answer for request in requests for _, answer in until_the_end(partner, request))
    return {answer.code for answer in answers if isinstance(answer, RefusedBy | Failed)}


@pytest.mark.parametrize("step", BODIES)
def test_a_step_knows_every_code_of_its_partner(step: str) -> None:
    """A code no step knows would land in the queue as a defect of ours."""
    assert every_code(step) <= set(codes_of(step))


@hypothesis.given(
    strategies.sampled_from(sorted(BODIES)),
    strategies.integers(min_value=0, max_value=2**63),
    strategies.integers(min_value=0, max_value=10**6),
    strategies.integers(min_value=1, max_value=9),
    strategies.timedeltas(min_value=timedelta(), max_value=timedelta(days=365)).map(lambda later: MONDAY + later),
    strategies.text(),
)
def test_the_same_request_gets_the_same_answer(step: str, seed: int, number: int, attempt: int, at: datetime, text: str) -> None:
    """From any simulator of the seed, in any order of asking; only a query never heard, and asking again lies ahead."""
    body = {key: text for key in ("name", "birth_date", "address", "code") if key in BODIES[step]}
    request = asked(step, number, attempt=attempt, at=at, **body)
    partner, other = partner_of(step, seed), partner_of(step, seed)
    first, state = partner.submit(request), partner.query(request)
    assert (other.query(request), other.submit(request)) == (state, first)
    assert (partner.submit(request), partner.query(request)) == (first, state)
    assert not isinstance(first, NeverHeard)
    assert not isinstance(state, Unknown)
    assert all(answer.ask_again_at > at for answer in (first, state) if isinstance(answer, Accepted | Unknown))


def test_another_seed_is_another_world() -> None:
    """Two seeds decline different cards."""
    one, other = (
        {n for n in range(1_000) if partner_of("payment", s).submit(asked("payment", n)) == RefusedBy("DECLINED")} for s in (1, 2)
    )
    assert one != other
