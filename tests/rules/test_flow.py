"""From a partner's answer to what happens next: done, asked again, fallen out, tried again at a growing distance, given to a person."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from o2c.devices.events import DeviceUnblocked
from o2c.fallout.codes import packaged
from o2c.hooks.events import HookSuspended
from o2c.intake.events import IntakeLineRefused
from o2c.invoicing.events import CreditNoteRequested, InvoiceIssued, TakenOff
from o2c.invoicing.noted import InvoiceState
from o2c.kernel import flow
from o2c.kernel.agenda import by_shape
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.reversals import PaymentChargedBack
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.markets.registry import MARKETS
from o2c.messages.events import MessageWithheld
from o2c.orders.events import CancellationRequested
from o2c.plan import STEPS
from o2c.products.events import ProductSuspended
from o2c.triggers.events import TriggerWithheld
from tests.given import MARKET, MONDAY, PORTING, SEED, Story, codes_of, item
from tests.lives_of_goods_in_service import leaving_soon, switched
from tests.lives_of_withdrawals import after, withdrawn

LATER = MONDAY + timedelta(hours=3)
REASONS = packaged().newest.reasons
RETRIES = packaged().newest.retries
ASKING = sorted(name for name, step in STEPS.items() if step.partner)


def work(step: str = "activation", attempt: int = 1, stream: str = "order-1001") -> Work:
    if step == "credit":
        return replace(Story(item()).run(until=step).work("", step), attempt=attempt)
    invoice = InvoiceState(issued=InvoiceIssued.model_validate(InvoiceIssued.example))
    of = {
        "payment": invoice,
        **dict.fromkeys(("withdrawal-switch-off", "goods-return"), after(withdrawn())),
        **dict.fromkeys(("port-out", "port-out-cutover", "reactivation"), leaving_soon()),
        "switch-out": switched(),
    }
    return Work(stream, "1", step, attempt, of.get(step), None, market=MARKET, codes=packaged())


def settled(answer: Answer, step: str = "activation", attempt: int = 1) -> list[Any]:
    return list(flow.settle(STEPS[step], work(step, attempt), answer, MONDAY, seed=SEED).events)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        pytest.param(Accepted("REF-1", LATER), ["partner.accepted"], id="accepted"),
        pytest.param(Unknown(LATER), ["partner.silent"], id="unknown"),
        pytest.param(NeverHeard(), ["activation.fell-out", "retry.scheduled"], id="never-heard"),
        pytest.param(Failed("UNAVAILABLE"), ["activation.fell-out", "retry.scheduled"], id="failed-for-now"),
        pytest.param(Failed("PERMANENT"), ["activation.fell-out"], id="failed-for-good"),
        pytest.param(RefusedBy("REFUSED"), ["activation.fell-out"], id="refused"),
        pytest.param(RefusedBy("moonshine"), ["activation.fell-out"], id="in-a-code-we-do-not-know"),
    ],
)
def test_every_answer_has_its_events(answer: Answer, names: list[str]) -> None:
    """Only an unknown answer is a silence, and only a transient failure is tried again by itself."""
    assert [event.type_name for event in settled(answer)] == names


def test_a_done_answer_is_the_step_s_own_event() -> None:
    """The capability builds it, with the attempt it came on."""
    story = Story(item()).run(until="esim")
    story.attend("esim", "1", Answered({"matching_id": "K2"}))
    assert (story.last("esim.confirmed").matching_id, story.last("esim.confirmed").attempt) == ("K2", 1)


@pytest.mark.parametrize("step", ASKING)
def test_a_silence_is_queried_before_anything_is_sent_again(step: str) -> None:
    """The same attempt is asked about at the partner's time; nothing fell out yet."""
    [silent] = settled(Unknown(LATER), step)
    [entry] = by_shape("order-1001", silent, priority=4, since=MONDAY)
    assert (entry.kind, entry.attempt, entry.due_at, entry.step) == ("query", 1, LATER, step)


@pytest.mark.parametrize("step", ASKING)
def test_a_request_that_was_never_heard_is_sent_again(step: str) -> None:
    """For every partner the code of silence is transient: a new attempt is scheduled."""
    fell_out, retry = settled(NeverHeard(), step)
    assert (fell_out.recoverability, fell_out.partner_code) == ("transient", "never heard")
    assert (retry.step, retry.attempt) == (step, 2)


@pytest.mark.parametrize(("step", "code"), [pytest.param(step, code, id=f"{step}-{code}") for step in ASKING for code in codes_of(step)])
def test_a_partner_s_code_is_told_in_ours_and_kept(step: str, code: str) -> None:
    """Our code decides class, origin, queue and who is waited for; the partner's stays beside it."""
    first = settled(RefusedBy(code), step)[0]
    reason = REASONS[STEPS[step].ask.our_code(work(step), code, MONDAY)]
    assert (first.reason, first.partner_code) == (reason.code, code)
    if first.shape == "fell-out":
        told = (first.queue, first.fault_class, first.origin, first.recoverability, first.waiting_for)
        assert told == (reason.queue, reason.fault_class, reason.origin, reason.recoverability, reason.waiting_for)
    else:
        assert reason.code in STEPS[step].referral.declines


def test_a_code_nobody_knows_is_unclassified() -> None:
    """It goes to a queue of its own with the code as it came, and is not tried again."""
    [fell_out] = settled(Failed("0x7f"))
    assert (fell_out.reason, fell_out.queue, fell_out.partner_code) == ("unclassified", "unclassified", "0x7f")


def _codes(step: Step) -> Iterator[str]:
    """Our codes that a step names, in every version of every market."""
    ours = [code for versions in MARKETS.values() for market in versions for code in market.porting.refusals.values()]
    if step.ask:
        told = packaged().newest.steps[step.name]
        yield from (*told.codes.values(), told.silence, *(ours if step.ask.code_of else ()))
    if step.draw:
        yield step.draw.out_of_stock
    if step.referral:
        yield from step.referral.declines


def test_all_codes_that_steps_and_rules_use_are_in_the_table() -> None:
    """No step can fall out under a code without a meaning."""
    used = {code for step in STEPS.values() for code in _codes(step)}
    assert used <= REASONS.keys()
    # Why a line of a file is refused, a hook is suspended, a message is withheld, an invoice is credited, a payment is charged back, a product rests, a device is free again or an order is cancelled is no code of a fallout.
    of_money = (TakenOff, CreditNoteRequested, PaymentChargedBack)
    of_orders = (ProductSuspended, DeviceUnblocked, CancellationRequested)
    others = (IntakeLineRefused, HookSuspended, MessageWithheld, TriggerWithheld, *of_money, *of_orders)
    of_steps = [event for event in EVENT_TYPES.values() if "reason" in event.example and not issubclass(event, others)]
    assert {event.example["reason"] for event in of_steps} <= REASONS.keys()


@pytest.mark.parametrize(
    ("attempt", "wait_s"),
    [
        pytest.param(1, 30, id="first-after-half-a-minute"),
        pytest.param(2, 120, id="then-four-times-as-long"),
        pytest.param(3, 480, id="and-again"),
        pytest.param(4, 1800, id="at-most-half-an-hour"),
        pytest.param(5, 1800, id="and-no-more"),
    ],
)
@hypothesis.given(seed=strategies.integers(0, 2**32), name=strategies.uuids().map(str))
def test_retries_wait_longer_each_time_within_a_tenth(attempt: int, wait_s: int, seed: int, name: str) -> None:
    """30 s, times four, at most 30 min, each spread by up to a tenth either way so that an outage's victims do not return together."""
    delay = flow.retry_delay(work(attempt=attempt, stream=f"order-{name}"), RETRIES, seed=seed)
    assert 0.9 * wait_s <= delay.total_seconds() <= 1.1 * wait_s


def test_the_spread_is_a_spread() -> None:
    """Different orders wait differently long, the same order with the same seed equally long."""
    delays = [flow.retry_delay(work(stream=f"order-{number}"), RETRIES, seed=SEED) for number in range(50)]
    assert len(set(delays)) > 40
    assert delays == [flow.retry_delay(work(stream=f"order-{number}"), RETRIES, seed=SEED) for number in range(50)]


def test_a_transient_failure_is_tried_five_times_more_and_then_waits_for_us() -> None:
    """Six attempts under one fallout, held from the last on, nothing left on the agenda."""
    story = Story(item()).run(but={("1", "activation"): Failed("UNAVAILABLE")})
    fell_out = [event for event in story.events if event.type_name == "activation.fell-out"]
    assert [event.attempt for event in fell_out] == [1, 2, 3, 4, 5, 6]
    assert len({event.fallout for event in fell_out}) == 1
    assert [event.attempt for event in story.events if event.type_name == "retry.scheduled"] == [2, 3, 4, 5, 6]
    assert (story.agenda, story.states()["1"]) == ({}, "held")


@pytest.mark.parametrize(("wait", "due"), [(timedelta(minutes=9), timedelta(minutes=9)), (timedelta(seconds=1), None)])
def test_a_partner_that_says_when_is_not_asked_sooner(wait: timedelta, due: timedelta | None) -> None:
    """The next attempt waits for the partner's word, but never less than an attempt waits anyhow."""
    _, retry = flow.settle(STEPS["activation"], work(), Failed("UNAVAILABLE", MONDAY + wait), MONDAY, seed=SEED).events
    assert retry.due_at == MONDAY + (due or flow.retry_delay(work(), RETRIES, seed=SEED))


def test_a_retry_that_succeeds_closes_the_fallout() -> None:
    """The order goes on as if nothing had been; the next failure would be a fallout of its own."""
    story = Story(item()).run(until="activation")
    story.attend("activation", "1", Failed("UNAVAILABLE"))
    story.attend("activation", "1")
    story.attend("activation", "1")
    assert story.state.record("1", "activation").fallout == ""
    assert story.run().states()[""] == "completed"


@pytest.mark.parametrize("answers", [[Accepted("R", LATER)], [Unknown(LATER)], [Unknown(LATER), Accepted("R", LATER), Unknown(LATER)]])
def test_waiting_for_an_answer_is_progress_and_not_fallout(answers: list[Answer]) -> None:
    """A request that is taken or unanswered leaves the item in progress, and the answer to the query ends it."""
    story = Story(item(characteristics=PORTING)).run(until="esim")
    for answer in answers:
        story.attend("esim", "1", answer)
        assert story.states()["1"] == "inProgress"
    story.attend("esim", "1")
    assert story.run().states()[""] == "completed"


def test_a_forced_step_leaves_the_agenda() -> None:
    """A step that a person counted as done is not tried again by an earlier schedule."""
    story = Story(item()).run(until="esim")
    story.attend("esim", "1", Failed("UNAVAILABLE"))
    assert story.agenda["1", "esim"].kind == "retry"
    story.force("esim")
    assert ("1", "esim") not in story.agenda
    assert story.run().names().count("esim.requested") == 1
