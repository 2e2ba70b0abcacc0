"""The history through another fold: what comes out differently is told, and neither log nor tables can be written meanwhile."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import ALL, BY_NAME
from projections.engine.operations import By, FoldFailed, Projection, as_of, catch_up, skip
from projections.engine.what_if import Stretch, load, what_if
from tests.histories import append, captured, failing_on, of_order, order_id, planned, query, table_of

ORDERS, ITEMS, STOCK = BY_NAME["orders"], BY_NAME["items"], BY_NAME["stock"]


@pytest.fixture
def bare(log: str) -> str:
    """The same before any projection was made."""
    with connect(log) as conn:
        conn.execute("DROP SCHEMA projection CASCADE")
    return log


def file(folder: Path, text: str) -> Path:
    path = folder / "other.py"
    path.write_text(text)
    return path


def schemas(dsn: str) -> list[str]:
    """The scratch schemas there are."""
    return [row["name"] for row in query(dsn, "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'what!_if!_%' ESCAPE '!'")]


def louder(projection: Projection) -> Projection:
    """The projection with its channels in capitals."""
    return replace(projection, rows=lambda group, doc: [{**row, "channel": row["channel"].upper()} for row in projection.rows(group, doc)])


def test_rows_that_come_out_differently_are_told(log: str) -> None:
    """Each with its key, its values on both sides and the columns that differ, counted by column."""
    append(log, [captured(0), captured(1), planned(0)])
    catch_up(log, [ORDERS])
    outcome = what_if(log, louder(ORDERS))

    assert (outcome.events, outcome.rows, outcome.live_rows, outcome.compared_with) == (3, 2, 2, "the tables")
    assert outcome.diff.columns == {"channel": 2}
    assert sorted(row.key for row in outcome.diff.rows) == sorted((order_id(n), order_id(n)) for n in (0, 1))
    assert {(row.actual and row.actual["channel"], row.expected and row.expected["channel"]) for row in outcome.diff.rows} == {
        ("web", "WEB")
    }
    assert schemas(log) == []


@pytest.mark.parametrize("projection", [pytest.param(projection, id=projection.name) for projection in ALL])
def test_the_same_fold_makes_the_same_rows(log: str, projection: Projection) -> None:
    """A what-if that changes nothing differs in nothing, of the whole history and of a part of it."""
    positions = append(log, [*(captured(number, number) for number in range(9)), planned(0, 20), of_order(0, "sim.fell-out", 30, item="1")])
    catch_up(log)

    assert what_if(log, replace(projection)).diff.differing == 0
    assert what_if(log, replace(projection), Stretch(first=positions[2], before=positions[9])).diff.differing == 0


def test_only_a_stretch_of_the_history(log: str) -> None:
    """From a position or time on and before another, and of one order: half-open, and beside what the live fold makes of the same."""
    positions = append(log, [*(captured(number, number) for number in range(9)), planned(3, 20)])
    catch_up(log, [ORDERS])

    def orders(**stretch: Any) -> list[str]:
        outcome = what_if(log, louder(ORDERS), Stretch(**stretch))
        assert outcome.compared_with == "the live fold"
        return sorted({str(row.key[0]) for row in outcome.diff.rows})

    assert orders(first=positions[1], before=positions[3]) == sorted(map(order_id, (1, 2)))
    assert orders(since=captured(0, 4).occurred_at, until=captured(0, 6).occurred_at) == sorted(map(order_id, (4, 5)))
    assert orders(order=order_id(3)) == [order_id(3)]
    assert what_if(log, louder(ORDERS), Stretch(order=order_id(3))).events == 2


def test_more_rows_fewer_rows_other_columns_and_a_new_name(log: str) -> None:
    """Rows that only one side has are told as such; a projection of a new name has nothing to be compared with."""
    append(log, [captured(0), captured(1)])
    catch_up(log, [ORDERS])

    def rows(group: str, doc: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, "region": "north"} for row in ORDERS.rows(group, doc) if group == order_id(0)]

    outcome = what_if(log, replace(ORDERS, rows=rows, columns={**ORDERS.columns, "region": "text"}))
    assert (outcome.diff.columns, outcome.diff.not_compared) == ({}, ("region",))
    assert [row.key[0] for row in outcome.diff.rows if row.expected is None] == [order_id(1)]
    new = what_if(log, replace(ORDERS, name="orders-by-mood"))
    assert (new.compared_with, new.diff.gained, {row.actual for row in new.diff.rows}) == ("nothing of that name", 2, {None})


def test_before_any_projection_was_made(bare: str) -> None:
    """Nothing is made for it either: it is compared with what the live fold yields."""
    append(bare, [captured(0)])
    assert what_if(bare, louder(ORDERS)).compared_with == "the live fold"
    assert query(bare, "SELECT to_regnamespace('projection') AS made") == [{"made": None}]


def test_what_is_parked_or_skipped_live_makes_no_difference(log: str) -> None:
    """A parked group is compared where it stands; a skipped event is left out here too."""
    broken = failing_on("order.cancelled", ORDERS)
    append(log, [told for number in (0, 1) for told in (captured(number), of_order(number, "order.cancelled"))])
    catch_up(log, [broken])
    skip(log, broken, order_id(0), By("ann", "double"))

    assert what_if(log, replace(ORDERS)).diff.differing == 0
    assert as_of(log, broken) == table_of(log, ORDERS)


def test_a_fold_that_fails_names_the_event(bare: str) -> None:
    """And nothing that the event holds."""
    [_, position] = append(bare, [captured(0), planned(0)])
    with pytest.raises(FoldFailed, match=rf"order\.planned at position {position} \(order-.* version 2\): ValueError at") as failed:
        what_if(bare, failing_on("order.planned", ORDERS))
    assert "nobody may see" not in str(failed.value)


def test_a_group_that_cannot_be_named_names_the_event(bare: str) -> None:
    """The same for whatever goes wrong before the fold."""
    [position] = append(bare, [captured(0)])
    with pytest.raises(FoldFailed, match=rf"cannot name the group of order\.captured at position {position}"):
        what_if(bare, replace(ORDERS, group=lambda seen: str(seen.body["nothing of that name"])))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("def (", "does not load: SyntaxError in line 1", id="no Python"),
        pytest.param("import projections\n1 / 0", "does not load: ZeroDivisionError at other.py:2", id="it raises"),
        pytest.param("raise SystemExit(0)", "does not load: SystemExit at other.py:1", id="it ends the program"),
        pytest.param("from projections.orders import ORDERS", "defines no Projection", id="only what there is"),
        pytest.param(
            "from dataclasses import replace\nfrom projections.orders import ORDERS\nP = replace(ORDERS, personal=frozenset({'name'}))",
            "reads personal fields",
            id="personal",
        ),
    ],
)
def test_files_that_are_no_what_if(tmp_path: Path, text: str, says: str) -> None:
    """One line says why."""
    with pytest.raises(Refused, match=says):
        load(file(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is refused by its name."""
    with pytest.raises(Refused, match="is no file of Python"):
        load(tmp_path / "nothing.py")
