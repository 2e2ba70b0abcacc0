"""Finding customers by name, surname or e-mail without storing either in clear: a keyed blind index.

A row holds a token, the HMAC-SHA256 of a value under the operator's key (RFC 2104, FIPS 180-4). Without the key nobody can read a name
out of the tables, or test whether a name is in them. Only equal values have equal tokens, so there is no search by parts of a name.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator

from o2c.kernel.names import folded
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

NAME = "lookups"
_FIELDS = {"name": "name", "email": "email", "surname": "name"}
"""The personal field that each value comes from."""
WHAT = tuple(_FIELDS)
_CHECKED = "key-check"


def normalised(what: str, value: str) -> str:
    """The form in which values are compared: an e-mail in Unicode NFKC, case folded, white space collapsed; a name as `folded` has it,
    without punctuation and marks, its words in any order; a surname as the last word of a name, or of what stands before its comma.
    """
    if what == "surname":
        return (folded(value.partition(",")[0]).split() or [""])[-1]
    if what == "name":
        return " ".join(sorted(folded(value).split()))
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold()).split())


def token(key: bytes, what: str, value: str) -> str:
    """The token of a value, in hex. The token of a name never equals that of an e-mail."""
    return _mac(key, what, normalised(what, value))


def key_check(key: bytes) -> str:
    """A short hash of a key: it shows whether two keys are the same, and reveals neither."""
    return _mac(key, _CHECKED, "")[:16]


def _mac(key: bytes, what: str, text: str) -> str:
    return hmac.new(key, f"{what}\0{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def lookups(key: bytes) -> Projection:
    """The projection under a key. It is not in the catalogue, whose projections are always kept current, for few programs have the key."""
    check = key_check(key)

    def evolve(doc: Doc, record: Seen) -> Doc:
        told = {what: record.personal.get(field) or "" for what, field in _FIELDS.items()}
        if record.body["kind"] != "individual":
            told["surname"] = ""
        tokens = {what: token(key, what, value) for what, value in told.items() if normalised(what, value)}
        return {"customer": record.body["customer"], "tokens": tokens, "key_check": check}

    return Projection(
        name=NAME,
        meaning="One row a customer and kind of personal value: its token under the operator's key, and which key that was. No value in clear.",
        shape_version=3,
        columns={"token": "text", "what": "text", "customer_id": "text", "key_check": "text"},
        key=("what", "customer_id"),
        indexes=("token", "key_check"),
        types=frozenset({"customer.registered"}),
        fields=frozenset({"customer", "kind"}),
        personal=frozenset(_FIELDS.values()),
        group=lambda record: record.stream,
        found_by="stream",
        evolve=evolve,
        rows=_rows,
    )


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    for what, value in doc["tokens"].items():
        yield {"token": value, "what": what, "customer_id": doc["customer"], "key_check": doc["key_check"]}


CUSTOMERS_OF_TOKEN = "SELECT customer_id FROM projection.lookups WHERE token = %s AND what = %s ORDER BY customer_id"
"""The customers with a personal value. Parameters: the value's token, and what it is (`name`, `surname` or `email`)."""

KEY_CHECKS = "SELECT min(key_check) AS low, max(key_check) AS high FROM projection.lookups"
"""The first and the last key check of all rows: NULL where there is no row, the same where all were made with one key. No parameters."""
