"""Tables for people: what fits a page, and values as people say them; nothing here opens a store."""

import io
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from rich.console import Console

from o2c.entrypoints.cli.output import Format, show_one
from o2c.entrypoints.cli.tables import COLUMNS, fitted, table_of, told_rows, width_of_page

CELLS = st.text(alphabet="abcdefg 0123-", max_size=60)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys((*COLUMNS, "other", "data"), CELLS)), min_size=1, max_size=5)


def shown(rows: list[dict[str, str]], width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table_of(rows, width)[0])
    return out.getvalue().splitlines()


@drawn(ROWS, st.integers(40, 300))
def test_no_line_is_longer_than_the_page(rows: list[dict[str, str]], width: int) -> None:
    """Whatever the cells hold: nobody's terminal breaks a row."""
    assert max(map(len, shown(rows, width))) <= width


@drawn(ROWS, st.integers(40, 300))
def test_no_column_that_stays_is_a_letter_wide(rows: list[dict[str, str]], width: int) -> None:
    """A column has room for its heading or it goes, and of those that go none is worth more than one of the same width that stays."""
    fit = fitted(rows, width)
    assert all(room >= min(len(name), width) for name, room in fit.widths.items())
    assert set(fit.widths) | set(fit.left_out) == set(rows[0])


def test_what_is_worth_least_goes_first() -> None:
    """Attempts before the queue, the queue before whose order it is."""
    row = {"fallout": "5d3f0a5e", "external_id": "WEB-1001", "queue": "porting", "attempts": "1", "next": "ask for the code"}
    rooms = [set(fitted([row], width).left_out) for width in (80, 52, 42)]
    assert rooms == [set(), {"attempts"}, {"attempts", "queue"}]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        pytest.param({"total_minor": 12361, "currency": "GBP"}, {"total": "123.61 GBP"}, id="money has its currency"),
        pytest.param({"total_minor": 12361}, {"total_minor": "12361"}, id="money of no currency stays as it is"),
        pytest.param({"currency": "GBP"}, {"currency": "GBP"}, id="a currency alone is a value"),
        pytest.param({"p50_s": 5400.0}, {"p50": "1.5 h"}, id="seconds are a duration"),
        pytest.param(
            {"a_minor": None, "b_minor": 5, "currency": "GBP"}, {"a": "", "b": "0.05 GBP"}, id="no amount stands where amounts do"
        ),
        pytest.param(
            {"left": 100, "left_minor": None, "currency": "GBP"},
            {"left": "100", "left_amount": ""},
            id="a count keeps its column beside an amount",
        ),
        pytest.param({"a": None, "b": [], "c": [1, 2]}, {"a": "", "b": "", "c": "1, 2"}, id="nothing is empty"),
        pytest.param({"GBP": {"open_minor": 100}}, {"GBP": "open 1.00 GBP"}, id="money stands under its currency"),
        pytest.param({"a": "\x1b[31mred"}, {"a": "\N{REPLACEMENT CHARACTER}[31mred"}, id="a code a terminal would obey"),
    ],
)
def test_values_as_people_say_them(row: dict[str, Any], told: dict[str, str]) -> None:
    """Only in tables: JSON keeps minor units and seconds."""
    told_row = told_rows([{"money": row}])[0] if "GBP" in row else told_rows([row])[0]
    assert told_row == ({"money": f"GBP {told['GBP']}"} if "GBP" in row else told)


def test_what_is_in_no_currency_stands_under_the_same_heading() -> None:
    """A journey that names nothing yet is worth nothing of any currency: its row fits those that do."""
    rows = told_rows([{"journey": "a", "value_minor": 2000, "currency": "GBP"}, {"journey": "b", "value_minor": 0, "currency": ""}])
    assert rows == [{"journey": "a", "value": "20.00 GBP"}, {"journey": "b", "value": ""}]
    assert fitted(rows, 80).left_out == ()


def test_the_page_is_as_wide_as_somebody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS is heard; without it and without a terminal a page is no line of 400 columns."""
    monkeypatch.setenv("COLUMNS", "97")
    assert width_of_page() == 97
    monkeypatch.delenv("COLUMNS")
    assert 40 <= width_of_page() <= 400


def test_the_parts_of_a_whole_are_in_its_currency(capsys: pytest.CaptureFixture[str]) -> None:
    """People read what lines come to as they read the sum; JSON has minor units. A part with a currency of its own keeps it."""
    whole = {"currency": "JPY", "net_minor": 1200, "lines": [{"net_minor": 1200}], "paid": [{"open_minor": 5, "currency": "KWD"}]}
    show_one(whole, Format.table)
    text = capsys.readouterr().out
    assert (text.count("1200 JPY"), "0.005 KWD" in text) == (2, True)
    show_one(whole, Format.jsonl)
    assert '"lines": [{"net_minor": 1200}]' in capsys.readouterr().out
