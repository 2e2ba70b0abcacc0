"""Events of access: who was shown what is personal, which keys there are, and whose tokens are believed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from o2c.kernel.event import Event, Pii


class PersonalDataDisclosed(Event, name="personal-data.disclosed", stream="access"):
    """Somebody was about to be shown personal data of a customer: by which operation, in which roles, of which things, and which kinds of
    data.

    What was shown is not repeated. Who it was says the envelope, and the note why, where that was said. It is written before anything is
    shown.
    """

    example = {
        "customer": "C-1001", "operation": "fallout.show", "subjects": ["fallout 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"],
        "kinds": ["correction", "note"], "roles": ["auditor"], "note": "a complaint about the address",
    }  # fmt: skip
    customer: str
    operation: str
    subjects: tuple[str, ...]
    kinds: tuple[str, ...]
    roles: tuple[str, ...]
    note: Annotated[str, Pii("note")] = ""


class KeyIssued(Event, name="key.issued", stream="key"):
    """A key was given to a program: it acts under the name `acts_as` in these roles until `expires_at`.

    `digest` is the SHA-256 of its secret, which nobody keeps but its holder. With `operations` it may use only those of what its roles may.
    """

    example = {
        "prefix": "4f2a9c01b7de", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "acts_as": "web-shop",
        "roles": ["service"], "operations": ["orders.capture", "orders.show"], "expires_at": "2027-02-04T09:00:00Z",
    }  # fmt: skip
    prefix: str
    digest: Annotated[str, Pii("key-digest")]
    acts_as: str
    roles: tuple[str, ...]
    operations: tuple[str, ...] | None = None
    expires_at: datetime


class KeyUsed(Event, name="key.used", stream="key"):
    """A key was used for the first time on a day (UTC). Its other uses of that day are not told."""

    example = {"prefix": "4f2a9c01b7de", "on_day": "2026-11-27"}
    prefix: str
    on_day: str


class KeyRevoked(Event, name="key.revoked", stream="key"):
    """A key is good for nothing any more, for ever."""

    example = {"prefix": "4f2a9c01b7de", "note": "the shop was hacked"}
    prefix: str
    note: Annotated[str, Pii("note")] = ""


class IssuerTrusted(Event, name="issuer.trusted", stream="issuers"):
    """Tokens of an issuer are believed from now on: those for `audience`, signed with one of its public keys (`jwks`, RFC 7517 section 5).

    Their `sub`, after `actor_prefix`, is who acts; the values of the claim `claim` come to roles by `roles`, and other values to none. No
    token is believed that lives longer than `life_s_max` seconds.
    """

    example = {
        "issuer": "https://login.example.org", "audience": "o2c", "jwks": '{"keys": []}', "claim": "groups", "roles": {"care-desk": "agent"},
        "life_s_max": 3600, "actor_prefix": "",
    }  # fmt: skip
    issuer: str
    audience: str
    jwks: str
    claim: str
    roles: dict[str, str]
    life_s_max: int
    actor_prefix: str = ""


class IssuerDistrusted(Event, name="issuer.distrusted", stream="issuers"):
    """No token of an issuer is believed any more."""

    example = {"issuer": "https://login.example.org", "note": "its keys were stolen"}
    issuer: str
    note: Annotated[str, Pii("note")] = ""
