"""Who looks at the console: a sealed cookie of this session of the browser, and the tokens by which a form proves that our own page sent
it.

The cookie holds the API key that somebody signed in with, sealed with a secret of this service; so the key is asked anew with every
request, and one that was taken away is of no use at once. Sealed is what nobody outside can read or make: the browser cannot either.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request, Response

from o2c.desk.act import Refused

SESSION_S = 12 * 3600
"""So long a session lasts at most, whatever is done in it: a working day."""
SECRET = "SERVING_SECRET"
"""The variable of the environment by which the processes of one service seal cookies alike. `o2c serve` makes it anew each time."""
OWN_SITES = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of one browser: an id that nobody knows outside, and the API key, which is empty before anybody signed in.

    `kept` is whether the browser has it already: a cookie that is set once more would begin its time anew.
    """

    id: str
    key: str = ""
    kept: bool = False


class Visits:
    """Opens and seals the cookies of the console with a secret; every process of one service has the same one.

    Which visits were ended by signing out each process knows for itself, until their time is over; another process still opens such a
    cookie.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._seal = Fernet(secret)
        self._secret = secret.encode()
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def of(self, request: Request) -> Visit:
        """The visit that a request belongs to; a new one where its cookie is missing, foreign or too old."""
        sent = request.cookies.get(cookie_name(request), "")
        try:
            kept = json.loads(self._seal.decrypt_at_time(sent.encode("latin-1", "replace"), SESSION_S, int(self._clock())))
            visit = Visit(str(kept["id"]), str(kept["key"]), kept=True)
        except (InvalidToken, KeyError, ValueError):
            return new_visit()
        return new_visit() if visit.id in self._ended else visit

    def end(self, visit: Visit) -> None:
        """Open the cookie of this visit no more, in this process. One without a key opens nothing, and its forms may be sent twice."""
        if not visit.key:
            return
        now = self._clock()
        with self._lock:
            self._ended = {id: until for id, until in self._ended.items() if until > now} | {visit.id: now + SESSION_S}

    def keep(self, request: Request, response: Response, visit: Visit) -> None:
        """Let the browser send this visit from now on; only to us, never to a script of a page, never with a form of another site."""
        content = json.dumps({"id": visit.id, "key": visit.key}).encode()
        sealed = self._seal.encrypt_at_time(content, int(self._clock())).decode()
        secure = request.url.scheme == "https"
        response.set_cookie(cookie_name(request), sealed, max_age=SESSION_S, path="/", secure=secure, httponly=True, samesite="lax")

    def token(self, visit: Visit, action: str) -> str:
        """What a form to a path carries, so that no page of another site, and no form to another path, can stand for it."""
        return hmac.new(self._secret, f"{visit.id} {action}".encode(), hashlib.sha256).hexdigest()

    def check(self, request: Request, visit: Visit, token: str) -> None:
        """Raise Refused (forbidden) for a form that our own page did not send (OWASP ASVS 5.0, 3.5.1 to 3.5.3)."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        # Under `no-referrer` a browser tells the origin of a form as null; then it must say itself that it is the same (Fetch, section
        # 3.2).
        foreign = site not in OWN_SITES if origin == "null" else origin not in (None, own) or site not in (None, *OWN_SITES)
        if foreign or not hmac.compare_digest(token.encode(), self.token(visit, request.url.path).encode()):
            raise Refused(
                "this form does not come from a page of this session; open the page again and send it from there", kind="forbidden"
            )


def new_visit() -> Visit:
    """A visit of somebody whom we have not seen before."""
    return Visit(secrets.token_urlsafe(24))


def cookie_name(request: Request) -> str:
    """The name of the cookie: the customers' pages have one of their own, which never holds a key.

    A browser takes `__Host-` from TLS alone; on plain HTTP, which only this machine reaches, there is no such prefix.
    """
    name = "o2c-my" if request.url.path.startswith("/my/") else "o2c"
    return f"__Host-{name}" if request.url.scheme == "https" else name


def new_secret() -> str:
    """A secret that nobody has."""
    return Fernet.generate_key().decode()
