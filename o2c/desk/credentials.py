"""From a credential to who asks: a key of ours or a bearer token becomes a `Context`, and everything else is refused in the same words."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

import structlog

from o2c.access import keys, rules
from o2c.access.state import ISSUERS_STREAM, IssuersState, KeyState, key_stream
from o2c.access.tokens import BYTES_MAX, LEEWAY_S, Untrusted, verified
from o2c.desk.act import Deed, taken_down
from o2c.engine.app import Context, Engine
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused

__all__ = ["FRESH_S", "Credentials"]

logger = structlog.get_logger(__name__)
FRESH_S = 5.0
"""So long a process goes by what it found: a key that is revoked, or an issuer that is distrusted, is refused after so many seconds at
most."""
KNOWN_MAX = 10_000
"""So many credentials a process remembers, by their digests; the one that was looked up longest ago goes first."""
BEARER = "bearer"
REFUSED = "the credential was not accepted; send `Authorization: Bearer` with a key or a token that is valid"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """Who a credential stands for, and until when (monotonic seconds) that need not be looked up again."""

    actor: str
    roles: tuple[str, ...]
    scopes: frozenset[str] | None
    until: float


def _name(given: str) -> bytes:
    return hashlib.sha256(given.encode()).digest()


class Credentials:
    """Whom the credentials of callers stand for, on one store; one for a process, for all its threads.

    `now` is the real time, which keys and tokens go by; `monotonic` seconds measure how fresh an answer is.
    """

    def __init__(
        self, app: Engine, *, now: Callable[[], datetime] = _now, monotonic: Callable[[], float] = time.monotonic, fresh_s: float = FRESH_S
    ) -> None:
        self._app, self._now, self._monotonic, self._fresh_s = app, now, monotonic, fresh_s
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._issuers: tuple[float, IssuersState] = (float("-inf"), IssuersState())
        self._lock = Lock()

    def remembered(self, authorization: str) -> Context | None:
        """Who asks, at once, where the same value of the header was accepted a moment ago; None where `context` has to look it up."""
        given = authorization.strip()
        known = self._known.get(_name(given)) if given.isascii() else None
        return Context(known.actor, roles=known.roles, scopes=known.scopes) if known and known.until > self._monotonic() else None

    def context(self, authorization: str | None, *, channel: str = "api", command_id: str = "") -> Context:
        """Who asks, by the value of an `Authorization` header: `Bearer` with a token or a key of ours, or the key alone.

        Raises Refused (unauthenticated), in words that do not say what is wrong: that stands in the log, without the credential.
        """
        given = (authorization or "").strip()
        if not given or len(given) > BYTES_MAX + len(BEARER) + 1 or not given.isascii():
            raise self._refused("none" if not given else "too long, or in letters that none has")
        name = _name(given)
        known = self._known.get(name)
        if known is None or known.until <= self._monotonic():
            known = self._looked_up(given)
            self._remember(name, known)
        return Context(known.actor, channel, command_id, known.roles, known.scopes)

    def _looked_up(self, given: str) -> _Known:
        scheme, blank, rest = given.partition(" ")
        credential = rest.strip() if blank else given
        if blank and scheme.lower() != BEARER:
            raise self._refused("of a scheme that is not ours")
        if credential.startswith(keys.BEGINNING):
            return self._by_key(credential)
        if not blank:
            raise self._refused("of no scheme")
        return self._by_token(credential)

    def _by_key(self, credential: str) -> _Known:
        now = self._now()
        parts = keys.parts_of(credential)
        if parts is None:
            raise self._refused("no key")
        prefix, secret = parts
        state: KeyState = self._app.load_one(key_stream(prefix)).state
        issued = state.issued
        if not keys.proves(secret, issued.digest if issued else None) or issued is None:
            raise self._refused("a key that nobody was issued")
        if state.revoked or now >= issued.expires_at:
            raise self._refused("a key that was revoked" if state.revoked else "a key that expired", prefix=prefix)
        if state.used_on < now.date().isoformat():
            self._note_use(issued.acts_as, prefix, now.date().isoformat())
        scopes = None if issued.operations is None else frozenset(issued.operations)
        return _Known(issued.acts_as, issued.roles, scopes, self._until((issued.expires_at - now).total_seconds()))

    def _by_token(self, credential: str) -> _Known:
        now = self._now()
        try:
            fresh_until, state = self._trusted()
            told = verified(credential, state.trusted, now=now)
        except Untrusted as untrusted:
            raise self._refused(f"a token {untrusted}") from None
        # No longer than its issuer is known to be trusted: the two do not add up.
        until = min(fresh_until, self._until((told.expires_at - now).total_seconds() + LEEWAY_S))
        return _Known(told.actor, told.roles, None, until)

    def _trusted(self) -> tuple[float, IssuersState]:
        """The issuers that are trusted, and until when that need not be looked up again: who sends nonsense makes no work for the
        database."""
        until, state = self._issuers
        if until <= self._monotonic():
            state = self._app.load_one(ISSUERS_STREAM).state
            until = self._monotonic() + self._fresh_s
            self._issuers = (until, state)
        return until, state

    def _until(self, left_s: float) -> float:
        return self._monotonic() + min(self._fresh_s, left_s)

    def _remember(self, name: bytes, known: _Known) -> None:
        with self._lock:
            self._known[name] = known
            self._known.move_to_end(name)
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)

    def _note_use(self, actor: str, prefix: str, on_day: str) -> None:
        """Take down the first use of a day. Where that cannot be, the key is as good as before."""

        def rule(state: KeyState, at: datetime) -> Decision:
            return rules.use(state, prefix, on_day=on_day)

        if self._app.takes_writes:
            [done] = taken_down(self._app, Context(actor, "api", roles=()), [Deed(key_stream(prefix), (rule,), ["use", on_day])])
            if isinstance(done, Refused):
                logger.info("use_of_key_not_taken_down", prefix=prefix)

    def _refused(self, why: str, **about: str) -> Refused:
        logger.warning("credential_refused", why=why, **about)
        return Refused(REFUSED, kind="unauthenticated")
