"""Files that pages write: a document as TOML is read back as it was, and the next version has a name of its own; lists of changes as CSV go out and come back."""

import tomllib
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.agreements import checked as agreed
from o2c.customers.agreements import packaged as agreements
from o2c.desk.act import Refused
from o2c.desk.bulk_changes import RowChanged
from o2c.entrypoints.changes_csv import failed_of, rows_of
from o2c.entrypoints.http.console.sources import following, source_of

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.booleans() | st.integers(-9, 9) | TEXTS | st.lists(TEXTS, max_size=3)
TABLES = st.recursive(
    st.dictionaries(TEXTS, PLAIN, max_size=3),
    lambda inner: st.dictionaries(TEXTS, PLAIN | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)
CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


@hypothesis.given(TABLES)
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    """Whatever names and values it has, and however deep they lie."""
    assert tomllib.loads(source_of(document)) == document


@pytest.mark.parametrize(
    ("version", "after"), [("care/2026-12", "care/2026-12.2"), ("care/2026-12.2", "care/2026-12.3"), ("v.9", "v.10"), ("a.b", "a.b.2")]
)
def test_a_version_is_followed_by_one_of_its_own(version: str, after: str) -> None:
    """Counted on behind a dot; so that it was not loaded before."""
    assert following(version) == after


def test_the_version_that_follows_the_package_s_may_be_loaded() -> None:
    """Its name is one that a file may have."""
    standard = {"contacts": {}, "until_hour": 18, "complete_within_days": 30}
    text = source_of({"version": following(agreements().version), "tiers": {"standard": standard}, "agreements": {}})
    assert agreed((), text, ["GB"]).version == "care/2026-12.2"


@hypothesis.given(st.lists(st.fixed_dictionaries({"product": CELLS, "note": CELLS}), min_size=1, max_size=4))
def test_what_failed_comes_back_as_it_was_handed_in(changes: list[dict[str, str]]) -> None:
    """Without the columns that say where it stood and why; no cell of it is a formula in a spreadsheet."""
    failed = [RowChanged(row, change["product"], "failed", why="=wrong") for row, change in enumerate(changes, 1)]
    text = failed_of(changes, failed)
    assert not any(
        cell[:1] in "=+-@" for line in text.splitlines() for cell in line.replace('"', "").split(",") if cell and '"' not in line
    )
    if not any(value.startswith("'") for change in changes for value in change.values()):
        assert rows_of(text, "the list") == changes


def test_what_was_ordered_is_not_among_what_failed() -> None:
    """The place in the list that was handed in is told, and why."""
    changes = [{"product": "A:1", "offering": "more"}, {"product": "B:1", "offering": "none"}]
    done = [RowChanged(1, "A:1", "ordered", order="6f"), RowChanged(2, "B:1", "failed", why="there is no offering none")]
    assert failed_of(changes, done) == "row,product,offering,why\n2,B:1,none,there is no offering none\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("offering\nmore\n", "no column named product", id="no product"),
        pytest.param("", "no column named product", id="empty"),
        pytest.param("product,offering\nA:1\n", "line 2 has more or fewer fields", id="short"),
        pytest.param("product\nA:1,more\n", "line 2 has more or fewer fields", id="long"),
        pytest.param('product\n"A:1\n', "cannot be read as CSV", id="open quote"),
    ],
)
def test_a_list_that_cannot_be_read_says_where(text: str, why: str) -> None:
    """In one line, by the place of what is wrong."""
    with pytest.raises(Refused, match=why):
        rows_of(text, "the list")


def test_a_mark_of_the_order_of_bytes_is_no_part_of_a_name() -> None:
    """As spreadsheets write it."""
    assert rows_of("\ufeffproduct\nA:1\n", "the list") == [{"product": "A:1"}]
