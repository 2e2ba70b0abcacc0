"""The trade's identifiers, judged as text and never repaired, and the ids and digests we derive ourselves."""

import hashlib
import json
import re
from functools import lru_cache
from uuid import UUID, uuid5

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from stdnum import imsi as stdnum_imsi
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

# Stored ids are made with these two: a changed one would make every stored order and command look new.
_ORDERS = UUID("6f1d3c8a-52b7-5e0e-9c41-7d0a4be2f6a3")
_DERIVED = UUID("b0a94e57-1d3c-5c62-8f7e-2a6c95d1304b")

_ICCID = re.compile(r"89[0-9]{17}[0-9]?")
_ICCID_PLACES = 20
_EID = re.compile(r"89[0-9]{30}")
_IMSI = re.compile(r"[0-9]{14,15}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
# Numbering plans hand out blocks of a thousand or more, so the last three digits never decide a type.
_DIGITS_IN_BLOCK = 3
_SHOWN_CHARACTERS = 40


def iccid(text: str) -> str:
    """The canonical ICCID: 19 or 20 digits starting 89, Luhn over all of them (ITU-T E.118).

    A filler `F` in the 20th place is dropped, so that both spellings of a 19-digit profile are the same key (GSMA SGP.22
    section 5.2.1). ValueError otherwise.
    """
    canonical = text[:-1] if len(text) == _ICCID_PLACES and text[-1] in "Ff" else text
    if _ICCID.fullmatch(canonical) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an ICCID: 19 or 20 digits starting 89")
    if not luhn.is_valid(canonical):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an ICCID: its check digit is wrong")
    return canonical


def imsi(text: str) -> str:
    """The IMSI as given: 14 or 15 digits under a known mobile country code (ITU-T E.212). ValueError otherwise."""
    if _IMSI.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an IMSI: 14 or 15 digits")
    if not stdnum_imsi.is_valid(text):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an IMSI: no such mobile country code")
    return text


def eid(text: str) -> str:
    """The EID as given: 32 digits starting 89 whose value modulo 97 is 1 (GSMA SGP.29, ISO/IEC 7064). ValueError otherwise."""
    if _EID.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an EID: 32 digits starting 89")
    if not mod_97_10.is_valid(text):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an EID: its check digits are wrong")
    return text


def e164(text: str) -> str:
    """The number as given: `+` and 7 to 15 ASCII digits, the first not zero (ITU-T E.164). ValueError otherwise."""
    if _E164.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an E.164 number: + and 7 to 15 digits")
    return text


def possible_mobile(text: str, region: str) -> bool:
    """Whether the text is E.164 and could be a mobile number under the region's calling code.

    Possible, not valid: a number in no assigned range (such as the ranges regulators keep for drama) counts as what its
    nearest assigned neighbours are. ValueError for an unknown region.
    """
    calling_code = phonenumbers.country_code_for_region(region)
    if not calling_code:
        raise ValueError(f"{region!r} is not a region with a calling code")
    if _E164.fullmatch(text) is None or not text.startswith(f"+{calling_code}"):
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


def order_id(source: str, owner: str, external_id: str, after: str = "") -> str:
    """Our id of an order, the same for ever for the same source, owner of the external id, and external id (UUID version 5).

    `after` is the fingerprint of a paper that became an order of its own though its external id was taken. Without owner it is the id that
    orders had before owners were told apart.
    """
    parts = (source, external_id) if not owner else (source, owner, external_id)
    return str(uuid5(_ORDERS, _joined((*parts, after) if after else parts)))


def derived_id(*parts: str) -> str:
    """An id that depends on each part and on where one part ends and the next begins (UUID version 5, RFC 9562 section 5.5)."""
    # Made by hand: the standard library's way through UUID objects takes four times as long, and every event has such an id.
    made = hashlib.sha1(_DERIVED.bytes + _joined(parts).encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(made[16], 16) & 3]
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{variant}{made[17:20]}-{made[20:32]}"


def digest(text_or_bytes: str | bytes) -> str:
    """SHA-256 in lower-case hex, of the UTF-8 bytes where text is given. ValueError for text with unpaired surrogates."""
    content = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
    return hashlib.sha256(content).hexdigest()


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


def _joined(parts: tuple[str, ...]) -> str:
    # A JSON array keeps the borders of its parts and, in ASCII, holds even text that has no UTF-8 form.
    return json.dumps(parts)
