"""Sealing what is personal in journeys under the key of a market and a day, and finding who was on one before.

A text is sealed with AES-256 in Galois/Counter Mode (NIST SP 800-38D), bound to the name of its key; who it is, is recognised by an
HMAC-SHA-256 (RFC 2104) under the same key. When the key is gone, neither can be told from noise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from o2c.engine.app import Engine
from o2c.store.prospects import KEY_BYTES, keys_named, keys_of, make_key

NONCE_BYTES = 12
DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that there are, by name."""

    secrets: Mapping[str, bytes] = field(repr=False)

    def digests(self, what: str, value: str) -> dict[str, str]:
        """What somebody is known by under each key, by the key's name."""
        return {key: self.digest(key, what, value) for key in self.secrets}

    def digest(self, key: str, what: str, value: str) -> str:
        """What somebody is known by under a key: 32 hex digits."""
        text = f"{what}\0{normalised(what, value)}".encode("utf-8", "surrogatepass")
        return hmac.new(self._own(key, "find"), text, hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]

    def seal(self, key: str, text: str) -> str:
        """A text sealed under a key: the key's name, a colon, and the rest in base64 (RFC 4648 section 5)."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._own(key, "seal")).encrypt(nonce, text.encode("utf-8", "surrogatepass"), key.encode())
        return f"{key}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def opened(self, sealed: str) -> str | None:
        """A sealed text in clear; None where its key is gone, or it was not sealed under that."""
        key, _, rest = sealed.partition(":")
        if key not in self.secrets:
            return None
        raw = base64.urlsafe_b64decode(rest)
        try:
            clear = AESGCM(self._own(key, "seal")).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], key.encode())
        except InvalidTag:
            return None
        return clear.decode("utf-8", "surrogatepass")

    def _own(self, key: str, use: str) -> bytes:
        return hmac.new(self.secrets[key], use.encode(), hashlib.sha256).digest()


def normalised(what: str, value: str) -> str:
    """The form in which logins, telephone numbers and tokens are compared: a number without what is written between its digits, a login
    without case."""
    if what == "phone":
        return "".join(sign for sign in value if sign.isdigit() or sign == "+")
    return value.strip() if what == "token" else unicodedata.normalize("NFKC", value.strip()).casefold()


def key_of_day(market: str, day: str) -> str:
    """The name of the key of a market (its code) and a day (ISO)."""
    return f"{market}-{day}"


def keys_for(app: Engine, market: str, key: str) -> Keys:
    """The keys of a market, the newest first, with the named one, which is made where it is not there."""
    store = app.log_recorder.datastore
    secrets = keys_of(store, market)
    if key not in secrets:
        make_key(store, key, os.urandom(KEY_BYTES))
        secrets = keys_of(store, market)
    return Keys(secrets)


def keys_to_open(app: Engine, sealed: list[str]) -> Keys:
    """The keys under which texts were sealed, of those that there still are."""
    return Keys(keys_named(app.log_recorder.datastore, sorted({text.partition(":")[0] for text in sealed})))
