"""What people do with a fallout before it is over: take it, give it on, wait, ask, escalate, agree to force it; and codes of the operator's own."""

from pathlib import Path
from typing import Any

import pytest

from o2c.kernel.partner import Answered, Failed, RefusedBy
from o2c.kernel.refusal import Refused
from tests.desk import Desk
from tests.world import World, at, line, order, ported

OURS = 'version = "ours-1"\nvalid_from = "2026-01-01"\n[codes.NP-CODE]\nseverity = 1\nqueue = "care"\n[steps.identity]\ncodes = { ODD = "KYC-DOC" }\n'


@pytest.fixture
def fallout(world: World) -> str:
    """A line without its code, looked at an hour later."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 11))
    return str(world.fallouts(reason="NP-CODE")[0]["fallout"])


def row(desk: Desk) -> dict[str, Any]:
    [found] = desk.sees("fallout", "list")
    return dict(found)


def as_ben(dsn: str, tmp_path: Path) -> Desk:
    desk = Desk(dsn, tmp_path)
    desk.environment = {**desk.environment, "O2C_ACTOR": "ben"}
    return desk


def test_a_fallout_has_a_team_and_a_next_date_before_anybody_looks(fallout: str, desk: Desk) -> None:
    """Its queue's team, and the time at which it goes up a level; its code's version and severity stand beside it."""
    seen = row(desk)
    assert (seen["state"], seen["owner"], seen["level"], seen["severity"]) == ("open", "porting desk", 0, 3)
    assert seen["next_at"][:13] == "2026-01-06T09"
    assert seen["code_version"] == "2026-11"


def test_a_claim_keeps_others_off_until_it_runs_out(fallout: str, desk: Desk, dsn: str, tmp_path: Path, world: World) -> None:
    """Ann has it for half an hour; Ben is told so, and takes it when the time is over: that is a hand-over."""
    ben = as_ben(dsn, tmp_path)
    desk.types("fallout", "work", fallout, "--claim", "30")
    with pytest.raises(Refused, match="ann has claimed it until"):
        ben.types("fallout", "work", fallout, "--claim", "30")
    assert (row(desk)["state"], row(desk)["owner"]) == ("inProgress", "ann")

    world.run(at(5, 12))
    assert row(desk)["state"] == "open"
    ben.types("fallout", "work", fallout, "--claim", "30")

    assert (row(desk)["owner"], row(desk)["handovers"], row(desk)["touches"]) == ("ben", 1, 2)


def test_our_clock_stands_still_while_we_wait(fallout: str, desk: Desk, world: World) -> None:
    """A day of waiting for the customer is not ours: neither in our time nor in the level."""
    desk.types("fallout", "work", fallout, "--ask", "customer", "--note", "the code")
    assert row(desk)["state"] == "awaitingInformation"
    world.run(at(7, 11))
    desk.types("fallout", "work", fallout, "--resume")
    world.run(at(7, 12))

    seen = row(desk)
    [wait] = seen["waiting"]
    assert (wait["for"], wait["to"] is not None) == ("customer", True)
    assert (seen["state"], seen["level"]) == ("open", 0)
    assert 3_000 < seen["our_time_s"] < 3 * 3600 < seen["age_s"]


def test_what_nobody_touches_goes_up_a_level_by_itself(fallout: str, desk: Desk, world: World) -> None:
    """After a day of our own clock a fallout of severity 3 is at level 1; put up by hand it is at 2."""
    world.run(at(6, 12))
    assert row(desk)["level"] == 1
    desk.types("fallout", "work", fallout, "--escalate")
    desk.types("fallout", "work", fallout, "--escalate")
    assert row(desk)["level"] == 2


def test_snoozed_given_on_and_given_back(fallout: str, desk: Desk) -> None:
    """Left alone until tomorrow; in another queue and another's hand; back in its queue."""
    desk.types("fallout", "work", fallout, "--snooze", "--until", "2026-01-06T09:00:00Z")
    assert (row(desk)["state"], row(desk)["next_at"][:10]) == ("onHold", "2026-01-06")
    desk.types("fallout", "work", fallout, "--resume")
    desk.types("fallout", "work", fallout, "--assign", "cleo", "--queue", "care")
    assert (row(desk)["state"], row(desk)["owner"], row(desk)["queue"]) == ("assigned", "cleo", "care")
    assert [found["fallout"] for found in desk.sees("fallout", "list", "--queue", "care")] == [fallout]
    desk.types("fallout", "work", fallout, "--release")
    assert (row(desk)["state"], row(desk)["owner"]) == ("open", "customer care")


def test_a_ticket_an_origin_and_a_note(fallout: str, desk: Desk) -> None:
    """All three stand with the fallout, and say who."""
    desk.types("fallout", "work", fallout, "--ticket", "jira/ENG-1")
    desk.types("fallout", "work", fallout, "--origin", "upstream", "--note", "seen at the shop")
    desk.types("fallout", "work", fallout, "--note", "calls back after six")

    shown = desk.sees("fallout", "show", fallout, "--personal")
    assert shown["tickets"] == [{"system": "jira", "ticket": "ENG-1"}]
    assert shown["origin"] == "upstream"
    assert shown["touches"] == 3


REFUSED = [
    pytest.param(["--release"], "nobody has it in hand", id="give back what nobody has"),
    pytest.param(["--resume"], "neither waits", id="go on after no wait"),
    pytest.param(["--snooze", "--until", "2026-01-01T00:00:00Z"], "is past", id="until yesterday"),
    pytest.param(["--ask", "customer"], "say what is asked for", id="ask for nothing"),
    pytest.param(["--ask", "nobody", "--note", "x"], "nobody waits for nobody", id="ask nobody"),
    pytest.param(["--queue", "moon"], "no queue moon", id="a queue that is none"),
    pytest.param(["--origin", "customer", "--note", "x"], "its origin is customer", id="the origin that it has"),
    pytest.param(["--claim", "0"], "between 1 and", id="a claim for no time"),
    pytest.param(["--claim", "30", "--release"], "say one way", id="two ways"),
    pytest.param([], "say one way", id="no way"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(fallout: str, desk: Desk, world: World, words: list[str], told: str) -> None:
    """In one line; no event is written."""
    before = world.app.reads.last_position()
    with pytest.raises(Refused, match=told):
        desk.types("fallout", "work", fallout, *words)
    assert world.app.reads.last_position() == before


def test_what_is_closed_can_only_be_written_about(fallout: str, desk: Desk, world: World) -> None:
    """Claimed it cannot be (exit 4), and a note is taken."""
    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back")
    world.run(at(20))
    with pytest.raises(Refused, match="is closed") as refused:
        desk.types("fallout", "work", fallout, "--claim", "30")
    assert refused.value.kind == "conflict"
    desk.types("fallout", "work", fallout, "--note", "thanked us")


def test_to_force_takes_two_people(world: World, desk: Desk, dsn: str, tmp_path: Path) -> None:
    """Ann proposes it and cannot agree with herself; Ben does, and the step counts as done, by Ben's event."""
    world.scripted.will("esim-download", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    fallout = desk.finds("SIM-DPUNK")
    assert "proposed to force it" in desk.types("fallout", "resolve", fallout, "--force", "--reason", "installed in the shop")
    with pytest.raises(Refused, match="somebody else has to agree"):
        desk.types("fallout", "resolve", fallout, "--force", "--reason", "really")
    assert "step.forced" not in world.told("WEB-1")

    as_ben(dsn, tmp_path).types("fallout", "resolve", fallout, "--force", "--reason", "seen as well")
    world.run(at(7))

    assert world.state("WEB-1") == "completed"
    assert world.told("WEB-1").count("step.forced") == 1


def test_a_step_that_nothing_needs_is_left_out(world: World, desk: Desk) -> None:
    """The download is skipped; the order completes without it. A step whose outcome is needed cannot be (exit 4)."""
    world.scripted.will("esim-download", Failed("PERMANENT"))
    world.scripted.will("activation", Failed("PERMANENT"), Answered({}))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    needed = desk.finds("NET-CFG")
    with pytest.raises(Refused, match="cannot be left out") as refused:
        desk.types("fallout", "resolve", needed, "--skip", "--reason", "no need")
    assert refused.value.kind == "conflict"
    desk.types("fallout", "resolve", needed, "--retry", "--reason", "mended")
    world.run(at(7))

    desk.types("fallout", "resolve", desk.finds("SIM-DPUNK"), "--skip", "--reason", "no need")
    world.run(at(8))

    assert world.state("WEB-1") == "completed"
    assert "step.skipped" in world.told("WEB-1")


def test_another_sim_is_taken(world: World, desk: Desk) -> None:
    """The profile is bad: another SIM is assigned in its place, and the order completes with it."""
    world.scripted.will("esim", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    first = world.outcome("WEB-1", "1", "sim")["iccid"]

    desk.types("fallout", "resolve", desk.finds("SIM-DPUNK"), "--replace", "--reason", "bad profile")
    world.run(at(8))

    assert world.state("WEB-1") == "completed"
    assert world.outcome("WEB-1", "1", "sim")["iccid"] != first


def test_the_whole_order_is_failed(world: World, desk: Desk) -> None:
    """Every open item ends, whichever of them fell out."""
    world.take(order("WEB-1", ported(code=""), ported("2", msisdn="+447700900124", code="")))
    world.run(at(5, 11))
    fallout = str(world.fallouts(reason="NP-CODE")[0]["fallout"])

    desk.types("fallout", "resolve", fallout, "--fail-order", "--reason", "went elsewhere")
    world.run(at(20))

    assert world.state("WEB-1") == "failed"
    assert world.fallouts(reason="NP-CODE") == []


def test_codes_of_the_operator_s_own(world: World, desk: Desk, tmp_path: Path) -> None:
    """His severity and queue count from the next fallout on, and what a partner says is understood that was not before."""
    world.scripted.will("identity", RefusedBy("ODD"))
    world.take(order("WEB-0", line()))
    world.run(at(5, 10))
    [unmapped] = [found for found in desk.sees("fallout", "codes") if found["kind"] == "unmapped"]
    assert (unmapped["step"], unmapped["raw"], unmapped["count"]) == ("identity", "ODD", 1)
    (tmp_path / "codes.toml").write_text(OURS)

    desk.types("fallout", "load-codes", str(tmp_path / "codes.toml"))
    world.scripted.will("identity", RefusedBy("ODD"))
    world.take(order("WEB-1", line(), party="C-2"), name="second.jsonl")
    world.run(at(5, 12))
    world.take(order("WEB-2", ported(code=""), party="C-3"), name="third.jsonl")
    world.run(at(6, 10))

    seen = {
        found["reason"]: (found["external_id"], found["code_version"], found["severity"], found["queue"])
        for found in desk.sees("fallout", "list")
    }
    assert seen["unclassified"] == ("WEB-0", "2026-11", 2, "unclassified")
    assert seen["KYC-DOC"][:2] == ("WEB-1", "2026-11")
    assert seen["NP-CODE"] == ("WEB-2", "ours-1", 1, "care")
    assert "ours-1" in desk.types("fallout", "load-codes", str(tmp_path / "codes.toml"))
    assert world.types("codes-main") == ["codes.loaded"]


def test_a_closed_one_is_looked_at_again(fallout: str, desk: Desk, world: World) -> None:
    """It stands in the queue with its owner until it is settled; the order is not touched, and only a closed one is reopened."""
    with pytest.raises(Refused, match="reopen cannot be done"):
        desk.types("fallout", "work", fallout, "--reopen", "--note", "why")
    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back")
    world.run(at(20))
    told = world.told("WEB-1")
    desk.types("fallout", "work", fallout, "--reopen", "--note", "the number rings elsewhere")
    desk.types("fallout", "work", fallout, "--assign", "cleo")

    assert (row(desk)["state"], row(desk)["owner"], row(desk)["reopenings"]) == ("assigned", "cleo", 1)
    desk.types("fallout", "work", fallout, "--settle")

    assert desk.sees("fallout", "list") == []
    assert desk.sees("fallout", "show", fallout)["state"] == "closed"
    assert world.told("WEB-1") == told
