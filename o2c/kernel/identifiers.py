"""The trade's identifiers, judged as text and never repaired, and the ids and digests we derive ourselves."""

import hashlib
import json
import re
from uuid import UUID, uuid5

from stdnum import imsi as stdnum_imsi
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

# Stored ids are made with these two: a changed one would make every stored order and command look new.
_ORDERS = UUID("6f1d3c8a-52b7-5e0e-9c41-7d0a4be2f6a3")
_DERIVED = UUID("b0a94e57-1d3c-5c62-8f7e-2a6c95d1304b")

_ICCID = re.compile(r"89[0-9]{17}[0-9]?")
_ICCID_PLACES = 20
_EID = re.compile(r"89[0-9]{30}")
_IMEI = re.compile(r"[0-9]{15}")
_IMSI = re.compile(r"[0-9]{14,15}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
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


def imei(text: str) -> str:
    """The IMEI as given: 15 digits, the last of which is the Luhn check digit (3GPP TS 23.003, section 6.2.1 and Annex B). ValueError
    otherwise."""
    if _IMEI.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an IMEI: 15 digits")
    if not luhn.is_valid(text):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an IMEI: its check digit is wrong")
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
    if E164.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an E.164 number: + and 7 to 15 digits")
    return text


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


def _joined(parts: tuple[str, ...]) -> str:
    # A JSON array keeps the borders of its parts and, in ASCII, holds even text that has no UTF-8 form.
    return json.dumps(parts)
