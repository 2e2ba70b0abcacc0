"""Asking partners side by side: each within its own time-out and number of calls, one that breaks or stays silent in nobody's way."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from structlog.testing import capture_logs

from o2c.engine.asking import Asking
from o2c.kernel.attend import Ask
from o2c.kernel.partner import Answer, Answered, Link, Request, Unknown
from tests.given import MONDAY

LIMIT_S = 10.0
"""Far more than any of this takes: a test that waits so long has failed."""


def question(number: int, name: str = "bureau") -> Ask:
    return Ask(name, Request(f"order-{number}//credit/1", f"order-{number}", "", "credit", 1, MONDAY, {}), query=False)


class Counted:
    """Answers once so many calls are under way at a time, and counts the most there ever were."""

    def __init__(self, together: int) -> None:
        self.barrier = threading.Barrier(together)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def submit(self, request: Request) -> Answer:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(LIMIT_S)
        with self.lock:
            self.now -= 1
        return Answered({"key": request.key})

    query = submit


class Silent:
    """Answers nobody until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.heard: list[str] = []

    def submit(self, request: Request) -> Answer:
        self.heard.append(request.stream)
        self.let_go.wait(LIMIT_S)
        return Answered()

    query = submit


@contextmanager
def asking(**links: Link) -> Iterator[Asking]:
    with closing(Asking(links)) as made:
        yield made


def test_calls_to_one_partner_are_under_way_at_a_time() -> None:
    """As many as its link allows, and no more; every question gets its own answer."""
    bureau = Counted(together=4)
    with asking(bureau=Link(bureau, timeout_s=LIMIT_S, calls_max=4)) as made:
        replies = made.side_by_side([question(number) for number in range(8)])

    assert bureau.most == 4
    assert {key: reply.answer for (key, _), reply in replies.items()} == {
        f"order-{number}//credit/1": Answered({"key": f"order-{number}//credit/1"}) for number in range(8)
    }


def test_one_call_at_a_time_is_kept_to() -> None:
    """The control: a link for one call never has two."""
    bureau = Counted(together=1)
    with asking(bureau=Link(bureau, timeout_s=LIMIT_S, calls_max=1)) as made:
        made.side_by_side([question(number) for number in range(5)])

    assert bureau.most == 1


def test_a_partner_that_does_not_answer_in_time_is_asked_later_what_became_of_it() -> None:
    """Nobody knows whether it did the work; the answers of others are there."""
    silent = Silent()
    with asking(bureau=Link(silent, timeout_s=0.1, calls_max=1), courier=Link(Counted(1), timeout_s=LIMIT_S, calls_max=1)) as made:
        with capture_logs() as logged:
            replies = made.side_by_side([question(1), question(2, "courier")])
        silent.let_go.set()

    assert isinstance(replies["order-1//credit/1", False].answer, Unknown)
    assert isinstance(replies["order-2//credit/1", False].answer, Answered)
    assert [(entry["event"], entry["partner"]) for entry in logged] == [("partner_late", "bureau")]


def test_what_could_not_be_begun_was_not_asked() -> None:
    """A question behind one that hangs is left for the next time: it is no unknown outcome, and the partner has not heard it."""
    silent = Silent()
    with asking(bureau=Link(silent, timeout_s=0.1, calls_max=1)) as made:
        replies = made.side_by_side([question(1), question(2), question(3)])
        silent.let_go.set()

    assert silent.heard == ["order-1"]
    assert set(replies) == {("order-1//credit/1", False)}


def test_a_partner_that_breaks_is_an_unknown_outcome() -> None:
    """The request may have got there; what the error says may be personal and is not logged."""

    class Broken:
        def submit(self, request: Request) -> Answer:
            raise RuntimeError("Ada Example, 1980-02-29")

        query = submit

    for link in (Link(Broken()), Link(Broken(), calls_max=2)):
        with asking(bureau=link) as made, capture_logs() as logged:
            reply = made.on_the_spot(question(1)) or made.side_by_side([question(1)])["order-1//credit/1", False]
        assert isinstance(reply.answer, Unknown)
        assert [entry["event"] for entry in logged] == ["partner_broke"]
        assert "Ada" not in str(logged)


def test_a_simulator_is_asked_on_the_spot() -> None:
    """It answers from memory: no thread, and no time that would differ from run to run."""
    with asking(bureau=Link(Counted(1))) as made:
        reply = made.on_the_spot(question(1))

    assert reply is not None
    assert reply.latency_ms == 0
    with asking(bureau=Link(Counted(1), calls_max=1)) as made:
        assert made.on_the_spot(question(1)) is None
