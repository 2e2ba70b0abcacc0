"""Keys of the operator's: given in the environment, else kept in the data folder and made there at first need."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from o2c.kernel.refusal import Refused

KEY_BYTES_MIN = 32


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key of at least 32 bytes: the variable and the file that hold it as hex digits, and what it is for, as the start of a sentence."""

    variable: str
    file: str
    use: str

    def given(self, home: Path) -> bytes | None:
        """The key of the environment, else of the data folder; None where there is neither. Raises Refused for one that is none, or cannot
        be read."""
        if text := os.environ.get(self.variable):
            return _key(text, self.variable)
        path = home / self.file
        try:
            return _key(path.read_text(encoding="ascii", errors="replace"), str(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"cannot read {path}: {error.strerror}; look at its owner and permissions, or set {self.variable}") from None

    def of(self, home: Path) -> bytes:
        """The key, made at first need where the server is the data folder's own.

        Raises Refused where O2C_DSN names a server that others share: each of them must be given the same key.
        """
        if self.lacking(home):
            raise Refused(
                f"{self.use} needs a key, the same wherever this server is used: set {self.variable} to 64 hex digits "
                f"(`openssl rand -hex {KEY_BYTES_MIN}` makes them), or put them into {home / self.file}"
            )
        return self.given(home) or self._made(home)

    def lacking(self, home: Path) -> bool:
        """Whether there is no key and none may be made, since others use the server too."""
        return bool(os.environ.get("O2C_DSN")) and self.given(home) is None

    def _made(self, home: Path) -> bytes:
        """A new key in the data folder. Linked into place whole, so that of two who make one at once both use the first."""
        path = home / self.file
        part = home / f"{self.file}.{secrets.token_hex(8)}"
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
            told = f"cannot keep a key in {path}: {error.strerror}; mend the folder or set {self.variable}"
            raise Refused(told, kind="unavailable") from None


def _key(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES_MIN:
        raise Refused(f"{where} is no key: write at least {2 * KEY_BYTES_MIN} hex digits; `openssl rand -hex {KEY_BYTES_MIN}` makes them")
    return key
