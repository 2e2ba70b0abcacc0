"""The days an order is wished for: read from its paper, judged by its market, and held by the steps of its plan."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from o2c.kernel.shapes import Requested
from o2c.orders.planning import plan_order
from tests.given import BOOK, MONDAY, PORTING, Document, Story, captured, flaw_of, item

THE_20TH = datetime(2026, 1, 20, tzinfo=UTC)
HORIZON = (MONDAY + timedelta(days=180)).date().isoformat()
TOO_FAR = (MONDAY + timedelta(days=181)).date().isoformat()
START, COMPLETION = "requestedStartDate", "requestedCompletionDate"


def days_of(*items: Document, **order: Any) -> dict[str, tuple[str, str]]:
    return {line.item: (line.start_on, line.wished_on) for line in plan_order(captured(*items, **order), BOOK, MONDAY).items}


@pytest.mark.parametrize(
    ("order", "own", "start_on", "wished_on"),
    [
        pytest.param({}, {}, "", "", id="none"),
        pytest.param({START: "2026-01-20"}, {}, "2026-01-20", "2026-01-20", id="a-start-is-the-day-wished"),
        pytest.param({COMPLETION: "2026-01-20"}, {}, "", "2026-01-20", id="a-completion-lets-work-begin"),
        pytest.param({START: "2026-01-12", COMPLETION: "2026-01-20"}, {}, "2026-01-12", "2026-01-20", id="both"),
        pytest.param({START: "2026-07-19T23:30:00Z"}, {}, "2026-07-20", "2026-07-20", id="a-time-is-on-the-market-s-day"),
        pytest.param({START: "2026-01-20"}, {START: "2026-02-02"}, "2026-02-02", "2026-02-02", id="an-item-s-own"),
        pytest.param({COMPLETION: "2026-01-20"}, {START: "2026-02-02"}, "2026-02-02", "2026-02-02", id="an-item-that-begins-later"),
        pytest.param({START: "2026-01-12"}, {COMPLETION: "2026-01-20"}, "2026-01-12", "2026-01-20", id="an-item-s-own-completion"),
    ],
)
def test_the_days_of_a_line(order: Document, own: Document, start_on: str, wished_on: str) -> None:
    """The completion if one is named, else the start; the item's own before the order's; a day without time is the market's."""
    assert days_of(item(**own), **order)["1"] == (start_on, wished_on)


def test_a_bundle_s_day_is_that_of_its_lines_and_of_no_other() -> None:
    """What is inside a bundle has its days; what stands beside it has the order's."""
    bundle = item("b", "office", productOrderItem=[item("1"), item("2", **{START: "2026-02-02"})], **{START: "2026-01-20"})
    assert days_of(bundle, item("3")) == {"1": ("2026-01-20",) * 2, "2": ("2026-02-02",) * 2, "3": ("", "")}


@pytest.mark.parametrize(
    ("order", "own", "detail"),
    [
        pytest.param({START: "soon"}, {}, "requestedStartDate of the order is no date", id="words"),
        pytest.param({COMPLETION: "2026-02-30"}, {}, "requestedCompletionDate of the order is no date", id="no-such-day"),
        pytest.param({START: "2026-01-20T10:00:00"}, {}, "requestedStartDate of the order is no date", id="a-time-without-zone"),
        pytest.param({}, {COMPLETION: "20 January"}, "requestedCompletionDate of item 1 is no date", id="of-an-item"),
        pytest.param(
            {START: "2026-01-20", COMPLETION: "2026-01-19"}, {}, "the order is to be complete before it may begin", id="backwards"
        ),
        pytest.param({START: "2026-01-04"}, {}, "the day wished for the order is before the order's own", id="yesterday"),
        pytest.param({}, {COMPLETION: "2025-12-01"}, "the day wished for item 1 is before the order's own", id="an-item-s-last-year"),
        pytest.param({START: TOO_FAR}, {}, "the day wished for the order is more than 180 days ahead", id="too-far"),
        pytest.param({START: HORIZON}, {}, "", id="just-near-enough"),
        pytest.param({START: "2026-01-05"}, {}, "", id="the-same-day"),
        pytest.param({START: "2026-01-05T00:00:00Z"}, {}, "", id="earlier-on-the-same-day"),
        pytest.param({START: "2025-12-01", COMPLETION: "2026-01-20"}, {}, "", id="a-start-that-passed-holds-nothing-up"),
    ],
)
def test_days_are_judged_and_never_repaired(order: Document, own: Document, detail: str) -> None:
    """Text that is no date, and days that are out of order, past or too far, stop the order with DQ-DATE and say which they are."""
    assert flaw_of(captured(item(**own), **order)) == (f"DQ-DATE: {detail}" if detail else "")


@pytest.mark.parametrize(
    ("own", "changes"),
    [
        pytest.param({}, {"requested_start": "2026-01-20"}, id="another-day"),
        pytest.param({}, {"requested_start": ""}, id="no-day-after-all"),
        pytest.param({COMPLETION: "never"}, {"requested_start": "", "line.1.requested_completion": "2026-01-20"}, id="a-line-s"),
    ],
)
def test_a_day_is_corrected(own: Document, changes: dict[str, str]) -> None:
    """The channel names another day, or none, and the order goes on; also when it answers long after that day."""
    story = Story(item(**own), **{START: "2026-01-04"})
    story.run()
    assert story.last("validation.fell-out").reason == "DQ-DATE"
    story.correct("validation", "", changes, at=MONDAY + timedelta(days=60))
    story.run()
    assert story.states()[""] == "completed"


def due(story: Story, step: str, name: str = "1") -> datetime:
    """When the step was due at its first request."""
    return next(
        each.due_at for each in story.events if isinstance(each, Requested) and each.type_name == f"{step}.requested" and each.item == name
    )


def test_nothing_begins_before_the_start_and_stock_is_reserved_at_once() -> None:
    """SIM and number are taken on the day of the order; the profile and the network are asked on the 20th, the donor at once, for that day."""
    story = Story(item(characteristics=PORTING), **{START: "2026-01-20"}).run()
    assert max(due(story, "sim"), due(story, "number")) < MONDAY + timedelta(hours=1)
    assert min(due(story, step) for step in ("esim", "activation")) == THE_20TH
    assert (due(story, "porting") < MONDAY + timedelta(hours=1), story.last("cutover.number-ported-in").ported_on) == (True, "2026-01-20")
    assert story.last("service.activated").starts_on == "2026-01-20"
    assert story.last("account.charge-started").starts_on == "2026-01-20"


def test_a_day_for_completion_lets_the_parcel_go_and_the_service_wait() -> None:
    """The parcel goes out at once; the line is switched on and charged from the day wished."""
    story = Story(item(characteristics={"simType": "physical"}), **{COMPLETION: "2026-01-20"}).run()
    assert due(story, "delivery") < MONDAY + timedelta(hours=1)
    assert due(story, "activation") == THE_20TH
    assert story.last("account.charge-started").starts_on == "2026-01-20"


def test_a_parcel_and_a_visit_do_not_begin_before_the_start() -> None:
    """Neither courier nor fitter is asked before the day on which work may begin; whether the address has an access is asked at once."""
    story = Story(item("1", characteristics={"simType": "physical"}), item("2", "fibre"), **{START: "2026-01-20"}).run()
    assert (due(story, "delivery"), due(story, "appointment", "2")) == (THE_20TH, THE_20TH)
    assert due(story, "qualification", "2") < MONDAY + timedelta(hours=1)


def test_an_add_on_is_never_before_its_base() -> None:
    """An add-on wished for tomorrow waits for its line, which is wished for the 20th; the line does not wait for the add-on."""
    story = Story(item("1", **{START: "2026-01-20"}), item("2", "roaming", relies_on=("1",), **{START: "2026-01-06"})).run()
    assert due(story, "activation", "2") > due(story, "activation", "1") >= THE_20TH
    later = Story(item("1"), item("2", "roaming", relies_on=("1",), **{START: "2026-01-20"})).run()
    assert due(later, "activation", "1") < MONDAY + timedelta(hours=1) < due(later, "activation", "2") == THE_20TH


def test_whoever_comes_too_early_opens_no_gate() -> None:
    """A row that is attended to before the start is put back, and nothing is sent; on the day it goes on."""
    story = Story(item(characteristics={"simType": "physical"}), **{START: "2026-01-20"}).run(until="delivery")
    story.attend("delivery", "1", at=MONDAY + timedelta(days=1))
    assert story.agenda["1", "delivery"].due_at == THE_20TH
    story.run()
    assert story.states()[""] == "completed"


def test_a_day_that_passed_while_the_order_was_stuck_holds_nothing_up() -> None:
    """Corrected in March, an order for the 20th of January goes on at once."""
    march = MONDAY + timedelta(days=60)
    story = Story(item(sold="moon-line"), **{START: "2026-01-20"}).run()
    story.correct("validation", "", {"line.1.offering": "line"}, at=march)
    story.run()
    assert due(story, "activation") < march + timedelta(hours=1)
