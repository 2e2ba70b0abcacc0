"""The desk for credentials: keys of programs, and the issuers whose tokens are believed. They go by the real time, whatever the store's
clock."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from o2c.access import keys, rules
from o2c.access.events import IssuerTrusted, KeyIssued
from o2c.access.state import ISSUERS_STREAM, IssuersState, KeyState, key_stream
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused

DAYS, DAYS_MAX = 90, 366
LIFE_S = 3_600


@dataclass(frozen=True, slots=True)
class Issued:
    """A key that was issued: `key` is what its holder sends, and is told this once; empty where the answer is a repeated one."""

    written: Written
    prefix: str
    expires_at: datetime
    key: str = field(repr=False)


def issue_key(
    app: Engine,
    context: Context,
    *,
    acts_as: str,
    roles: Sequence[str],
    days: int = DAYS,
    operations: Sequence[str] | None = None,
) -> Issued:
    """Issue a key for a program that acts under a name, in some roles, for some days; with `operations`, only for those of what its roles
    may.

    The secret stands nowhere afterwards: whoever loses it is issued another key. Raises Refused: usage (a name, role, operation or number
    of days that is none), conflict (the command id was used for something else), forbidden.
    """
    if not 1 <= days <= DAYS_MAX:
        raise Refused(f"a key is valid for 1 to {DAYS_MAX} days, not {days}; issue another before it ends")
    prefix = derived_id("key", context.command_id).replace("-", "")[:12] if context.command_id else secrets.token_hex(keys.PREFIX_BYTES)
    secret, expires_at = secrets.token_urlsafe(keys.SECRET_BYTES), datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    only = None if operations is None else tuple(sorted(set(operations)))

    def rule(state: KeyState, at: datetime) -> Decision:
        issued = KeyIssued(
            prefix=prefix,
            digest=keys.digest_of(secret),
            acts_as=acts_as,
            roles=tuple(sorted(set(roles))),
            operations=only,
            expires_at=expires_at,
        )
        return rules.issue(state, issued)

    wish = ["issue key", acts_as, sorted(set(roles)), days, None if only is None else list(only)]
    written = act(app, context, "keys.issue", Deed(key_stream(prefix), (rule,), wish))
    if not written.repeated:
        return Issued(written, prefix, expires_at, keys.whole_key(prefix, secret))
    state: KeyState = app.load_one(written.stream).state
    assert state.issued is not None
    return Issued(written, prefix, state.issued.expires_at, "")


def revoke_key(app: Engine, context: Context, prefix: str, *, note: str) -> Written:
    """Revoke a key for ever, by its prefix; every process that answers for us refuses it within `desk.credentials.FRESH_S` seconds.

    Raises Refused: missing (no such key), usage (nobody says why), forbidden.
    """
    found = keys.prefix_of(prefix)
    if not found:
        # What was typed is not repeated: it may be a secret.
        raise Refused("a prefix has 12 hexadecimal digits; `o2c keys list` shows those of all keys", kind="missing")

    def rule(state: KeyState, at: datetime) -> Decision:
        return rules.revoke(state, found, note=note)

    return act(app, context, "keys.revoke", Deed(key_stream(found), (rule,), ["revoke key", note]))


def trust_issuer(
    app: Engine,
    context: Context,
    issuer: str,
    *,
    audience: str,
    jwks: str,
    claim: str,
    roles: Mapping[str, str],
    life_s_max: int = LIFE_S,
    actor_prefix: str = "",
) -> Written:
    """Believe the tokens of an issuer for an audience, signed with the public keys of a JWK set (its text), from now on.

    `roles` says which value of the claim gives which role; `actor_prefix` is put before each `sub`, so that two issuers cannot speak for
    one person. Raises Refused: usage (a key that is private, weak or unreadable, a role that is none), forbidden.
    """
    from o2c.access.tokens import public_keys  # the libraries of signatures take longer to import than most commands run

    try:
        public_keys(jwks)
    except ValueError as error:
        raise Refused(f"issuer {issuer}: {error}") from None
    trusted = IssuerTrusted(
        issuer=issuer,
        audience=audience,
        jwks=jwks,
        claim=claim,
        roles=dict(roles),
        life_s_max=life_s_max,
        actor_prefix=actor_prefix,
    )

    def rule(state: IssuersState, at: datetime) -> Decision:
        return rules.trust(state, trusted)

    return act(app, context, "issuers.trust", Deed(ISSUERS_STREAM, (rule,), ["trust", trusted.model_dump(mode="json")]))


def distrust_issuer(app: Engine, context: Context, issuer: str, *, note: str) -> Written:
    """Believe no token of an issuer any more, within `desk.credentials.FRESH_S` seconds. Raises Refused: missing, usage (nobody says why),
    forbidden."""

    def rule(state: IssuersState, at: datetime) -> Decision:
        return rules.distrust(state, issuer, note=note)

    return act(app, context, "issuers.distrust", Deed(ISSUERS_STREAM, (rule,), ["distrust", issuer, note]))
