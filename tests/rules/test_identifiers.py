"""Identifiers are judged as text: what is not exactly one is refused, and nothing is repaired on the way."""

import json
import re
from collections import Counter
from collections.abc import Callable
from uuid import UUID, uuid5

import hypothesis
import phonenumbers
import pytest
from hypothesis import strategies
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from o2c.kernel import identifiers
from o2c.kernel.identifiers import derived_id, digest, e164, eid, iccid, imsi, order_id
from o2c.kernel.telephones import as_called, possible_mobile

SAMPLE_ICCID = "8947010000123456784"
SAMPLE_EID = "89049032123451234512345678901235"
texts = strategies.text(max_size=8)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param(SAMPLE_ICCID, SAMPLE_ICCID, id="sgp22-sample"),
        pytest.param(SAMPLE_ICCID + "F", SAMPLE_ICCID, id="filler"),
        pytest.param(SAMPLE_ICCID + "f", SAMPLE_ICCID, id="lower-case-filler"),
        pytest.param("89470100001234567846", "89470100001234567846", id="twenty-digits"),
    ],
)
def test_an_iccid_has_one_spelling(text: str, canonical: str) -> None:
    """With and without filler it is the same profile."""
    assert iccid(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("8947010000123456785", id="check-digit"),
        pytest.param("8947010000123456785F", id="check-digit-before-filler"),
        pytest.param("894701000012345678F4", id="filler-inside"),
        pytest.param("894701000012345678", id="eighteen-digits"),
        pytest.param("894701000012345674F", id="eighteen-digits-and-filler"),
        pytest.param("89470100001234567846F", id="filler-after-twenty-digits"),
        pytest.param("894701000012345678400", id="twenty-one-digits"),
        pytest.param(SAMPLE_ICCID + "FF", id="two-fillers"),
        pytest.param("0000000000000000000", id="not-89"),
        pytest.param(SAMPLE_ICCID + "\n", id="newline"),
        pytest.param(" " + SAMPLE_ICCID, id="space"),
        pytest.param("894701000012345678\uff14", id="full-width-digit"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_iccid_is_refused(text: str) -> None:
    """Length, issuer prefix, alphabet and Luhn all count."""
    with pytest.raises(ValueError, match=r"\A[^\n]+ is not an ICCID[^\n]+\Z"):
        iccid(text)


@hypothesis.given(strategies.integers(0, 18), strategies.integers(1, 9))
def test_one_wrong_digit_always_shows(place: int, shift: int) -> None:
    """No single changed digit leaves an ICCID looking right."""
    wrong = str((int(SAMPLE_ICCID[place]) + shift) % 10)
    with pytest.raises(ValueError, match="is not an ICCID"):
        iccid(SAMPLE_ICCID[:place] + wrong + SAMPLE_ICCID[place + 1 :])


@pytest.mark.parametrize("text", ["234150999999999", "001010123456789", "23415099999999"])
def test_an_imsi_stays_as_it_is(text: str) -> None:
    """Operators' and test networks' IMSIs pass untouched."""
    assert imsi(text) == text


@pytest.mark.parametrize(
    "text", ["2341509999999", "2341509999999999", "234 150999999999", "000000000000000", "23415099999999A", "", "234-15-0999999999"]
)
def test_what_is_no_imsi_is_refused(text: str) -> None:
    """Wrong lengths, separators and unknown country codes are refused."""
    with pytest.raises(ValueError, match="is not an IMSI"):
        imsi(text)


def test_an_eid_stays_as_it_is() -> None:
    """The specification's worked number passes untouched."""
    assert eid(SAMPLE_EID) == SAMPLE_EID


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("89049032000001234567890123456789", id="check-digits"),
        pytest.param(SAMPLE_EID[:-1], id="short"),
        pytest.param("890490321234512345123456789012438", id="long"),
        pytest.param(SAMPLE_EID[:10] + "A" + SAMPLE_EID[11:], id="letter"),
        pytest.param("0" * 30 + "01", id="not-89"),
        pytest.param(SAMPLE_EID + "\n", id="newline"),
    ],
)
def test_what_is_no_eid_is_refused(text: str) -> None:
    """Length, issuer prefix, alphabet and check digits all count."""
    with pytest.raises(ValueError, match="is not an EID"):
        eid(text)


@pytest.mark.parametrize("text", ["+447700900123", "+1202555", "+123456789012345"])
def test_an_e164_number_stays_as_it_is(text: str) -> None:
    """From seven to fifteen digits pass untouched."""
    assert e164(text) == text


NOT_E164 = [
    pytest.param("07700 9OO123", id="letters-that-look-like-digits"),
    pytest.param("+44770090O123", id="letter-o"),
    pytest.param("07700900123", id="national"),
    pytest.param("00447700900123", id="double-zero"),
    pytest.param("+0447700900123", id="leading-zero"),
    pytest.param("+44 7700 900123", id="spaces"),
    pytest.param("+44-7700-900123", id="dashes"),
    pytest.param("+44(0)7700900123", id="brackets"),
    pytest.param("tel:+447700900123", id="uri"),
    pytest.param("+447700900123;ext=1", id="extension"),
    pytest.param("\uff0b447700900123", id="full-width-plus"),
    pytest.param("+44770090012\uff13", id="full-width-digit"),
    pytest.param("+44770090012\u0663", id="arabic-digit"),
    pytest.param("+447700900123\n", id="newline"),
    pytest.param("+123456", id="six-digits"),
    pytest.param("+1234567890123456", id="sixteen-digits"),
    pytest.param("", id="empty"),
]


@pytest.mark.parametrize("text", NOT_E164)
def test_what_is_no_e164_text_is_refused(text: str) -> None:
    """Nothing is dialled into shape first, and it is no possible mobile number either."""
    with pytest.raises(ValueError, match=r"\A[^\n]+ is not an E.164 number[^\n]+\Z"):
        e164(text)
    assert not possible_mobile(text, "GB")


@pytest.mark.parametrize(
    ("text", "region", "possible"),
    [
        pytest.param("+447400123456", "GB", True, id="gb-mobile"),
        pytest.param("+447700900123", "GB", True, id="gb-drama-range"),
        pytest.param("+447700900000", "GB", True, id="gb-drama-range-first"),
        pytest.param("+447700900999", "GB", True, id="gb-drama-range-last"),
        pytest.param("+442079460000", "GB", False, id="gb-drama-landline"),
        pytest.param("+442071234567", "GB", False, id="gb-landline"),
        pytest.param("+442999999999", "GB", False, id="gb-unassigned-landline"),
        pytest.param("+448001111111", "GB", False, id="gb-freephone"),
        pytest.param("+447012345678", "GB", False, id="gb-personal-number"),
        pytest.param("+44770090012", "GB", False, id="gb-one-digit-short"),
        pytest.param("+4477009001234", "GB", False, id="gb-one-digit-long"),
        pytest.param("+4407700900123", "GB", False, id="gb-trunk-zero"),
        pytest.param("+31612345678", "GB", False, id="dutch-mobile-in-gb"),
        pytest.param("+31612345678", "NL", True, id="dutch-mobile"),
        pytest.param("+31201234567", "NL", False, id="dutch-landline"),
        pytest.param("+12025550123", "US", True, id="us-mobile-or-landline"),
        pytest.param("+919876543210", "IN", True, id="indian-mobile"),
        pytest.param("+390612345678", "IT", False, id="italian-landline-with-its-zero"),
    ],
)
def test_a_number_is_possibly_mobile_by_what_its_plan_says(text: str, region: str, possible: bool) -> None:
    """Mobile ranges pass even where nobody was assigned them; other ranges do not."""
    assert possible_mobile(text, region) is possible


def test_every_regions_example_numbers_are_told_apart() -> None:
    """The library's own mobile example passes in each region, and its landline example does not."""
    wrong, judged = [], Counter[bool]()
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            # Where one range serves both, no number can tell.
            if example is None or phonenumbers.number_type(example) == PhoneNumberType.FIXED_LINE_OR_MOBILE:
                continue
            text, mobile = phonenumbers.format_number(example, PhoneNumberFormat.E164), kind == PhoneNumberType.MOBILE
            judged[mobile] += 1
            if possible_mobile(text, region) is not mobile:
                wrong.append((region, text))
    assert not wrong
    assert min(judged[True], judged[False]) > 100


# Ofcom's National Telephone Numbering Plan: 071 to 075 and 077 to 079 are mobile; 070 are personal numbers. 076 is left out, for it is mixed
# (pagers, and mobiles of the Isle of Man on 07624).
UK_MOBILE = re.compile(r"\+447[1-57-9][0-9]{8}")
uk_leads = strategies.sampled_from(
    ["1", "2", "3", "5", "70", "71", "72", "73", "74", "75", "77", "78", "79", "8", "9", "0", "074", "077", "47"]
)
uk_numbers = uk_leads.flatmap(lambda lead: strategies.from_regex(rf"\+44{lead}[0-9]{{{10 - len(lead)}}}[0-9]?", fullmatch=True))


@hypothesis.given(uk_numbers)
@hypothesis.example("+4407700900123")
def test_a_number_is_possibly_mobile_exactly_where_ofcoms_plan_has_mobiles(text: str) -> None:
    """Any number of ten or eleven digits after +44 gets an answer, and the answer is the one of the numbering plan."""
    assert possible_mobile(text, "GB") is (UK_MOBILE.fullmatch(text) is not None)


@hypothesis.given(strategies.from_regex(r"\+44[0-9]{5,13}", fullmatch=True))
def test_a_number_of_another_length_is_no_mobile(text: str) -> None:
    """No digits make the judgement fail, however many they are: a United Kingdom mobile number has ten after +44."""
    hypothesis.assume(len(text) != len("+447700900123"))
    assert possible_mobile(text, "GB") is False


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        pytest.param("07700 900123", "GB", "+447700900123", id="as-it-is-dialled-at-home"),
        pytest.param("+44 (0)7700 900-123", "GB", "+447700900123", id="as-it-stands-on-a-card"),
        pytest.param("0044 7700 900123", "NL", "+447700900123", id="from-abroad"),
        pytest.param("+447700900123", "PT", "+447700900123", id="already"),
        pytest.param("06 12345678", "NL", "+31612345678", id="another-plan"),
        pytest.param("no number", "GB", "no number", id="none"),
        pytest.param("12", "GB", "12", id="too-short"),
        pytest.param("", "GB", "", id="nothing"),
    ],
)
def test_a_number_is_told_however_it_is_called(text: str, region: str, number: str) -> None:
    """At home, from abroad, as on a card; what is none stays what it is."""
    assert as_called(text, region) == number


def test_an_unknown_region_is_refused() -> None:
    """A region that does not exist is the caller's mistake, not a no."""
    with pytest.raises(ValueError, match="not a region"):
        possible_mobile("+447700900123", "UK")


def test_derived_ids_are_the_same_for_ever() -> None:
    """Stored ids depend on these exact values."""
    assert order_id("web", "", "A-1") == "960dd07c-b654-5d95-9a31-65845ce3ab78"
    assert order_id("web", "C-1", "A-1") == "b2c0fb41-b695-599c-9e0c-190d8e944bdc"
    assert order_id("web", "C-1", "A-1", "9f86d081") == "e8377534-038e-5c32-9f5c-4c41b08aeba1"
    assert derived_id("web", "A-1") == "15fc1eff-6daa-5195-a766-a5e5412cf5ff"


bits = strategies.sampled_from(["", "a", ",", '"', '","', "\\", "["])
moved_border = strategies.tuples(texts, bits, texts).map(lambda t: ([t[0] + t[1], t[2]], [t[0], t[1] + t[2]]))
two_lists = strategies.tuples(strategies.lists(texts, max_size=4), strategies.lists(texts, max_size=4))


@hypothesis.given(moved_border | two_lists)
def test_different_parts_never_share_an_id(both: tuple[list[str], list[str]]) -> None:
    """Only equal parts with equal borders give an equal id, also where text that looks like a border moved across one."""
    some, others = both
    assert (derived_id(*some) == derived_id(*others)) is (some == others)


@pytest.mark.parametrize(
    ("some", "others"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a,b",), ("a", "b")),
        (("a", ""), ("a",)),
        (('a","b',), ("a", "b")),
        (("1:a",), ("a",)),
    ],
)
def test_the_border_between_parts_counts(some: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Text moved across a border, or looking like one, makes another id."""
    assert derived_id(*some) != derived_id(*others)


@pytest.mark.parametrize("make", [order_id, derived_id])
def test_order_ids_and_derived_ids_do_not_meet(make: Callable[..., str]) -> None:
    """The two kinds live in namespaces of their own, and any text has an id."""
    other = derived_id if make is order_id else order_id
    assert make("web", "C-1", "A-1") != other("web", "C-1", "A-1")
    assert make("web", "", "\ud800") != make("web", "", "\ud801")


def test_an_order_id_depends_on_the_owner_of_the_external_id_and_on_the_paper_it_came_after() -> None:
    """Without owner it is the id of the time before owners were told apart, so that old orders are found."""
    made = [order_id("web", *rest) for rest in (("", "A-1"), ("C-1", "A-1"), ("C-2", "A-1"), ("C-1", "A-1", "9f86"), ("", "A-1", "9f86"))]
    assert len(set(made)) == len(made)


def test_a_digest_is_sha256_of_the_bytes() -> None:
    """Text counts as its UTF-8 bytes; the value for `abc` is the one of FIPS 180-4."""
    assert digest("abc") == digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest("é") == digest("é".encode())


@hypothesis.given(parts=strategies.lists(strategies.text(), max_size=4))
def test_a_derived_id_is_a_name_based_uuid(parts: list[str]) -> None:
    """Made by hand, it is what the standard library makes of the same name (UUID version 5)."""
    made = derived_id(*parts)
    assert made == str(uuid5(identifiers._DERIVED, json.dumps(parts)))
    assert UUID(made).version == 5
