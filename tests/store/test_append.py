"""append(): each rule of the only way to write the log, one writer at a time."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, PersistenceError

from o2c.kernel.agenda import Dropped, Entry
from o2c.store.commands import APPEND_SQL, Append, Outcome, PoolChange, append_parameters, outcomes_of
from o2c.store.database import connect
from o2c.store.recorder import LogRecorder, heads_of
from tests.store.writing import NOON, command, contents, fact, free, rows, send, take, verdicts, versions

_CAUSE = "3f0c8a0e-4f3b-5d0a-9c53-1f0d5be3a9aa"
_POSITIONS = "SELECT position FROM o2c.event ORDER BY position"


def _one(recorder: LogRecorder, sent: Append) -> Outcome:
    [outcome] = recorder.append([sent])
    return outcome


def _holders(recorder: LogRecorder) -> dict[str, str]:
    return {row["key"]: row["holder"] for row in rows(recorder, "SELECT key, holder FROM o2c.guard")}


def test_a_new_stream_begins_at_one(recorder: LogRecorder) -> None:
    """Three events of a new stream stand at consecutive positions, its head at the last of them, and the command tells the span."""
    sent = command(("a-1", 0), each=3, outcome='{"answer": 42}')
    outcome = _one(recorder, sent)
    assert (outcome.verdict, outcome.last_position - outcome.first_position, outcome.outcome) == ("appended", 2, {"answer": 42})
    stored = rows(recorder, "SELECT position, version, event_id::text, command_id::text FROM o2c.event ORDER BY position")
    assert [row["position"] for row in stored] == list(range(outcome.first_position, outcome.last_position + 1))
    assert [row["version"] for row in stored] == [1, 2, 3]
    assert [row["event_id"] for row in stored] == [each.event_id for each in sent.facts]
    assert {row["command_id"] for row in stored} == {sent.command_id}
    [head] = rows(recorder, "SELECT stream, version, last_position, shape FROM o2c.head")
    assert head == {"stream": "a-1", "version": 3, "last_position": outcome.last_position, "shape": 1}


def test_a_known_stream_goes_on(recorder: LogRecorder) -> None:
    """A second command that saw version 2 appends version 3, at a later position."""
    first = _one(recorder, command(("a-1", 0), each=2))
    second = _one(recorder, command(("a-1", 2)))
    assert second.verdict == "appended"
    assert second.first_position > first.last_position
    assert versions(recorder) == {"a-1": [1, 2, 3]}


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param((("known-1", 1),), id="an older version"),
        pytest.param((("known-1", 3),), id="a version that is not there yet"),
        pytest.param((("known-1", 0),), id="new, and it is known"),
        pytest.param((("new-1", 2),), id="known, and it is new"),
        pytest.param((("new-1", 0), ("known-1", 1)), id="one of two streams"),
        pytest.param((("known-1", 2), ("new-1", 1)), id="the other of two streams"),
    ],
)
def test_a_stale_command_is_a_result(recorder: LogRecorder, seen: tuple[tuple[str, int], ...]) -> None:
    """A command that saw another version leaves nothing behind, and the others of its batch are appended."""
    recorder.append([command(("known-1", 0), each=2)])
    stale = command(*seen, guards=(take("89-1", "o-1"),), agenda=((_entry("known-1"), _CAUSE),), pool=(_offer(),))
    before, after = command(("before-1", 0)), command(("after-1", 0))
    assert verdicts(recorder.append([before, stale, after])) == ["appended", "stale", "appended"]
    assert versions(recorder) == {"known-1": [1, 2], "before-1": [1], "after-1": [1]}
    left = contents(recorder)
    assert not any(stale.command_id in row or "new-1" in row for table in left.values() for row in table)
    assert left["guard"] == left["agenda"] == left["pool"] == []


def test_a_stale_command_may_come_again(recorder: LogRecorder) -> None:
    """Decided anew on the version that is there, the same command id is appended."""
    recorder.append([command(("a-1", 0))])
    stale = command(("a-1", 0))
    assert _one(recorder, stale).verdict == "stale"
    assert _one(recorder, command(("a-1", 1), command_id=stale.command_id)).verdict == "appended"


@pytest.mark.parametrize("known", [pytest.param(0, id="a new stream"), pytest.param(1, id="a known stream")])
def test_two_commands_on_one_stream_in_a_batch(recorder: LogRecorder, known: int) -> None:
    """The second waits for another append, whether it saw what was there before or what the first makes of it."""
    recorder.append([command(("a-1", 0))] if known else [])
    first, same, following = command(("a-1", known)), command(("a-1", known)), command(("a-1", known + 1))
    assert verdicts(recorder.append([first, same, following, command(("b-1", 0))])) == ["appended", "stale", "stale", "appended"]
    assert versions(recorder)["a-1"] == list(range(1, known + 2))
    assert _one(recorder, following).verdict == "appended"


def test_commands_that_follow_are_written_with_those_before_them(recorder: LogRecorder) -> None:
    """Each goes on from where the one before leaves a stream, of a new one and of a known one: all stand in one transaction, in order, and
    the head and the agenda are as the last leaves them."""
    recorder.append([command(("a-1", 0))])
    first = command(("a-1", 1), ("b-1", 0), agenda=((_entry("a-1"), _CAUSE),))
    second = command(("a-1", 2), ("b-1", 1), follows=True, agenda=((replace(_entry("a-1"), attempt=2), _CAUSE),))
    third = command(("b-1", 2), ("c-1", 0), follows=True)
    outcomes = recorder.append([first, command(("d-1", 0)), second, third])

    assert verdicts(outcomes) == ["appended"] * 4
    assert versions(recorder) == {"a-1": [1, 2, 3], "b-1": [1, 2, 3], "c-1": [1], "d-1": [1]}
    assert {row["attempt"] for row in rows(recorder, "SELECT attempt FROM o2c.agenda")} == {2}
    heads = rows(recorder, "SELECT h.stream, h.last_position = max(e.position) AS at_last, h.version = max(e.version) AS newest "
                           "FROM o2c.head h JOIN o2c.event e USING (stream) GROUP BY h.stream")  # fmt: skip
    assert all(row["at_last"] and row["newest"] for row in heads)
    spans = rows(recorder, "SELECT command_id::text AS id, first_position, last_position FROM o2c.command")
    assert {row["id"]: (row["first_position"], row["last_position"]) for row in spans}[third.command_id] == (
        outcomes[3].first_position,
        outcomes[3].last_position,
    )
    assert len({outcome.first_position >> 16 for outcome in outcomes}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"first": ("a-1", 7)}, id="the first is stale"),
        pytest.param({"following": ("a-1", 5)}, id="it does not go on from what the first leaves"),
        pytest.param({"guards": (take("held", "o-2"),)}, id="it meets a guard"),
    ],
)
def test_what_follows_waits_where_not_all_can_be_written(recorder: LogRecorder, wrong: dict[str, Any]) -> None:
    """Nothing of it is left behind, and what stands by itself is written as ever; decided anew, it goes on."""
    recorder.append([command(("a-1", 0)), command(("g-1", 0), guards=(take("held", "o-1"),))])
    first = command(wrong.get("first", ("a-1", 1)), guards=(take("89-1", "o-1"),))
    follows = command(wrong.get("following", ("a-1", first.heads[0].version)), ("b-1", 0), follows=True, guards=wrong.get("guards", ()))
    outcomes = recorder.append([first, follows, command(("d-1", 0))])

    assert verdicts(outcomes) == ["stale" if "first" in wrong else "appended", "stale", "appended"]
    assert "b-1" not in versions(recorder)
    assert "89-1" in _holders(recorder) or "first" in wrong
    again = command(("a-1", versions(recorder)["a-1"][-1]), command_id=follows.command_id)
    assert _one(recorder, again).verdict == "appended"


def test_a_version_that_never_was_does_not_pass(recorder: LogRecorder, log_dsn: str) -> None:
    """No stream was ever seen at version -1, or at none: neither append() nor the library's way in lets such a command pass the guard."""
    recorder.append([command(("a-1", 0))])
    assert _one(recorder, command(("b-1", -1))).verdict == "stale"
    forged = append_parameters([command(("b-1", 0))], 0)
    forged[1], forged[2] = forged[2].replace('",0,', '",,', 1), "{}"  # seen at no version at all
    with connect(log_dsn) as conn:
        assert conn.execute(APPEND_SQL, forged).fetchall()[0]["verdict"] == "stale"
    with pytest.raises(IntegrityError, match="begins at 1"):
        heads_of([fact("b-1", 0, _CAUSE)])
    assert versions(recorder) == {"a-1": [1]}


# Guards


def test_one_holder_wins_a_guard(recorder: LogRecorder) -> None:
    """The second taker is told which guard is held, and leaves nothing behind: no head, no command, no event, no other guard."""
    recorder.append([command(("a-1", 0)), command(("b-1", 0), guards=(take("89-1", "o-1"),))])
    before = contents(recorder)
    loser = command(("a-1", 1), ("new-1", 0), guards=(take("89-0", "o-2"), take("89-1", "o-2"), take("89-2", "o-2"), free("89-1", "o-1")))
    loser = replace(loser, agenda=((_entry("a-1"), _CAUSE),), pool=(_offer(),))
    outcome = _one(recorder, loser)
    assert (outcome.verdict, outcome.detail) == ("guarded", "sim 89-1")
    assert contents(recorder) == before


def test_the_first_of_a_batch_wins_a_guard(recorder: LogRecorder) -> None:
    """Of commands of one batch that want one guard the first gets it, in their order, always."""
    batch = [command((f"s-{n}", 0), guards=(take(str(n // 3), f"o-{n}"),)) for n in range(30)]
    assert verdicts(recorder.append(batch)) == ["appended", "guarded", "guarded"] * 10
    assert _holders(recorder) == {str(n): f"o-{3 * n}" for n in range(10)}


def test_the_same_holder_may_take_its_guard_again(recorder: LogRecorder) -> None:
    """A guard already ours is no obstacle, in another append and within one."""
    recorder.append([command(("a-1", 0), guards=(take("89-1", "o-1"),))])
    again = [command(("a-1", 1), guards=(take("89-1", "o-1"), take("89-2", "o-1"))), command(("b-1", 0), guards=(take("89-2", "o-1"),))]
    assert verdicts(recorder.append(again)) == ["appended", "appended"]
    assert _holders(recorder) == {"89-1": "o-1", "89-2": "o-1"}


def test_a_guarded_command_takes_no_guard_from_its_neighbour(recorder: LogRecorder) -> None:
    """Two commands of one holder share a guard; when the first fails on another guard, the second still holds the shared one."""
    recorder.append([command(("a-1", 0), guards=(take("held", "o-1"),))])
    fails = command(("b-1", 0), guards=(take("shared", "o-2"), take("held", "o-2")))
    stands = command(("c-1", 0), guards=(take("shared", "o-2"),))
    assert verdicts(recorder.append([fails, stands])) == ["guarded", "appended"]
    assert _holders(recorder) == {"held": "o-1", "shared": "o-2"}


def test_a_guard_is_freed_by_its_holder_only(recorder: LogRecorder) -> None:
    """Freeing what another holds does nothing; what its holder frees can be taken."""
    recorder.append([command(("a-1", 0), guards=(take("89-1", "o-1"),))])
    assert _one(recorder, command(("b-1", 0), guards=(free("89-1", "o-2"),))).verdict == "appended"
    assert _one(recorder, command(("c-1", 0), guards=(take("89-1", "o-2"),))).verdict == "guarded"
    assert _one(recorder, command(("a-1", 1), guards=(free("89-1", "o-1"),))).verdict == "appended"
    assert _one(recorder, command(("c-1", 0), guards=(take("89-1", "o-2"),))).verdict == "appended"
    assert _holders(recorder) == {"89-1": "o-2"}


# Commands sent again


def test_a_command_id_has_one_answer(recorder: LogRecorder) -> None:
    """Sent again, even after its stream moved on, a command gets its first answer and positions, and nothing is written."""
    sent = command(("a-1", 0), each=2, outcome='{"order": "o-1"}', guards=(take("89-1", "o-1"),))
    first = _one(recorder, sent)
    recorder.append([command(("a-1", 2), guards=(free("89-1", "o-1"),))])
    before = contents(recorder)
    assert _one(recorder, replace(sent, outcome='{"order": "other"}')) == replace(first, verdict="repeated")
    assert contents(recorder) == before


def test_a_command_id_stands_for_one_request(recorder: LogRecorder) -> None:
    """The same id with another fingerprint is refused, and the others of its batch are appended."""
    sent = command(("a-1", 0))
    recorder.append([sent])
    other = command(("b-1", 0), command_id=sent.command_id, fingerprint="another request")
    assert verdicts(recorder.append([other, command(("c-1", 0)), replace(sent, command_id=_CAUSE)])) == ["refused", "appended", "stale"]
    assert versions(recorder) == {"a-1": [1], "c-1": [1]}


def test_one_append_cannot_carry_an_id_twice(recorder: LogRecorder) -> None:
    """Which of the two would be the repeated one is nobody's to guess."""
    sent = command(("a-1", 0))
    with pytest.raises(ValueError, match="same command id twice"):
        recorder.append([sent, command(("b-1", 0), command_id=sent.command_id)])
    assert versions(recorder) == {}


def test_the_librarys_way_in_takes_a_repeated_command(recorder: LogRecorder) -> None:
    """insert_events yields positions of what it wrote now: those of the events, or none for a command that came again."""
    sent = command(("a-1", 0), each=2)
    assert list(recorder.insert_events(sent.facts, command=sent) or []) == [row["position"] for row in rows(recorder, _POSITIONS)]
    assert not recorder.insert_events(sent.facts[:1], command=sent)
    with pytest.raises(IntegrityError, match="refused"):
        recorder.insert_events(sent.facts, command=replace(sent, fingerprint="another request"))


def test_a_command_without_events_is_remembered(recorder: LogRecorder) -> None:
    """An answer that changed nothing is an answer too, by both ways in."""
    answer = command(outcome='{"answer": 42}')
    assert not recorder.insert_events([], command=answer)
    assert _one(recorder, answer).outcome == {"answer": 42}
    assert [_one(recorder, other).verdict for other in (answer, replace(answer, fingerprint="another request"))] == ["repeated", "refused"]
    assert recorder.insert_events([]) is None


# Agenda and pool


def _entry(stream: str, kind: str = "submit", attempt: int = 1) -> Entry:
    return Entry(stream, "1", "sim", kind, NOON, 4, NOON, attempt, "sim/esim")


def _offer(detail: str = "{}") -> PoolChange:
    return PoolChange(True, "sim/esim", "89-1", NOON, detail)


def _withdrawal() -> PoolChange:
    return PoolChange(False, "sim/esim", "89-2", NOON)


def test_the_agenda_follows_the_events(recorder: LogRecorder) -> None:
    """An entry is put, replaced (and its lease ended) and dropped; one of another step stays."""
    other = replace(_entry("a-1"), step="number")
    recorder.append([command(("a-1", 0), agenda=((_entry("a-1"), _CAUSE), (other, _CAUSE)))], round_=7)
    read = "SELECT step, kind, attempt, pool, cause::text, round, lease_until FROM o2c.agenda ORDER BY step DESC"
    kept = {"step": "number", "kind": "submit", "attempt": 1, "pool": "sim/esim", "cause": _CAUSE, "round": 7, "lease_until": None}
    assert rows(recorder, read) == [{**kept, "step": "sim"}, kept]
    with recorder.datastore.get_connection() as conn:
        conn.execute("UPDATE o2c.agenda SET lease_until = now() WHERE step = 'sim'")
    recorder.append([command(("a-1", 1), agenda=((_entry("a-1", "query", 2), _CAUSE),))], round_=8)
    assert rows(recorder, read) == [{**kept, "step": "sim", "kind": "query", "attempt": 2, "round": 8}, kept]
    recorder.append([command(("a-1", 2), agenda=((Dropped("a-1", "1", "sim"), _CAUSE),))])
    assert rows(recorder, read) == [kept]


def test_the_pool_follows_the_events(recorder: LogRecorder) -> None:
    """A candidate is offered, offered anew and withdrawn; one of another pool stays."""
    recorder.append([command(("a-1", 0), pool=(_offer(), replace(_offer(), pool="sim/physical")))])
    recorder.append([command(("a-1", 1), pool=(_offer('{"imsi": "00101"}'),))])
    read = "SELECT pool, detail FROM o2c.pool ORDER BY pool"
    kept: dict[str, Any] = {"pool": "sim/physical", "detail": {}}
    assert rows(recorder, read) == [{"pool": "sim/esim", "detail": {"imsi": "00101"}}, kept]
    recorder.append([command(("a-1", 2), pool=(replace(_offer(), put=False),))])
    assert rows(recorder, read) == [kept]


# What would break the order of positions


@pytest.mark.parametrize(
    ("before", "message"),
    [
        pytest.param("CREATE TEMP TABLE mine (n int)", "first write", id="a temporary table"),
        pytest.param("SELECT FROM o2c.head FOR UPDATE", "first write", id="a row lock"),
        pytest.param("SELECT pg_current_xact_id()", "first write", id="a transaction id"),
        pytest.param("UPDATE o2c.agenda SET attempt = 2", None, id="control: a write that touches no row"),
        pytest.param("UPDATE o2c.head SET shape = 2", "first write", id="another write"),
        pytest.param("SET LOCAL synchronous_commit = off", "synchronous_commit", id="a commit that may be lost"),
        pytest.param("SET LOCAL synchronous_commit = local", None, id="control: a commit that is flushed here"),
        pytest.param("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "READ COMMITTED", id="repeatable read"),
        pytest.param("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "READ COMMITTED", id="serializable"),
        pytest.param("SELECT count(*) FROM o2c.event", None, id="control: a read"),
    ],
)
def test_append_stands_first_in_its_transaction(recorder: LogRecorder, log_dsn: str, before: str, message: str | None) -> None:
    """Whatever was done before in the transaction, append refuses when its position could fall behind a reader."""
    recorder.append([command(("a-1", 0))])

    def append_after() -> list[str]:
        with connect(log_dsn) as conn, conn.transaction():
            conn.execute(before.encode())
            return verdicts(send(conn, command(("b-1", 0))))

    if message is None:
        assert append_after() == ["appended"]
    else:
        with pytest.raises(psycopg.errors.InvalidTransactionState, match=message):
            append_after()
    assert set(versions(recorder)) == ({"a-1", "b-1"} if message is None else {"a-1"})


def test_a_transaction_appends_once(recorder: LogRecorder, log_dsn: str) -> None:
    """A second append of the same transaction is refused, in a savepoint too, and leaves the first as it is."""
    with connect(log_dsn) as conn, conn.transaction():
        assert verdicts(send(conn, command(("a-1", 0)))) == ["appended"]
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="first write"), conn.transaction():
            send(conn, command(("b-1", 0)))
    assert versions(recorder) == {"a-1": [1]}


def test_a_transaction_holds_65536_events(recorder: LogRecorder) -> None:
    """One event more would take the positions of the next transaction. The control is known already, so that nothing is written."""
    known = command(("a-1", 0))
    recorder.append([known])
    full = replace(known, facts=tuple(replace(known.facts[0], originator_version=n) for n in range(1, 65537)))
    assert _one(recorder, full).verdict == "repeated"
    with pytest.raises(PersistenceError, match="65537 events in one transaction"):
        recorder.append([replace(full, facts=(*full.facts, known.facts[0]))])


def test_one_command_id_in_two_spellings_is_refused(recorder: LogRecorder) -> None:
    """The server knows that both are the same id; nothing of the append is written."""
    one = command(("a-1", 0))
    with pytest.raises(PersistenceError, match="the same command id twice"):
        recorder.append([one, replace(command(("a-2", 0)), command_id=one.command_id.upper())])
    assert versions(recorder) == {}


def test_no_table_is_read_whole(log_dsn: str) -> None:
    """However small the tables were when the plans were made: every row that append() looks for is found by an index."""
    gone = Dropped("a-1", "1", "gone")
    with connect(log_dsn) as conn:
        scans = "SELECT relname FROM pg_stat_xact_user_tables WHERE schemaname = 'o2c' AND seq_scan > 0"
        for version in (0, 1):
            held = (take("89-1", "o-1"), free("89-2", "o-1"))
            told = command(("a-1", version), guards=held, agenda=((_entry("a-1"), _CAUSE), (gone, _CAUSE)), pool=(_offer(), _withdrawal()))
            stale, guarded = command(("b-1", 7), ("c-1", 0)), command((f"new-{version}", 0), guards=(take("89-1", "o-2"),))
            with conn.transaction():
                outcomes = outcomes_of(
                    3 * [told], conn.execute(APPEND_SQL, append_parameters([told, stale, guarded], 5 + version)).fetchall()
                )
                assert conn.execute(scans).fetchall() == []
            assert verdicts(outcomes) == ["appended", "stale", "guarded"]
            with conn.transaction():
                assert verdicts(send(conn, told, command((f"other-{version}", 0)))) == ["repeated", "appended"]
                assert conn.execute(scans).fetchall() == []
