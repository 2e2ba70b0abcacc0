"""Bringing a number: judged as text before anybody is asked, claimed by one line, cut over when its window opens."""

from datetime import UTC, datetime

import pytest

from o2c.kernel.partner import Answered, RefusedBy
from tests.given import PORTING, Story, item

NUMBER = PORTING["portInNumber"]
CODE = PORTING["portInCode"]


def bringing(number: str = NUMBER, code: str = CODE, **more: str) -> Story:
    """An order for a line that brings a number, up to its first port-in check."""
    return Story(item(characteristics={"portInNumber": number, "portInCode": code, **more})).run(until="porting")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("07700 9OO123", id="letters-for-noughts-and-a-space"),
        pytest.param("07700900123", id="national-form"),
        pytest.param("+44 7700 900123", id="spaces"),
        pytest.param("+4407700900123", id="trunk-zero"),
        pytest.param("00447700900123", id="international-prefix"),
        pytest.param("447700900123", id="no-plus"),
        pytest.param("+447700９00123", id="full-width-digit"),
        pytest.param("+447700900123\n", id="line-end"),
        pytest.param("+44770090012", id="a-digit-short"),
        pytest.param("+4477009001234", id="a-digit-long"),
        pytest.param("+442079460123", id="a-london-landline"),
        pytest.param("+33612345678", id="a-french-mobile"),
        pytest.param("tel:+447700900123", id="uri"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_mobile_number_is_never_repaired(number: str) -> None:
    """DQ-PHONE, the customer must answer, and nothing was claimed or sent."""
    story = bringing(number)
    story.attend("porting", "1", Answered())
    fell_out = story.last("porting.fell-out")
    assert (fell_out.reason, fell_out.waiting_for, fell_out.partner_code) == ("DQ-PHONE", "customer", "")
    assert not any(kind == "port-in" for kind, _ in story.holders)
    if number:
        assert number not in fell_out.model_dump_json()


@pytest.mark.parametrize(
    ("code", "good"),
    [
        pytest.param("ABC123456", True, id="a-pac"),
        pytest.param("abc123456", False, id="small-letters"),
        pytest.param("ABC 123456", False, id="a-space"),
        pytest.param("ABC12345", False, id="a-digit-short"),
        pytest.param("ABC1234567", False, id="a-digit-long"),
        pytest.param("123456ABC", False, id="a-stac-is-no-pac"),
        pytest.param("ABCI23456", False, id="a-letter-for-a-one"),
        pytest.param("ABC١٢٣٤٥٦", False, id="arabic-indic-digits"),
        pytest.param("ABC123456\n", False, id="line-end"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_code_has_exactly_the_market_s_form(code: str, good: bool) -> None:
    """NP-CODE when it is missing or malformed; a good one is sent as it is."""
    story = bringing(code=code)
    story.attend("porting", "1", Answered())
    assert ("porting.scheduled" in story.names()) is good
    assert story.state.record("1", "porting").reason == ("" if good else "NP-CODE")


def test_a_missing_code_is_a_code_to_ask_for() -> None:
    """A number without any code falls out in the same way."""
    story = Story(item(characteristics={"portInNumber": NUMBER})).run(until="porting")
    story.attend("porting", "1", Answered())
    assert story.state.record("1", "porting").reason == "NP-CODE"


def test_the_number_is_judged_before_the_code_and_the_code_before_the_claim() -> None:
    """One thing at a time is told to the customer: the one that makes the others moot."""
    holders = {("port-in", NUMBER): "order-7/1"}
    found = []
    for wanted in ({"portInNumber": "x", "portInCode": "x"}, {"portInNumber": NUMBER, "portInCode": "x"}, PORTING):
        story = Story(item(characteristics=wanted), holders=dict(holders)).run(until="porting")
        story.attend("porting", "1", Answered())
        found.append(story.state.record("1", "porting").reason)
    assert found == ["DQ-PHONE", "NP-CODE", "NP-NOTPORT"]


def test_a_number_another_order_is_bringing_is_not_portable() -> None:
    """The first order holds the claim, also once the number is ours; the second falls out before the donor is asked."""
    holders: dict[tuple[str, str], str] = {}
    first = Story(item(characteristics=PORTING), holders=holders)
    first.run()
    second = Story(item(characteristics=PORTING), holders=holders, name="1002").run()
    assert first.states()[""] == "completed"
    assert second.state.record("1", "porting").reason == "NP-NOTPORT"
    assert (second.states()["1"], second.last("porting.fell-out").waiting_for) == ("pending", "customer")


def test_two_lines_of_one_order_cannot_bring_one_number() -> None:
    """The first line gets it, the second must name another."""
    story = Story(item("1", characteristics=PORTING), item("2", characteristics=PORTING)).run()
    assert story.states() == {"": "pending", "1": "completed", "2": "pending"}
    assert story.state.record("2", "porting").reason == "NP-NOTPORT"
    story.correct("porting", "2", {"portInNumber": "+447700900124"})
    assert story.run().states()[""] == "completed"
    assert {key: holder for (kind, key), holder in story.holders.items() if kind == "port-in"} == {
        NUMBER: "order-1001/1", "+447700900124": "order-1001/2",
    }  # fmt: skip


def test_a_corrected_number_frees_the_wrong_one() -> None:
    """The claim moves with the number: whoever owns the wrong one may bring it."""
    story = bringing()
    story.attend("porting", "1", RefusedBy("NUMBER-INACTIVE"))
    story.correct("porting", "1", {"portInNumber": "+447700900777"})
    assert [key for kind, key in story.holders if kind == "port-in"] == ["+447700900777"]


def test_a_corrected_code_keeps_the_claim_and_the_fallout() -> None:
    """The same fallout is open until the donor accepts; the next attempt has the next number."""
    story = bringing(code="wrong")
    story.attend("porting", "1", Answered())
    fallout = story.last("porting.fell-out").fallout
    story.correct("porting", "1", {"portInCode": "XYZ987654"})
    assert story.state.record("1", "porting").fallout == fallout
    story.attend("porting", "1", RefusedBy("CODE-EXPIRED"))
    again = story.last("porting.fell-out")
    assert (again.fallout, again.attempt, again.partner_code) == (fallout, 2, "CODE-EXPIRED")


@pytest.mark.parametrize(
    ("answer", "opens_at"),
    [
        # Asked on Monday 5 January 2026 before 17:00 London: nine o'clock on the next working day.
        pytest.param({}, datetime(2026, 1, 6, 9, tzinfo=UTC), id="next-working-day"),
        pytest.param({"working_days_more": 3}, datetime(2026, 1, 9, 9, tzinfo=UTC), id="the-donor-needs-longer"),
        pytest.param({"working_days_more": "4"}, datetime(2026, 1, 12, 9, tzinfo=UTC), id="over-the-weekend"),
    ],
)
def test_the_cut_over_waits_for_its_window(answer: dict[str, object], opens_at: datetime) -> None:
    """The line is active long before; its number changes when the window opens."""
    story = bringing()
    story.attend("porting", "1", Answered({**answer, "reference": "PRT-1"}))
    story.run(until="cutover")
    story.attend("cutover", "1")
    assert story.agenda["1", "cutover"].due_at == opens_at
    assert story.last("porting.scheduled").window_opens_at == opens_at


def test_the_number_brought_takes_the_place_of_the_temporary_one() -> None:
    """The temporary number rests, the one brought in is ours and held by the line."""
    story = bringing().run()
    changed = story.last("number.changed")
    assert story.last("number.assigned").temporary is True
    assert (changed.msisdn, changed.replaced) == (NUMBER, story.last("number.assigned").msisdn)
    assert story.last("number.quarantined").msisdn == changed.replaced
    assert [key for kind, key in story.holders if kind == "number"] == [NUMBER]


def test_a_number_that_serves_another_line_cannot_come_in() -> None:
    """The change falls out when the number is held already, and takes nothing away from its holder."""
    held = {("number", NUMBER): "order-7/1"}
    story = Story(item(characteristics=PORTING), holders=held).run()
    assert story.state.record("1", "number-change").reason == "NP-NOTPORT"
    assert held["number", NUMBER] == "order-7/1"
