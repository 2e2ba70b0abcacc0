"""What a process remembers of streams it saw: never older than the truth where it counts, and never asked for twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct
from o2c.desk.orders import cancel_order
from o2c.engine.app import Context, Engine
from o2c.fallout.codes import packaged
from o2c.files.loading import load_codes
from o2c.kernel.identifiers import order_id
from o2c.kernel.partner import Failed, RefusedBy
from o2c.orders.document import SOURCE
from o2c.store.commands import Head
from o2c.store.database import connect
from tests.faults.dying import Scene
from tests.store.writing import command
from tests.world import World, at, line, order, ported

LARGE = 60


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    world = World(dsn, tmp_path).stocked(esims=LARGE, physical=0, numbers=LARGE + 5)
    yield world
    world.close()


def stream_of(external_id: str) -> str:
    return "order-" + order_id(SOURCE, "C-1", external_id)


def heads_read(app: Engine, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """From here on, the streams of which each read asks."""
    asked: list[list[str]] = []
    heads = app.reads.heads

    def noted(streams: Any, known: Any) -> Any:
        asked.append(list(streams))
        return heads(streams, known)

    monkeypatch.setattr(app.reads, "heads", noted)
    return asked


def test_a_read_sees_what_another_process_wrote(world: World, dsn: str, tmp_path: Path) -> None:
    """A correction made elsewhere is in the next read, although the stream was remembered; only a read that need not be sure misses it."""
    world.scripted.will("porting", RefusedBy("NAME-MISMATCH"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 12))
    stream = stream_of("WEB-1")
    before = world.app.load_one(stream)
    other = World(dsn, tmp_path, world.scripted)
    other.resolve("NP-NAME", Correct({"portInCode": "GHJ111222"}))
    other.close()

    assert world.app.load([stream], remembered=True)[stream].version == before.version
    assert world.app.load([stream], seen={stream: before.version + 1})[stream].version > before.version
    assert world.app.load_one(stream).state == world.app.replay(stream)


def test_a_partner_is_sent_what_another_process_corrected(world: World, dsn: str, tmp_path: Path) -> None:
    """The driver remembers the order as it left it; the partner gets the code as a person corrected it meanwhile."""
    world.scripted.will("porting", RefusedBy("NAME-MISMATCH"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 12))
    other = World(dsn, tmp_path, world.scripted)
    other.resolve("NP-NAME", Correct({"portInCode": "GHJ111222"}))
    other.close()
    world.run(at(5, 13))
    assert [request.body["code"] for request in world.scripted.asked("porting")] == ["ABC123456", "GHJ111222"]


def test_what_is_remembered_is_not_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass over orders that this process wrote last reads no head row of theirs; whether there are new reason codes is asked with every read."""
    world.take(order("WEB-1", line()))
    world.run(at(5, 9, 1))
    asked = heads_read(world.app, monkeypatch)
    world.run(at(6))
    assert world.state("WEB-1") == "completed"
    assert [streams for streams in asked if stream_of("WEB-1") in streams] == [[stream_of("WEB-1"), "codes-main"]], (
        "only the look of this test"
    )


def test_a_large_state_is_written_now_and_then(world: World, dsn: str) -> None:
    """An order of many lines writes its state not with every command; another process still loads what the events say, and so do checks."""
    world.take(order("WEB-1", *(line(str(n)) for n in range(1, LARGE + 1))))
    behind = 0
    for hour in range(9, 14):
        for minute in (5, 20, 35, 50):
            world.run(at(5, hour, minute))
            [head] = world.app.reads.rows("SELECT version, state_version FROM o2c.head WHERE stream = %s", stream_of("WEB-1"))
            behind += head["state_version"] < head["version"]
            with Engine(dsn, plan.KINDS) as fresh:
                loaded = fresh.load_one(stream_of("WEB-1"))
                assert (loaded.version, loaded.state) == (head["version"], fresh.replay(stream_of("WEB-1")))
    assert behind > 3
    world.run(at(6))
    assert world.state("WEB-1") == "completed"
    heads = next(check for check in run_checks(world.app) if "head rows" in check.name)
    assert heads.state == "ok", heads.detail


def test_damage_to_a_state_that_is_behind_is_found(world: World) -> None:
    """A control: the check compares the state with what the events folded to when it was written."""
    world.take(order("WEB-1", *(line(str(n)) for n in range(1, LARGE + 1))))
    world.run(at(5, 9, 20))
    changed = world.app.reads.rows(
        "UPDATE o2c.head SET state = jsonb_set(state::jsonb, '{priority}', '3')::json WHERE stream = %s RETURNING state_version < version AS behind",
        stream_of("WEB-1"),
    )
    assert changed == [{"behind": True}]
    heads = next(check for check in run_checks(world.app) if "head rows" in check.name)
    assert heads.state == "failed"


def test_what_a_restore_took_away_is_not_remembered(world: World, dsn: str) -> None:
    """The log comes back without its tail and goes on otherwise, up to the same version: nobody reads, or writes onto, what was lost."""
    world.take(order("WEB-1", line()))
    scene = Scene(dsn)
    world.run(at(6))
    stream = stream_of("WEB-1")
    lost = world.app.load_one(stream)
    scene.set_again()
    world.scripted.will("identity", *[RefusedBy("REFERRED")])
    again = World(dsn, world.folder, world.scripted)
    again.run(at(6))
    while again.app.load_one(stream).version < lost.version:
        again.take(order("WEB-1", line(), line(str(again.app.load_one(stream).version + 10))), name="more.jsonl")
    again.close()

    late = [Head(stream, lost.version, lost.version + 1, seen=lost.position)]
    [outcome] = world.app.log_recorder.append([replace(command((stream, lost.version)), heads=tuple(late))])
    assert outcome.verdict == "stale"
    assert world.app.load_one(stream).state == world.app.replay(stream) != lost.state


def test_reason_codes_that_a_restore_took_away_are_in_force_no_more(world: World, dsn: str, tmp_path: Path) -> None:
    """The log comes back as it was before an operator's codes were loaded: what is decided next is decided under the packaged ones."""
    scene = Scene(dsn)
    (tmp_path / "codes.toml").write_text('version = "ours-1"\nvalid_from = "2026-01-01"\n[codes.NP-CODE]\nseverity = 1\n')
    assert load_codes(world.app, tmp_path / "codes.toml").version == world.app.codes().newest.version == "ours-1"

    scene.set_again()
    world.take(order("WEB-1", line()))

    assert world.app.codes().newest.version == world.app.book.codes.newest.version == packaged().newest.version


def test_a_desk_is_not_refused_for_what_another_process_moved(world: World, dsn: str, tmp_path: Path) -> None:
    """This process took the SIM in and remembers it on the shelf; another gave it to the order that this one now cancels."""
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    other = World(dsn, tmp_path, world.scripted)
    other.run(at(5, 12))
    assert other.items("WEB-1") == {"1": "held"}
    other.close()
    done = cancel_order(world.app, Context("ann"), "WEB-1", note="changed her mind")
    assert (done.refused, done.written.repeated) == ("", False)


def test_giving_leases_back_waits_for_nobody(world: World, dsn: str) -> None:
    """What an append is rewriting is left alone: a worker that ends and an append never wait for one another."""
    world.take(order("WEB-1", line()))
    rows = world.app.reads.lease(at(6), 10, 600)
    with ThreadPoolExecutor(1) as threads, connect(dsn) as slow, slow.transaction():
        slow.execute("SELECT FROM o2c.agenda FOR UPDATE")
        threads.submit(world.app.reads.release, rows).result(timeout=20)
    assert world.app.reads.lease(at(6), 10, 600) == []
    world.app.reads.release(rows)
    assert world.app.reads.lease(at(6), 10, 600) == rows
