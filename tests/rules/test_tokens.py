"""Which bearer tokens are believed: a good one of each kind, and none of a corpus of bad ones."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import strategies as st

from o2c.access.events import IssuerTrusted
from o2c.access.tokens import ALGORITHMS, BYTES_MAX, LEEWAY_S, Untrusted, public_keys, verified

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://login.example.org"
PRIVATE: Mapping[str, Any] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
}
OTHERS = rsa.generate_private_key(65537, 2048)
KEY_FOR = {name: {"R": "rsa", "P": "rsa", "E": "p256"}[name[0]] for name in ALGORITHMS} | {"ES384": "p384", "EdDSA": "ed"}
_AS_JWK = {"rsa": "RS256", "p256": "ES256", "p384": "ES384", "ed": "EdDSA"}


def jwk(key: Any, kind: str, **more: str) -> dict[str, Any]:
    return {**ALGORITHMS[_AS_JWK[kind]].to_jwk(key, as_dict=True), **more}  # type: ignore[attr-defined] # every algorithm of ours has it


JWKS = json.dumps({"keys": [jwk(key.public_key(), kind, kid=kind) for kind, key in PRIVATE.items()]})
TRUSTED = {
    ISSUER: IssuerTrusted(
        issuer=ISSUER, audience="o2c", jwks=JWKS, claim="groups", roles={"care-desk": "agent", "audit": "auditor"}, life_s_max=3600
    )
}
GOOD = {"iss": ISSUER, "aud": "o2c", "sub": "ann", "iat": AT, "exp": AT + 600, "groups": ["care-desk"]}


def signed(claims: Mapping[str, Any] = GOOD, algorithm: str = "RS256", key: Any = None, **header: Any) -> str:
    told = {"kid": KEY_FOR.get(algorithm, "rsa"), **header}
    return jwt.encode(dict(claims), key or PRIVATE[KEY_FOR[algorithm]], algorithm=algorithm, headers=told)


def claims(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def put_together(header: Any, body: Any, signature: bytes = b"x") -> str:
    return f"{part(header)}.{part(body)}.{part(signature)}"


def signed_raw(header: bytes, body: bytes) -> str:
    """Signed as it should be, whatever stands in it."""
    text = f"{part(header)}.{part(body)}"
    return f"{text}.{part(ALGORITHMS['RS256'].sign(text.encode(), PRIVATE['rsa']))}"


def by_secret(secret: bytes, **header: Any) -> str:
    """Signed with a public key as if it were a secret."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa', **header})}.{part(GOOD)}"
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


PEM = PRIVATE["rsa"].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
HEADER = {"alg": "RS256", "typ": "JWT", "kid": "rsa"}
OTHER_JWK = jwk(OTHERS.public_key(), "rsa", kid="rsa")
GOOD_RAW, HEADER_RAW = json.dumps(GOOD).encode(), json.dumps(HEADER).encode()


def refused(token: str, now: datetime = NOW) -> str:
    """Why a token is not believed; nothing of it is in the words, nor in what led to them."""
    with pytest.raises(Untrusted) as caught:
        verified(token, TRUSTED, now=now)
    told = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not [piece for piece in token.split(".") if len(piece) > 8 and piece in told]
    return str(caught.value)


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_a_good_one_is_believed(algorithm: str) -> None:
    """Signed in each way that is believed, it says who acts, in which roles, and until when."""
    told = verified(signed(algorithm=algorithm), TRUSTED, now=NOW)
    assert (told.actor, told.roles, told.expires_at) == ("ann", ("agent",), NOW + timedelta(minutes=10))


def test_only_ways_with_two_keys_are_believed() -> None:
    """No secret that is shared, and nothing unsigned."""
    assert set(ALGORITHMS) == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}


@pytest.mark.parametrize(
    ("changes", "header", "roles"),
    [
        pytest.param({"aud": ["o2c"]}, {}, ("agent",), id="one audience in a list"),
        pytest.param({"groups": "audit care-desk"}, {}, ("auditor", "agent"), id="a claim of words"),
        pytest.param({"groups": ["cooks", 7, None, "audit"]}, {}, ("auditor",), id="values that give no role"),
        pytest.param({"groups": None}, {}, (), id="no claim"),
        pytest.param({"groups": {"agent": True}}, {}, (), id="a claim of another shape"),
        pytest.param({}, {"typ": "at+jwt"}, ("agent",), id="an access token by RFC 9068"),
        pytest.param({}, {"typ": "application/AT+JWT"}, ("agent",), id="its type written out"),
        pytest.param({"nbf": AT + LEEWAY_S, "iat": AT + LEEWAY_S}, {}, ("agent",), id="from a clock that is ahead"),
        pytest.param({"iat": AT - 600, "exp": AT - LEEWAY_S + 1}, {}, ("agent",), id="from a clock that is behind"),
        pytest.param({}, {"x5t": "abc"}, ("agent",), id="a header that says more of no consequence"),
    ],
)
def test_what_may_differ(changes: dict[str, Any], header: dict[str, Any], roles: tuple[str, ...]) -> None:
    """Tokens of real issuers that are in order all the same."""
    assert verified(signed(claims(**changes), **header), TRUSTED, now=NOW).roles == roles


def test_roles_may_stand_deeper_and_names_be_prefixed() -> None:
    """`a.b` is the claim b within a, unless there is one of the whole name; what stands before each name is the issuer's own."""
    deeper = TRUSTED[ISSUER].model_copy(update={"claim": "realm.roles", "actor_prefix": "partner:"})
    for changes, roles in (
        ({"realm": {"roles": ["audit"]}}, ("auditor",)),
        ({"realm.roles": ["care-desk"], "realm": {}}, ("agent",)),
        ({}, ()),
    ):
        told = verified(signed(claims(**changes)), {ISSUER: deeper}, now=NOW)
        assert (told.actor, told.roles) == ("partner:ann", roles)


CORPUS = [
    *(pytest.param(put_together({**HEADER, "alg": name}, GOOD, b""), "no token", id=f"unsigned by {name}") for name in ("none", "None", "NONE", "nOnE")),
    *(pytest.param(put_together({**HEADER, "alg": name}, GOOD), "a way that is not", id=f"alg {name!r}")
      for name in ("none", "None", "NONE", "nOnE", "", " RS256", "rs256", "HS256", "HS512", "ES256K", "ES512", "RS1", None, 1, ["RS256"], {})),
    pytest.param(by_secret(PEM), "a way that is not", id="HS256 with the public key as PEM"),
    pytest.param(by_secret(JWKS.encode()), "a way that is not", id="HS256 with the JWK set"),
    pytest.param(signed(algorithm="RS256", kid="p256"), "its key is not for", id="a key of another kind"),
    pytest.param(signed(algorithm="ES256", kid="p384"), "its key is not for", id="a key of another curve"),
    pytest.param(signed(key=OTHERS), "not signed by", id="signed by somebody else"),
    pytest.param(signed(key=OTHERS, jwk=OTHER_JWK), "brings keys", id="brings its key"),
    pytest.param(signed(key=OTHERS, jku="https://evil.example.org/keys"), "brings keys", id="says where its key is"),
    pytest.param(signed(key=OTHERS, x5u="https://evil.example.org/cert"), "brings keys", id="says where its certificate is"),
    pytest.param(signed(key=OTHERS, x5c=["MIIB"]), "brings keys", id="brings its certificate"),
    pytest.param(signed(crit=["exp"]), "brings keys", id="crit of what is known"),
    pytest.param(signed_raw(json.dumps({**HEADER, "crit": ["cap"], "cap": 1}).encode(), GOOD_RAW), "brings keys", id="crit of what is not"),
    pytest.param(signed_raw(json.dumps({**HEADER, "crit": []}).encode(), GOOD_RAW), "brings keys", id="an empty crit"),
    pytest.param(signed_raw(json.dumps({**HEADER, "b64": False}).encode(), GOOD_RAW), "brings keys", id="b64"),
    pytest.param(signed_raw(json.dumps({**HEADER, "zip": "DEF"}).encode(), GOOD_RAW), "brings keys", id="zip"),
    pytest.param(signed(kid="unknown"), "no key that", id="a key of nobody"),
    pytest.param(signed(kid="../../dev/null"), "no key that", id="a path as key"),
    pytest.param(put_together({"alg": "RS256", "typ": "JWT"}, GOOD), "no key that", id="no kid"),
    pytest.param(put_together({**HEADER, "kid": ["rsa"]}, GOOD), "no key that", id="a kid that is no text"),
    pytest.param(put_together({**HEADER, "kid": {}}, GOOD), "no key that", id="a kid that is an object"),
    pytest.param(put_together({"alg": "RS256", "kid": "rsa"}, GOOD), "no token for access", id="no type"),
    pytest.param(signed(typ="logout+jwt"), "no token for access", id="a token for something else"),
    pytest.param(signed(typ="dpop+jwt"), "no token for access", id="a proof of possession"),
    pytest.param(signed(claims(iss=None)), "no issuer", id="no issuer"),
    pytest.param(signed(claims(iss="https://evil.example.org")), "no issuer", id="another issuer"),
    pytest.param(signed(claims(iss=ISSUER + "/")), "no issuer", id="an issuer with a slash more"),
    pytest.param(signed_raw(HEADER_RAW, json.dumps({**GOOD, "iss": [ISSUER]}).encode()), "no issuer", id="a list of issuers"),
    pytest.param(signed(claims(aud=None)), "meant for others", id="no audience"),
    pytest.param(signed(claims(aud="billing")), "meant for others", id="another audience"),
    pytest.param(signed(claims(aud=["o2c", "billing"])), "meant for others", id="two audiences"),
    pytest.param(signed(claims(aud=[])), "meant for others", id="an empty list of audiences"),
    pytest.param(signed(claims(aud="O2C")), "meant for others", id="an audience in capitals"),
    pytest.param(signed(claims(exp=None)), "without a time as exp", id="no end"),
    pytest.param(signed(claims(iat=None)), "without a time as iat", id="no beginning"),
    pytest.param(signed(claims(iat=AT - 900, exp=AT - LEEWAY_S)), "expired", id="expired"),
    pytest.param(signed(claims(exp=AT + 3601)), "a longer life", id="a life too long"),
    pytest.param(signed(claims(exp=AT + 10 * 365 * 86400)), "a longer life", id="for ten years"),
    pytest.param(signed(claims(iat=AT + 20, exp=AT + 10)), "a longer life", id="ends before it begins"),
    pytest.param(signed(claims(nbf=AT + LEEWAY_S + 1)), "not valid yet", id="not yet"),
    pytest.param(signed(claims(iat=AT + LEEWAY_S + 1)), "issued in the future", id="from the future"),
    *(pytest.param(signed_raw(HEADER_RAW, GOOD_RAW.replace(f'"exp": {AT + 600}'.encode(), b'"exp": ' + text)), why, id=f"exp {text.decode()}")
      for text, why in ((b"true", "as exp"), (b'"9999999999"', "as exp"), (b"null", "as exp"), (b"1e999", "as exp"), (b"NaN", "cannot be read"),
                        (b"Infinity", "cannot be read"), (b"-1", "expired"), (b"9" * 5000, "cannot be read"), (b"[9999999999]", "as exp"))),
    pytest.param(signed_raw(HEADER_RAW, GOOD_RAW[:-1] + b', "nbf": "soon"}'), "as nbf", id="nbf that is no time"),
    pytest.param(signed(claims(sub=None)), "of nobody", id="no subject"),
    pytest.param(signed(claims(sub="")), "of nobody", id="an empty subject"),
    pytest.param(signed_raw(HEADER_RAW, json.dumps({**GOOD, "sub": 7}).encode()), "of nobody", id="a subject that is a number"),
    pytest.param(signed(claims(sub="ann\n admin")), "of nobody", id="a subject over two lines"),
    pytest.param(signed(claims(sub="a" * 201)), "of nobody", id="a subject without end"),
    pytest.param(signed(claims(sub="engine")), "of nobody", id="the engine as subject"),
    pytest.param(signed_raw(HEADER_RAW, GOOD_RAW[:-1] + b', "sub": "root"}'), "in two ways", id="two subjects"),
    pytest.param(signed_raw(HEADER_RAW, GOOD_RAW[:-1] + b', "\\u0073ub": "root"}'), "in two ways", id="two subjects, one in disguise"),
    pytest.param(signed_raw(b'{"alg": "none", "alg": "RS256", "typ": "JWT", "kid": "rsa"}', GOOD_RAW), "in two ways", id="two algorithms"),
    pytest.param(signed_raw(HEADER_RAW, GOOD_RAW[:-1] + b', "more": {"a": 1, "a": 2}}'), "in two ways", id="twice, deeper"),
    pytest.param(signed_raw(HEADER_RAW, GOOD_RAW + b"{}"), "cannot be read", id="something behind it"),
    pytest.param(signed_raw(HEADER_RAW, b"[" * 3000), "cannot be read", id="nested without end"),
    pytest.param(signed_raw(HEADER_RAW, b"[]"), "cannot be read", id="claims that are a list"),
    pytest.param(signed_raw(HEADER_RAW, b"\xff\xfe"), "cannot be read", id="claims that are no text"),
    pytest.param("A" * (10 * 1024 * 1024), "longer than", id="10 MB"),
    pytest.param(signed(claims(more="x" * BYTES_MAX)), "longer than", id="a little too long"),
    pytest.param("", "no token", id="nothing"),
    pytest.param("a.b", "no token", id="two parts"),
    pytest.param(signed() + ".x", "no token", id="four parts"),
    pytest.param("a.b.c.d.e", "no token", id="an encrypted one"),
    pytest.param(signed() + "=", "no token", id="padded"),
    pytest.param(signed().replace(".", " .", 1), "no token", id="with a blank"),
    pytest.param(signed() + "\n", "no token", id="with an end of line"),
    pytest.param(signed().rpartition(".")[0] + ".", "no token", id="its signature taken off"),
    pytest.param(signed().rpartition(".")[0], "no token", id="two parts of three"),
    pytest.param(signed().rpartition(".")[0] + ".AAAA", "not signed by", id="another signature"),
    pytest.param(signed()[:-40] + "A" * 40, "not signed by", id="its signature changed"),
    pytest.param(".".join((signed().split(".")[0], part({**GOOD, "sub": "root"}), signed().split(".")[2])), "not signed by", id="its claims changed"),
    pytest.param(signed(algorithm="ES256").rpartition(".")[0] + "." + part(bytes(64)), "not signed by", id="a signature of zeros"),
    pytest.param("o2c_4f2a9c01b7de_" + "x" * 43, "no token", id="a key of ours"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "why"), CORPUS)
def test_a_bad_one_is_not_believed(token: str, why: str) -> None:
    """Each breaks one rule, and that is the rule by which it is refused; the words tell nothing of the token."""
    assert why in refused(token)


def test_nobody_is_believed_where_nobody_is_trusted() -> None:
    """Without issuers the best of tokens is none."""
    with pytest.raises(Untrusted, match="no issuer"):
        verified(signed(), {}, now=NOW)


@hypothesis.given(st.integers(0, 2), st.integers(0, 5000), st.sampled_from("ABCxyz019-_"))
def test_no_letter_of_a_token_can_be_changed(place: int, letter: int, other: str) -> None:
    """A token with one letter changed is not believed, wherever it stands."""
    good = SIGNED_ONCE.split(".")
    at = letter % len(good[place])
    hypothesis.assume(good[place][at] != other)
    good[place] = good[place][:at] + other + good[place][at + 1 :]
    with pytest.raises(Untrusted):
        verified(".".join(good), TRUSTED, now=NOW)


SIGNED_ONCE = signed(algorithm="EdDSA")


@hypothesis.given(st.text(max_size=300))
def test_whatever_is_sent_is_refused_and_no_defect(text: str) -> None:
    """Garbage of any kind is not believed, and breaks nothing."""
    with pytest.raises(Untrusted):
        verified(text, TRUSTED, now=NOW)


SMALL, P521, ED448 = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP521R1()), ed448.Ed448PrivateKey.generate()
_GOOD_KEY = jwk(PRIVATE["ed"].public_key(), "ed", kid="1")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        pytest.param([], "at least one", id="none"),
        pytest.param([{**_GOOD_KEY, "kid": None}], "no id", id="without an id"),
        pytest.param([_GOOD_KEY, _GOOD_KEY], "no id", id="two under one id"),
        pytest.param(["key"], "no id", id="no object"),
        pytest.param([jwk(PRIVATE["rsa"], "rsa", kid="1")], "no public key", id="a private RSA key"),
        pytest.param([jwk(PRIVATE["ed"], "ed", kid="1")], "no public key", id="a private Ed25519 key"),
        pytest.param([{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}], "no public key", id="a secret"),
        pytest.param([{**_GOOD_KEY, "use": "enc"}], "not for signatures", id="for encryption"),
        pytest.param([{**_GOOD_KEY, "key_ops": ["sign"]}], "not for signatures", id="to sign"),
        pytest.param([{**_GOOD_KEY, "x": "AAAA"}], "cannot be read", id="a point that is none"),
        pytest.param([{"kty": "RSA", "kid": "1"}], "cannot be read", id="half a key"),
        pytest.param([{"kty": "XYZ", "kid": "1"}], "cannot be read", id="of no kind"),
        pytest.param([jwk(SMALL.public_key(), "rsa", kid="1")], "strength", id="1024 bits"),
        pytest.param([jwk(P521.public_key(), "p256", kid="1")], "strength", id="another curve"),
        pytest.param([jwk(ED448.public_key(), "ed", kid="1")], "strength", id="Ed448"),
        pytest.param([{**_GOOD_KEY, "alg": "HS256"}], "strength", id="for shared secrets"),
    ],
)
def test_keys_that_are_not_taken(keys: list[Any], why: str) -> None:
    """Only public keys for signatures, each under an id of its own; the words show no key."""
    with pytest.raises(ValueError, match=why) as caught:
        public_keys(json.dumps({"keys": keys}))
    assert not [
        value
        for key in keys
        if isinstance(key, dict)
        for value in key.values()
        if isinstance(value, str) and len(value) > 8 and value in str(caught.value)
    ]


def test_a_key_may_be_for_one_algorithm_alone() -> None:
    """As its `alg` says (RFC 7517 section 4.4): another one is not believed with it."""
    only = json.dumps({"keys": [jwk(PRIVATE["rsa"].public_key(), "rsa", kid="rsa", alg="PS256")]})
    trusted = {ISSUER: TRUSTED[ISSUER].model_copy(update={"jwks": only})}
    assert verified(signed(algorithm="PS256"), trusted, now=NOW).actor == "ann"
    with pytest.raises(Untrusted, match="its key is not for"):
        verified(signed(algorithm="RS256"), trusted, now=NOW)


@pytest.mark.parametrize("jwks", ["", "[]", "{}", '{"keys": 1}', '{"keys": [], "keys": []}', "[" * 100_000])
def test_what_is_no_set_of_keys(jwks: str) -> None:
    """It is refused, whatever it is."""
    with pytest.raises(ValueError, match=r".+"):
        public_keys(jwks)
