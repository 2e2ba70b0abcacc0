"""Bearer tokens (JSON Web Tokens, RFC 7519, 8725, 9068): which are believed, and what they say of who sends them.

A function of the token, the issuers that are trusted, and the time. One parser reads a token, this one; the libraries check signatures.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWK
from jwt.algorithms import get_default_algorithms
from jwt.exceptions import PyJWTError

from o2c.access.events import IssuerTrusted
from o2c.access.rules import is_actor

BYTES_MAX = 8 * 1024
"""A longer token is not looked at."""
LEEWAY_S = 30
"""So far clocks may be apart."""
RSA_BITS_MIN = 2048
SECONDS_MAX = 1e11
TYPES = frozenset({"jwt", "at+jwt"})
NOT_IN_A_HEADER = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "enc", "zip"})
"""What would bring keys along, or change how a token is read (RFC 8725 sections 3.10 and 2.8; RFC 7515 section 4.1.11)."""
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Parts of a key that its owner keeps (RFC 7518 section 6)."""
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = {name: each for name, each in get_default_algorithms().items() if name in (*_RSA, "ES256", "ES384", "EdDSA")}
"""The ways to sign that are believed: each with a key that can only check."""
_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Untrusted(Exception):
    """A token that is not believed. The text says why in words of ours, and nothing of the token."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Who sends a token that is believed, in which roles, and until when it is."""

    actor: str
    roles: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures, and the ways to sign that it can check."""

    algorithms: tuple[str, ...]
    key: Any


def verified(token: str, trusted: Mapping[str, IssuerTrusted], *, now: datetime) -> Verified:
    """Say who sends a token. Raises Untrusted for every token that breaks a single rule."""
    _refuse_unless(len(token) <= BYTES_MAX, "longer than a token is")
    parts = _PARTS.fullmatch(token)
    _refuse_unless(parts is not None, "no token of three parts")
    assert parts is not None
    header, claims = _object(parts[1]), _object(parts[2])
    issuer = trusted.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
    if issuer is None:
        raise Untrusted("of no issuer that is trusted")
    key = _key(header, issuer)
    signed = token.rpartition(".")[0].encode()
    try:
        is_signed = ALGORITHMS[header["alg"]].verify(signed, key.key, _decoded(parts[3]))
    except (PyJWTError, ValueError, TypeError):
        is_signed = False
    _refuse_unless(is_signed, "not signed by its issuer")
    return _said(claims, issuer, now)


@lru_cache(maxsize=64)
def public_keys(jwks: str) -> Mapping[str, PublicKey]:
    """The keys of a JWK set (RFC 7517) by their ids. Raises ValueError, in words that show no key, for a set that is not of public keys
    each with an id of its own, of a kind and strength that is believed.
    """
    whole = _json(jwks)
    listed = whole.get("keys") if isinstance(whole, dict) else None
    if not isinstance(listed, list) or not listed:
        raise ValueError("a JWK set is an object with a list of keys, at least one")
    found: dict[str, PublicKey] = {}
    for place, one in enumerate(listed, 1):
        kid = one.get("kid") if isinstance(one, dict) else None
        if not isinstance(kid, str) or not kid or kid in found:
            raise ValueError(f"key {place} has no id (kid) of its own")
        found[kid] = _public_key(one, place)
    return found


def _public_key(one: Mapping[str, Any], place: int) -> PublicKey:
    if PRIVATE & one.keys():
        raise ValueError(f"key {place} is no public key; give the public one, and change this one, for it was shown")
    if one.get("use", "sig") != "sig" or "verify" not in one.get("key_ops", ["verify"]):
        raise ValueError(f"key {place} is not for signatures")
    try:
        key = PyJWK.from_dict({name: value for name, value in one.items() if name != "alg"}, algorithm=_any_algorithm(one)).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise ValueError(f"key {place} cannot be read as an RSA, EC or Ed25519 key") from None
    algorithms = _algorithms(key)
    if "alg" in one:
        algorithms = tuple(name for name in algorithms if name == one["alg"])
    if not algorithms:
        raise ValueError(f"key {place} is of a kind, strength or algorithm that is not believed; use one of {', '.join(ALGORITHMS)}")
    return PublicKey(algorithms, key)


def _any_algorithm(one: Mapping[str, Any]) -> str:
    """One by which the library reads a key of this kind."""
    return {"RSA": "RS256", "EC": "ES384" if one.get("crv") == "P-384" else "ES256", "OKP": "EdDSA"}[str(one.get("kty"))]


def _algorithms(key: Any) -> tuple[str, ...]:
    match key:
        case rsa.RSAPublicKey() if key.key_size >= RSA_BITS_MIN:
            return _RSA
        case ec.EllipticCurvePublicKey():
            return {"secp256r1": ("ES256",), "secp384r1": ("ES384",)}.get(key.curve.name, ())
        case ed25519.Ed25519PublicKey():
            return ("EdDSA",)
    return ()


def _key(header: Mapping[str, Any], issuer: IssuerTrusted) -> PublicKey:
    """The key of ours that a header names. What a header brings along is never used."""
    _refuse_unless(not NOT_IN_A_HEADER & header.keys(), "a header that brings keys or rules along")
    kind = header.get("typ")
    _refuse_unless(isinstance(kind, str) and kind.lower().removeprefix("application/") in TYPES, "no token for access")
    algorithm, kid = header.get("alg"), header.get("kid")
    _refuse_unless(isinstance(algorithm, str) and algorithm in ALGORITHMS, "signed in a way that is not believed")
    try:
        key = public_keys(issuer.jwks).get(kid) if isinstance(kid, str) else None
    except ValueError:
        raise Untrusted("its issuer's keys cannot be read") from None
    if key is None:
        raise Untrusted("signed with no key that its issuer is known by")
    _refuse_unless(algorithm in key.algorithms, "signed in a way that its key is not for")
    return key


def _said(claims: Mapping[str, Any], issuer: IssuerTrusted, now: datetime) -> Verified:
    at = now.timestamp()
    _refuse_unless(claims.get("aud") in (issuer.audience, [issuer.audience]), "meant for others, or for others as well")
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    _refuse_unless(at < expires + LEEWAY_S, "expired")
    _refuse_unless(issued <= at + LEEWAY_S, "issued in the future")
    _refuse_unless(0 < expires - issued <= issuer.life_s_max, "with a longer life than tokens have")
    _refuse_unless("nbf" not in claims or _time(claims, "nbf") <= at + LEEWAY_S, "not valid yet")
    subject = claims.get("sub")
    actor = f"{issuer.actor_prefix}{subject}" if isinstance(subject, str) and subject else ""
    _refuse_unless(is_actor(actor), "of nobody who may act")
    roles = tuple(dict.fromkeys(issuer.roles[value] for value in _values(claims, issuer.claim) if value in issuer.roles))
    return Verified(actor, roles, datetime.fromtimestamp(expires, UTC))


def _values(claims: Mapping[str, Any], name: str) -> list[str]:
    """The values of a claim, a list or words of a text; `a.b` is the claim b within a where there is none of the whole name."""
    value: Any = claims.get(name)
    if value is None and "." in name:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    words = value.split() if isinstance(value, str) else value
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    # What is no finite number, and what lies beyond any calendar, is no time.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < SECONDS_MAX:
        raise Untrusted(f"without a time as {name}")
    return float(value)


def _object(part: str) -> dict[str, Any]:
    try:
        whole = _json(_decoded(part).decode())
    except ValueError:
        whole = None
    if not isinstance(whole, dict):
        raise Untrusted("of parts that cannot be read, or can be read in two ways")
    return whole


def _decoded(part: str) -> bytes:
    """The bytes of base64url without padding (RFC 7515 section 2). Raises Untrusted for text that is not the only one for its bytes."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise Untrusted("of parts that cannot be read") from None
    _refuse_unless(base64.urlsafe_b64encode(raw).rstrip(b"=") == part.encode(), "of parts that cannot be read")
    return raw


def _json(text: str) -> Any:
    """What a JSON text says. Raises ValueError where a name stands twice, for what is no number, and for nesting without end."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("a name stands twice")
    return whole


def _no_number(text: str) -> Any:
    raise ValueError("no number")


def _refuse_unless(holds: bool, why: str) -> None:
    if not holds:
        raise Untrusted(why)
