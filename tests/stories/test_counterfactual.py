"""Counterfactual: the log's orders under other retries, mappings and codes. The same data tells history again; other data is told as far as anybody knows."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.desk.fallout import Correct, Retry, resolve
from o2c.engine.app import Context
from o2c.entrypoints.python import OrderToCash
from o2c.fallout.actions import ACTIONS
from o2c.fallout.codes import checked, packaged
from o2c.files import loading
from o2c.kernel.partner import Accepted, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.reasons import CodeBook
from o2c.kernel.refusal import Refused
from o2c.partners.faults import Faults
from o2c.partners.registry import PARTNERS, simulated_partners
from o2c.partners.rules import faults_of
from o2c.simulation.launch import write_launch
from o2c.views.counterfactual import counterfactual
from o2c.views.otherwise import Retelling
from tests.desk import Desk
from tests.world import NINE, World, at, line, order, ported

SAME = (
    resources.files("o2c.fallout")
    .joinpath("codes.toml")
    .read_text(encoding="utf-8")
    .replace('version = "2026-11"', 'version = "copied"', 1)
)
POLICY = 'version = "other"\nvalid_from = "2026-01-01"\n'
MORE_RETRIES = POLICY + "[retries.transient]\nattempts_max = {}\nfirst_s = 30\nfactor = 4\nlongest_s = 1800\njitter_percent = 10\n"
FAULTS = [{"partner": "*", "kind": kind, "percent": percent} for kind, percent in (("transient", 12), ("unknown", 4), ("permanent", 4))]

STOPS = """SELECT {} FROM (SELECT stream, type, body, lead(type) OVER w AS next, lead(body) OVER w AS next_body FROM o2c.event
        WHERE starts_with(stream, 'order-') WINDOW w AS (PARTITION BY stream ORDER BY version)) e
        WHERE body ? 'fallout' AND body ? 'fault_class' AND coalesce(body ->> 'awaits', '') = ''
        AND NOT (coalesce(next, '') = 'retry.scheduled' AND next_body ->> 'item' IS NOT DISTINCT FROM body ->> 'item') {}"""
"""The fallouts of orders that waited for somebody. Parts: what is selected, and how it is grouped."""


def told(desk: Desk, tmp_path: Path, policy: str, *words: str) -> Any:
    (tmp_path / "policy.toml").write_text(policy)
    return desk.sees("counterfactual", "--policy", str(tmp_path / "policy.toml"), "--since", "2026-01-01", *words)


def counts(row: dict[str, Any]) -> tuple[int, int, int, int]:
    return row["orders"], row["fallouts_before"], row["fallouts_after"], row["unknown"]


@pytest.fixture
def retried(world: World) -> World:
    """Activation failed six times, fell to a person, who tried again two days later: then it was done."""
    world.scripted.will("activation", *(Failed("UNAVAILABLE") for _ in range(6)))
    world.take(order("WEB-1", line()))
    world.run(at(8))
    world.resolve("NET-TMO" if world.fallouts(reason="NET-TMO") else world.fallouts("WEB-1")[0]["reason"], Retry())
    return world.run(at(9))


@pytest.fixture
def mixed(world: World) -> World:
    """Everything that can come of a request: refused, mapped to nothing, silent to the end, failed, accepted, declined, out of stock, amiss by our own check."""
    world.scripted.will("identity", RefusedBy("REFER"), RefusedBy("FAIL"), RefusedBy("ODD"), Unknown(NINE), NeverHeard())
    world.scripted.will("credit", RefusedBy("REFER"), RefusedBy("DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"}))
    world.scripted.will("esim", Failed("UNAVAILABLE"), *(Unknown(NINE) for _ in range(20)))
    world.scripted.will("delivery", Accepted("P-1", NINE + timedelta(days=2)))
    lines = [line(), line(sim="physical"), ported(code=""), line(), line(), line(sim="physical"), line(), line()]
    world.take(*(order(f"WEB-{n}", each, party=f"C-{n % 3 + 1}") for n, each in enumerate(lines)), order("WEB-9", line(), party="C-99"))
    return world.run(at(25))


def test_the_same_data_tells_history_again(mixed: World, desk: Desk, tmp_path: Path) -> None:
    """The table in force, under another name: every decision that reads it has the events that it had, and nothing comes out otherwise."""
    row = told(desk, tmp_path, SAME, "--items")

    assert row["items"] == []
    assert counts(row)[1] == counts(row)[2] > 3
    assert (row["orders"], row["unknown"], row["days_saved"], row["minor_saved"]) == (9, 0, 0, 0)


def test_history_after_people_is_told_again(retried: World, desk: Desk, tmp_path: Path) -> None:
    """What a person did stands in the log and is followed."""
    assert counts(told(desk, tmp_path, SAME)) == (1, 1, 1, 0)


def test_one_more_attempt_would_have_saved_the_days(retried: World, desk: Desk, tmp_path: Path) -> None:
    """Under one attempt more the seventh, which history has, comes half an hour after the sixth: nobody is needed, and two days are won with their
    revenue; control: the table in force saves none."""
    row = told(desk, tmp_path, MORE_RETRIES.format(6))
    planned = retried.order("WEB-1").items["1"]

    assert counts(row) == (1, 1, 0, 0)
    assert 2.2 < row["days_saved"] < 3
    assert row["revenue_minor_saved"] == pytest.approx(planned.recurring_minor * row["days_saved"] / 30, abs=1)
    assert row["labour_minor_saved"] == 2 * 55
    assert row["minor_saved"] == row["labour_minor_saved"] + row["revenue_minor_saved"]
    assert row["minor_by_currency"] == {planned.currency: row["minor_saved"]}
    assert told(desk, tmp_path, SAME)["days_saved"] == 0


def test_slower_retries_lose_time(world: World, desk: Desk, tmp_path: Path) -> None:
    """The second attempt was good: four minutes later it is four minutes later, and the number says less than none."""
    world.scripted.will("activation", Failed("UNAVAILABLE"))
    world.take(order("WEB-1", line()))
    world.run(at(6))

    row = told(desk, tmp_path, MORE_RETRIES.format(5).replace("first_s = 30", "first_s = 300"))

    assert counts(row) == (1, 0, 0, 0)
    assert -0.005 < row["days_saved"] < 0


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(MORE_RETRIES.format(3), id="fewer attempts: what would the person have done?"),
        pytest.param(POLICY + '[steps.activation]\ncodes = { UNAVAILABLE = "NET-CFG" }\n', id="for a person at once"),
    ],
)
def test_what_somebody_would_have_decided_is_unknown(retried: World, desk: Desk, tmp_path: Path, policy: str) -> None:
    """The order counts as it was, on both sides, and saves nothing."""
    row = told(desk, tmp_path, policy, "--items")

    assert counts(row) == (1, 1, 1, 1)
    assert (row["days_saved"], row["minor_saved"]) == (0, 0)
    assert "nobody knows" in row["items"][0]["unknown"]


def test_a_request_that_was_never_made_is_unknown(world: World, desk: Desk, tmp_path: Path) -> None:
    """After its sixth failure nobody ever asked again: a seventh attempt has no answer in history."""
    world.scripted.will("activation", *(Failed("UNAVAILABLE") for _ in range(6)))
    world.take(order("WEB-1", line()))
    world.run(at(8))

    row = told(desk, tmp_path, MORE_RETRIES.format(8), "--items")

    assert counts(row) == (1, 1, 1, 1)
    assert "never asked this as attempt 7" in row["items"][0]["unknown"]


@pytest.mark.parametrize(
    ("done", "counted"),
    [
        pytest.param(Correct({"portInCode": "XYZ123456"}), (1, 1, 1, 1), id="another body: nobody knows"),
        pytest.param(Retry(), (1, 1, 0, 0), id="control: the very same request"),
    ],
)
def test_a_request_that_was_made_otherwise_is_unknown(
    world: World, desk: Desk, tmp_path: Path, done: Correct | Retry, counted: tuple[int, int, int, int]
) -> None:
    """History's second attempt had the code that a person corrected; tried again by itself, the step would have sent the first one."""
    world.scripted.will("porting", Failed("PERMANENT"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 10))
    world.resolve("NP-CUTFAIL", done)
    world.run(at(8))

    assert counts(told(desk, tmp_path, POLICY + '[steps.porting]\ncodes = { PERMANENT = "NP-CONFLICT" }\n')) == counted


def test_a_refusal_that_is_final_ends_the_order(world: World, desk: Desk, tmp_path: Path) -> None:
    """Read as a final no, the agency's word would have declined the order with nobody asked."""
    world.scripted.will("identity", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(6))

    assert counts(told(desk, tmp_path, POLICY + '[steps.identity]\ncodes = { REFER = "KYC-MATCH" }\n')) == (1, 1, 0, 0)


def test_nothing_is_written_and_only_the_time_asked_for_is_told(mixed: World, tmp_path: Path) -> None:
    """From Python: the log ends where it ended, and orders captured before are none of it."""
    before = mixed.app.reads.last_position()
    with OrderToCash(mixed.dsn) as store:
        all_of_them, later = (store.counterfactual(SAME, since=since) for since in (at(1), at(20)))

    assert (all_of_them.orders, later.orders) == (9, 0)
    assert mixed.app.reads.last_position() == before


def test_corrections_are_no_policy(world: World, desk: Desk, tmp_path: Path) -> None:
    """And neither is what is no data."""
    for policy, said in ((POLICY + '[correct]\nparty = "C-1"\n', "corrects no order"), ("[markets]\nlimit = 1\n", "cannot be tried")):
        with pytest.raises(Refused, match=said):
            told(desk, tmp_path, policy)


def launched(dsn: str, folder: Path, seed: int, policy: str = "") -> World:
    """A launch with every fifth call of its technical partners failing, and people who try again what fell out; under a policy from the start."""
    (folder / "launch").mkdir(parents=True)
    files = write_launch(folder / "launch", count=40, seed=seed)
    faulty = {name: Faults(planned) for name, planned in faults_of(FAULTS, PARTNERS).items()}
    world = World(dsn, folder, simulated_partners(seed, faulty)).launched(files)
    if policy:
        loading.load_codes(world.app, world.written("policy.toml", policy))
    world.take_file(files.orders)
    for day in (10, 20):
        world.run(at(day))
        for row in world.fallouts():
            with suppress(Refused):
                resolve(world.app, Context("ann"), row["fallout"], Retry(), note="again")
    return world.run(at(1, month=2))


@pytest.mark.parametrize("seed", [3, 11])
def test_a_whole_launch_is_told_again(dsn: str, tmp_path: Path, seed: int) -> None:
    """With a fifth of the calls failing, the table in force tells each order as it was, event by event, and counts what the log counts; one attempt for
    everything is told otherwise, and what is unknown counts as it was."""
    world = launched(dsn, tmp_path, seed)
    world.fallouts()
    same = counterfactual(world.app, SAME, since=at(1))
    other = counterfactual(world.app, MORE_RETRIES.format(1), since=at(1))
    counted = stops(world)
    world.close()

    assert same.row() | {"policy": ""} == {
        "policy": "", "orders": same.orders, "fallouts_before": counted, "fallouts_after": counted, "unknown": 0,
        "days_saved": 0, "minor_saved": 0, "labour_minor_saved": 0, "revenue_minor_saved": 0, "lost": 0, "minor_by_currency": {},
    }  # fmt: skip
    assert counted > 10
    assert other.fallouts_before == counted
    assert other.unknown > 0
    assert all(row["fallouts_before"] == row["fallouts_after"] for row in other.otherwise if row["unknown"])


@pytest.fixture
def beside(dsn: str) -> str:
    """A second fresh database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(b"DROP DATABASE IF EXISTS told_beside WITH (FORCE)")
        connection.execute(b"CREATE DATABASE told_beside TEMPLATE template0")
    return str(make_conninfo(dsn, dbname="told_beside"))


def test_what_is_told_is_what_would_have_been(dsn: str, beside: str, tmp_path: Path) -> None:
    """A permanent failure counted as one that is tried again: of each order whose course is known to have been otherwise, the same launch lived
    under that policy has the steps that stopped, and was as much sooner."""
    policy = POLICY + "".join(
        f'[steps.{name}]\ncodes = {{ PERMANENT = "{step.silence}" }}\n' for name, step in packaged().newest.steps.items()
    )
    history = launched(dsn, tmp_path / "history", 11)
    history.fallouts()
    told = counterfactual(history.app, policy, since=at(1))
    lived = launched(beside, tmp_path / "lived", 11, policy)
    known = {row["external_id"]: row for row in told.otherwise if not row["unknown"]}
    stopped = stops_by_order(lived)
    ids = {name: lived.order(name).order_id for name in known}
    history.close()
    lived.close()

    assert len(known) >= 3
    assert {name: stopped.get(ids[name], 0) for name in known} == {name: row["fallouts_after"] for name, row in known.items()}
    assert told.fallouts_after < told.fallouts_before
    assert told.saved > timedelta(days=1)


def stops_by_order(world: World) -> dict[str, int]:
    """How often steps stopped for somebody, by order, where they did."""
    found = world.app.reads.rows(STOPS.format("stream, count(*) AS n", "GROUP BY stream"))
    return {row["stream"].removeprefix("order-"): row["n"] for row in found}


def stops(world: World) -> int:
    """How often a step of an order stopped for somebody, counted from the table of events alone."""
    return sum(stops_by_order(world).values())


def test_what_today_s_rules_decide_otherwise_is_said(retried: World) -> None:
    """A history that the table in force does not tell again, here because another is taken for it, is unknown and claims nothing."""
    app, stream = retried.app, f"order-{retried.order('WEB-1').order_id}"
    facts: list[Any] = list(app.events.get(stream))
    codes = CodeBook((replace(checked(app.codes(), MORE_RETRIES.format(2), frozenset(ACTIONS)), valid_from="0001-01-01"),))
    wrong = replace(app.book, loaded_codes=lambda: codes)

    right, amiss = (Retelling(app, stream, facts, now=now, other=app.book, seed=7).told() for now in (app.book, wrong))

    assert (right.before, right.after, right.unknown) == (1, 1, "")
    assert (amiss.before, amiss.after) == (1, 1)
    assert "do not decide activation.fell-out again" in amiss.unknown
