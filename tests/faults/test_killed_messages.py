"""A messenger that is killed anywhere: no customer is told twice, what nobody knows of is unknown, and nothing is forgotten. Two of them share the work."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.customers import register_customer
from o2c.engine.app import Context, Engine
from o2c.messages import rules
from o2c.messages.rules import Outcome
from o2c.running.mailing import Letter, Mailer
from tests.faults.dying import Countdown, Scene, killed_at
from tests.mail_server import MailServer, mail_server
from tests.told import Telling
from tests.world import NINE, World, at, customer, line, order

pytestmark = pytest.mark.once

POINTS_MAX, STRIDE = 3_000, 17
RELEASED_S = 10
MEDIA = [{"characteristic": {"emailAddress": "ada@example.org"}}]


class Mortal(Mailer):
    """A mailer whose process may die just before a message is handed over, or just after it."""

    def __init__(self, url: str, countdown: Countdown) -> None:
        super().__init__(url, timeout_s=5)
        self.countdown = countdown

    def hand_over(self, letter: Letter) -> Outcome:
        """As it is, between two points."""
        self.countdown.pass_point()
        outcome = super().hand_over(letter)
        self.countdown.pass_point()
        return outcome


@pytest.fixture
def mails() -> Iterator[MailServer]:
    """A mail server that lives on."""
    with mail_server() as mails:
        yield mails


@pytest.fixture
def scene(dsn: str, tmp_path: Path) -> Scene:
    """A store in which customers are to be told of two orders, and were told nothing yet."""
    world = World(dsn, tmp_path).stocked().run(NINE)
    register_customer(world.app, Context("ann"), {**customer("C-1"), "contactMedium": MEDIA})
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    world.run(at(6))
    telling = Telling(world.app, tmp_path)
    telling.start(email="smtp")
    telling.rows()
    world.close()
    return Scene(dsn, projected=True)


def told_to_the_end(scene: Scene, folder: Path, mails: MailServer) -> dict[str, str]:
    """Tell customers what is left, once the server has noticed the death of whoever told them before; how each message stands."""
    app = Engine(scene.dsn)
    telling, deadline = Telling(app, folder, mailer=Mailer(mails.url, timeout_s=5)), time.monotonic() + RELEASED_S
    telling.send()
    while not (rows := telling.rows()) or {row["state"] for row in rows} & {"due", "sending"}:
        assert time.monotonic() < deadline, "messages are left"
        time.sleep(0.02)
        telling.send()
    app.close()
    return {row["message"]: row["state"] for row in rows}


def deaths(scene: Scene, folder: Path, mails: MailServer) -> Iterator[tuple[int, dict[str, str], Counter[str]]]:
    """After each death, how the messages stand and how often the server took each of them; until a point lies behind the end."""
    for point in range(1, POINTS_MAX, STRIDE):
        scene.set_again()
        mails.taken.clear()

        def work(countdown: Countdown) -> None:
            app = Engine(scene.dsn)
            countdown.watch_statements()
            Telling(app, folder, mailer=Mortal(mails.url, countdown)).send()

        alive = not killed_at(point, work)
        states = told_to_the_end(scene, folder, mails)
        yield point, states, Counter(name[1:37] for name in mails.ids)
        if alive:
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


def test_a_death_anywhere_tells_nobody_twice(scene: Scene, tmp_path: Path, mails: MailServer) -> None:
    """Whatever the statement or the message: a message that is sent was taken once, one that is unknown once or never, and none is missing."""
    seen: set[tuple[str, int]] = set()
    wanted: set[str] = set()
    for point, states, taken in deaths(scene, tmp_path, mails):
        found = {(state, taken[message]) for message, state in states.items()}
        assert found <= {("sent", 1), ("unknown", 0), ("unknown", 1)}, f"after a death at point {point}"
        wanted = wanted or set(states)
        assert set(states) == wanted
        seen |= found
    assert len(wanted) >= 4
    assert ("unknown", 0) in seen or ("unknown", 1) in seen


def test_were_what_is_lost_tried_again_somebody_would_be_told_twice(
    scene: Scene, tmp_path: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: taking what nobody knows of for not sent."""

    def tried_again(state: rules.MessageState) -> rules.Decision:
        assert state.told is not None
        return rules.ended(state, Outcome("later", "lost"), attempt=state.attempt, at=state.told.due_at - rules.BACK_OFF[0])

    monkeypatch.setattr(rules, "lost", tried_again)
    monkeypatch.setattr("tests.faults.test_killed_messages.STRIDE", 3)
    assert any(max(taken.values()) > 1 for _, _, taken in deaths(scene, tmp_path, mails))


def test_two_messengers_tell_nobody_twice(scene: Scene, tmp_path: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where both believe that it is their turn: who begins an attempt is decided by the append."""
    from contextlib import nullcontext

    monkeypatch.setattr("o2c.running.messages.turn", lambda store, name: nullcontext(True))
    monkeypatch.setattr("o2c.running.messages.stuck_messages", lambda app: [])
    apps = [Engine(scene.dsn) for _ in range(2)]
    telling = [Telling(app, tmp_path, mailer=Mailer(mails.url, timeout_s=5)) for app in apps]
    threads = [threading.Thread(target=each.send) for each in telling]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while telling[0].send():
        pass
    states = {row["message"]: row["state"] for row in telling[0].rows()}
    for app in apps:
        app.close()

    assert set(states.values()) == {"sent"}
    assert Counter(name[1:37] for name in mails.ids) == dict.fromkeys(states, 1)
