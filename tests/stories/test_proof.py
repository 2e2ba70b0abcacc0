"""Proof before repair: a fix is tried on open fallouts with the real rules over recorded answers, writes nothing, and is then applied to exactly those
that it resolves."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from o2c.desk import proving
from o2c.desk.fallout import Correct
from o2c.engine.app import Context, Engine
from o2c.entrypoints.python import OrderToCash
from o2c.kernel.partner import Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.jobs import show_job
from o2c.views.proving import Proof, prove
from projections.engine.what_if import read_only
from tests.desk import Desk
from tests.world import World, at, line, order, ported

CODES = 'version = "fix-1"\nvalid_from = "2026-01-01"\n'
ODD = CODES + '[steps.identity]\ncodes = {{ ODD = "{}" }}\n'
KNOWN = '[correct]\n"party" = "C-2"\n'


def proof(desk: Desk, tmp_path: Path, fix: str, *words: str) -> Any:
    (tmp_path / "fix.toml").write_text(fix)
    return desk.sees("fallout", "prove", "--fix", str(tmp_path / "fix.toml"), *words)


def numbers(row: dict[str, Any]) -> tuple[int, int, int, int]:
    return row["fallouts"], row["resolves"], row["fails_again"], row["unknown"]


def unnamed(external_id: str) -> dict[str, Any]:
    """An order of a party that nobody knows."""
    return order(external_id, line(), party="C-99")


@pytest.fixture
def odd(world: World) -> World:
    """Two orders whose identity was refused under a word that nobody mapped."""
    world.scripted.will("identity", RefusedBy("ODD"), RefusedBy("ODD"))
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    return world.run(at(5, 10))


def test_a_check_of_our_own_is_decided_fully(world: World, desk: Desk, tmp_path: Path) -> None:
    """Two orders of an unknown party: corrected to one that is known, validation passes; to another unknown one, it falls out again."""
    world.take(unnamed("WEB-1"), unnamed("WEB-2"))
    world.run(at(5, 10))

    good = proof(desk, tmp_path, KNOWN, "--reason", "DQ-PARTY")
    bad = proof(desk, tmp_path, '[correct]\nparty = "C-98"\n', "--reason", "DQ-PARTY", "--items")

    assert numbers(good) == (2, 2, 0, 0)
    assert numbers(bad) == (2, 0, 2, 0)
    assert {item["then"] for item in bad["items"]} == {"DQ-PARTY"}


def test_a_correction_of_one_order_is_no_other_s(world: World, desk: Desk, tmp_path: Path) -> None:
    """The table of an order speaks for it alone; the three counts sum to all, and the group is the one that the queue names."""
    world.take(unnamed("WEB-1"), unnamed("WEB-2"))
    world.run(at(5, 10))
    [group] = {row["group"] for row in desk.sees("fallout", "list")}

    row = proof(desk, tmp_path, '[orders.WEB-2]\nparty = "C-2"\n', "--group", group, "--items")

    assert numbers(row) == (2, 1, 1, 0)
    assert {item["external_id"]: item["verdict"] for item in row["items"]} == {"WEB-1": "fails_again", "WEB-2": "resolves"}
    assert row["group"] == group
    assert row["events_read"] >= 6


@pytest.mark.parametrize(
    ("ours", "counts", "then"),
    [
        pytest.param("KYC-DOC", (2, 0, 2, 0), {"KYC-DOC"}, id="another code for a person"),
        pytest.param("NET-TMO", (2, 0, 0, 2), {""}, id="tried again: nobody knows what is said to another attempt"),
    ],
)
def test_a_mapping_is_tried_over_the_recorded_answer(
    odd: World, desk: Desk, tmp_path: Path, ours: str, counts: tuple[int, int, int, int], then: set[str]
) -> None:
    """The partner said ODD to this very request: what our table makes of it is decided, and a further attempt is not invented."""
    row = proof(desk, tmp_path, ODD.format(ours), "--reason", "unclassified", "--items")

    assert numbers(row) == counts
    assert {item["then"] for item in row["items"]} == then


def test_a_request_that_was_never_made_is_unknown(world: World, desk: Desk, tmp_path: Path) -> None:
    """The port's code is corrected, so the clearing house would be asked something else: control, the same order without the fix fails again."""
    world.scripted.will("porting", RefusedBy("PAC_MISMATCH"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 10))
    [found] = world.fallouts("WEB-1")

    changed = proof(desk, tmp_path, '[correct]\nportInCode = "XYZ123456"\n', "--reason", found["reason"], "--items")
    same = proof(desk, tmp_path, CODES + "[codes.NP-CODE]\nseverity = 1\n", "--reason", found["reason"])

    assert numbers(changed) == (1, 0, 0, 1)
    assert "never asked this" in changed["items"][0]["why"]
    assert numbers(same) == (1, 0, 1, 0)


def test_a_technical_failure_need_not_come_again(world: World, desk: Desk, tmp_path: Path) -> None:
    """The network failed six times: nobody knows of the seventh."""
    world.scripted.will("activation", *(Failed("UNAVAILABLE") for _ in range(6)))
    world.take(order("WEB-1", line()))
    world.run(at(7))
    [found] = world.fallouts("WEB-1")

    assert numbers(proof(desk, tmp_path, CODES + "[retries.transient]\nattempts_max = 5\nfirst_s = 60\n", "--reason", found["reason"])) == (
        1,
        0,
        0,
        1,
    )


def test_nothing_is_written(odd: World, desk: Desk, tmp_path: Path) -> None:
    """The log ends where it ended, and who cannot write proves as well; control: the same session is refused to write."""
    before = odd.app.reads.last_position()
    proof(desk, tmp_path, ODD.format("KYC-DOC"), "--reason", "unclassified")
    dsn = read_only(odd.dsn)
    looking = Engine(dsn, reading=True)
    found = prove(looking, ODD.format("KYC-DOC"), reason="unclassified")
    with psycopg.connect(dsn) as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        conn.execute("DELETE FROM o2c.clock")
    looking.close()

    assert found.count("fails_again") == 2
    assert odd.app.reads.last_position() == before
    assert odd.app.codes().newest.version == "2026-11"


def test_exactly_what_resolves_is_applied(world: World, desk: Desk, tmp_path: Path) -> None:
    """One of two resolves and is corrected, under who applied it; the other waits as it did; one that came later is left alone; a repeat does nothing."""
    world.take(unnamed("WEB-1"), unnamed("WEB-2"))
    world.run(at(5, 10))
    fix = '[orders.WEB-2]\nparty = "C-2"\n[orders.WEB-1]\nparty = "C-77"\n'

    row = proof(desk, tmp_path, fix, "--reason", "DQ-PARTY", "--apply", "--note", "the channel's export was wrong")
    world.take(unnamed("WEB-3"), name="more.jsonl")
    world.run(at(6))
    again = proof(desk, tmp_path, fix, "--reason", "DQ-PARTY", "--apply", "--note", "once more")

    assert (numbers(row), row["done"], row["refused"]) == ((2, 1, 1, 0), 1, 0)
    assert (numbers(again), again["done"]) == ((2, 0, 2, 0), 0)
    assert {name: world.state(name) for name in ("WEB-1", "WEB-2", "WEB-3")} == {
        "WEB-1": "pending",
        "WEB-2": "completed",
        "WEB-3": "pending",
    }
    assert [world.told(name).count("fallout.correction-applied") for name in ("WEB-1", "WEB-2", "WEB-3")] == [0, 1, 0]


def test_what_moved_on_since_the_proof_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody corrects one of two between proof and deed: that one is refused and says so, the other is done; the job tells of both."""
    world.take(unnamed("WEB-1"), unnamed("WEB-2"))
    world.run(at(5, 10))

    def meanwhile(app: Engine, fix: str, *, group: str, reason: str) -> Proof:
        found = prove(app, fix, group=group, reason=reason)
        world.resolve("DQ-PARTY", Correct({"party": "C-1"}), of="WEB-1")
        return found

    monkeypatch.setattr(proving, "prove", meanwhile)
    applied = proving.apply_fix(world.app, Context("ann"), KNOWN, reason="DQ-PARTY", note="the export was wrong")

    [(fallout, why)] = applied.refused
    assert (len(applied.done), "at version" in why) == (1, True)
    assert {row["fallout"]: row["result"] for row in show_job(world.app, applied.job)} == {applied.done[0]: "done", fallout: "failed"}


def test_codes_are_loaded_where_they_resolve(odd: World, tmp_path: Path) -> None:
    """ODD is a final no: the gate declines by itself, and so it does when the fix is applied and the agency says so again."""
    odd.scripted.will("identity", RefusedBy("ODD"), RefusedBy("ODD"))
    final = CODES + '[steps.identity]\ncodes = { ODD = "KYC-MATCH" }\n'
    with OrderToCash(odd.dsn) as store:
        proven = store.prove_fix(final, reason="unclassified")
        applied = store.apply_fix(final, Context("ann"), reason="unclassified", note="the agency wrote what it means")

    assert (proven.count("resolves"), {item.then for item in proven.items}) == (2, {"identity.failed"})
    assert (applied.codes, len(applied.done), applied.refused) == ("fix-1", 2, ())
    assert odd.run(at(6)).state("WEB-1") == "rejected"


@pytest.mark.parametrize(
    ("fix", "words", "told"),
    [
        pytest.param("[policy]\nlimit = 1\n", ("--reason", "NP-CODE"), "cannot be tried", id="what is no data"),
        pytest.param("", ("--reason", "NP-CODE"), "says nothing", id="nothing"),
        pytest.param("[correct]\nparty = 1\n", ("--reason", "NP-CODE"), 'KEY = "VALUE"', id="no text"),
        pytest.param("nonsense", ("--reason", "NP-CODE"), "no TOML", id="no TOML"),
        pytest.param('correct = { party = "C-1" }\n' + CODES, ("--reason", "NP-CODE"), "tables of their own", id="corrections without a heading"),
        pytest.param(KNOWN, (), "one of them", id="neither group nor reason"),
        pytest.param(KNOWN, ("--group", "abc"), "no fallout is of a group", id="no such group"),
        pytest.param(KNOWN, ("--reason", "NOPE"), "there is no reason", id="no such reason"),
        pytest.param(CODES.replace("2026-01-01", "2027-01-01") + "[codes.NP-CODE]\nseverity = 1\n", ("--reason", "NP-CODE"), "from 2027-01-01 only", id="not yet"),
        pytest.param(CODES + "[codes.NP-CODE]\nseverity = 9\n", ("--reason", "NP-CODE"), "severity", id="codes that cannot be"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused(world: World, desk: Desk, tmp_path: Path, fix: str, words: tuple[str, ...], told: str) -> None:
    """One line that says what is wrong with it."""
    with pytest.raises(Refused, match=told):
        proof(desk, tmp_path, fix, *words)


def test_a_line_for_each(odd: World, desk: Desk, tmp_path: Path) -> None:
    """JSON lines have one fallout each, and no personal values."""
    (tmp_path / "fix.toml").write_text(ODD.format("KYC-DOC"))
    told = desk.types("fallout", "prove", "--reason", "unclassified", "--fix", str(tmp_path / "fix.toml"), "-o", "jsonl")

    assert [json.loads(each)["verdict"] for each in told.splitlines()] == ["fails_again"] * 2
