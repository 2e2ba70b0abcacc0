"""Messages to customers: at which hours, of what, in which words, to whom; and what follows from what became of an attempt."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.events import CustomerPreferencesStated, CustomerRegistered
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.markets.telling import TELLING, telling_of
from o2c.messages.composing import About, compose
from o2c.messages.contact import contact_at, old_contact
from o2c.messages.events import MessageBounced, MessageDeferred, MessageOutcomeLost, MessageResendAsked, MessageWithheld
from o2c.messages.hours import allowed_at, hours_of, told_by
from o2c.messages.milestones import Told, concerned, told_of
from o2c.messages.rules import BACK_OFF, GAVE_UP, Outcome, begin, bounce, due, ended, load_templates, resend, start, withhold
from o2c.messages.state import KIND
from o2c.messages.templates import FIELDS, MILESTONES, PACKAGED, book_of
from o2c.views.event_types import event_types
from tests.told import DOCUMENT, DUE, SENDING, SENT, STARTED, TRANSPORTS, message, messaging

LONDON = "Europe/London"
EXAMPLES = {cls.type_name: cls for cls in event_types()}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of January 2026 in London, where it is UTC."""
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "quiet", "allowed"),
    [
        pytest.param(at(5, 12), "21:00-08:00", at(5, 12), id="by day"),
        pytest.param(at(5, 21), "21:00-08:00", at(6, 8), id="as they begin"),
        pytest.param(at(6, 3), "21:00-08:00", at(6, 8), id="after midnight"),
        pytest.param(at(6, 8), "21:00-08:00", at(6, 8), id="as they end"),
        pytest.param(at(5, 13), "12:30-14:00", at(5, 14), id="at noon"),
        pytest.param(at(5, 3), "", at(5, 3), id="none"),
        pytest.param(at(5, 3), "late", at(5, 3), id="no hours"),
    ],
)
def test_quiet_hours(when: datetime, quiet: str, allowed: datetime) -> None:
    """They are half-open, and may go over midnight."""
    assert allowed_at(when, quiet, LONDON) == allowed


@hypothesis.given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.integers(0, 1439), st.integers(0, 1439),
    st.sampled_from(["Europe/London", "Europe/Amsterdam", "Europe/Lisbon"]),
)  # fmt: skip
def test_nobody_is_told_in_quiet_hours(when: datetime, begins: int, ends: int, zone: str) -> None:
    """Whatever they are, and whenever the clocks change: not in them, not sooner, and at most a day later."""
    quiet = f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"
    allowed = allowed_at(when, quiet, zone)

    assert when <= allowed <= when + timedelta(hours=25)
    assert allowed_at(allowed, quiet, zone) == allowed or hours_of(quiet) is None


@pytest.mark.parametrize(
    ("when", "before", "told"),
    [
        pytest.param(at(5, 22), at(7, 0), at(6, 8), id="there is time until the morning"),
        pytest.param(at(5, 22), at(6, 0), at(5, 22), id="the morning is too late"),
        pytest.param(at(6, 3), at(6, 0), at(6, 8), id="too late as it is"),
        pytest.param(at(5, 22), None, at(6, 8), id="no matter before what"),
    ],
)
def test_what_must_be_told_before_a_time(when: datetime, before: datetime | None, told: datetime) -> None:
    """Quiet hours are kept unless only they are left."""
    assert told_by(when, "21:00-08:00", LONDON, before) == told


@hypothesis.given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)), st.integers(0, 20), st.integers(1, 20))
def test_a_delay_is_told_before_the_promise_breaks(when: datetime, ahead: int, later: int) -> None:
    """Whenever it is known before the end of the promised day, whatever the hour."""
    promised = (when.astimezone(ZoneInfo(LONDON)) + timedelta(days=ahead)).date()
    body = {"promised_before": promised.isoformat(), "promised_on": (promised + timedelta(days=later)).isoformat()}
    [told] = told_of("promise.revised", body, when, LONDON)
    ends = datetime.combine(promised + timedelta(days=1), datetime.min.time(), ZoneInfo(LONDON))

    assert when <= told_by(when, "21:00-08:00", LONDON, told.before) < ends


DAYS = ("2026-03-09", "2026-03-09", "2026-03-11")


@pytest.mark.parametrize("name", sorted({*concerned()} - {"service.activated"}))
def test_the_example_of_every_event_that_is_told_can_be_told(name: str) -> None:
    """Its body has what its teller reads, and every value stands for a field of templates."""
    cls = EXAMPLES[name]
    body = cls.model_validate(cls.example).model_dump(mode="json")
    for told in told_of(name, body, at(5, 12), LONDON):
        assert set(told.values) <= FIELDS


@pytest.mark.parametrize(
    ("name", "changes", "milestones"),
    [
        pytest.param("delivery.handed-over", {}, ["dispatched", "arriving"], id="a parcel that comes another day"),
        pytest.param(
            "delivery.handed-over", {"ask_again_at": "2026-01-05T16:00:00Z"}, ["dispatched"], id="a parcel that comes the same day"
        ),
        pytest.param("promise.revised", {}, ["delay"], id="a later day"),
        pytest.param("promise.revised", {"promised_on": "2026-01-06"}, [], id="a sooner day"),
        pytest.param("porting.fell-out", {}, ["need"], id="the customer must answer"),
        pytest.param("porting.fell-out", {"waiting_for": "us"}, [], id="we must"),
        pytest.param("product.change-accepted", {"attributes": ["sim"]}, ["sim-change"], id="another SIM"),
        pytest.param("product.change-accepted", {"attributes": ["number"]}, ["number-change"], id="another number"),
        pytest.param("product.change-accepted", {}, [], id="another offering"),
        pytest.param("switch-out.matched", {}, ["switch"], id="what a switch means"),
        pytest.param("switch-out.ordered", {}, ["switch-day"], id="the day of a switch"),
        pytest.param("switch-out.withdrawn", {}, ["stays"], id="a switch called off"),
        pytest.param("port-out.withdrawn", {}, ["stays"], id="a number that does not leave"),
        pytest.param("port-out.failed", {}, ["stays"], id="a number that could not leave"),
    ],
)
def test_what_is_told_of_an_event(name: str, changes: dict[str, Any], milestones: list[str]) -> None:
    """And what is not worth a word."""
    body = EXAMPLES[name].model_validate({**EXAMPLES[name].example, **changes}).model_dump(mode="json")
    assert [told.milestone for told in told_of(name, body, at(5, 12), LONDON)] == milestones


def test_a_switch_is_told_with_what_it_costs() -> None:
    """With tax, as the customer pays it, and what is open; each day to which it moves is told, and one day once."""
    matched = EXAMPLES["switch-out.matched"].model_validate(EXAMPLES["switch-out.matched"].example).model_dump(mode="json")
    [told] = told_of("switch-out.matched", matched, at(5, 12), LONDON)
    text = book_of(()).text("2027-01", "en", "switch", told.values).body
    days = [told_of("switch-out.ordered", {"reference": "R", "planned_on": day}, at(5, 12), LONDON)[0].about for day in DAYS]

    assert "Other Fibre" in text
    assert "253.80 GBP with tax" in text
    assert "4 April 2026" in text
    assert days[0] == days[1] != days[2]


def told_of_examples() -> list[tuple[str, Told]]:
    """What is told of the examples of events, of those that are told only sometimes as they are then."""
    found = []
    for name in concerned():
        body = EXAMPLES[name].model_validate(EXAMPLES[name].example).model_dump(mode="json")
        told = {"attributes": ["sim", "number"], "waiting_for": "customer"}
        found += [(name, each) for each in told_of(name, {**body, **{key: told[key] for key in told if key in body}}, at(5, 12), LONDON)]
    return found


def test_every_milestone_is_told_of_some_event() -> None:
    """No template is for nothing."""
    assert {told.milestone for _, told in told_of_examples()} == set(MILESTONES)


def test_many_lines_on_one_day_are_told_once() -> None:
    """What is told of is the day, not the line: an order of 500 lines sends no 500 messages."""
    first = told_of("service.activated", {"item": "1"}, at(5, 12), LONDON)
    assert first == told_of("service.activated", {"item": "2"}, at(5, 15), LONDON)
    assert first != told_of("service.activated", {"item": "3"}, at(6, 9), LONDON)


# -- to whom

PAPERS = CustomerRegistered(
    customer="C-1", kind="individual", payment_method="card", tier="standard", name="Ada Example", email="ada@example.org",
    address="1 Mill Lane, Testford, ZZ1 1AA",
)  # fmt: skip
TAKEN_OVER = PAPERS.model_copy(update={"email": "eve@example.org"})
SMS = CustomerPreferencesStated(
    customer="C-1", medium="sms", language="nl", phone="+447700900999", quiet="12:00-13:00", refused=("updates",)
)
NOON = at(21, 12)
HISTORY = [(at(1, 9), PAPERS), (at(20, 9), TAKEN_OVER)]


def composed(told: Told, *, history: Any = HISTORY, when: datetime = NOON) -> Any:
    """The message of a milestone of an order of C-1."""
    about = About(stream="order-1", cause="order.captured", order="1", external_id="WEB-1", customer="C-1", zone=LONDON)
    return compose(told, {}, about, history, TELLING["GB"], messaging(STARTED), at=when)


@pytest.mark.parametrize(
    ("milestone", "when", "address"),
    [
        pytest.param("active", at(21, 12), "eve@example.org", id="what goes on is told to the contact of now"),
        pytest.param("sim-change", at(21, 12), "ada@example.org", id="a new SIM to the one of before"),
        pytest.param("port-out", at(21, 12), "ada@example.org", id="a number that leaves too"),
        pytest.param("sim-change", at(20, 9) + timedelta(days=30), "eve@example.org", id="one that stood for thirty days is no new one"),
    ],
)
def test_what_puts_a_line_at_risk_is_told_to_the_old_contact(milestone: Any, when: datetime, address: str) -> None:
    """Whoever takes a line over changes the contact first (FCC 23-95: notify before a SIM change or port-out)."""
    made, withheld = composed(Told(milestone, ""), when=when)
    assert (made.addresses["email"], withheld) == (address, "")


def test_what_puts_a_line_at_risk_is_told_at_any_hour() -> None:
    """The rest waits for the morning."""
    assert composed(Told("port-out", ""), when=at(21, 23))[0].due_at == at(21, 23)
    assert composed(Told("active", ""), when=at(21, 23))[0].due_at == at(22, 8)


def test_preferences() -> None:
    """The preferred medium first, of those in use; the language; the hours; and what is not wanted is written down and not sent."""
    history = [(at(1, 9), PAPERS), (at(1, 9), SMS)]
    made, withheld = composed(Told("active", ""), history=history)
    assert (made.media, made.language, made.quiet, withheld) == (("sms", "email"), "nl", "12:00-13:00", "not-wanted")
    assert composed(Told("need", "", {"need": "NP-CODE"}), history=history)[1] == ""


def test_nobody_to_write_to() -> None:
    """A message without a way is written down as withheld, so that it is counted."""
    made, withheld = composed(Told("received", ""), history=[])
    assert (made.media, withheld) == ((), "no-address")
    assert [type(event) for event in due(message(), made, withheld=withheld).events][1:] == [MessageWithheld]


def test_contacts_of_a_time() -> None:
    """As it stood at a time; before anything stood, the first."""
    assert [contact_at(HISTORY, when).addresses["email"][:3] for when in (at(1, 0), at(19, 0), at(20, 9))] == ["ada", "ada", "eve"]
    assert old_contact(HISTORY, at(21, 0)).addresses["email"] == "ada@example.org"


def test_every_market_says_how_its_customers_are_told() -> None:
    """In a language that there are words in, and with quiet hours that are hours."""
    assert {code for code in MARKETS if code not in TELLING} == set()
    assert [
        telling for telling in TELLING.values() if not hours_of(telling.quiet) or book_of(()).language(telling.language) != telling.language
    ] == []
    assert telling_of("XX") == TELLING["GB"]


# -- in which words

VALUES = dict.fromkeys(FIELDS, "x") | {"day": "2026-03-06", "before": "2026-03-05", "need": "NP-CODE"}


@pytest.mark.parametrize("language", ["en", "nl", "pt"])
@pytest.mark.parametrize("milestone", MILESTONES)
def test_every_milestone_has_words_in_every_language(language: str, milestone: str) -> None:
    """With nothing left to fill in, and the day as people write it."""
    book = book_of(())
    text = book.text(book.in_force(language, milestone), language, milestone, VALUES)
    assert "$" not in text.subject + text.body
    assert "2026-03-0" not in text.subject + text.body


def test_each_milestone_fills_in_what_its_words_name() -> None:
    """What a template names its event has: the customer reads no gap."""
    gaps, book = [], book_of(())
    for name, told in told_of_examples():
        text = book.text(
            book.in_force("en", told.milestone),
            "en",
            told.milestone,
            {"order": "WEB-1", "name": "Ada", "operator": "Example", **told.values},
        )
        gaps += [(name, told.milestone)] * ("$" in text.subject + text.body)
    assert gaps == []


OWN = """version = "own-2"
[en.messages.received]
subject = "Order $order"
text = "Got it, $name."
"""


def test_words_of_the_operators_own() -> None:
    """The newest version that has a text is in force; one that was pinned stays as it was; the frame is that of the versions before."""
    book = book_of((OWN,))
    assert [book.in_force("en", milestone) for milestone in ("received", "active")] == ["own-2", "2026-12"]
    assert book.text("own-2", "en", "received", {"order": "WEB-1", "name": "Ada", "operator": "Ours"}).body.splitlines() == [
        "Dear Ada,", "", "Got it, Ada.", "", "Kind regards, Ours",
    ]  # fmt: skip
    assert "We are checking it" in book.text("2026-12", "en", "received", {"order": "WEB-1"}).body


@pytest.mark.parametrize(
    ("document", "says"),
    [
        pytest.param("version = ", "Invalid value", id="no TOML"),
        pytest.param('[en.messages.received]\nsubject = "a"\ntext = "b"', "lacks 'version'", id="no version"),
        pytest.param(OWN.replace("own-2", "2026-12"), "version", id="a version that is known"),
        pytest.param(OWN.replace("received", "lost"), "no 'lost'", id="a milestone that there is not"),
        pytest.param(OWN.replace("$name", "$iban"), "no $iban", id="a field that there is not"),
        pytest.param(OWN.replace("$name", "$ 5"), "dollar", id="a dollar sign alone"),
        pytest.param(OWN.replace("[en.", "[fr."), "needs 'greeting'", id="a new language in part"),
        pytest.param(OWN.replace('text = "Got it, $name."', ""), "lacks 'text'", id="no text"),
        pytest.param('version = "x"', "no language", id="nothing in it"),
    ],
)
def test_words_that_are_not_loaded(document: str, says: str) -> None:
    """With the first thing that is wrong."""
    with pytest.raises(Refused, match=says.replace("$", r"\$")):
        load_templates(messaging(), document)


def test_a_language_of_the_operators_own_may_lack_what_came_later() -> None:
    """Then the customer is told in English, rather than not at all."""
    own = 'version = "own-fr"\n[fr]\ngreeting = "x"\n[fr.messages.received]\nsubject = "Vu"\ntext = "Vu."\n'
    book = book_of((own,))
    assert [book.language("fr", tells=name) for name in ("received", "switch", "notice")] == ["fr", "en", "fr"]


def test_the_packaged_words_never_change() -> None:
    """A text is made again by its version: a released version that is changed would change what customers were told."""
    assert [digest(document)[:16] for document in PACKAGED] == ["6d7b3af6453a7ae8", "3b26f1a3e4b0afc7", "fac6d9fcd86c28b9"]


# -- what becomes of it


def test_an_attempt_and_what_follows() -> None:
    """Sent; later, each time longer, then by the next medium; refused, by the next medium; unknown, and never again by itself."""
    in_hand, now = message(DUE, SENDING), DUE.due_at

    assert ended(in_hand, Outcome("sent", "250"), attempt=1, at=now).events == (SENT,)
    assert ended(in_hand, Outcome("later", "451"), attempt=1, at=now).events == (
        MessageDeferred(medium="email", attempt=1, code="451", due_at=now + BACK_OFF[0]),
    )
    assert ended(in_hand, Outcome("refused", "550"), attempt=1, at=now).events == (
        MessageBounced(medium="email", attempt=1, code="550", then="letter", due_at=now),
    )
    unknown = message(DUE, SENDING, MessageOutcomeLost(medium="email", attempt=1, word="connection-lost"))
    assert begin(unknown, TRANSPORTS, at=now + timedelta(days=9)).events == ()
    assert ended(unknown, Outcome("sent", "250"), attempt=1, at=now).events == (SENT,)


def test_a_server_that_never_takes_it() -> None:
    """After the last try the next medium is tried, and after the last medium nothing."""
    state, now, media = message(DUE), DUE.due_at, []
    while begun := begin(state, TRANSPORTS, at=now):
        state = KIND.evolve(state, begun.events[0])
        [event] = ended(state, Outcome("later", "451"), attempt=state.attempt, at=now).events
        assert isinstance(event, MessageDeferred | MessageBounced)
        media.append((event.medium, event.code))
        state, now = KIND.evolve(state, event), now + timedelta(days=1)
    tries = len(BACK_OFF)
    assert media == [*[("email", "451")] * tries, ("email", GAVE_UP), *[("letter", "451")] * tries, ("letter", GAVE_UP)]
    assert state.standing == "bounced"


def test_sent_again_by_a_person() -> None:
    """By the medium named, at once; not while it is due as it is."""
    sent = message(DUE, SENDING, SENT)
    assert resend(sent, "letter", message="m").events == (MessageResendAsked(medium="letter"),)
    for state, medium, kind in ((message(DUE), "", "conflict"), (sent, "sms", "usage"), (message(), "", "missing")):
        with pytest.raises(Refused) as refused:
            resend(state, medium, message="m")  # type: ignore[arg-type] # names of media
        assert refused.value.kind == kind


def test_what_comes_back_goes_by_the_next_medium_in_allowed_hours() -> None:
    """A letter is not printed at night either."""
    night = DUE.due_at.replace(hour=23)
    [event] = bounce(message(DUE, SENDING, SENT), "5.1.1", at=night, message="m").events
    assert event == MessageBounced(medium="email", attempt=1, code="5.1.1", then="letter", due_at=night.replace(day=6, hour=8))
    with pytest.raises(Refused, match="cannot have come back"):
        bounce(message(DUE), "5.1.1", at=night, message="m")


def test_only_what_is_still_to_be_sent_is_overtaken() -> None:
    """What was due by then was told by then."""
    assert withhold(message(DUE), "overtaken", at=DUE.due_at).events == ()
    assert withhold(message(DUE, SENDING, SENT), "overtaken", at=DUE.due_at - timedelta(days=1)).events == ()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"transports": {}}, id="no medium"),
        pytest.param({"transports": {"sms": "smtp"}}, id="texts by SMTP"),
        pytest.param({"sender": "orders"}, id="a sender that is none"),
    ],
)
def test_messages_that_are_not_started(changes: dict[str, Any]) -> None:
    """What could not be sent is not begun."""
    with pytest.raises(Refused):
        start(messaging(), STARTED.model_copy(update=changes))


def test_the_example_of_own_words_is_loadable() -> None:
    """What the catalogue of events shows can be done."""
    assert load_templates(messaging(), DOCUMENT).events
