"""Portugal: the calendar, the code for ports, the lead and the compensation of each version of the rules, IVA, NIF, numbers and addresses."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from stdnum.pt import nif

from o2c.kernel.telephones import possible_mobile
from o2c.markets.addresses import address_flaw, postcode_of
from o2c.markets.base import Market, code_is_wellformed, is_working_day, port_window, tax_group, tax_percent
from o2c.markets.ports import compensation
from o2c.markets.pt import PT, PT_2009, PT_2012
from o2c.markets.registry import current

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        pytest.param("2026-02-17", True, id="carnival is no public holiday"),
        pytest.param("2026-04-03", False, id="good friday"),
        pytest.param("2026-04-06", True, id="easter monday is worked"),
        pytest.param("2026-04-25", False, id="freedom day, a saturday"),
        pytest.param("2026-05-01", False, id="labour day"),
        pytest.param("2026-06-04", False, id="corpus christi"),
        pytest.param("2026-06-10", False, id="portugal day"),
        pytest.param("2026-10-05", False, id="republic day"),
        pytest.param("2026-12-01", False, id="restoration of independence"),
        pytest.param("2026-12-08", False, id="immaculate conception"),
        pytest.param("2026-12-26", False, id="a saturday"),
        pytest.param("2026-12-28", True, id="a monday"),
    ],
)
def test_working_days(day: str, worked: bool) -> None:
    """The national holidays of the Código do Trabalho, art. 234, and weekends."""
    assert is_working_day(PT.calendar, date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("text", "wellformed"), [("123456789012", True), ("12345678901", False), ("1234567890123", False), ("ABC123456", False), ("", False)]
)
def test_the_code_has_twelve_digits(text: str, wellformed: bool) -> None:
    """A CVP, as text and never repaired."""
    assert code_is_wellformed(PT.porting, text) is wellformed


@pytest.mark.parametrize(
    ("on", "version", "opens_on", "per_day_minor"),
    [
        pytest.param(date(2010, 3, 1), PT_2009, "2026-06-09", 250, id="three working days"),
        pytest.param(date(2012, 3, 13), PT_2012, "2026-06-05", 250, id="one working day"),
        pytest.param(date(2025, 11, 9), PT_2012, "2026-06-05", 250, id="the last day of that"),
        pytest.param(date(2025, 11, 10), PT, "2026-06-05", 300, id="another sum"),
        pytest.param(date(2026, 11, 28), PT, "2026-06-05", 300, id="today"),
    ],
)
def test_each_version_has_its_lead_and_its_sum(on: date, version: Market, opens_on: str, per_day_minor: int) -> None:
    """Asked for on a Wednesday before Corpus Christi: the holiday is none of the days."""
    asked_at = datetime(2026, 6, 3, 10, tzinfo=LISBON)

    assert current("PT", on) is version
    assert port_window(version, asked_at).astimezone(LISBON).date().isoformat() == opens_on
    assert version.porting.delay.minor_per_day == per_day_minor


@pytest.mark.parametrize(
    ("market", "days", "due_minor"), [(PT_2012, 0, 0), (PT_2012, 1, 250), (PT_2012, 4, 1000), (PT, 1, 300), (PT, 4, 1200)]
)
def test_what_a_late_number_is_made_good_with(market: Market, days: int, due_minor: int) -> None:
    """So much for each number and day, weekends and holidays too; nothing for one that is in time."""
    told = {"account": "BA-1", "customer": "C-1", "currency": "EUR", "msisdn": "+351912345678", "order": "A", "item": "1"}

    credited = compensation(market, cause="port-in", late_days=days, late_working_days=max(days - 2, 0), **told)

    assert [(stream, event.amount_minor, event.days, event.rules) for stream, event in credited] == (
        [("account-BA-1", due_minor, days, market.pin)] if due_minor else []
    )


@pytest.mark.parametrize(("name", "percent"), [("IVA", 23), ("standard", 23), ("intermédia", 13), ("reduzida", 6), ("Z", 0)])
def test_iva(name: str, percent: int) -> None:
    """The rates of the mainland, by the words that price lists have for them."""
    group = tax_group(PT, name)

    assert group is not None
    assert tax_percent(PT, group, date(2026, 1, 5)) == Decimal(percent)


def test_the_nif_of_the_supplier_has_its_check_digit() -> None:
    """Nine digits, the last one reckoned from the others; with the letters of its country on papers."""
    assert PT.invoicing.supplier.tax_id.startswith("PT")
    assert nif.is_valid(PT.invoicing.supplier.tax_id)


@pytest.mark.parametrize(
    ("number", "mobile"),
    [("+351912345678", True), ("+351961234567", True), ("+351212345678", False), ("+3519123456", False), ("912345678", False)],
)
def test_numbers(number: str, mobile: bool) -> None:
    """Mobile numbers of +351 begin with 9 and have nine digits."""
    assert possible_mobile(number, PT.numbering.region) is mobile


@pytest.mark.parametrize(
    ("text", "postcode", "flaw"),
    [
        pytest.param("Rua Augusta 12, 1100-053 Lisboa", "1100-053", "", id="street and number"),
        pytest.param("Rua Augusta, 12, 1100-053 Lisboa, Portugal", "1100-053", "", id="country behind"),
        pytest.param("Av. da Liberdade 110, 2.º Dto, 1269-046 Lisboa", "1269-046", "", id="floor and side"),
        pytest.param("Av. da Liberdade 110 2.º Dto, 1269-046 Lisboa", "1269-046", "", id="floor without a comma"),
        pytest.param("Rua Augusta 12, 1100 Lisboa", "", "without a postcode", id="four digits"),
        pytest.param("Rua Augusta 12, Lisboa", "", "without a postcode", id="none"),
        pytest.param("12, 1100-053", "1100-053", "without a house number or name and its street", id="no street"),
    ],
)
def test_addresses(text: str, postcode: str, flaw: str) -> None:
    """A postal code has seven digits, and stays as it is written."""
    assert (postcode_of(PT.addresses, text), address_flaw(PT.addresses, text)) == (postcode, flaw)


def test_windows_are_local() -> None:
    """In winter and in summer the window opens at nine in Lisbon."""
    opens = [port_window(PT, datetime(2026, month, 15, 10, tzinfo=UTC)).astimezone(LISBON).hour for month in (1, 7)]

    assert opens == [9, 9]
