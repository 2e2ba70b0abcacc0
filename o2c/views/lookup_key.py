"""The operator's key for looking customers up by personal data."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from o2c.kernel.refusal import Refused

VARIABLE = "O2C_LOOKUP_KEY"
FILE = "lookup.key"
KEY_BYTES_MIN = 32


def given_key(home: Path) -> bytes | None:
    """The key of the environment, else of the data folder; None where there is neither. Raises Refused for one that is no key, or cannot be read."""
    if text := os.environ.get(VARIABLE):
        return _key(text, VARIABLE)
    path = home / FILE
    try:
        return _key(path.read_text(encoding="ascii", errors="replace"), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}; look at its owner and permissions, or set {VARIABLE}") from None


def key_of(home: Path) -> bytes:
    """The key, made at first need where the server is the data folder's own.

    Raises Refused where O2C_DSN names a server that others share: each of them must be given the same key.
    """
    if lacks_key(home):
        raise Refused(
            f"looking up by name or e-mail needs a key, the same wherever this server is used: set {VARIABLE} to 64 hex digits "
            f"(`openssl rand -hex {KEY_BYTES_MIN}` makes them), or put them into {home / FILE}"
        )
    return given_key(home) or _made(home)


def lacks_key(home: Path) -> bool:
    """Whether there is no key and none may be made, since others use the server too."""
    return bool(os.environ.get("O2C_DSN")) and given_key(home) is None


def _key(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES_MIN:
        raise Refused(f"{where} is no key: write at least {2 * KEY_BYTES_MIN} hex digits; `openssl rand -hex {KEY_BYTES_MIN}` makes them")
    return key


def _made(home: Path) -> bytes:
    """A new key in the data folder. Linked into place whole, so that of two who make one at once both use the first."""
    path = home / FILE
    part = home / f"{FILE}.{secrets.token_hex(8)}"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(f"{secrets.token_hex(KEY_BYTES_MIN)}\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            pass
        finally:
            part.unlink()
        return _key(path.read_text(encoding="ascii"), str(path))
    except OSError as error:
        raise Refused(f"cannot keep a key in {path}: {error.strerror}; mend the folder or set {VARIABLE}", kind="unavailable") from None
