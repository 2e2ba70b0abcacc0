"""The fallout queue as people work through it: whose order, how old, what it blocks, what comes next, and in whose hand it is."""

from typing import Any

import pytest

from o2c.kernel.partner import Accepted, RefusedBy
from o2c.kernel.refusal import Refused
from tests.desk import Desk
from tests.world import NINE, World, at, line, order, ported

REFER = RefusedBy("REFER")
NARROW = 80


@pytest.fixture
def queue(world: World) -> World:
    """A line without its code beside one that relies on nothing, and two referrals, one of them a day younger and of another customer."""
    world.scripted.will("credit", RefusedBy("DEPOSIT", {"deposit_minor": 10_000, "currency": "GBP"}))
    world.take(order("WEB-1", line("1"), line("2")))
    world.run(at(5, 12))
    world.take(order("WEB-2", ported(code=""), line("2", relies_on="1"), party="C-3"), name="second.jsonl")
    world.run(at(6, 9))
    world.scripted.will("identity", REFER)
    world.take(order("WEB-3", line(), party="C-2"), name="third.jsonl")
    return world.run(at(7, 9))


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["external_id"] for row in rows]


def test_a_row_says_all_that_triage_asks(queue: World, desk: Desk) -> None:
    """Whose order it is, how old in seconds, what stands still behind it, what is to be done, and that nobody has it in hand."""
    rows = {row["external_id"]: row for row in desk.sees("fallout", "list")}

    assert {name: (row["customer"], row["blocks"], row["next"]) for name, row in rows.items()} == {
        "WEB-1": ("C-1", "the order, 2 items", "take a deposit of 100.00 GBP"),
        "WEB-2": ("C-3", "item 1, then 2", "ask for the code"),
        "WEB-3": ("C-2", "the order, 1 item", "see a document, decide"),
    }
    assert rows["WEB-1"]["age_s"] == pytest.approx((at(7, 9) - NINE).total_seconds(), abs=3600)
    assert {row["in_hand_by"] for row in rows.values()} == {None}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param([], ["WEB-2", "WEB-1", "WEB-3"], id="by rank: what is promised before what is not yet"),
        pytest.param(["--sort", "oldest"], ["WEB-1", "WEB-2", "WEB-3"], id="oldest first"),
        pytest.param(["--sort", "newest"], ["WEB-3", "WEB-2", "WEB-1"], id="newest first"),
        pytest.param(["--sort", "queue"], ["WEB-1", "WEB-3", "WEB-2"], id="by queue"),
        pytest.param(["--sort", "customer"], ["WEB-1", "WEB-3", "WEB-2"], id="by customer"),
        pytest.param(["--queue", "porting"], ["WEB-2"], id="of a queue"),
        pytest.param(["--customer", "C-2"], ["WEB-3"], id="of a customer"),
        pytest.param(["--order", "WEB-1"], ["WEB-1"], id="of an order"),
        pytest.param(["--limit", "2"], ["WEB-2", "WEB-1"], id="two"),
    ],
)
def test_the_queue_is_sorted_and_filtered(queue: World, desk: Desk, words: list[str], found: list[str]) -> None:
    """By everything a person triages by."""
    assert names(desk.sees("fallout", "list", *words)) == found


def test_a_limit_says_how_many_more_there_are(queue: World, desk: Desk) -> None:
    """A table that ends early says so."""
    assert "and 2 more; --limit 0 shows all" in desk.types("fallout", "list", "--limit", "1")
    assert "more" not in desk.types("fallout", "list", "--limit", "0")


@pytest.mark.parametrize("width", [NARROW, 100, 130, 200])
def test_rows_stay_rows_at_any_width(queue: World, desk: Desk, width: int) -> None:
    """No line is longer than the page, no row takes more than two, and who, what and next are there at 80 columns."""
    desk.environment["COLUMNS"] = str(width)
    lines = desk.types("fallout", "list").splitlines()

    assert max(map(len, lines)) <= width
    assert len(lines) <= 1 + 2 * 3
    assert lines[0].split()[:6] == ["fallout", "external_id", "customer", "reason", "age", "next"]


def test_a_wider_page_has_more_columns(queue: World, desk: Desk) -> None:
    """What was left out for lack of room comes back, and the id in full."""
    widths = {}
    for width in (NARROW, 200):
        desk.environment["COLUMNS"] = str(width)
        widths[width] = desk.types("fallout", "list").splitlines()

    assert len(widths[NARROW][0].split()) < len(widths[200][0].split())
    assert {len(lines[1].split()[0]) for lines in widths.values()} == {8, 36}


def test_the_first_letters_of_an_id_will_do(queue: World, desk: Desk) -> None:
    """As a narrow table shows it, to look at and to act on; too few are refused."""
    fallout = desk.finds("NP-CODE")
    assert desk.sees("fallout", "show", fallout[:8])["fallout"] == fallout
    desk.types("fallout", "resolve", fallout[:8], "--correct", "portInCode=ABC123456", "--reason", "read back")
    assert queue.run(at(20)).state("WEB-2") == "completed"
    with pytest.raises(Refused, match="no fallout"):
        desk.types("fallout", "show", fallout[:7])


def test_what_somebody_acted_on_is_in_hand(queue: World, desk: Desk) -> None:
    """The donor takes its time over the corrected code: the queue says who has it and since when, until the port goes through or fails."""
    queue.scripted.will("porting", Accepted("PRT-1", at(9)), *[RefusedBy("BARRED")] * 9)
    fallout = desk.finds("NP-CODE")
    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back")
    queue.run(at(8))

    [row] = desk.sees("fallout", "list", "--queue", "porting")
    assert row["next"] == f"in hand, by ann, since {row['in_hand_since']}"
    assert row["in_hand_by"] == "ann"
    assert desk.sees("fallout", "show", fallout)["actions"] == []

    queue.run(at(12))
    [again] = desk.sees("fallout", "list", "--queue", "porting")
    assert (again["reason"], again["in_hand_by"]) == ("NP-BAR", None)


def test_a_page_has_all_a_person_needs_to_act(queue: World, desk: Desk) -> None:
    """What the code means, whose order, and every way to act as a command that works as it is typed."""
    shown = desk.sees("fallout", "show", desk.finds("CR-DEPOSIT"))

    assert (shown["meaning"], shown["external_id"], shown["customer"]) == ("Credit is given against a deposit.", "WEB-1", "C-1")
    assert shown["actions"][0] == "o2c payments deposit WEB-1 --amount 100.00 --reference REFERENCE"
    desk.types(*shown["actions"][0].split()[1:])
    assert queue.order("WEB-1").record("", "credit").outcome["decided_by"] == "deposit"


def test_the_actions_are_those_the_step_has(queue: World, desk: Desk) -> None:
    """A code can be corrected, which is said first, tried again or given up, not decided, or the number is not brought at all; each is taken when it is typed."""
    fallout = desk.finds("NP-CODE")
    *actions, without = desk.sees("fallout", "show", fallout)["actions"]
    ways = [action.removeprefix(f"o2c fallout resolve {fallout} ").split()[0:2] for action in actions]

    assert ways == [
        ["--correct", "portInCode=VALUE"], ["--correct", "place=VALUE"], ["--correct", "portInNumber=VALUE"],
        ["--retry", "--reason"], ["--fail", "--reason"], ["--fail-order", "--reason"],
    ]  # fmt: skip
    assert without.startswith("o2c ports cancel ")


def test_refused_values_and_notes_are_for_who_asks(queue: World, desk: Desk) -> None:
    """What stands in the paper and what was noted down are personal: hidden with a word that says how to see them."""
    fallout = desk.finds("NP-CODE")
    desk.types("fallout", "resolve", fallout, "--retry", "--reason", "asked Tamsel to call back")

    shown, personal = (desk.sees("fallout", "show", fallout, *words) for words in ([], ["--personal"]))

    assert "--personal" in shown["values"]
    assert "Tamsel" not in str(shown)
    assert [(deed["by"], deed["did"]) for deed in shown["deeds"]] == [("ann", "correct")]
    assert {"key": "portInNumber", "value": "+447700900123"} in personal["values"]
    assert [deed["note"] for deed in personal["deeds"]] == ["asked Tamsel to call back"]


def test_both_papers_of_a_doubt_are_shown(world: World, desk: Desk) -> None:
    """An order came again with another term: who sent which when, and the field that differs, its values for who asks."""
    world.take(order("WEB-1", line()))
    world.take(order("WEB-1", line(term="24")), name="again.jsonl")
    world.run(at(6))
    fallout = desk.finds("DQ-DUP")
    shown, personal = (desk.sees("fallout", "show", fallout, *words) for words in ([], ["--personal"]))

    [field] = shown["differing"]
    assert "commitmentMonths" in field["field"]
    assert personal["differing"] == [{**field, "in_force": "12", "later": "24"}]
    assert [paper["paper"] for paper in shown["papers"]] == ["in force", "later"]
    assert [decision.partition(":")[0] for decision in shown["decisions"]] == ["approve", "decline", "amend"]


def test_rank_is_priority_then_tier_then_the_day_promised(world: World, desk: Desk) -> None:
    """An urgent order goes before that of a key account, this before a business without tier of its own, and that before a consumer's."""
    world.registers("C-2", tier="key-account")
    world.registers("C-3", tier="gold")
    world.take(
        order("PLAIN", ported(code=""), party="C-1"),
        order("KEY", ported(msisdn="+447700900124", code=""), party="C-2"),
        {**order("TRADE", ported(msisdn="+447700900125", code=""), party="C-3"), "category": "business"},
        order("URGENT", ported(msisdn="+447700900126", code=""), party="C-1", priority=0),
    )
    world.run(at(5, 11))
    rows = desk.sees("fallout", "list")

    assert list(dict.fromkeys(names(rows))) == ["URGENT", "KEY", "TRADE", "PLAIN"]
    ranks = {row["external_id"]: row["rank"] for row in rows}
    assert {name: ranks["PLAIN"] - rank for name, rank in ranks.items()} == {"URGENT": 400, "KEY": 20, "TRADE": 10, "PLAIN": 0}


def test_the_tier_is_the_one_when_the_order_came(world: World, desk: Desk) -> None:
    """An order keeps the tier of its day, an order whose party was not known goes by its category, and the party it is validated for counts."""
    world.registers("C-1", tier="key-account")
    world.take(order("BEFORE", ported(code=""), party="C-1"), order("NOBODY", ported(code=""), party="C-77"))
    world.run(at(5, 11))
    world.registers("C-1", tier="standard")
    unknown = {row["external_id"]: row["rank"] for row in desk.sees("fallout", "list")}["NOBODY"]
    world.registers("C-77", tier="priority")
    desk.types("fallout", "resolve", desk.finds("DQ-PARTY"), "--retry", "--reason", "registered now")
    world.take(order("AFTER", ported(msisdn="+447700900125", code=""), party="C-1", on=at(5, 11)), name="later.jsonl")
    world.run(at(5, 13))
    ranks = {row["external_id"]: row["rank"] for row in desk.sees("fallout", "list")}

    assert (ranks["AFTER"] - ranks["BEFORE"], ranks["AFTER"] - ranks["NOBODY"]) == (20, 10)
    assert unknown == 4 * 100 + 2 * 10 + 30, "a consumer whom nobody knows, and nothing promised"


def test_the_list_is_filtered_and_paged_at_the_desk(queue: World, desk: Desk) -> None:
    """By state, owner, next date and rank; a page goes on behind the place of the last row."""
    rows = desk.sees("fallout", "list")
    desk.types("fallout", "work", rows[0]["fallout"], "--claim", "30")
    due = max(row["next_at"] for row in rows)

    assert names(desk.sees("fallout", "list", "--state", "inProgress", "--owner", "ann")) == names(rows[:1])
    assert names(desk.sees("fallout", "list", "--state", "open")) == names(rows[1:])
    assert names(desk.sees("fallout", "list", "--owner", rows[1]["owner"])) == [
        row["external_id"] for row in rows[1:] if row["owner"] == rows[1]["owner"]
    ]
    assert len(desk.sees("fallout", "list", "--due-by", due)) == len(rows)
    assert names(desk.sees("fallout", "list", "--rank-max", str(rows[0]["rank"]))) == names(
        [r for r in rows if r["rank"] <= rows[0]["rank"]]
    )
    assert names(desk.sees("fallout", "list", "--after", rows[0]["place"], "--limit", "1")) == names(rows[1:2])
    desk.types("fallout", "list", "--state", "open", "--due-by", due)
