"""A fixed service that its customer brings from another provider: matched, ordered, triggered or called off, and what becomes of the order where the losing provider does not play its part."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, RefusedBy, Unknown
from o2c.markets.nl import NL
from o2c.partners.switching_hub import SimulatedSwitchingHub
from o2c.switching import rules
from tests.asking import asked
from tests.given import MARKET, MONDAY, Story, item

SOR = Answered({"reference": "SOR-1", "implications_by": "letter", "services": ["broadband", "telephone"]})
MATCHED = {("1", "switch-match"): SOR}


def fibre(**told: Any) -> Story:
    """An order for a fixed access that comes from another provider."""
    return Story(item("1", "fibre", characteristics={"switchFrom": "Other Fibre", **told}))


def test_a_switch_from_end_to_end() -> None:
    """The losing provider is asked, takes our order for the promised day, and is told when our service is on: only then is the order done."""
    story = fibre().run(but=MATCHED)
    told = [
        name
        for name in story.names()
        if name.startswith(("switch", "service", "appointment", "order.completed")) and "requested" not in name
    ]
    assert told == [
        "switch-match.completed",
        "switch-order.completed",
        "appointment.kept",
        "service.activated",
        "switch-trigger.completed",
        "order.completed",
    ]
    match, ordered, triggered = (story.last(f"switch-{step}.completed") for step in ("match", "order", "trigger"))
    assert (match.reference, match.losing, match.valid_through, match.implications_by) == ("SOR-1", "Other Fibre", "2026-02-04", "letter")
    assert match.services == ("broadband", "telephone")
    assert (ordered.reference, ordered.planned_on) == ("SOR-1", story.state.items["1"].promised_on)
    assert (triggered.reference, triggered.activated_on) == ("SOR-1", story.last("service.activated").starts_on)


def test_who_comes_from_nobody_has_no_such_steps() -> None:
    """Nor is anybody asked about him."""
    story = Story(item("1", "fibre")).run()
    assert not any(name.startswith("switch") for name in story.names())


@pytest.mark.parametrize(
    ("step", "answer", "reason", "waits_for"),
    [
        pytest.param("switch-match", RefusedBy("NO-MATCH"), "SW-NOMATCH", "customer", id="nobody-of-that-name-there"),
        pytest.param("switch-match", RefusedBy("AMBIGUOUS"), "SW-AMBIG", "customer", id="several-services-there"),
        pytest.param("switch-match", Failed("PERMANENT"), "SW-TMO", "us", id="no-hub"),
        pytest.param("switch-trigger", RefusedBy("NOT-ORDERED"), "SW-TRIGGER", "us", id="it-lost-our-order"),
    ],
)
def test_a_losing_provider_that_says_no(step: str, answer: Answer, reason: str, waits_for: str) -> None:
    """Each no has its reason, and who is to act on it; what needs the step waits."""
    story = fibre().run(but={**MATCHED, ("1", step): answer}, until="" if step == "switch-trigger" else "appointment")
    fell = story.last(f"{step}.fell-out")
    assert (fell.reason, fell.waiting_for) == (reason, waits_for)
    assert ("service.activated" in story.names()) == (step == "switch-trigger")
    assert "order.completed" not in story.names()


def test_a_correction_is_asked_about_anew() -> None:
    """By the account where several services fit: the order goes on from there, and its promise was moved meanwhile with the reason."""
    story = fibre().run(but={("1", "switch-match"): RefusedBy("AMBIGUOUS")}, until="appointment")
    later = MONDAY + timedelta(days=21)
    story.correct("switch-match", "1", {"switchAccount": "77-1"}, at=later)
    assert story.work("1", "switch-match").subject.characteristics["switchAccount"] == "77-1"
    assert rules.question(story.work("1", "switch-match"))["account"] == "77-1"
    story.run(but=MATCHED)
    assert (story.names()[-1], story.last("switch-order.completed").reference) == ("order.completed", "SOR-1")
    revised = story.last("promise.revised")
    assert revised.promised_on > later.date().isoformat()


def test_a_losing_provider_that_stays_silent() -> None:
    """It is asked what came of the question, and the order waits: nothing is switched on meanwhile."""
    story = fibre().run(until="switch-match")
    due_at = story.agenda["1", "switch-match"].due_at
    story.attend("switch-match", "1", Unknown(due_at + timedelta(minutes=5)))
    assert story.agenda["1", "switch-match"].kind == "query"
    story.attend("switch-match", "1", SOR)
    assert story.run().names()[-1] == "order.completed"


def test_a_reference_that_is_too_old_is_asked_for_anew() -> None:
    """Thirty days after its day the customer is matched again, and ordered under the new reference; on the last of them it is still good."""
    story = fibre().run(but=MATCHED, until="switch-order")
    late = MONDAY + timedelta(days=31)
    assert rules.too_old(story.work("1", "switch-order"), late - timedelta(days=1)) == ""
    story.attend("switch-order", "1", at=late)
    assert story.last("switch-order.fell-out").reason == "SW-EXPIRED"
    story.run(but={("1", "switch-match"): Answered({"reference": "SOR-2"})})
    assert (story.names().count("switch-match.completed"), story.last("switch-order.completed").reference) == (2, "SOR-2")
    assert story.names()[-1] == "order.completed"


def test_a_promise_that_moves_is_told_to_the_losing_provider() -> None:
    """The fitter comes a week later: the switch is ordered for that day instead, once, and the visit stays as it was agreed."""
    story = fibre().run(but=MATCHED, until="appointment")
    first = story.last("switch-order.completed")
    story.attend("appointment", "1", Accepted("V-1", MONDAY + timedelta(days=20)))
    moved = story.last("promise.revised")
    assert moved.promised_on > first.planned_on
    assert ("1", "switch-order") in story.agenda
    story.run()

    ordered = [event for event in story.events if event.type_name == "switch-order.completed"]
    assert [event.planned_on for event in ordered] == [first.planned_on, moved.promised_on]
    assert (story.names().count("appointment.kept"), story.names()[-1]) == (1, "order.completed")


def test_an_order_that_is_cancelled_leaves_the_customer_where_he_is() -> None:
    """The losing provider is told, once it has taken our order; before, there is nothing to call off."""
    story = fibre().run(but=MATCHED, until="appointment")
    story.cancel()
    story.run()
    assert {"switch-cancel.requested", "switch-cancel.confirmed"} <= set(story.names())
    assert story.names()[-1] == "order.cancelled"
    early = fibre().run(until="switch-match")
    early.cancel()
    assert "switch-cancel.requested" not in early.run().names()


def test_a_market_without_it_says_so() -> None:
    """There the customer ends the old contract himself, and a person says that he did."""
    from dataclasses import replace

    work = fibre().run(until="switch-match").work("1", "switch-match")
    assert rules.flaw(replace(work, market=NL), MONDAY).startswith("SW-NONE: ")
    assert rules.flaw(replace(work, market=MARKET), MONDAY) == ""
    story = fibre().run(until="switch-match")
    story.attend("switch-match", "1", Failed("PERMANENT"))
    story.force("switch-match")
    assert "switch-order.requested" in story.names()


@pytest.mark.parametrize("body", [{}, {"account": "77-1"}])
def test_the_simulator_answers_like_losing_providers(body: Mapping[str, str]) -> None:
    """Some customers are not known, some have several services, which an account tells apart; the same question has the same answer; and few have lost an order, once."""
    hub = SimulatedSwitchingHub(7)
    answers = [hub.submit(asked("switch-match", n, **body)) for n in range(2_000)]
    codes = [answer.code for answer in answers if isinstance(answer, RefusedBy)]
    assert 60 < codes.count("NO-MATCH") < 140
    assert (20 < codes.count("AMBIGUOUS") < 100) is (body == {})
    assert answers == [hub.submit(asked("switch-match", n, **body)) for n in range(2_000)]
    lost = [n for n in range(2_000) if hub.submit(asked("switch-trigger", n)) == RefusedBy("NOT-ORDERED")]
    assert 5 < len(lost) < 45
    assert not any(hub.submit(asked("switch-trigger", n, attempt=2)) == RefusedBy("NOT-ORDERED") for n in lost)
