"""What a closing vouches for: a digest over all postings that it closed, which anybody can make again from an export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

FIELDS = ("day", "event", "line", "ledger_account", "account", "currency", "amount_minor", "from_day", "to_day")
"""What a posting says in the digest: these fields in this order, with tabs between and a line feed after; a day that there is not is
empty."""


def digest_of(before: str, postings: Iterable[Mapping[str, Any]]) -> str:
    """Give the digest of a closing: SHA-256, in hexadecimal digits, over that of the closing before and the postings in their order."""
    made = sha256(before.encode())
    for posting in postings:
        said = ("" if posting[name] is None else str(posting[name]) for name in FIELDS)
        made.update(("\t".join(said) + "\n").encode())
    return made.hexdigest()
