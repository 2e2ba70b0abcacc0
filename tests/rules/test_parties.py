"""A TMF632 party read in every shape that the standard allows: what it is, its name, its day of birth, where to write to."""

from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.rules import register
from o2c.customers.state import CustomerState
from o2c.kernel.names import folded
from o2c.kernel.refusal import Refused

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ADA = {"givenName": "Ada", "familyName": "Example"}
FIRM = {"tradingName": "Example Joinery"}


def registered(**document: Any) -> Any:
    [event] = register(CustomerState(), document={"id": "C-1", **document}, at=NOON)
    return event


@pytest.mark.parametrize(
    ("document", "kind", "name"),
    [
        pytest.param({"@type": "Individual", **ADA}, "individual", "Ada Example", id="a person"),
        pytest.param({"@type": "Organization", **FIRM}, "organisation", "Example Joinery", id="a firm"),
        pytest.param({"@type": "organization", **FIRM}, "organisation", "Example Joinery", id="in another case"),
        pytest.param({"@type": "Organisation", **FIRM}, "organisation", "Example Joinery", id="in British spelling"),
        pytest.param({"@type": "Organization_Create", **FIRM}, "organisation", "Example Joinery", id="the shape of a request"),
        pytest.param({"@type": None, **FIRM}, "organisation", "Example Joinery", id="a type of null"),
        pytest.param(FIRM, "organisation", "Example Joinery", id="a firm without type"),
        pytest.param({"name": "Example Bakehouse Ltd"}, "organisation", "Example Bakehouse Ltd", id="a firm by its name only"),
        pytest.param({"@type": "Organization", "name": "Example Ltd"}, "organisation", "Example Ltd", id="a firm by type and name"),
        pytest.param(
            {"@type": "SupplierParty", "@baseType": "Organization", **FIRM}, "organisation", "Example Joinery", id="a type of its own"
        ),
        pytest.param(
            {"organizationType": "company", "otherName": [{"name": "Example & Co"}]}, "organisation", "Example & Co", id="another name"
        ),
        pytest.param(ADA, "individual", "Ada Example", id="a person without type"),
        pytest.param({"@type": "individual", **ADA}, "individual", "Ada Example", id="a person in another case"),
        pytest.param({"fullName": "Noor Example"}, "individual", "Noor Example", id="a full name"),
        pytest.param({"formattedName": "Example, Noor"}, "individual", "Example, Noor", id="a formatted name"),
        pytest.param({"legalName": "Noor Example"}, "individual", "Noor Example", id="a legal name"),
        pytest.param({"@type": "Individual", "name": "Noor Example"}, "individual", "Noor Example", id="a person by name only"),
        pytest.param(
            {"familyName": "Example", "fullName": "Noor Example"}, "individual", "Noor Example", id="half a name beside a whole one"
        ),
        pytest.param({**ADA, "fullName": "Ada M. Example"}, "individual", "Ada Example", id="both parts and a whole one"),
        pytest.param({"givenName": None, "familyName": "Example"}, "individual", "Example", id="null is absent"),
        pytest.param(
            {"givenName": "Jan", "familyNamePrefix": "van der", "familyName": "Berg"}, "individual", "Jan van der Berg", id="a prefix"
        ),
        pytest.param({"birthDate": "1980-02-29", "otherName": [None, ADA]}, "individual", "Ada Example", id="a person by another name"),
        pytest.param({"givenName": " Ada ", "familyName": "  Example"}, "individual", "Ada Example", id="blanks around"),
    ],
)
def test_what_a_party_is_and_its_name(document: dict[str, Any], kind: str, name: str) -> None:
    """By its type where it says one, else by the fields that it has. Source: TMF632 v4.0.0, Individual and Organization."""
    event = registered(**document)
    assert (event.kind, event.name) == (kind, name)


@pytest.mark.parametrize(
    ("document", "lacks"),
    [
        pytest.param({}, "givenName and familyName, or fullName", id="nothing at all"),
        pytest.param({"@type": "Individual", "givenName": None, "familyName": ""}, "givenName and familyName, or fullName", id="null and empty"),
        pytest.param({"@type": "Individual", **FIRM}, "givenName and familyName, or fullName", id="a person with the name of a firm"),
        pytest.param({"@type": "Organization", **ADA}, "tradingName or name", id="a firm with the name of a person"),
        pytest.param({"@type": "Organization", "otherName": [{"validFor": {"endDateTime": "2020-01-01T00:00:00Z"}, **FIRM}]},
                     "tradingName or name", id="a name of former times"),
    ],
)  # fmt: skip
def test_a_party_without_a_name_is_refused_by_what_it_lacks(document: dict[str, Any], lacks: str) -> None:
    """Nobody could find it or check who it is."""
    with pytest.raises(Refused, match=f"party C-1 has no name; say its {lacks}"):
        registered(**document)


def email(address: str, **more: Any) -> dict[str, Any]:
    return {"mediumType": "email", "characteristic": {"emailAddress": address}, **more}


LAST_YEAR = {"validFor": {"endDateTime": "2025-12-31T00:00:00Z"}}


@pytest.mark.parametrize(
    ("media", "found"),
    [
        pytest.param([email("a@example.org"), email("b@example.org")], "a@example.org", id="the first of equals"),
        pytest.param([email("a@example.org"), email("b@example.org", preferred=True)], "b@example.org", id="the preferred one"),
        pytest.param([email("a@example.org", **LAST_YEAR), email("b@example.org")], "b@example.org", id="not one that is over"),
        pytest.param(
            [email("a@example.org", preferred=True, **LAST_YEAR), email("b@example.org")], "b@example.org", id="over though preferred"
        ),
        pytest.param([email("a@example.org", validFor={"startDateTime": "2027-01-01T00:00:00Z"})], "", id="not one that is to come"),
        pytest.param([email("a@example.org", validFor={"startDateTime": "2025-01-01T00:00:00Z"})], "a@example.org", id="without an end"),
        pytest.param([email("a@example.org", validFor={"endDateTime": "2026-01-05T12:00:00Z"})], "", id="an end is not part of its period"),
        pytest.param([email("a@example.org", validFor={"endDateTime": "2026-01-06"})], "a@example.org", id="a day alone"),
        pytest.param([email("a@example.org", validFor={"startDateTime": None})], "a@example.org", id="a bound of null"),
        pytest.param([email("a@example.org", validFor=None, preferred=None)], "a@example.org", id="marks of null"),
        pytest.param([None, {"characteristic": None}, email("a@example.org")], "a@example.org", id="entries of null"),
        pytest.param([{"characteristic": {"emailAddress": None}}, email("b@example.org")], "b@example.org", id="an address of null"),
        pytest.param([{"@type": "EmailContactMedium", "emailAddress": "a@example.org"}], "a@example.org", id="as v5 has it"),
        pytest.param(None, "", id="no media"),
    ],
)
def test_the_e_mail_is_the_preferred_one_that_holds(media: Any, found: str) -> None:
    """Source: TMF632 v4.0.0 ContactMedium.preferred, .validFor; TimePeriod, whose ends may be missing."""
    assert registered(**ADA, contactMedium=media).email == found


def test_an_address_is_all_of_its_parts() -> None:
    """Those that the medium has, in one line."""
    parts = {"street1": "1 Mill Lane", "city": "Testford", "postCode": "ZZ1 1AA", "country": None}
    assert registered(**ADA, contactMedium=[{"characteristic": parts}]).address == "1 Mill Lane, Testford, ZZ1 1AA"


@pytest.mark.parametrize(
    ("told", "kept"),
    [("1980-02-29", "1980-02-29"), ("1980-02-29T00:00:00Z", "1980-02-29"), (None, ""), ("spring of 1980", "spring of 1980")],
)
def test_a_day_of_birth_may_come_with_a_time(told: Any, kept: str) -> None:
    """TMF632 v4.0.0 has a date-time there; what is no date is kept as it is and judged by the identity gate."""
    assert registered(**ADA, birthDate=told).birth_date == kept


def test_a_characteristic_of_null_is_none() -> None:
    """It takes the place of no default."""
    event = registered(**ADA, partyCharacteristic=[{"name": "paymentMethod", "value": None}, {"name": "tier", "value": None}, None])
    assert (event.payment_method, event.tier) == ("invoice", "standard")


@pytest.mark.parametrize(
    "document",
    [{"contactMedium": {"a": 1}}, {"contactMedium": [7]}, {"givenName": ["Ada"]}, {"contactMedium": [email("a@example.org", validFor=7)]},
     {"contactMedium": [email("a@example.org", validFor={"endDateTime": "soon"})]}],
)  # fmt: skip
def test_what_is_not_of_the_standard_s_shape_is_an_error(document: dict[str, Any]) -> None:
    """The caller names the paper; nothing is guessed."""
    with pytest.raises((TypeError, AttributeError, ValueError)):
        registered(**{**ADA, **document})


SAME = (
    ("Zo\u00eb O\u2019Neil-Smith", "zoe oneil smith"), ("STRASSE", "stra\u00dfe"), ("\u00d8sterg\u00e5rd", "ostergard"), ("Example Ltd.", "example ltd"),
    ("Ana\u0301", "An\u00e1"), ("\uff21\uff24\uff21", "ada"), ("\u0141ukasz", "lukasz"), ("A  b", "a b"), ("\u0391\u03a3", "\u03b1\u03c2"),
)  # fmt: skip
DIFFERENT = (("Ada", "Ida"), ("Ann Lee", "Annlee"), ("\u0915\u093f", "\u0915\u0940"), ("\u30ab", "\u30ac"))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_name_are_folded_alike(one: str, other: str) -> None:
    """Case, marks of letters, width and punctuation tell nobody apart."""
    assert folded(one) == folded(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_names_stay_apart(one: str, other: str) -> None:
    """The marks of other scripts are letters."""
    assert folded(one) != folded(other)


@hypothesis.given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    """What was folded is compared as it is."""
    assert folded(folded(text)) == folded(text)
