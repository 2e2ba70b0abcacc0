"""Whose value a fallout stumbled over: the event that captured it, by which channel and whom; direct faults point at step or partner."""

import json
from typing import Any

import pytest

from o2c.kernel.partner import Failed, RefusedBy
from o2c.simulation.launch_data import LINE
from tests.desk import Desk
from tests.world import World, at, line, order, ported

WRONG = RefusedBy("CODE-EXPIRED")


def found(desk: Desk, *, reason: str) -> dict[str, Any]:
    rows = [row for row in desk.sees("fallout", "list", "--all") if row["reason"] == reason]
    return dict(rows[-1])


def event_id(world: World, external_id: str, type_name: str, number: int = 0) -> str:
    """The id of an event of an order as the log has it."""
    sql = "SELECT event_id::text AS id FROM o2c.event WHERE stream = %s AND type = %s ORDER BY position"
    return str(world.app.reads.rows(sql, f"order-{world.order(external_id).order_id}", type_name)[number]["id"])


def blame(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[f"origin_{name}"] for name in ("event", "channel", "agent", "field"))


def test_a_corrected_field_points_at_its_capture(world: World, desk: Desk) -> None:
    """The code that the shop took down was missing: the capture is to blame, and the agent whom the paper names."""
    paper = order("WEB-1", ported(code=""), channel="store")
    paper["relatedParty"].append({"id": "A-17", "role": "Sales Agent"})
    world.take(paper)
    world.run(at(5, 11))
    before = found(desk, reason="NP-CODE")
    assert (blame(before), before["blame"]) == ((None,) * 4, "the customer")

    desk.types("fallout", "resolve", before["fallout"], "--correct", "portInCode=ABC123456", "--reason", "read back")

    after = found(desk, reason="NP-CODE")
    assert blame(after) == (event_id(world, "WEB-1", "order.captured"), "store", "A-17", "portInCode")
    assert after["blame"] == "portInCode, captured by A-17 (store)"
    assert blame(desk.sees("fallout", "show", before["fallout"])) == blame(after)


def test_a_wrong_correction_is_to_blame_for_the_next_fallout(world: World, desk: Desk) -> None:
    """Ann's code gets the port asked for; that her code was wrong shows in the next fallout of the item, whose origin is her correction."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 11))
    first = found(desk, reason="NP-CODE")["fallout"]
    desk.types("fallout", "resolve", first, "--correct", "portInCode=ABC123456", "--reason", "read back")
    world.scripted.will("porting", WRONG)
    world.run(at(6, 12))
    [again] = [row for row in desk.sees("fallout", "list") if row["reason"] == "NP-CODE"]

    desk.types("fallout", "resolve", again["fallout"], "--correct", "portInCode=XYZ123456", "--reason", "asked again")

    seen = found(desk, reason="NP-CODE")
    if again["fallout"] == first:
        assert blame(seen)[0] == event_id(world, "WEB-1", "order.captured")
    else:
        assert blame(seen) == (event_id(world, "WEB-1", "fallout.correction-applied"), "desk", "ann", "portInCode")


def test_a_line_corrected_before_the_plan_is_the_same_after_it(world: World, desk: Desk) -> None:
    """What was corrected as `line.1.portInCode` and turns out wrong is `portInCode` of the item later: the correction is to blame."""
    world.take(order("WEB-1", {**ported(), "productOffering": {"id": "no-such"}}))
    world.run(at(5, 10))
    gate = found(desk, reason="DQ-OFFER")["fallout"]
    desk.types(
        "fallout", "resolve", gate, "--correct", f"line.1.offering={LINE.id}", "--correct", "line.1.portInCode=DEF123456", "--reason", "x"
    )
    world.scripted.will("porting", WRONG)
    world.run(at(6, 12))
    later = found(desk, reason="NP-CODE")["fallout"]

    desk.types("fallout", "resolve", later, "--correct", "portInCode=XYZ123456", "--reason", "asked again")

    assert blame(found(desk, reason="DQ-OFFER")) == (
        event_id(world, "WEB-1", "order.captured"),
        "web",
        "intake",
        "line.1.offering, line.1.portInCode",
    )
    assert blame(found(desk, reason="NP-CODE"))[0] == event_id(world, "WEB-1", "fallout.correction-applied")


@pytest.mark.parametrize(
    ("step", "said", "reason", "points_at"),
    [
        pytest.param("activation", Failed("PERMANENT"), "NET-CFG", "step activation", id="direct"),
        pytest.param("esim-download", Failed("PERMANENT"), "SIM-DPUNK", "partner sim-platform", id="a partner"),
    ],
)
def test_a_direct_fault_points_at_step_or_partner(world: World, desk: Desk, step: str, said: Any, reason: str, points_at: str) -> None:
    """A retry corrects nothing, so no capture is to blame."""
    world.scripted.will(step, said)
    world.take(order("WEB-1", line()))
    world.run(at(6))
    fallout = desk.finds(reason)
    desk.types("fallout", "resolve", fallout, "--retry", "--reason", "mended")

    row = found(desk, reason=reason)
    assert (blame(row), row["blame"]) == ((None,) * 4, points_at)


def test_only_a_word_changes_the_origin(world: World, desk: Desk) -> None:
    """Said by ann, with why: what it points at follows; a correction leaves the origin as it is."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 11))
    fallout = found(desk, reason="NP-CODE")["fallout"]
    desk.types("fallout", "work", fallout, "--origin", "upstream", "--note", "seen at the shop")
    assert (found(desk, reason="NP-CODE")["origin"], found(desk, reason="NP-CODE")["blame"]) == ("upstream", "channel web")
    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back")
    assert found(desk, reason="NP-CODE")["origin"] == "upstream"


def test_no_value_is_told(world: World, desk: Desk, dsn: str) -> None:
    """Neither the queue's table nor the bodies of the log have what was wrong or right."""
    world.take(order("WEB-1", ported(code="QQQ")))
    world.run(at(5, 11))
    fallout = found(desk, reason="NP-CODE")["fallout"]
    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back")

    shown = json.dumps([desk.sees("fallout", "list"), desk.sees("fallout", "show", fallout)])
    bodies = json.dumps(
        [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type LIKE 'fallout.%%' AND %s", True)]
    )
    docs = json.dumps(world.app.reads.rows("SELECT to_jsonb(f) AS f FROM projection.fallout f"))
    assert [text for text in (shown, bodies, docs) if "ABC123456" in text or "QQQ" in text] == []
    assert '"corrected": ["portInCode"]' in bodies
