"""Telephone numbers judged as text by the numbering plans of their countries; never repaired, but for telling who it is."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from o2c.kernel.identifiers import E164

_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
# Numbering plans hand out blocks of a thousand or more, so the last three digits never decide a type.
_DIGITS_IN_BLOCK = 3


def possible_mobile(text: str, region: str) -> bool:
    """Whether the text is E.164 and could be a mobile number under the region's calling code.

    Possible, not valid: a number in no assigned range (such as the ranges regulators keep for drama) counts as what its nearest assigned
    neighbours are. ValueError for an unknown region.
    """
    calling_code = phonenumbers.country_code_for_region(region)
    if not calling_code:
        raise ValueError(f"{region!r} is not a region with a calling code")
    if E164.fullmatch(text) is None or not text.startswith(f"+{calling_code}"):
        return False
    national_digits = text[len(f"+{calling_code}") :]
    number = phonenumbers.parse(text)
    # The library drops a trunk zero (+44 07700 ...) and judges what is left.
    as_written = phonenumbers.national_significant_number(number) == national_digits
    if not as_written or not phonenumbers.is_possible_number_for_type(number, PhoneNumberType.MOBILE):
        return False
    kind = phonenumbers.number_type(number)
    if kind != PhoneNumberType.UNKNOWN:
        return kind in _MOBILE_TYPES
    return _neighbours_are_mobile(calling_code, national_digits[:-_DIGITS_IN_BLOCK])


def as_called(text: str, region: str) -> str:
    """The E.164 form of a number as somebody in a region writes or dials it, `07700 900123` in GB; what can be none is given as it is."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    possible = phonenumbers.is_possible_number(number) and not number.extension
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else text


def country_code(number: str) -> str:
    """Give the country code with which an E.164 number begins, one to three digits. ValueError for a number that begins with none.

    No country code begins another. Source: ITU-T E.164 section 6.2.1.
    """
    return _country_code(number[1:4])


def country_code_of(region: str) -> str:
    """Give the country code under which a region (ISO 3166) is called. ValueError for an unknown region."""
    code = phonenumbers.country_code_for_region(region)
    if not code:
        raise ValueError(f"{region!r} is not a region with a country code")
    return str(code)


@lru_cache(maxsize=1024)
def _country_code(digits: str) -> str:
    for length in (1, 2, 3):
        if digits[:length].isdecimal() and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    raise ValueError(f"{digits!r} begins with no country code")


@lru_cache(maxsize=4096)
def _neighbours_are_mobile(calling_code: int, block: str) -> bool:
    for place in range(len(block) - 1, 0, -1):
        kinds = {_kind(calling_code, block[:place] + digit + block[place + 1 :]) for digit in "0123456789"}
        kinds.discard(PhoneNumberType.UNKNOWN)
        if kinds:
            return not kinds.isdisjoint(_MOBILE_TYPES)
    return False


def _kind(calling_code: int, block: str) -> int:
    digits = block + "0" * _DIGITS_IN_BLOCK
    kind: int = phonenumbers.number_type(PhoneNumber(country_code=calling_code, national_number=int(digits)))
    return kind
