"""Customers are told of their orders: by a mail server that works and fails, by files and hooks, once, in the order of things."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.customers import record_contact, register_customer
from o2c.desk.messages import bounced, load_templates, resend, stop_messages
from o2c.kernel.refusal import Refused
from o2c.messages.rules import BACK_OFF
from o2c.running.mailing import Mailer
from o2c.views.care import care_due
from o2c.views.messages import show_message, silences
from o2c.views.reading import caught_up
from o2c.views.shown import CareShown
from tests.desk import Desk
from tests.mail_server import BREAKS_OFF, MailServer, mail_server
from tests.rules.test_agreements import OWN as AGREED
from tests.rules.test_messages import OWN
from tests.told import Telling
from tests.world import NINE, World, at, line, order

ANN = Context("ann")
RECEIVED = "We have your order WEB-1"
ADA = {
    "id": "C-1", "givenName": "Ada", "familyName": "Example", "birthDate": "1980-02-29",
    "contactMedium": [{"characteristic": {"emailAddress": "ada@example.org"}}, {"characteristic": {"street1": "1 Mill Lane", "postCode": "ZZ1 1AA"}}],
}  # fmt: skip


@pytest.fixture
def mails() -> Iterator[MailServer]:
    """A mail server."""
    with mail_server() as mails:
        yield mails


def later(world: World, time: timedelta) -> None:
    """Let time pass."""
    world.run(world.app.clock().now + time)


def ordered(world: World) -> None:
    """Ada's order has just come, by day."""
    world.run(NINE)
    register_customer(world.app, ANN, ADA)
    world.take(order("WEB-1", line()))


@pytest.fixture
def telling(world: World, mails: MailServer, tmp_path: Path) -> Telling:
    """A store with an order of Ada's, who is told by e-mail, and else by letter."""
    ordered(world)
    telling = Telling(world.app, tmp_path, mailer=Mailer(mails.url, timeout_s=5))
    telling.start(email="smtp", letter="file")
    return telling


def test_an_order_is_told_once_by_mail(world: World, telling: Telling, mails: MailServer) -> None:
    """From received to active; looking again tells nothing again."""
    later(world, timedelta(days=5))
    telling.send()
    told = telling.states()
    first = len(mails.taken)
    telling.send()

    assert set(told.values()) == {"sent"}
    assert {"received", "active"} <= set(told)
    assert len(mails.taken) == first == len(set(mails.ids))
    to, mail = mails.taken[0]
    assert (to, mail["Subject"], mail["From"], mail["Auto-Submitted"], mail["Content-Language"]) == (
        "ada@example.org", RECEIVED, "Example Mobile <orders@example.org>", "auto-generated", "en",
    )  # fmt: skip
    assert "Dear Ada Example," in mail.get_content()
    assert mails.connections == 1


def test_what_waited_for_the_morning_is_told_in_the_order_of_things(world: World, telling: Telling) -> None:
    """Orders of the night are active before anybody may be told: at eight each customer hears first that his order came, and then that it
    is active."""
    world.sims(esim=4)
    world.take(*(order(f"NIGHT-{n}", line(), on=at(6, 23, n), party="C-1") for n in range(3)))
    world.run(at(7, 9))
    telling.send()
    sent = world.app.reads.rows(SENT)
    first = {(row["order"], row["milestone"]): place for place, row in reversed([*enumerate(sent)])}
    orders = {row["order"] for row in sent}

    assert len(orders) == 4
    assert all(first[name, "received"] < first[name, "active"] for name in orders)


SENT = """SELECT s.body->>'order' AS "order", s.body->>'milestone' AS milestone FROM o2c.event e JOIN o2c.event s USING (stream)
WHERE e.type = 'message.sent' AND s.type = 'message.scheduled' ORDER BY e.position"""


def test_an_unknown_outcome_is_reported_and_never_sent_again(world: World, telling: Telling, mails: MailServer) -> None:
    """The server goes away after the words: it may have them. A person decides."""
    mails.to_data.append(BREAKS_OFF)
    telling.send()
    [row] = telling.rows()
    later(world, timedelta(days=3))
    telling.send()

    assert (row["state"], row["word"]) == ("unknown", "connection-lost")
    assert mails.count(RECEIVED) == 1
    reported = _known(world)
    resend(world.app, ANN, row["message"])
    telling.send()
    assert (reported, _known(world)) == ("failed", "ok")
    assert [each["state"] for each in telling.rows(milestone="received")] == ["sent"]
    assert mails.count(RECEIVED) == 2
    assert len(set(mails.ids)) == len(mails.ids)


def _known(world: World) -> str:
    """What `o2c diagnose` says of what became of every message."""
    [check] = [check for check in run_checks(world.app) if check.name == "what became of every message is known"]
    return check.state


def test_were_the_outcome_taken_for_a_no_it_would_be_sent_twice(
    world: World, telling: Telling, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    from o2c.running import mailing

    outcome = mailing.Outcome
    monkeypatch.setattr(mailing, "Outcome", lambda what, word="": outcome("later" if what == "unknown" else what, word))
    mails.to_data.append(BREAKS_OFF)
    telling.send()
    later(world, BACK_OFF[0])
    telling.send()
    assert mails.count(RECEIVED) == 2


@pytest.mark.parametrize(
    ("to_rcpt", "to_data", "states", "media"),
    [
        pytest.param(["550 no such user"], [], "sent", "letter", id="nobody there"),
        pytest.param([], ["554 spam"], "sent", "letter", id="not taken"),
        pytest.param(["451 later"], [], "due", "email", id="not now"),
        pytest.param([], ["452 full"], "due", "email", id="no room now"),
        pytest.param([BREAKS_OFF], [], "due", "email", id="gone before the words"),
    ],
)
def test_what_a_server_says(
    telling: Telling, mails: MailServer, tmp_path: Path, to_rcpt: list[str], to_data: list[str], states: str, media: str
) -> None:
    """A no for good goes by letter, one for now is tried again, and so is what broke off before anything was said."""
    mails.to_rcpt += to_rcpt
    mails.to_data += to_data
    telling.send()
    [row] = telling.rows(milestone="received")
    assert (row["state"], row["medium"]) == (states, media)
    assert len(list(tmp_path.glob("outbox/letter/*.json"))) == (media == "letter")
    assert mails.taken == []


def test_a_message_that_comes_back_goes_by_letter(world: World, telling: Telling, tmp_path: Path) -> None:
    """A bounce of later is taken down by whoever reads it."""
    telling.send()
    [row] = telling.rows()
    bounced(world.app, ANN, row["message"], code="5.1.1")
    telling.send()
    [row] = telling.rows()
    assert (row["state"], row["medium"], row["attempts"]) == ("sent", "letter", 2)
    course = [step["event"] for step in show_message(world.app, row["message"])["course"]]
    assert course == ["message.scheduled", "message.begun", "message.sent", "message.bounced", "message.begun", "message.sent"]


def test_what_the_customer_read_can_be_read_again(world: World, telling: Telling, mails: MailServer) -> None:
    """Whatever words came into force since; without leave nothing personal."""
    telling.send()
    [row] = telling.rows()
    load_templates(world.app, ANN, templates=OWN)
    stop_messages(world.app, ANN)
    shown = show_message(world.app, row["message"], personal=True)

    assert shown["text"].split() == mails.taken[0][1].get_content().split()
    assert show_message(world.app, row["message"])["text"] == "***"
    assert show_message(world.app, row["message"])["addresses"] == {}


def test_a_store_in_which_nobody_started_messages_tells_nothing(world: World, tmp_path: Path) -> None:
    """Its log stays as it was."""
    ordered(world)
    before = world.log()
    assert Telling(world.app, tmp_path).send() == 0
    assert world.log() == before


def test_where_is_my_order_points_at_the_silence_before(world: World, telling: Telling) -> None:
    """Since the last message; since we spoke, where that was later."""
    telling.send()
    [told] = telling.rows()
    later(world, timedelta(hours=30))
    record_contact(world.app, ANN, "C-1", medium="call", topic="where-is-my-order", order="WEB-1")
    later(world, timedelta(hours=1))
    record_contact(world.app, ANN, "C-1", medium="call", topic="delivery", order="WEB-1", direction="outbound")
    later(world, timedelta(hours=2))
    record_contact(world.app, ANN, "C-1", medium="chat", topic="where-is-my-order")
    caught_up(world.app)
    second, first = silences(world.app)
    assert first["told_at"] == told["sent_at"]
    assert first["silence_s"] is not None
    assert second["silence_s"] is not None
    assert first["silence_s"] >= 30 * 3_600
    assert second["silence_s"] == 2 * 3_600


def test_the_desk(world: World, dsn: str, tmp_path: Path) -> None:
    """All of it typed: started, sent, listed, shown; and what a key account is owed."""
    world.run(NINE)
    register_customer(world.app, ANN, {**ADA, "partyCharacteristic": [{"name": "tier", "value": "key-account"}]})
    world.take(order("WEB-1", line()))
    desk = Desk(dsn, tmp_path)
    desk.types("messages", "start", "--sender", "orders@example.org", "--operator", "Ours", "--email", "file", "--after", "0")
    assert "1 messages" in desk.types("messages", "send")
    [row] = desk.sees("messages", "list", "--order", "WEB-1")
    shown = desk.sees("messages", "show", row["message"], "--personal")
    assert (row["state"], shown["addresses"]) == ("sent", {"email": "ada@example.org"})
    assert len(list(tmp_path.glob("outbox/email/*.eml"))) == 1
    assert {each["version"] for each in desk.sees("messages", "templates", "--language", "pt")} == {"2026-12", "2027-01", "2027-02"}
    [owed] = desk.sees("care", "due")
    assert (owed["tier"], owed["milestone"], owed["state"]) == ("key-account", "received", "open")
    desk.types("customers", "contact", "C-1", "--medium", "courtesy", "--topic", "other", "--order", "WEB-1", "--direction", "outbound")
    assert [(each["state"], each["by"]) for each in care_due_now(world)] == [("done", "ann")]
    desk.types("care", "load", str(world.written("own.toml", AGREED.replace('"C-7"', '"C-2"'))))
    assert {each["agreement"]: each["version"] for each in desk.sees("care", "agreements")}["northern-rail"] == "own-1"
    world.take(order("WEB-2", line(), party="C-2"), name="own.jsonl")
    due = {each["external_id"]: (each["tier"], each["milestone"]) for each in care_due_now(world)}
    assert due == {"WEB-2": ("standard", "received")}, "an agreement of its own, from that moment on"
    with pytest.raises(Refused, match="no milestone"):
        desk.types("messages", "list", "--milestone", "lost")


def care_due_now(world: World) -> list[CareShown]:
    """What is owed once all that was written is folded."""
    caught_up(world.app)
    return list(care_due(world.app))
