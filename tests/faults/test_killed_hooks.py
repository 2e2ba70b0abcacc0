"""A deliverer that is killed anywhere: nothing is lost, each stream comes in its order, and what comes twice bears one id. Two share the hooks."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.engine.app import Engine
from o2c.hooks.signing import delivery_id
from o2c.running.sending import Sent
from o2c.store import outbox
from o2c.store.database import connect
from tests.faults.dying import Countdown, Scene, killed_at
from tests.hooked import FAILED, TAKEN, Hooked, Post
from tests.world import World, line, order

pytestmark = pytest.mark.once

POINTS_MAX = 2_000
POINTS_MIN = 40
STRIDE = 5
RELEASED_S = 10


class Book:
    """A subscriber that writes down what it takes, surviving any death of ours; the caller may die just before or just after it."""

    def __init__(self, path: Path, countdown: Countdown | None = None) -> None:
        self.path, self.countdown = path, countdown

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> Sent:
        self._pass()
        with self.path.open("a") as out:
            out.write(f"{headers['webhook-id']}\n")
        self._pass()
        return TAKEN

    def taken(self) -> list[str]:
        """The ids that it took, in order."""
        return self.path.read_text().split() if self.path.exists() else []

    def _pass(self) -> None:
        if self.countdown:
            self.countdown.pass_point()


def told_through(scene: Scene, folder: Path, hook: str, post: Book) -> None:
    """Tell a hook until nothing is left, once the server has noticed the death of whoever told it before."""
    app = Engine(scene.dsn)
    hooked, deadline = Hooked(app, folder, post=post), time.monotonic() + RELEASED_S
    while not (sent := hooked.tell(hook)) and hooked.states(hook).keys() != {"delivered"} and time.monotonic() < deadline:
        time.sleep(0.01)
    while sent:
        sent = hooked.tell(hook)
    hooked.deliverer.close()
    app.close()


@pytest.fixture
def told(dsn: str, tmp_path: Path) -> tuple[Scene, str, dict[str, list[str]]]:
    """A store with a hook from the beginning, which was told nothing yet, and the ids of what it is to be told by stream."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    world.attend(6)
    hooked = Hooked(world.app, tmp_path)
    hook = hooked.subscribe(after="0", types=["order.*", "credit.*"]).hook
    wanted: dict[str, list[str]] = {}
    for event in hooked.events():
        if event.type.startswith(("order.", "credit.")):
            wanted.setdefault(event.stream, []).append(delivery_id(hook, event.id, 0))
    hooked.deliverer.close()
    world.close()
    assert sum(len(ids) > 2 for ids in wanted.values()) == 2
    return Scene(dsn), hook, wanted


def firsts(taken: list[str], wanted: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """By stream, what came for the first time, in the order in which it did."""
    once = list(dict.fromkeys(taken))
    return {stream: [name for name in once if name in ids] for stream, ids in wanted.items()}


def deaths(told: tuple[Scene, str, dict[str, list[str]]], folder: Path, over: Callable[[int, Book], None]) -> None:
    """Kill a deliverer at a point, let another go on, and look; so for one point after the other, until one lies behind its end."""
    scene, hook, _ = told
    for point in range(1, POINTS_MAX, STRIDE):
        scene.set_again()
        book = folder / f"book-{point}"

        def work(countdown: Countdown, book: Path = book) -> None:
            app = Engine(scene.dsn)
            countdown.watch_statements()
            Hooked(app, folder, post=Book(book, countdown)).tell(hook)

        alive = not killed_at(point, work)
        told_through(scene, folder, hook, Book(book))
        over(point, Book(book))
        if alive:
            assert point > POINTS_MIN
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


def test_a_death_anywhere_loses_nothing_and_keeps_the_order(told: tuple[Scene, str, dict[str, list[str]]], tmp_path: Path) -> None:
    """Whatever the statement or the message; what is told again after it was taken bears the id that it had."""
    _, _, wanted = told
    twice = set()

    def over(point: int, book: Book) -> None:
        taken = book.taken()
        assert firsts(taken, wanted) == wanted, f"lost, or out of order, after a death at point {point}"
        assert set(taken) == {name for ids in wanted.values() for name in ids}
        twice.add(len(taken) > len(set(taken)))

    deaths(told, tmp_path, over)
    assert twice == {True, False}


def test_were_the_place_moved_by_itself_some_would_be_lost(
    told: tuple[Scene, str, dict[str, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what was read and how far, written one after the other, lose what lies between them."""
    held: list[tuple[Any, ...]] = []
    put, move = outbox.put, outbox.move

    def moved(*arguments: Any, **options: Any) -> bool:
        done = move(*arguments, **options)
        put(*held.pop())
        return done

    monkeypatch.setattr(outbox, "writing", lambda conn: nullcontext())
    monkeypatch.setattr(outbox, "put", lambda *arguments: held.append(arguments))
    monkeypatch.setattr(outbox, "move", moved)
    monkeypatch.setattr("tests.faults.test_killed_hooks.STRIDE", 1)
    monkeypatch.setattr("tests.faults.test_killed_hooks.RELEASED_S", 0.3)
    with pytest.raises(AssertionError, match="lost, or out of order"):
        test_a_death_anywhere_loses_nothing_and_keeps_the_order(told, tmp_path)


@pytest.mark.parametrize("looks", [pytest.param(False, id="attended"), pytest.param(True, id="looked for")])
def test_a_crash_that_takes_the_outbox_back_loses_nothing(
    told: tuple[Scene, str, dict[str, list[str]]], tmp_path: Path, looks: bool
) -> None:
    """A deliverer that lives through it remembers how far it read, and yet reads again from the place that is left."""
    scene, hook, wanted = told
    app = Engine(scene.dsn)
    post = Post()
    hooked = Hooked(app, tmp_path, post=post)
    hooked.tell(hook)
    before = list(post.ids)
    with connect(scene.dsn) as conn:
        conn.execute("DELETE FROM o2c.outbox")
        conn.execute("DELETE FROM o2c.hook_place")
    post.sent.clear()
    if looks:
        hooked.deliverer._look()
    else:
        hooked.tell(hook)
    hooked.deliverer.close()
    app.close()

    assert firsts(before, wanted) == firsts(post.ids, wanted) == wanted


def test_what_is_to_be_told_is_flushed_and_what_came_of_it_is_not(dsn: str) -> None:
    """A crash may take back that something was told, and not that it is to be."""
    with connect(dsn) as conn:
        modes = []
        for transaction in (outbox.writing, outbox.unflushed):
            with transaction(conn):
                modes += conn.execute("SHOW synchronous_commit").fetchall()

    assert [mode["synchronous_commit"] for mode in modes] == ["on", "off"]


@contextmanager
def at_work(*workers: Hooked) -> Iterator[None]:
    """Deliverers, each in a thread of its own, as processes would be."""
    threads = [threading.Thread(target=worker.deliverer.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.deliverer.stop()
        for thread in threads:
            thread.join()


def quick(begins: datetime) -> Callable[[], datetime]:
    """A clock that runs a hundred times as fast as ours, so that five seconds are no wait."""
    at = time.monotonic()
    return lambda: begins + timedelta(seconds=100 * (time.monotonic() - at))


def test_two_deliverers_share_the_hooks_and_keep_the_order(world_of_two: tuple[World, Path]) -> None:
    """While orders come and some messages fail, each hook is told everything in the order of each stream, by whichever of them."""
    world, folder = world_of_two
    apps = [Engine(world.app.dsn) for _ in range(2)]
    posts = [Post(), Post()]
    lock, taken = threading.Lock(), []

    def answering(post: Post) -> Callable[[str, int], Sent]:
        def answer(name: str, attempt: int) -> Sent:
            with lock:
                failed = int(name[-1], 16) % 4 == 0 and name not in refused
                refused.add(name)
                if not failed:
                    taken.append(name)
            return FAILED if failed else TAKEN

        return answer

    refused: set[str] = set()
    workers = [Hooked(app, folder, post=post) for app, post in zip(apps, posts, strict=True)]
    for worker, post in zip(workers, posts, strict=True):
        post.answer = answering(post)
        worker.deliverer.poll_s = 0.01
        worker.deliverer._clock = quick(worker.now)
    hooks = [workers[0].subscribe(after="0", types=["order.*", "item.*", "number.*"]).hook for _ in range(4)]
    with at_work(*workers):
        for n in range(3):
            world.take(order(f"WEB-{n}", line()))
            world.attend(4)
        deadline = time.monotonic() + 30
        while any(workers[0].states(hook).keys() != {"delivered"} for hook in hooks) and time.monotonic() < deadline:
            time.sleep(0.05)
    for hook in hooks:
        wanted: dict[str, list[str]] = {}
        for event in workers[0].events():
            if event.type.startswith(("order.", "item.", "number.")):
                wanted.setdefault(event.stream, []).append(delivery_id(hook, event.id, 0))
        assert firsts(taken, wanted) == wanted
    assert all(post.sent for post in posts)
    assert len(taken) == len(set(taken))
    for app in apps:
        app.close()


@pytest.fixture
def world_of_two(dsn: str, tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """A store that two deliverers work on."""
    world = World(dsn, tmp_path).stocked()
    yield world, tmp_path
    world.close()
