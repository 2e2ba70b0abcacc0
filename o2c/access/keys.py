"""What a key looks like: `o2c_PREFIX_SECRET`. The prefix finds it, the secret proves it; of the secret only the SHA-256 is kept.

The secret has 256 random bits, so that a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re

BEGINNING = "o2c_"
SECRET_BYTES, PREFIX_BYTES = 32, 6
"""How many random bytes each part of a key is made of."""
_KEY = re.compile(r"o2c_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_PREFIX = re.compile(r"(?:o2c_)?([0-9a-f]{12})(?:_.*)?")
_NO_DIGEST = "0" * 64


def whole_key(prefix: str, secret: str) -> str:
    """Put a key together as its holder gets it, once."""
    return f"{BEGINNING}{prefix}_{secret}"


def parts_of(key: str) -> tuple[str, str] | None:
    """Take a key apart into prefix and secret; None for what does not look like one."""
    found = _KEY.fullmatch(key)
    return (found[1], found[2]) if found else None


def prefix_of(text: str) -> str:
    """The prefix that somebody means who names a key, by the prefix or by mistake in whole; empty for what is none."""
    found = _PREFIX.fullmatch(text.strip())
    return found[1] if found else ""


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def proves(secret: str, digest: str | None) -> bool:
    """Whether a secret is the one of a digest, in the same time whatever is wrong; False where there is no digest."""
    return hmac.compare_digest(digest_of(secret), digest or _NO_DIGEST) and digest is not None
