"""The law of hooks: whatever fails and however often, each stream is told in the order of the log, everything that was not given up is told, and
what is told twice bears one id."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.desk.hooks import resume
from o2c.hooks.signing import BACK_OFF_S, delivery_id
from o2c.running.sending import Sent
from o2c.store import outbox
from o2c.views.hooks import list_deliveries
from tests.depth import depth
from tests.hooked import ADMIN, FAILED, TAKEN, Hooked, Post
from tests.world import World, line, order

TYPES = ("order.", "item.", "identity.", "credit.")
TRIES_MAX = len(BACK_OFF_S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where keys are kept."""
    return tmp_path_factory.mktemp("hooks")


@pytest.fixture
def hooked(store_dsn: str, folder: Path) -> Iterator[tuple[Hooked, Post]]:
    """Two orders on their way, and a subscriber."""
    world = World(store_dsn, folder).stocked()
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    world.attend(3)
    post = Post()
    made = Hooked(world.app, folder, post=post)
    yield made, post
    made.deliverer.close()
    world.close()


@hypothesis.given(
    failures=st.lists(st.sampled_from((0, 0, 0, 1, 2, TRIES_MAX)), min_size=4, max_size=40),
    died=st.lists(st.booleans(), min_size=4, max_size=40),
)
@hypothesis.example(failures=[TRIES_MAX] * 4, died=[False] * 4)
@hypothesis.settings(max_examples=depth(5, 50), deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_each_stream_is_told_in_its_order(hooked: tuple[Hooked, Post], failures: list[int], died: list[bool]) -> None:
    """The n-th message fails so often (for good at the most), or is taken and the answer is lost: first deliveries are in the order of the log."""
    keeps_its_order(*hooked, failures, died)


def test_were_a_stream_not_held_back_by_what_failed_it_would_come_out_of_order(
    hooked: tuple[Hooked, Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: whatever is due is told, as a queue without streams would do it."""
    _, select, rest = outbox._DUE.partition("SELECT hook, position, part")
    every = f"{select}{rest}".replace("FROM first WHERE", "FROM o2c.outbox WHERE hook = %(hook)s AND state = 'pending' AND")
    monkeypatch.setattr(outbox, "_DUE", every)
    with pytest.raises(AssertionError, match="out of order"):
        keeps_its_order(*hooked, [1, 0, 0, 0], [False])


def keeps_its_order(teller: Hooked, post: Post, failures: list[int], died: list[bool]) -> None:
    """Tell a new hook everything, and look."""
    hook = teller.subscribe(after="0", types=[f"{name}*" for name in TYPES]).hook
    events = [event for event in teller.events() if event.type.startswith(TYPES)]
    place = {delivery_id(hook, event.id, 0): n for n, event in enumerate(events)}
    stream = {delivery_id(hook, event.id, 0): event.stream for event in events}
    taken: list[str] = []

    def answer(name: str, attempt: int) -> Sent:
        fails = failures[place[name] % len(failures)]
        if attempt <= fails:
            return FAILED
        is_lost = died[place[name] % len(died)] and name not in taken and fails < TRIES_MAX - 1
        taken.append(name)
        return Sent(None, "timeout", 1) if is_lost else TAKEN

    post.answer = answer
    post.sent.clear()
    while list_deliveries(teller.app, hook, state="pending", limit=1) or not post.sent:
        if not teller.tell_later(hook):
            resume(teller.app, ADMIN, hook)

    firsts = list(dict.fromkeys(taken))
    for name in set(stream.values()):
        told = [place[each] for each in firsts if stream[each] == name]
        assert told == sorted(told), f"{name} came out of order"
    given_up = {row["delivery"] for row in list_deliveries(teller.app, hook, state="dead")}
    assert given_up == {name for name, n in place.items() if failures[n % len(failures)] == TRIES_MAX}
    assert set(firsts) == place.keys() - given_up
