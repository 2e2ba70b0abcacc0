"""Addresses by market: what can be delivered to passes however it is written, what lacks a part is told which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.markets.addresses import address_flaw, postcode_of
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.markets.nl import NL

NO_POSTCODE, NO_PREMISES = "without a postcode", "without a house number or name and its street"


@pytest.mark.parametrize(
    ("line", "postcode"),
    [
        # One of each form that a postcode has, by the Royal Mail's Programmers' Guide and BS 7666.
        pytest.param("1 Example Street, Manchester, M1 1AE", "M1 1AE", id="a9-9aa"),
        pytest.param("1 Example Street, Birmingham, B33 8TH", "B33 8TH", id="a99-9aa"),
        pytest.param("1 Example Street, London, W1A 0AX", "W1A 0AX", id="a9a-9aa"),
        pytest.param("1 Example Street, Croydon, CR2 6XH", "CR2 6XH", id="aa9-9aa"),
        pytest.param("1 Example Street, Doncaster, DN55 1PT", "DN55 1PT", id="aa99-9aa"),
        pytest.param("1 Example Street, London, EC1A 1BB", "EC1A 1BB", id="aa9a-9aa"),
        pytest.param("221b Example Street, London, EC1A 1BB", "EC1A 1BB", id="house-number-with-a-letter"),
        pytest.param("12-14 Example Street, London, EC1A 1BB", "EC1A 1BB", id="two-house-numbers"),
        pytest.param("12, Example Street, London, EC1A 1BB", "EC1A 1BB", id="number-in-a-part-of-its-own"),
        pytest.param("The Old Mill, 1 Example Street, EC1A 1BB", "EC1A 1BB", id="name-and-number"),
        pytest.param("Flat 3, 12 Example Road, Testford, ZX1 1AA", "ZX1 1AA", id="flat-before-the-number"),
        pytest.param("Flat 3B 12 Example Road, Testford, ZX1 1AA", "ZX1 1AA", id="flat-without-a-comma"),
        pytest.param("Unit 7, Example Works, Example Road, Testford, ZX1 1AA", "ZX1 1AA", id="unit-of-a-named-building"),
        pytest.param("Rose Cottage, Example Lane, Testford, ZX1 1AA", "ZX1 1AA", id="house-name"),
        pytest.param("1 Example Road, Testford, zx1 1aa", "ZX1 1AA", id="small-letters"),
        pytest.param("1 Example Street, London, EC1A1BB", "EC1A 1BB", id="no-space-in-the-postcode"),
        pytest.param("1 Example Street, London, EC1A 1BB, England", "EC1A 1BB", id="country-behind"),
        pytest.param("1 Example Street, London, EC1A 1BB, United Kingdom", "EC1A 1BB", id="united-kingdom-behind"),
        pytest.param("1 Example Road\nTestford\nZX1 1AA\n", "ZX1 1AA", id="line-breaks"),
        pytest.param("1 Example Road Testford ZX1 1AA", "ZX1 1AA", id="no-commas"),
        pytest.param("1 Example Road, Testford ZX1 1AA", "ZX1 1AA", id="postcode-behind-the-town"),
    ],
)
def test_a_british_address_that_a_courier_finds_passes(line: str, postcode: str) -> None:
    """Flats, units, house names, small letters, no spaces, a country behind and line breaks are all deliverable."""
    assert (address_flaw(GB.addresses, line), postcode_of(GB.addresses, line)) == ("", postcode)


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        pytest.param("Example Street, London, EC1A 1BB", NO_PREMISES, id="no-house-number"),
        pytest.param("Flat 3, Example Street, London, EC1A 1BB", NO_PREMISES, id="a-flat-of-no-house"),
        pytest.param("12, EC1A 1BB", NO_PREMISES, id="a-number-of-no-street"),
        pytest.param("999999999 x QQ1 1QQ", NO_POSTCODE, id="no-postcode-begins-with-q"),
        pytest.param("999999999 x ZX1 1AA", NO_PREMISES, id="no-house-has-nine-digits"),
        pytest.param("1 Example Street, London", NO_POSTCODE, id="no-postcode"),
        pytest.param("1 Example Street, London, EC1A 1B", NO_POSTCODE, id="unit-of-one-letter"),
        pytest.param("1 Example Street, London, ECA1 1BB", NO_POSTCODE, id="three-letters-first"),
        pytest.param("1 Example Street, London, EC1A 1BC", NO_POSTCODE, id="no-inward-code-has-a-c"),
        pytest.param("1 Example Street, Paris, 75001, France", NO_POSTCODE, id="another-country"),
        pytest.param("\uff11 Example Street, London, EC1A 1BB", NO_PREMISES, id="full-width-number"),
        pytest.param("", NO_POSTCODE, id="empty"),
    ],
)
def test_a_british_address_that_lacks_a_part_is_told_which(line: str, flaw: str) -> None:
    """The message names what is missing and says nothing that is not so."""
    assert address_flaw(GB.addresses, line) == flaw


@pytest.mark.parametrize(
    ("line", "flaw", "postcode"),
    [
        pytest.param("Teststraat 12, 1234 AB Teststad", "", "1234 AB", id="plain"),
        pytest.param("Teststraat 12-A, 1234ab Teststad, Nederland", "", "1234 AB", id="suffix-small-letters-country"),
        pytest.param("Teststraat 12 bis, 1234 AB Teststad", "", "1234 AB", id="suffix-in-letters"),
        pytest.param("12 Teststraat, Teststad, 1234 AB", "", "1234 AB", id="as-structured"),
        pytest.param("Teststraat, 1234 AB Teststad", NO_PREMISES, "1234 AB", id="no-number"),
        pytest.param("Molenhuis, Teststraat, Teststad, 1234 AB", NO_PREMISES, "1234 AB", id="a-name-is-no-number-here"),
        pytest.param("Teststraat 999999999, 1234 AB Teststad", NO_PREMISES, "1234 AB", id="nine-digits"),
        pytest.param("Teststraat 12, Teststad", NO_POSTCODE, "", id="no-postcode"),
        pytest.param("Teststraat 12, 1234 SS Teststad", NO_POSTCODE, "", id="letters-that-are-never-given"),
    ],
)
def test_a_dutch_address_is_judged_by_its_own_parts(line: str, flaw: str, postcode: str) -> None:
    """The number follows the street, the postcode stands before the town, and a name takes no number's place."""
    assert (address_flaw(NL.addresses, line), postcode_of(NL.addresses, line)) == (flaw, postcode)


@pytest.mark.parametrize("market", [GB, NL], ids=["GB", "NL"])
@given(text=st.text(alphabet="19 aAbBtrzZxX,\n-", max_size=60), spaces=st.sampled_from(["  ", "\t", " "]))
def test_case_and_spaces_never_decide(market: Market, text: str, spaces: str) -> None:
    """The same address in capitals, in small letters and with other spaces gets the same judgement (letters that have both cases)."""
    flaw = address_flaw(market.addresses, text)
    assert address_flaw(market.addresses, text.replace(" ", spaces)) == flaw
    assert address_flaw(market.addresses, text.swapcase()) == flaw
