"""Zones and time bands as an operator's own file: what is refused, and which version places a record."""

import pytest

from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.usage.zoning import ZoneBook, book_of, checked, in_force

OWN = {"GB": GB.usage, "NL": NL.usage}
HEAD = 'version = "v1"\nvalid_from = "2026-02-01"\nmarket = "GB"\n'
ZONES = 'other_zone = "rest"\n[[zones]]\nname = "home"\nprefixes = ["44", "447700900"]\n[[zones]]\nname = "near"\nprefixes = ["447700901"]\ncountries = ["FR"]\n'
BANDS = (
    'other_band = "low"\n[[bands]]\nname = "high"\nweekdays = ["mon"]\nfrom_hour = 8\nto_hour = 20\n'
    '[[bands]]\nname = "high"\nweekdays = ["sat"]\nfrom_hour = 0\nto_hour = 24\n'
)


def test_a_file_stands_over_the_market() -> None:
    """A part that it does not have stays as it was: bands are the market's, and so are zones of a file of bands."""
    zones = book_of([HEAD + ZONES]).of("GB", GB.usage)[-1].table
    assert [zones.zone_of(called) for called in ("+44201", "+447700901234", "+33142")] == ["home", "near", "rest"]
    assert zones.zone_of("", "FR") == "near"
    assert zones.bands == GB.usage.bands
    bands = book_of([HEAD + BANDS]).of("GB", GB.usage)[-1].table
    assert bands.zones == GB.usage.zones
    assert book_of([HEAD + BANDS]).of("NL", NL.usage)[-1].table == NL.usage


@pytest.mark.parametrize(
    ("day", "version"), [("2026-01-31", ""), ("2026-02-01", "v1"), ("2026-02-28", "v1"), ("2026-03-01", "v2"), ("2027-01-01", "v2")]
)
def test_a_version_holds_from_its_day(day: str, version: str) -> None:
    """Before the first one the market's own hold."""
    second = HEAD.replace("v1", "v2").replace("2026-02-01", "2026-03-01")
    assert in_force(book_of([HEAD + ZONES, second + BANDS]).of("GB", GB.usage), day).version == version


def test_of_versions_of_one_day_the_last_holds() -> None:
    """It was loaded to put the other right."""
    again = HEAD.replace("v1", "v2")
    assert in_force(book_of([HEAD + ZONES, again + ZONES]).of("GB", GB.usage), "2026-02-01").version == "v2"


def test_prices_may_name_what_comes() -> None:
    """The zones and bands of every version, and where everything else belongs."""
    known = book_of([HEAD + ZONES]).names_known
    assert {"home", "near", "rest", "national", "world"} <= known("GB", GB.usage).zone_names
    assert {"high", "low", "day", "evening"} <= book_of([HEAD + BANDS]).names_known("GB", GB.usage).band_names


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zones =", "Invalid value"),
        (HEAD + "colour = 1", "has 'colour'"),
        (HEAD, "neither `zones` nor `bands`"),
        (HEAD.replace("GB", "XX") + ZONES, "no market XX"),
        (HEAD.replace("2026-02-01", "soon") + ZONES, "isoformat"),
        (HEAD.replace('version = "v1"\n', "") + ZONES, "lacks 'version'"),
        (HEAD.replace("v1", "v 1") + ZONES, "`version` is a word"),
        (HEAD + ZONES.replace('other_zone = "rest"\n', ""), "`zones` and `other_zone` stand together"),
        (HEAD + ZONES.replace('"rest"', '"home"'), "two of the zones are called home"),
        (HEAD + ZONES.replace('"home"', '"ho me"'), "no name of a zone"),
        (HEAD + ZONES.replace('"447700901"', '"44"'), "44 is in the zones home and near"),
        (HEAD + ZONES.replace('"FR"', '"France"'), "'France' is neither"),
        (HEAD + ZONES.replace('"44"', '"+44"'), "'+44' is neither"),
        (HEAD + ZONES.replace('"44"', "44"), "expected string"),
        (HEAD + ZONES + '[[zones]]\nname = "none"\n', "neither prefixes nor countries"),
        (HEAD + BANDS.replace("20", "8"), "to a later one"),
        (HEAD + BANDS.replace("24", "25"), "to a later one"),
        (HEAD + BANDS.replace('"mon"', '"Monday"'), "'Monday' is no weekday"),
        (HEAD + BANDS.replace('["mon"]', "[]"), "is no weekday"),
        (HEAD + BANDS.replace('"mon"', '"sat"'), "the same hours of sat"),
    ],
)
def test_what_is_wrong_is_told(text: str, says: str) -> None:
    """The first thing that is; nothing is loaded."""
    with pytest.raises(Refused, match="no zones were loaded") as caught:
        checked(ZoneBook({}), text, OWN, {})
    assert says in str(caught.value)


def test_no_price_loses_its_zone() -> None:
    """A price that names a zone or a band which nothing would be called any more would price nothing, and nobody would see it."""
    with pytest.raises(Refused, match="prices name 'mobile'"):
        checked(ZoneBook({}), HEAD + ZONES, OWN, {"GB": {"mobile", "day"}})
    assert checked(ZoneBook({}), HEAD + ZONES, OWN, {"GB": {"home", "day"}, "NL": {"mobile"}}).version == "v1"


def test_a_version_is_loaded_once() -> None:
    """Another file of the same version is refused: which of the two a record names would be unknown."""
    with pytest.raises(Refused, match="not loaded before"):
        checked(book_of([HEAD + ZONES]), HEAD + BANDS, OWN, {})
