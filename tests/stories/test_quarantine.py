"""Refused lines wait in quarantine for a person, who corrects them and has them taken in again; a death anywhere on the way loses none."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from o2c.checks.diagnose import run_checks
from o2c.files import intake
from o2c.files.quarantine import Quarantine, origin_of
from o2c.intake.events import IntakeClosed, IntakeLineRefused
from o2c.kernel.refusal import Refused
from tests.shell import Shell
from tests.world import World, line, order

GOOD = json.dumps(order("GOOD", line())).encode()
FIXED = [json.dumps(order(f"BAD-{n}", line())).encode() for n in range(3)]
BAD = [raw.replace(b'T09:00:00Z"', b'T09:00:00"') for raw in FIXED]
DEAD = KeyboardInterrupt


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def first(world: World, *lines: bytes) -> intake.Intake:
    """The intake of a file, gone through; by default one with a good line and three bad ones."""
    path = world.folder / "orders.jsonl"
    path.write_bytes(b"\n".join(lines or (BAD[0], GOOD, *BAD[1:])) + b"\n")
    going = intake.Intake(world.app, path, world.folder / "quarantine")
    going.run()
    return going


def again(world: World, path: Path) -> intake.Intake:
    """The intake of a quarantine file, as `o2c ingest --quarantine` makes it."""
    return intake.Intake(world.app, path, path.parent, quarantine_of=origin_of(world.app, path))


def told(world: World, stream: str, kind: type[Any]) -> list[Any]:
    facts: Any = world.app.events.get(stream)
    return [fact.event for fact in facts if isinstance(fact.event, kind)]


def refused(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def flaws(world: World) -> list[str]:
    """What the checks find wrong with intakes."""
    world.fallouts()
    return [check.detail for check in run_checks(world.app) if "intake" in check.name and check.state != "ok"]


def test_corrected_lines_are_taken_in_and_the_file_goes(world: World) -> None:
    """All corrected: they are orders now, their intake names the one that had refused them, and nothing is left to correct."""
    going = first(world)
    going.quarantine.write_bytes(b"\n".join(FIXED) + b"\n")
    repaired = again(world, going.quarantine)
    counts = repaired.run()
    [closed] = told(world, repaired.stream, IntakeClosed)

    assert counts == intake.Counts(lines=3, captured=3)
    assert closed.quarantine_of == going.stream
    assert not going.quarantine.exists()
    assert [world.told(f"BAD-{n}")[0] for n in range(3)] == ["order.captured"] * 3
    assert list(going.quarantine.parent.iterdir()) == []
    assert flaws(world) == []


def test_what_is_still_refused_stays(world: World) -> None:
    """One corrected, two not: the file holds those two to the byte, and the log tells of them under the new intake as well."""
    going = first(world)
    going.quarantine.write_bytes(b"\n".join([BAD[0], FIXED[1], BAD[2]]))
    repaired = again(world, going.quarantine)

    assert repaired.run() == intake.Counts(lines=3, captured=1, refused=2)
    assert repaired.quarantine == going.quarantine
    assert refused(going.quarantine) == [BAD[0], BAD[2]]
    assert [event.sha256 for event in told(world, repaired.stream, IntakeLineRefused)] == [sha256(BAD[n]).hexdigest() for n in (0, 2)]


@pytest.mark.parametrize("step", ["_page", "_close", "_rewrite", "keep"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_on_the_way_loses_no_line(world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """Whoever dies where they may, every line is an order or in the file; gone through again, all is as it would have been."""
    going = first(world)
    going.quarantine.write_bytes(b"\n".join([FIXED[0], BAD[1], FIXED[2]]) + b"\n")
    dies(monkeypatch, step, when)
    dying = again(world, going.quarantine)
    with pytest.raises(DEAD):
        dying.run()
    monkeypatch.undo()
    captured = {name for name in ("BAD-0", "BAD-2") if captured_is(world, name)}
    left = {json.loads(raw)["externalId"] for raw in refused(going.quarantine)}

    assert captured | left == {"BAD-0", "BAD-1", "BAD-2"}
    again(world, going.quarantine).run()
    assert told(world, dying.stream, IntakeClosed) != []
    assert refused(going.quarantine) == [BAD[1]]
    assert [world.told(f"BAD-{n}")[0] for n in (0, 2)] == ["order.captured"] * 2


@pytest.mark.parametrize("step", ["_page", "_close", "keep"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_of_the_first_intake_loses_no_refusal(world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """Gone through again, the refused lines stand in quarantine once and are told once; nothing unnamed is left lying."""
    dies(monkeypatch, step, when)
    with pytest.raises(DEAD):
        first(world)
    monkeypatch.undo()
    going = first(world)

    assert refused(going.quarantine) == BAD
    assert list(going.quarantine.parent.iterdir()) == [going.quarantine]
    assert [event.line for event in told(world, going.stream, IntakeLineRefused)] == [1, 3, 4]


def dies(monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """The process ends before or after a step of an intake."""
    owner: Any = Quarantine if step == "keep" else intake.Intake
    work = getattr(owner, step)

    def dying(*arguments: Any) -> Any:
        if when == "after":
            work(*arguments)
        raise DEAD

    monkeypatch.setattr(owner, step, dying)


def captured_is(world: World, name: str) -> bool:
    with suppress(Refused):
        return world.order(name).external_id == name
    return False


def test_a_disk_that_fills_up_leaves_nothing_lying(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is taken away again, and the intake stays open."""

    def full(source: object, target: IO[bytes]) -> None:
        target.write(b"half a li")
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        first(world)

    assert list((world.folder / "quarantine").iterdir()) == []
    assert [row["stream"] for row in world.app.reads.rows("SELECT DISTINCT stream FROM o2c.event") if "intake" in row["stream"]] == []


def test_the_same_broken_file_again_doubles_nothing(world: World) -> None:
    """The second pass counts its lines and closes; refusals are told once and stand in quarantine once."""
    going = first(world)
    second = first(world)

    assert second.quarantine == going.quarantine
    assert refused(going.quarantine) == BAD
    assert list(going.quarantine.parent.iterdir()) == [going.quarantine]
    assert len(told(world, going.stream, IntakeLineRefused)) == 3
    assert [closed.refused for closed in told(world, going.stream, IntakeClosed)] == [3, 3]
    assert flaws(world) == []


def test_corrections_are_not_overwritten(world: World) -> None:
    """A person is at work on the quarantine when the file comes again: their work stays, the refused lines lie beside it."""
    going = first(world)
    going.quarantine.write_bytes(b"\n".join([*FIXED[:2], BAD[2]]) + b"\n")
    second = first(world)

    assert refused(going.quarantine) == [*FIXED[:2], BAD[2]]
    assert second.quarantine.name == f"{going.stream}-2.jsonl"
    assert refused(second.quarantine) == BAD
    assert again(world, second.quarantine).quarantine_of == going.stream


def test_a_file_edited_while_it_is_taken_in_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person saves meanwhile is not thrown away for what was read before."""
    going = first(world)
    close = intake.Intake._close

    def edited(self: intake.Intake, counts: intake.Counts) -> None:
        close(self, counts)
        going.quarantine.write_bytes(b"\n".join(FIXED) + b"\n")

    monkeypatch.setattr(intake.Intake, "_close", edited)
    with pytest.raises(Refused, match="was changed while it was taken in"):
        again(world, going.quarantine).run()
    assert refused(going.quarantine) == FIXED


def test_many_refusals_are_told_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written so many at a time; a death between two parts leaves the intake open, and the next pass tells the rest once."""
    monkeypatch.setattr(intake, "EVENTS_A_COMMAND", 3)
    write, written = intake.written, []

    def dying(*arguments: Any) -> None:
        written.append(arguments)
        if len(written) == 3:
            raise DEAD
        write(*arguments)

    lines = [b'{"externalId": broken %d' % n for n in range(10)]
    monkeypatch.setattr(intake, "written", dying)
    with pytest.raises(DEAD):
        first(world, *lines)
    going = first(world, *lines)

    assert [event.line for event in told(world, going.stream, IntakeLineRefused)] == list(range(1, 11))
    assert world.types(going.stream) == ["intake.line-refused"] * 10 + ["intake.closed"]
    assert flaws(world) == []


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        pytest.param("orders.jsonl", "usage", "no quarantine file", id="another file"),
        pytest.param("intake-0123456789abcdef.jsonl", "missing", "no intake intake-0123456789abcdef", id="of another store"),
    ],
)
def test_only_a_quarantine_of_this_store_is_taken_again(world: World, name: str, kind: str, why: str) -> None:
    """What is no quarantine file of an intake of this store is refused before anything is read."""
    path = world.folder / name
    path.write_bytes(FIXED[0])
    with pytest.raises(Refused, match=why) as refusal:
        again(world, path)
    assert refusal.value.kind == kind


def test_a_quarantine_that_is_not_complete_is_found(world: World) -> None:
    """Who hashes the lines of the file finds the one that somebody took out; a refusal struck from the log is found by the checks."""
    going = first(world)
    hashes = {event.sha256 for event in told(world, going.stream, IntakeLineRefused)}
    going.quarantine.write_bytes(b"\n".join(BAD[:2]) + b"\n")
    with psycopg.connect(world.dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE o2c.event DISABLE TRIGGER USER")
        connection.execute("UPDATE o2c.event SET body = jsonb_set(body, '{refused}', '4') WHERE type = 'intake.closed'")
        connection.execute("UPDATE o2c.event SET body = jsonb_set(body, '{lines}', '5') WHERE type = 'intake.closed'")

    assert hashes - {sha256(raw).hexdigest() for raw in refused(going.quarantine)} == {sha256(BAD[2]).hexdigest()}
    assert any("refused 4 lines, the log tells of 3" in detail for detail in flaws(world))


def about_refused_lines(world: World) -> str:
    [check] = [check for check in run_checks(world.app, home=world.folder) if check.name == "refused lines"]
    return check.detail


def test_lines_that_are_gone_are_missed(world: World) -> None:
    """Somebody removed the folder's files: the log says that lines were refused, so that is told, and not that there are none."""
    going = first(world)
    assert "1 files with refused lines" in about_refused_lines(world)

    going.quarantine.unlink()

    assert f"3 refused lines of {going.stream} are gone" in about_refused_lines(world)


def test_lines_that_were_corrected_are_missed_by_nobody(world: World) -> None:
    """Their file goes with the last of them."""
    going = first(world)
    going.quarantine.write_bytes(b"\n".join(FIXED) + b"\n")
    intake.Intake(world.app, going.quarantine, going.quarantine.parent, quarantine_of=going.stream).run()

    assert about_refused_lines(world) == "no refused lines"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            json.dumps({"@type": "Individual", "id": "C-1", "givenName": "Ada", "familyName": "Example"}).encode(), id="customers"
        ),
        pytest.param(b"iccid,imsi,kind\n8944987460000000004,001017460000000,physical", id="stock"),
        pytest.param(b'{"productOffering": [{"id": "line", "lifecycleStatus": "Active"}]}', id="a catalogue"),
    ],
)
def test_a_file_of_something_else_is_refused_whole(world: World, content: bytes) -> None:
    """No line is like an order: nothing stands in the log or the quarantine. With one that is, even a broken one, it is taken in."""
    path = world.folder / "mistaken.jsonl"
    path.write_bytes(b"\n".join([content] * 98) + b"\n")
    with pytest.raises(Refused, match="is no file of orders"):
        intake.Intake(world.app, path, world.folder / "quarantine")
    assert not (world.folder / "quarantine").exists()
    assert world.app.reads.rows("SELECT stream FROM o2c.event WHERE stream LIKE 'intake-%%'") == []

    path.write_bytes(content + b'\n{"externalId": "CUT-1", "orderDa\n')
    assert intake.Intake(world.app, path, world.folder / "quarantine").run().refused >= 2


@pytest.mark.parametrize(("bad", "shown", "rest"), [(20, 20, []), (21, 20, ["and 1 more"]), (1_234, 20, ["and 1,214 more"])])
def test_of_many_refusals_the_first_are_told_and_the_rest_counted(
    store_dsn: str, tmp_path: Path, bad: int, shown: int, rest: list[str]
) -> None:
    """Twenty are told with their reason, of the others how many they are; the last line says where all of them wait. None is lost of sight."""
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join((GOOD, *([BAD[0]] * bad))) + b"\n")
    World(store_dsn, tmp_path).stocked().close()
    done = Shell(store_dsn, tmp_path).run("ingest", str(path), "-o", "json")
    *refusals, last = done.stderr.strip().splitlines()

    assert done.returncode == 6
    assert [told.partition(":")[0] for told in refusals[:shown]] == ["refused"] * shown
    assert refusals[shown:] == rest
    assert last.startswith(f"{bad} lines refused; kept in ")
    assert json.loads(done.stdout)["refused"] == bad
