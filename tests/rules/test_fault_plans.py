"""Faults that a store plans for its simulated partners: which plans there can be, what they come to, and that without one all is as ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from o2c.kernel.partner import Answered, Failed, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.partners.faults import Faults
from o2c.partners.registry import PARTNERS, simulated_partners
from o2c.partners.rules import faults_of
from o2c.plan import STEPS
from tests.asking import BODIES, KEYS, MONDAY, SEED, asked, assert_near

TWO_HOURS = {"from": "2026-01-05T10:00:00Z", "to": "2026-01-05T12:00:00Z"}
OUTAGE = {"partner": "network", "kind": "outage", "percent": 100, **TWO_HOURS}


def asking(step: str, *rows: dict[str, Any]) -> Any:
    planned = {name: Faults(faults) for name, faults in faults_of(rows, PARTNERS).items()}
    return simulated_partners(SEED, planned)[STEPS[step].partner]


def answers(step: str, *rows: dict[str, Any], count: int = 300, at: datetime = MONDAY) -> list[Any]:
    partner = asking(step, *rows)
    return [partner.submit(asked(step, number, at=at)) for number in range(count)]


@pytest.mark.parametrize("step", BODIES)
def test_a_store_without_a_plan_answers_as_ever(step: str) -> None:
    """An empty plan, one for another partner, and one for another day change no answer."""
    usual = [simulated_partners(SEED)[STEPS[step].partner].submit(asked(step, number)) for number in range(300)]
    other = "courier" if STEPS[step].partner != "courier" else "network"

    assert answers(step) == usual
    assert answers(step, {**OUTAGE, "partner": other}) == usual
    assert answers(step, {**OUTAGE, "partner": "*", "from": "2026-02-05T10:00:00Z", "to": "2026-02-06T10:00:00Z"}) == usual


@pytest.mark.parametrize("step", BODIES)
def test_in_an_outage_nobody_answers(step: str) -> None:
    """Whatever the partner and the step: half of the calls get no connection, the others silence, and queries no better."""
    told = answers(step, {**OUTAGE, "partner": "*"})
    partner = asking(step, {**OUTAGE, "partner": "*"})

    assert {type(answer) for answer in told} == {Failed, Unknown}
    assert all(type(partner.query(asked(step, number))) in (Failed, Unknown) for number in range(50))


@pytest.mark.parametrize(
    ("minutes", "out"), [(-1, False), (0, True), (119, True), (120, False)], ids=["before", "first minute", "last minute", "after"]
)
def test_an_outage_lasts_as_long_as_it_is_planned(minutes: int, out: bool) -> None:
    """Its period is half-open; a call that met it is answered when it is made again later, under the same key."""
    partner, at = asking("activation", OUTAGE), datetime(2026, 1, 5, 10, tzinfo=UTC) + timedelta(minutes=minutes)
    calls = [partner.submit(asked("activation", number, at=at)) for number in range(200)]

    assert (not any(isinstance(answer, Answered) for answer in calls)) is out


@pytest.mark.parametrize(
    ("step", "kind", "meets"),
    [
        ("activation", "transient", Failed("UNAVAILABLE")),
        ("activation", "permanent", Failed("PERMANENT")),
        ("credit", "transient", Failed("UNAVAILABLE")),
    ],
    ids=["often unavailable", "often broken", "a partner that is never at fault by itself"],
)
def test_a_planned_rate_stands_in_place_of_the_usual_one(step: str, kind: str, meets: Failed) -> None:
    """Twenty in a hundred are twenty, and none are none."""
    assert_near(answers(step, {"partner": "*", "kind": kind, "percent": "20"}, count=KEYS).count(meets), 20)
    assert answers(step, {"partner": "*", "kind": kind, "percent": 0}, count=2_000).count(meets) == 0


@pytest.mark.parametrize("rows", [(), ({"partner": "*", "kind": "transient", "percent": 20},)], ids=["usual faults", "planned ones"])
@pytest.mark.parametrize("step", ["activation", "credit", "delivery", "esim", "porting", "appointment", "qualification"])
def test_a_question_that_is_asked_again_and_again_is_answered(step: str, rows: tuple[dict[str, Any], ...]) -> None:
    """A bad line is bad for a call, not for all that an attempt ever asks: after a silence in an outage somebody hears what came of it."""
    partner = asking(step, *rows)
    met = [[partner.query(asked(step, n, at=MONDAY + timedelta(minutes=5 * m))) for m in range(12)] for n in range(500)]

    assert [n for n, mine in enumerate(met) if all(answer == Failed("UNAVAILABLE") for answer in mine)] == []
    assert any(answer == Failed("UNAVAILABLE") for mine in met for answer in mine) or not rows


def test_a_call_that_is_made_again_meets_another_line() -> None:
    """A bad line that is planned is no property of an attempt: a partner that is tried again and again, as a probe does, is met one day."""
    partner = asking("activation", {"partner": "*", "kind": "transient", "percent": 20})
    tries = [[partner.submit(asked("activation", n, at=MONDAY + timedelta(minutes=2 * m))) for m in range(10)] for n in range(300)]

    assert [n for n, mine in enumerate(tries) if all(answer == Failed("UNAVAILABLE") for answer in mine)] == []
    assert_near(sum(answer == Failed("UNAVAILABLE") for mine in tries for answer in mine), 20, of=3_000)


def test_half_an_outage_is_drawn_for_each_call() -> None:
    """Who was not answered may be a minute later."""
    calm = [{"partner": "network", "kind": kind, "percent": 0} for kind in ("transient", "permanent", "unknown")]
    partner = asking("activation", {**OUTAGE, "percent": 50}, *calm)
    tries = [[partner.submit(asked("activation", n, at=MONDAY + timedelta(minutes=m))) for m in range(20)] for n in range(50)]

    assert all(any(isinstance(answer, Answered) for answer in mine) for mine in tries)
    assert_near(sum(isinstance(answer, Answered) for mine in tries for answer in mine), 50, of=1_000)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        pytest.param({"partner": "oracle"}, "fault 1: there is no partner oracle", id="no such partner"),
        pytest.param({"partner": ""}, "there is no partner", id="no partner"),
        pytest.param({"kind": "sulking"}, "kind is one of transient, refused, permanent, unknown, outage, not sulking", id="no such kind"),
        pytest.param({"kind": "none"}, "kind is one of", id="no fault"),
        pytest.param({"percent": 101}, "from 0 to 100, not 101", id="more than all"),
        pytest.param({"percent": -1}, "from 0 to 100", id="less than none"),
        pytest.param({"percent": "many"}, "from 0 to 100, not many", id="no figure"),
        pytest.param({"percent": float("nan")}, "from 0 to 100", id="not a number"),
        pytest.param({"percent": True}, "from 0 to 100", id="a yes"),
        pytest.param({"percent": None}, "from 0 to 100", id="nothing"),
        pytest.param({"from": "2026-01-05"}, "`from` is a time with a zone", id="a day"),
        pytest.param({"to": datetime(2026, 1, 5, 12)}, "`to` is a time with a zone", id="no zone"),
        pytest.param({"from": TWO_HOURS["to"], "to": TWO_HOURS["from"]}, "before it began", id="back in time"),
        pytest.param({"until": "2026-01-05"}, "there is no until", id="an unknown word"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(row: dict[str, Any], says: str) -> None:
    """In one line that says which row and what to write."""
    with pytest.raises(Refused, match=says) as refused:
        faults_of([{**OUTAGE, **row}], PARTNERS)
    assert "\n" not in str(refused.value)


def test_no_more_than_all_calls_meet_a_fault() -> None:
    """Rates add up where they hold together, for one partner as for all; where one ends as the other begins, they do not."""
    all_day = {"partner": "*", "kind": "transient", "percent": "60"}
    with pytest.raises(Refused, match=r"network: 100\.5 in a hundred calls would meet a fault from 2026-01-05T10:00Z"):
        faults_of([all_day, {**OUTAGE, "kind": "permanent", "percent": "40.5"}], PARTNERS)

    assert faults_of([all_day, {**OUTAGE, "kind": "permanent", "percent": "40"}, {**OUTAGE}], PARTNERS)["network"][1].percent == "40"
    assert faults_of([{**OUTAGE, "kind": "unknown"}, {**OUTAGE, "kind": "refused", "from": TWO_HOURS["to"], "to": None}], PARTNERS)


def test_the_same_call_meets_the_same_fault() -> None:
    """Any simulator made from the same seed and plan says the same."""
    request: Request = asked("activation", 3)
    assert asking("activation", {**OUTAGE, "percent": 50}).submit(request) == asking("activation", {**OUTAGE, "percent": 50}).submit(
        request
    )
