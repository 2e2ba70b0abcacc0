"""A fitter found nobody: the customer, or an agent for him, chooses another day, and the fitter comes on it or says that it is full."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.fallout import Correct
from o2c.desk.roles import HOLDER
from o2c.entrypoints.verbs_and_views import named
from o2c.hooks.notifications import NOTIFICATIONS
from o2c.kernel.partner import Accepted, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import FIBRE
from o2c.views.following import show_stream
from o2c.views.notifications import notifications
from o2c.views.order_link import order_link
from o2c.views.sites import sites_of_order
from tests.console import Console, console
from tests.desk import Desk
from tests.service import Visitor, serving
from tests.world import ADDRESS, World, at, item, order

NOBODY_HOME, FULL = RefusedBy("NOBODY-HOME"), RefusedBy("DAY-FULL")
CUSTOMER = Context("customer", channel="link", roles=(HOLDER,))
CHOSEN = {"visitOn": "2026-01-27", "visitWindow": "morning"}


def in_vain(world: World) -> World:
    """An access whose fitter came on Friday the 9th and found nobody."""
    world.scripted.will("appointment", Accepted("VIS-1", at(9, 13)), NOBODY_HOME)
    world.take(order("WEB-1", item(FIBRE, "1", place=ADDRESS, commitmentMonths="24")))
    return world.run(at(9, 15))


@pytest.fixture
def waiting(world: World) -> World:
    """That access, on the Friday."""
    return in_vain(world)


def link_of(world: World) -> str:
    return str(order_link(world.app, world.folder, "WEB-1")["link"])


def fallout(world: World) -> str:
    [row] = world.fallouts("WEB-1")
    return str(row["fallout"])


def wishes(world: World) -> list[tuple[Any, Any]]:
    """The day and window of each visit that was asked for."""
    return [(request.body.get("visit_on"), request.body.get("window")) for request in world.scripted.asked("appointment")]


def bodies(world: World, type_name: str) -> list[dict[str, Any]]:
    sql = "SELECT body, actor, channel FROM o2c.event WHERE stream = %s AND type = %s ORDER BY version"
    rows = world.app.reads.rows(sql, f"order-{world.order('WEB-1').order_id}", type_name)
    return [{**row["body"], "by": row["actor"], "channel": row["channel"]} for row in rows]


def kinds(world: World) -> list[str]:
    """What a listener of the current version is told of the order, in order."""
    events = show_stream(world.app, f"order-{world.order('WEB-1').order_id}")
    return [kind for _, kind in notifications(world.app, events, NOTIFICATIONS["tmf622-v5"])]


@pytest.fixture
def site(waiting: World, tmp_path: Path) -> Iterator[Console]:
    with console(waiting, tmp_path) as made:
        yield made


@pytest.fixture
def service(waiting: World, tmp_path: Path) -> Iterator[Visitor]:
    with serving(waiting, tmp_path) as made:
        yield made


def test_it_waits_for_the_customer(waiting: World) -> None:
    """Nobody but he knows when somebody is at home."""
    [row] = waiting.fallouts("WEB-1")
    assert (row["reason"], row["waiting_for"], row["origin"]) == ("LOG-HOME", "customer", "customer")
    assert waiting.state("WEB-1") == "pending"


def test_a_customer_chooses_a_day_on_his_page(site: Console, waiting: World) -> None:
    """At least five days, none of a weekend, and the windows with their hours; the fitter is asked for his choice, and the promise moves to it."""
    path = f"/my/{link_of(waiting)}"
    before = waiting.order("WEB-1").items["1"].promised_on
    waiting.scripted.will("appointment", lambda request: Accepted("VIS-2", at(27, 9)))
    with site.visited() as customer:
        page = customer.opens(path)
        thanked = customer.sends(page, path, {f"change.{key}": value for key, value in CHOSEN.items()})
    waiting.run(at(10))

    days, windows = page.root.all("select")
    offered = [option.attributes["value"] for option in days.all("option")]
    assert offered[0] == "2026-01-13"
    assert len(offered) >= 5
    assert not {"2026-01-17", "2026-01-18"} & set(offered)
    assert "Tuesday, 27 Jan 2026" in [option.text for option in days.all("option")]
    assert [option.text for option in windows.all("option")] == [
        "any time of the day", "morning, 08:00 to 13:00", "afternoon, 13:00 to 18:00",
    ]  # fmt: skip
    assert (thanked.status, thanked.alerts) == (200, [])
    [correction] = bodies(waiting, "fallout.correction-applied")
    assert (correction["by"], correction["channel"], correction["corrected"]) == ("customer", "link", ["visitOn", "visitWindow"])
    assert wishes(waiting) == [(None, None), ("2026-01-27", "morning")]
    revised = bodies(waiting, "promise.revised")[-1]
    assert before < revised["promised_on"] == "2026-01-27"
    assert (revised["cause_step"], revised["cause_reason"]) == ("appointment", "LOG-HOME")
    waiting.run(at(28))
    assert waiting.state("WEB-1") == "completed"


def test_the_channel_is_told(waiting: World) -> None:
    """That we need something, that we have it, and that the promise moved: by the notifications that a hub hears."""
    waiting.scripted.will("appointment", lambda request: Accepted("VIS-2", at(27, 9)))
    waiting.resolve("LOG-HOME", Correct(CHOSEN))
    waiting.run(at(10))
    told = kinds(waiting)
    assert "ProductOrderInformationRequiredEvent" in told
    after = told[told.index("ProductOrderInformationRequiredEvent") :]
    assert {"ProductOrderStateChangeEvent", "ProductOrderJeopardyAlertEvent"} <= set(after)


def test_an_agent_chooses_for_him(waiting: World, desk: Desk) -> None:
    """On the command line; the page of the fallout says what there is to choose from."""
    name = fallout(waiting)
    shown = desk.sees("fallout", "show", name)
    desk.types("fallout", "resolve", name, "--correct", "visitOn=2026-01-20", "--reason", "rang")
    waiting.run(at(10))

    assert "2026-01-20" in shown["choices"]["visitOn"]
    assert shown["choices"]["visitWindow"] == ["any", "morning", "afternoon"]
    assert wishes(waiting)[-1] == ("2026-01-20", None)
    assert waiting.state("WEB-1") == "completed"


def test_an_agent_chooses_by_the_console_s_form(site: Console, waiting: World) -> None:
    """The form offers the days; what is left as it is is not corrected."""
    name = fallout(waiting)
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/fallouts/{name}")
        done = ann.sends(page, f"/console/fallouts/{name}/act", {"change.visitOn": "2026-01-20", "note": "rang"}, action="correct")

    [days] = page.root.all("select", name="change.visitOn")
    assert "2026-01-20" in [option.attributes["value"] for option in days.all("option")]
    assert (done.status, done.alerts) == (200, [])
    assert bodies(waiting, "fallout.correction-applied")[0]["corrected"] == ["visitOn"]


def test_a_program_chooses_by_the_service(service: Visitor, waiting: World) -> None:
    """The native API has the same correction, and refuses a Sunday with what it offers."""
    name = fallout(waiting)
    path = f"/api/v1/fallout/{name}/resolve"
    sunday, tuesday = (
        service.post(path, {"resolution": {"action": "correct", "changes": {"visitOn": day}}, "note": "rang"}, If_Match="*")
        for day in ("2026-01-18", "2026-01-20")
    )

    assert (sunday.status_code, tuesday.status_code) == (422, 200)
    assert "no working day; say a working day from 2026-01-13" in sunday.text


def test_a_site_says_when_its_fitter_comes(world: World) -> None:
    """The day for which he is booked, whoever chose it, until he was there in vain; then the one that is chosen."""
    world.scripted.will("appointment", Accepted("VIS-1", at(9, 13)), NOBODY_HOME, Accepted("VIS-2", at(28, 9)))
    world.take(order("WEB-1", item(FIBRE, "1", place=ADDRESS, commitmentMonths="24")))
    told = []
    for day, change in ((at(8), None), (at(9, 15), CHOSEN), (at(10), None)):
        world.run(day)
        told += [row["visits_on"] for row in sites_of_order(world.app, "WEB-1")]
        if change:
            world.resolve("LOG-HOME", Correct(change))
            told += [row["visits_on"] for row in sites_of_order(world.app, "WEB-1")]

    assert told == [["2026-01-09"], [], ["2026-01-27"], ["2026-01-28"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"visitOn": "2026-01-11"}, {"visitOn": "2026-01-09"}, {"visitOn": "2026-01-12"}, {"visitOn": "2026-06-02"}, {"visitOn": "Tuesday"},
        {"visitWindow": "morning"}, {**CHOSEN, "visitWindow": "night"},
    ],
    ids=["Sunday", "today", "too soon", "too far", "no date", "no day", "no window"],
)  # fmt: skip
def test_no_other_day_is_taken(waiting: World, tmp_path: Path, changes: dict[str, str]) -> None:
    """Of customer and agent alike; nothing is written, and the step waits on."""
    name, before = fallout(waiting), waiting.app.reads.last_position()
    for ask in (
        lambda: named("orders.answer").ask(CUSTOMER, waiting.app, tmp_path, link_of(waiting), name, changes),
        lambda: waiting.resolve("LOG-HOME", Correct(changes)),
    ):
        with pytest.raises(Refused, match="cannot go on with this correction"):
            ask()
    assert waiting.app.reads.last_position() == before


def test_a_day_that_is_full_is_asked_for_again(site: Console, waiting: World) -> None:
    """The field force has nobody left: the page asks once more, without that day, which is refused to whoever names it."""
    path = f"/my/{link_of(waiting)}"
    waiting.scripted.will("appointment", FULL)
    sent = {f"change.{key}": value for key, value in CHOSEN.items()}
    with site.visited() as customer:
        customer.sends(customer.opens(path), path, sent)
        waiting.run(at(9, 16))
        again = customer.opens(path)
        same = customer.sends(again, path, sent)
        other = customer.sends(
            again, path, {**sent, "change.visitOn": "2026-01-28", "wish": ""} | {"wish": again.form(path)["wish"] + "-2"}
        )
    waiting.run(at(10))

    offered = [option.attributes["value"] for option in again.root.all("select")[0].all("option")]
    assert "2026-01-27" not in offered
    assert "2026-01-28" in offered
    assert same.status == 422
    assert other.status == 200
    assert [row["reason"] for row in bodies(waiting, "appointment.fell-out")] == ["LOG-HOME", "LOG-FULL"]
    assert wishes(waiting)[-1] == ("2026-01-28", "morning")
    assert waiting.state("WEB-1") == "completed"


def test_a_retry_after_the_day_leaves_the_day_to_the_field_force(waiting: World, desk: Desk) -> None:
    """Nobody was there on the chosen day either; what is over is not asked for again."""
    waiting.scripted.will("appointment", Accepted("VIS-2", at(20, 9)), NOBODY_HOME)
    desk.types("fallout", "resolve", fallout(waiting), "--correct", "visitOn=2026-01-20", "--reason", "rang")
    waiting.run(at(21, 10))
    desk.types("fallout", "resolve", fallout(waiting), "--retry", "--reason", "any day will do")
    waiting.run(at(22))

    assert wishes(waiting) == [(None, None), ("2026-01-20", None), (None, None)]
    assert waiting.state("WEB-1") == "completed"


def test_a_day_is_chosen_only_while_the_visit_waits(waiting: World) -> None:
    """Before it fell out and after it was kept there is nothing to choose."""
    waiting.scripted.will("activation", RefusedBy("REFUSED"))
    waiting.resolve("LOG-HOME", Correct(CHOSEN))
    waiting.run(at(10))
    [row] = waiting.fallouts("WEB-1")
    assert row["step"] == "activation"
    with pytest.raises(Refused, match="no such thing to correct"):
        waiting.resolve(row["reason"], Correct(CHOSEN))


def test_nobody_captured_a_day_that_was_chosen_first_now(waiting: World, desk: Desk) -> None:
    """No paper has the day of a visit: its first choice makes the channel's paper no culprit, be it chosen with what the paper has, or again."""
    waiting.scripted.will("appointment", FULL)
    desk.types("fallout", "resolve", fallout(waiting), "--correct", "visitOn=2026-01-20", "--reason", "rang")
    waiting.run(at(9, 17))
    desk.types("fallout", "resolve", fallout(waiting), "--correct", "visitOn=2026-01-27", "--reason", "rang again")

    [row] = desk.sees("fallout", "list", "--all")
    assert (row["reason"], row["origin_event"], row["origin_field"], row["blame"]) == ("LOG-FULL", None, None, "partner field-force")
