"""Many fallouts of one cause are one piece of work: they are grouped, and one command acts on all of a group."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from o2c.desk.bulk import BulkDone, Query, bulk
from o2c.desk.fallout import Correct, Force, Note, Skip, resolve
from o2c.engine.app import Context
from o2c.entrypoints.cli.main import app
from o2c.jobs import rules
from o2c.jobs.events import Tried
from o2c.jobs.state import JobState
from o2c.kernel.decision import Decision
from o2c.kernel.partner import Failed
from o2c.kernel.refusal import Refused
from o2c.views.fallout_groups import list_groups
from o2c.views.jobs import show_job
from o2c.views.reading import caught_up
from tests.desk import Desk
from tests.world import World, at, line, order, ported

MANY = 120
FIVE_HUNDRED = 500
CODE = Correct({"portInCode": "ABC123456"})
ANN, BEN = Context("ann"), Context("ben")


def without_codes(count: int, begin: int = 0) -> list[dict[str, Any]]:
    """Orders of as many customers that bring a number each and lack its code."""
    numbers = range(begin, begin + count)
    return [order(f"WEB-{n}", ported(msisdn=f"+44770092{n:04d}", code=""), party=f"C-{n + 1}") for n in numbers]


def lacking(dsn: str, folder: Path, count: int) -> World:
    """A store with so many fallouts of one cause, and stock for some more orders."""
    made = World(dsn, folder).stocked(esims=count + 8, numbers=count + 8, customers=count + 8)
    made.take(*without_codes(count))
    return made.run(at(5, 11))


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    """A few fallouts of one cause."""
    made = lacking(dsn, tmp_path, 25)
    yield made
    made.close()


def group_of(world: World, reason: str = "NP-CODE") -> dict[str, Any]:
    caught_up(world.app)
    [found] = list_groups(world.app, reason=reason, open_only=True)
    return found


def events(world: World, event_type: str) -> int:
    [row] = world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE type = %s", event_type)
    return int(row["n"])


def counts(done: BulkDone) -> tuple[int, ...]:
    """matched, done, failed, stopped, new_since."""
    return (done.matched, done.done, done.failed, done.stopped, done.new_since)


def test_a_group_is_corrected_in_one_command(dsn: str, tmp_path: Path, desk: Desk) -> None:
    """The group says how many there are and what they hold up; one command corrects them all, and each closes by what follows."""
    world = lacking(dsn, tmp_path, MANY)
    group = group_of(world)
    assert (group["count"], group["open"], group["step"], group["partner"]) == (MANY, MANY, "porting", "clearing-house")
    assert (group["revenue_minor"] > 0, group["currency"], sum(group["trend_7d"])) == (True, "GBP", MANY)

    told = bulk_at_the_desk(desk, "--group", group["group"], "--correct", "portInCode=ABC123456", "--reason", "a list came")
    assert told == {"job": told["job"], "matched": MANY, "done": MANY, "failed": 0, "stopped": 0, "new_since": 0}
    world.run(at(20))

    items = desk.sees("fallout", "job", told["job"])
    assert [(item["result"], item["state"]) for item in items] == [("done", "closed")] * MANY
    assert events(world, "fallout.correction-applied") == MANY
    assert world.types(f"job-{told['job']}") == ["job.started", *["job.items-tried"] * 2, "job.finished"]
    assert [world.state(f"WEB-{n}") for n in range(MANY)] == ["completed"] * MANY
    world.close()


def bulk_at_the_desk(desk: Desk, *words: str) -> dict[str, Any]:
    """What the command shows; what it says beside that is left out."""
    told = desk.types("fallout", "bulk", *words, "-o", "jsonl")
    [answer] = [json.loads(row) for row in told.splitlines() if row.startswith("{")]
    return dict(answer)


def test_five_hundred_take_seconds(dsn: str, tmp_path: Path) -> None:
    """A person's time for five hundred is the time for one command: far below the two minutes that it may take."""
    world = lacking(dsn, tmp_path, FIVE_HUNDRED)
    begun = time.monotonic()
    done = bulk(world.app, ANN, Query(reason="NP-CODE"), CODE, note="a list came")
    took_s = time.monotonic() - begun
    [appends] = world.app.reads.rows("SELECT count(DISTINCT position / 65536) AS n FROM o2c.event WHERE actor = 'ann'")

    assert counts(done) == (FIVE_HUNDRED, FIVE_HUNDRED, 0, 0, 0)
    assert took_s < 60, f"{took_s:.1f} s"
    assert appends["n"] < 20
    world.close()


def test_a_dry_run_says_what_would_be_and_writes_nothing(world: World) -> None:
    """As many would be done as are done then; what cannot be says why."""
    before = world.app.reads.last_position()
    of_group = Query(group=group_of(world)["group"])

    could = bulk(world.app, ANN, of_group, CODE, note="a list came", dry_run=True)
    could_not = bulk(world.app, ANN, of_group, Skip(), note="no need", dry_run=True, threshold_percent=100)

    assert (could.job, counts(could)) == ("", (25, 25, 0, 0, 0))
    assert counts(could_not) == (25, 0, 20, 5, 0)
    assert "cannot be left out" in could_not.failures[0].why
    assert world.app.reads.last_position() == before
    assert counts(bulk(world.app, ANN, of_group, CODE, note="a list came")) == counts(could)


def test_too_many_failures_stop_the_job(world: World) -> None:
    """After the first twenty it is clear that this way leads nowhere: five are left alone, and stay so when the command comes again."""
    context = Context("ann", command_id=str(uuid.uuid4()))
    done = bulk(world.app, context, Query(reason="NP-CODE"), Skip(), note="no need")
    again = bulk(world.app, context, Query(reason="NP-CODE"), Skip(), note="no need")

    assert counts(done) == counts(again) == (25, 0, 20, 5, 0)
    items = show_job(world.app, done.job)
    assert [item["result"] for item in items] == ["failed"] * 20 + ["stopped"] * 5
    assert "cannot be left out" in items[0]["why"]
    assert len(world.fallouts(reason="NP-CODE")) == 25


def test_some_failures_do_not_stop_it(world: World) -> None:
    """Two that somebody was faster with are told of, and the others are done."""
    for fallout in world.fallouts(reason="NP-CODE")[:2]:
        resolve(world.app, BEN, fallout["fallout"], CODE, note="read back")

    done = bulk(world.app, ANN, Query(queue="porting"), CODE, note="a list came")

    assert counts(done) == (25, 23, 2, 0, 0)
    assert {one.why.partition(": ")[2][:26] for one in done.failures} == {"correct cannot be done, it"}


def test_what_falls_out_meanwhile_is_counted_and_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three orders come while the job is at work: they are not in it, and it says that they are there."""
    took = rules.report

    def and_others_come(state: JobState, items: Sequence[Tried]) -> Decision:
        if not state.tried:
            world.take(*without_codes(3, begin=25), name="more.jsonl")
            world.run(at(5, 13))
        return took(state, items)

    monkeypatch.setattr(rules, "report", and_others_come)
    done = bulk(world.app, ANN, Query(reason="NP-CODE"), Note(), note="a list will come")

    assert counts(done) == (25, 25, 0, 0, 3)
    assert events(world, "fallout.noted") == 25


def test_the_same_command_again_gets_the_same_answer(world: World) -> None:
    """Nothing is done twice, and another wish under the same id is refused."""
    context = Context("ann", command_id=str(uuid.uuid4()))
    done = bulk(world.app, context, Query(reason="NP-CODE"), Note(), note="a list will come")
    before = world.app.reads.last_position()

    assert bulk(world.app, context, Query(reason="NP-CODE"), Note(), note="a list will come") == done
    assert world.app.reads.last_position() == before
    with pytest.raises(Refused, match="was used for something else"):
        bulk(world.app, context, Query(reason="NP-CODE"), Note(), note="it came")


def test_several_of_one_order_are_each_decided_on_what_the_last_left(world: World) -> None:
    """An order of three such lines is three fallouts of one stream: all three are corrected."""
    lines = [ported(str(n), msisdn=f"+44770093{n:04d}", code="") for n in (1, 2, 3)]
    world.take(order("WEB-99", *lines, party="C-30"), name="three.jsonl")
    world.run(at(5, 13))

    done = bulk(world.app, ANN, Query(order="WEB-99"), CODE, note="read back")
    world.run(at(20))

    assert counts(done) == (3, 3, 0, 0, 0)
    assert world.state("WEB-99") == "completed"


def test_forcing_many_takes_two_people(world: World) -> None:
    """Ann's job proposes it for each, and cannot agree with itself; Ben's does it."""
    world.scripted.will("esim-download", *[Failed("PERMANENT")] * 6)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n + 1}") for n in range(25, 31)), name="more.jsonl")
    world.run(at(6))
    query = Query(group=group_of(world, "SIM-DPUNK")["group"])

    assert counts(bulk(world.app, ANN, query, Force(), note="installed in the shops")) == (6, 6, 0, 0, 0)
    assert events(world, "step.forced") == 0
    assert counts(bulk(world.app, ANN, query, Force(), note="really")) == (6, 0, 6, 0, 0)
    assert counts(bulk(world.app, BEN, query, Force(), note="seen as well")) == (6, 6, 0, 0, 0)
    assert events(world, "step.forced") == 6


def test_many_are_given_to_somebody(world: World, desk: Desk) -> None:
    """By the filters of the list, and found again as that person's."""
    bulk_at_the_desk(desk, "--query", "reason=NP-CODE", "--query", "queue=porting", "--assign", "cleo", "--reason", "knows the donor")
    assert len(desk.sees("fallout", "list", "--owner", "cleo")) == 25
    bulk_at_the_desk(desk, "--query", "owner=cleo", "--wait", "partner", "--until", "2026-01-09T09:00:00Z", "--reason", "they look into it")
    assert {row["state"] for row in desk.sees("fallout", "list")} == {"onHold"}


REFUSED = [
    pytest.param(["--retry"], "say which fallouts", "usage", id="which?"),
    pytest.param(["--query", "colour=red", "--retry"], "no such filter", "usage", id="a filter that is none"),
    pytest.param(["--query", "queue=moon", "--retry"], "no queue moon", "usage", id="a queue that is none"),
    pytest.param(["--group", "0000000000", "--retry"], "no open fallout has group 0000000000", "missing", id="a group that is none"),
    pytest.param(["--query", "reason=NP-CODE"], "say one way", "usage", id="no way"),
    pytest.param(["--query", "reason=NP-CODE", "--retry", "--fail"], "say one way", "usage", id="two ways"),
    pytest.param(["--query", "reason=NP-CODE", "--retry", "--threshold", "many"], "in percent", "usage", id="a threshold that is none"),
    pytest.param(["--query", "reason=NP-CODE", "--retry", "--threshold", "0%"], "between 1 and 100", "usage", id="a threshold of nothing"),
]


@pytest.mark.parametrize(("words", "told", "kind"), REFUSED)
def test_what_cannot_be_is_refused_and_writes_nothing(desk: Desk, world: World, words: list[str], told: str, kind: str) -> None:
    """In one line, before anything is begun."""
    before = world.app.reads.last_position()
    with pytest.raises(Refused, match=told) as refused:
        desk.types("fallout", "bulk", *words, "--reason", "why not")
    assert (refused.value.kind, world.app.reads.last_position()) == (kind, before)


def test_some_that_failed_show_in_how_it_ends(desk: Desk, world: World) -> None:
    """The command ends with 6, as an intake does that refused some lines; a job that there is not with 3."""
    ended = CliRunner().invoke(app, ["fallout", "bulk", "--query", "reason=NP-CODE", "--skip", "--reason", "no need"], env=desk.environment)
    assert (ended.exit_code, "20 of 20 failed; 5 were left alone" in ended.output) == (6, True)
    with pytest.raises(Refused, match="no job nonsense") as refused:
        desk.types("fallout", "job", "nonsense")
    assert refused.value.kind == "missing"
