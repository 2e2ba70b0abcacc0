"""Files that do not have one order a line: arrays, indented objects, and what only begins like one."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.files import intake
from o2c.files.papers import BY_LINE, papers_of
from o2c.kernel.refusal import Refused
from tests.world import Document, World, line, order

ORDERS = [order(f"WEB-{n}", line(), party=f"C-{n}") for n in (1, 2)]
BROKEN: Document = {**ORDERS[0], "externalId": "WEB-9", "orderDate": "soon"}


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path).stocked()
    yield made
    made.close()


def going(world: World, content: str) -> intake.Intake:
    """An intake of a file, gone through."""
    found = intake.Intake(world.app, world.written("orders.json", content), world.folder / "quarantine")
    found.run()
    return found


SHAPES = [
    pytest.param(lambda orders: "\n".join(map(json.dumps, orders)), id="one a line"),
    pytest.param(json.dumps, id="an array in one line"),
    pytest.param(lambda orders: json.dumps(orders, indent=2), id="an indented array"),
    pytest.param(lambda orders: "[\n" + ",\n".join(map(json.dumps, orders)) + "\n]\n", id="an array with one a line"),
    pytest.param(lambda orders: "\n".join(json.dumps(each, indent=1) for each in orders), id="indented objects in a row"),
    pytest.param(lambda orders: "\ufeff" + json.dumps(orders, indent=1), id="a byte order mark"),
    pytest.param(lambda orders: json.dumps(orders, indent=1).replace("\n", "\r\n"), id="carriage returns"),
]


@pytest.mark.parametrize("shaped", SHAPES)
def test_the_same_orders_come_of_every_shape(world: World, shaped: Any) -> None:
    """Every order is captured, the broken one is refused by its number in the file, and the file again is a repeat."""
    found = going(world, shaped([ORDERS[0], BROKEN, ORDERS[1]]))
    again = going(world, shaped([ORDERS[0], BROKEN, ORDERS[1]]))

    assert [world.order(name).party for name in ("WEB-1", "WEB-2")] == ["C-1", "C-2"]
    assert (len(found.refusals), found.refusals[0].reason) == (1, "orderDate is no time with a zone (RFC 3339)")
    assert (found.receptions, again.receptions) == ({"captured": 2}, {"duplicates": 2})
    kept = [json.loads(raw) for raw in found.quarantine.read_bytes().splitlines()]
    assert kept == [BROKEN], "one a line, to be corrected there"


def test_elements_are_numbered_from_one(tmp_path: Path) -> None:
    """In an array by their places, in a file of lines by its lines; a packed file is read as what is in it."""
    array, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    array.write_text(json.dumps([{"a": "x\\n"}, [1], 7], indent=1))
    packed.write_bytes(gzip.compress(array.read_bytes()))

    told = [(each.number, json.loads(each.text)) for each in papers_of(array)]
    assert told == [(1, {"a": "x\\n"}), (2, [1]), (3, 7)]
    assert [(each.number, each.raw) for each in papers_of(packed)] == [(each.number, each.raw) for each in papers_of(array)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(ORDERS, indent=1)[:-3], id="an array that is cut off"),
        pytest.param("[" + json.dumps(ORDERS[0]) + "\n" + json.dumps(ORDERS[1]) + "]", id="no comma"),
        pytest.param("[\n" + json.dumps(ORDERS[0]) + ",\n]", id="a comma too many"),
        pytest.param('{\n"externalId": "WEB-1"\n', id="an object that is cut off"),
    ],
)
def test_what_only_begins_like_one_is_taken_by_its_lines(world: World, content: str) -> None:
    """Each line is accounted for, and the first says what a file of orders is."""
    found = going(world, content)

    assert found.refusals[0].reason.endswith(BY_LINE)
    assert len(found.refusals) + sum(found.receptions.values()) == len([each for each in content.splitlines() if each.strip()])


def test_an_empty_array_is_an_empty_file(world: World) -> None:
    """A transfer that failed, as a file without lines is."""
    with pytest.raises(Refused, match="is empty"):
        going(world, "[ ]")
