"""append() under many writers at once: one effect, one winner, no deadlock, no gap, nothing against the order of positions."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.store.commands import Append, Outcome
from o2c.store.database import connect
from o2c.store.recorder import LogRecorder
from tests.store.writing import command, free, rows, send, take, verdicts, versions

Another = Callable[[], LogRecorder]


def _one(recorder: LogRecorder, sent: Append) -> Outcome:
    [outcome] = recorder.append([sent])
    return outcome


def _all_at_once(threads: int, another: Another, act: Callable[[int, LogRecorder], Any]) -> list[Any]:
    """Run act(0, ..) .. act(threads - 1, ..), each in its thread with a recorder of its own (those of one would write together), from the same
    moment; what they returned, or the first error."""
    start, recorders = threading.Barrier(threads), [another() for _ in range(threads)]

    def wait_and_act(n: int) -> Any:
        start.wait()
        return act(n, recorders[n])

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(wait_and_act, range(threads)))


def _wait_until_blocked(recorder: LogRecorder, connections: int) -> None:
    """Until so many connections of the database wait for a lock."""
    deadline = time.monotonic() + 10
    while len(rows(recorder, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")) < connections:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_same_command_from_everywhere(recorder: LogRecorder, another: Another) -> None:
    """Sent forty times from eight threads, a command has one effect and one answer."""
    sent = command(("a-1", 0), ("b-1", 0), each=2, outcome='{"order": "o-1"}', guards=(take("89-1", "o-1"),))
    outcomes = [outcome for told in _all_at_once(8, another, lambda _, own: [_one(own, sent) for _ in range(5)]) for outcome in told]
    assert Counter(verdicts(outcomes)) == {"appended": 1, "repeated": 39}
    assert len({(o.first_position, o.last_position, str(o.outcome)) for o in outcomes}) == 1
    assert versions(recorder) == {"a-1": [1, 2], "b-1": [1, 2]}


def test_the_same_commands_in_another_order(recorder: LogRecorder, another: Another, log_dsn: str) -> None:
    """Two batches of the same commands, one backwards, both held up on the one in the middle, wait for one another and never deadlock."""
    batch = [command((f"s-{n}", 0), command_id=f"{n}2c1b0f6-8c53-5d7e-9a41-0c8f7b6a5d4e") for n in (1, 2, 3)]
    with ThreadPoolExecutor(2) as pool, connect(log_dsn) as conn:
        with conn.transaction(force_rollback=True):
            send(conn, batch[1])
            forwards = pool.submit(recorder.append, batch)
            _wait_until_blocked(recorder, 1)
            backwards = pool.submit(another().append, batch[::-1])
            _wait_until_blocked(recorder, 2)
        assert verdicts(forwards.result()) == ["appended"] * 3
        assert verdicts(backwards.result()) == ["repeated"] * 3


def test_the_last_five_go_to_five(recorder: LogRecorder, another: Another) -> None:
    """Twenty threads go for the last five SIMs, each for one after the other until it has one: five have one, and nobody two."""

    def take_any(n: int, own: LogRecorder) -> list[str]:
        tries = [command((f"order-{n}", 0), guards=(take(str((n + shift) % 5), f"order-{n}"),)) for shift in range(5)]
        won: list[str] = []
        for each in tries:
            won.append(_one(own, each).verdict)
            if won[-1] == "appended":
                break
        return won

    results = _all_at_once(20, another, take_any)
    assert Counter(won[-1] for won in results) == {"appended": 5, "guarded": 15}
    assert len(rows(recorder, "SELECT DISTINCT holder FROM o2c.guard")) == 5
    assert len(versions(recorder)) == 5


def test_a_stream_never_runs_against_the_order_of_positions(recorder: LogRecorder, another: Another, log_dsn: str) -> None:
    """An append that was held up, and meanwhile overtaken on a stream by a later position, is stale though it guessed the version."""
    recorder.append([command(("a-1", 0)), command(("b-1", 0))])
    with ThreadPoolExecutor(1) as pool, connect(log_dsn) as conn:
        with conn.transaction(force_rollback=True):
            send(conn, command(("a-1", 1)))
            held_up = pool.submit(_one, another(), command(("a-1", 1), ("b-1", 2)))
            _wait_until_blocked(recorder, 1)
            assert _one(recorder, command(("b-1", 1))).verdict == "appended"
        assert held_up.result().verdict == "stale"
    assert versions(recorder) == {"a-1": [1], "b-1": [1, 2]}


def _random_command(choice: random.Random, streams: Sequence[str], known: Mapping[str, int], holder: str) -> Append:
    chosen = choice.sample(streams, choice.randint(2, 4))
    guards = tuple(change(str(choice.randrange(6)), holder) for change in choice.choices((take, free), k=2))
    return command(*((stream, known.get(stream, 0)) for stream in chosen), each=choice.randint(1, 2), guards=guards)


@hypothesis.given(seed=st.integers(0, 2**32))
@hypothesis.settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    phases=[hypothesis.Phase.generate],
)
def test_writers_of_overlapping_streams_never_deadlock(recorder: LogRecorder, another: Another, seed: int) -> None:
    """Eight writers of random sets of new and known streams, in random order and with guards, all finish, and no stream has a gap."""
    lasting = [f"{seed}-{n}" for n in range(4)]

    def write(n: int, own: LogRecorder) -> int:
        choice, written, tried = random.Random(seed + n), 0, 0
        while written < 12:
            tried += 1
            streams = [*lasting, *(f"{seed}-{tried // 4}-{m}" for m in range(5))]
            known = {row["stream"]: row["version"] for row in rows(own, "SELECT stream, version FROM o2c.head")}
            batch = [_random_command(choice, streams, known, f"o-{n}") for _ in range(2)]
            written += sum(outcome.verdict == "appended" for outcome in own.append(batch))
        return written

    assert min(_all_at_once(8, another, write)) >= 12
    heads = {row["stream"]: row["version"] for row in rows(recorder, "SELECT stream, version FROM o2c.head")}
    assert versions(recorder) == {stream: list(range(1, version + 1)) for stream, version in heads.items()}
