"""What partners hold by their own books, against how orders stand by the log: what leaks, and what is held twice, is seen."""

import pytest

from o2c.orders.rollup import ItemProgress
from tests import year_outside
from tests.book import Entry
from tests.given import MONDAY
from tests.network import Books
from tests.year_network import wrong_network
from tests.year_outside import Standing, outside, wrong_outside, wrong_stock

PORT = ("order-1", "1", "porting")


def call(step: str = "porting", answer: str = "done", *, how: str = "submit", moves: bool = False) -> Entry:
    return Entry("clearing-house", how, ("order-1", "1", step), 1, MONDAY, answer, moves)


@pytest.mark.parametrize(
    ("book", "held"),
    [
        pytest.param([call()], 1, id="agreed"),
        pytest.param([call(answer="refused")], 0, id="refused"),
        pytest.param([call(answer="silent"), call(how="query")], 1, id="found-by-a-question"),
        pytest.param([call(), call("porting-cancel")], 0, id="dropped"),
        pytest.param([call(), call("porting-cancel", "refused")], 1, id="kept"),
        pytest.param([call(), call("porting-cancel"), call()], 1, id="agreed-anew"),
        pytest.param([call(), call(how="query", answer="refused"), call("porting-cancel"), call()], 1, id="dropped-when-it-had-failed"),
        pytest.param([call(), call("porting-cancel"), call("porting-cancel"), call()], 1, id="dropped-twice"),
        pytest.param([call(), call(moves=True)], 1, id="moved-to-another-window"),
        pytest.param([call(), call()], 2, id="twice"),
    ],
)
def test_what_a_partner_holds(book: list[Entry], held: int) -> None:
    """What it did, less what it dropped; another window of the same port is the same port."""
    assert outside(book)[PORT] == held


@pytest.mark.parametrize(
    ("must", "held", "wrong"),
    [
        pytest.param(True, 1, 0, id="held"),
        pytest.param(False, 0, 0, id="let-go"),
        pytest.param(None, 1, 0, id="under-way"),
        pytest.param(False, 1, 1, id="leaked"),
        pytest.param(True, 0, 1, id="lost"),
        pytest.param(True, 2, 1, id="doubled"),
        pytest.param(None, 2, 1, id="doubled-under-way"),
    ],
)
def test_it_is_what_stands(must: bool | None, held: int, wrong: int) -> None:
    """Once, and nothing that nobody has any more."""
    assert len(wrong_outside(Standing(must={PORT: must}), {PORT: held})) == wrong


@pytest.mark.parametrize(
    ("steps", "ended", "must"),
    [
        pytest.param({"porting": "done"}, "", True, id="in-an-item-that-goes-on"),
        pytest.param({"porting": "done"}, "cancelled", False, id="in-one-that-was-cancelled"),
        pytest.param({"porting": "done", "cutover": "done"}, "cancelled", True, id="once-the-number-came"),
        pytest.param({"porting": "requested"}, "", None, id="asked-for"),
        pytest.param({"porting": "given-up"}, "", False, id="given-up"),
    ],
)
def test_what_must_be_held(steps: dict[str, str], ended: str, must: bool | None) -> None:
    """A port of an item that ended is dropped, but where the number has come already."""
    assert year_outside._must("porting", ItemProgress(steps, (), ended), "") is must


@pytest.mark.parametrize(("ended", "recalled", "must"), [("", "", True), ("failed", "requested", None), ("failed", "done", False)])
def test_what_the_network_must_have_on(ended: str, recalled: str, must: bool | None) -> None:
    """A line of an item that ended is on until it is switched off, whatever else came of the item."""
    steps = {"activation": "done", "esim-download": "done"}
    assert year_outside._must("activation", ItemProgress(steps, (), ended), recalled) is must


PRODUCTS = [
    {"product": name, "iccid": sim, "msisdn": "+44", "account": "BA", "status": how}
    for name, sim, how in (("1:1", "A", "active"), ("2:1", "B", "terminated"))
]


@pytest.mark.parametrize(
    ("on", "wrong"),
    [
        pytest.param({"1:1": "A"}, [], id="as-it-is"),
        pytest.param({"1:1": "A", "2:1": "B"}, ["2:1 is on by B, and has ended"], id="after-its-end"),
        pytest.param({"1:1": "A", "3:1": "C"}, ["3:1 is on by C, and is of nobody"], id="for-nobody"),
        pytest.param({"1:1": "A", "4:1": "D"}, [], id="of-an-order-that-goes-on"),
        pytest.param({"1:1": "X"}, ["1:1 is on by X, must be by A"], id="by-another-sim"),
        pytest.param({}, ["1:1 is not on, must be by A"], id="off"),
    ],
)
def test_what_is_on(on: dict[str, str], wrong: list[str]) -> None:
    """What a product in service has is on, by its SIM; what has ended, or never was, is not."""
    assert wrong_network(Books(on, numbers={"1:1": ["+44"]}), Standing(going={("order-4", "1")}), PRODUCTS, set()) == wrong


@pytest.mark.parametrize(("by", "wrong"), [(["+44"], 0), (["+44", "+31"], 0), (["+31"], 1), ([], 1)])
def test_a_line_is_reached_by_its_number(by: list[str], wrong: int) -> None:
    """Or by that which the network was asked for last, while nobody knows what came of it."""
    assert len(wrong_network(Books({"1:1": "A"}, numbers={"1:1": by}), Standing(), PRODUCTS, set())) == wrong


def test_a_piece_in_use_is_one_lines() -> None:
    """A SIM of nobody, one of two, and one that is somebody's and lies in stock are each told."""
    told = Standing(pieces={("sim", "A"): ["order-1/1"], ("sim", "B"): ["order-1/2"]})
    serving = [{"product": "1:1", "iccid": "A", "msisdn": ""}, {"product": "2:1", "iccid": "B", "msisdn": ""}]
    in_use = [{"kind": "sim", "key": name} for name in ("A", "C")]
    assert wrong_stock(told, in_use[:1], serving[:1])[:1] == ["sim B is ['order-1/2']'s, and not in use"]
    assert wrong_stock(told, in_use, serving) == [
        "sim C is in use, and nobody's",
        "sim B is ['2:1', 'order-1/2']'s, and not in use",
        "sim B is of ['2:1', 'order-1/2']",
    ]
