"""When personal data is shown, and how keys and issuers come and go."""

from __future__ import annotations

from collections.abc import Iterable

from o2c.access.events import IssuerDistrusted, IssuerTrusted, KeyIssued, KeyRevoked, KeyUsed, PersonalDataDisclosed
from o2c.access.permissions import PERMISSIONS, ROLES
from o2c.access.state import AccessState, IssuersState, KeyState
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused

ACTORS_OF_OURS = frozenset({"engine", "intake", "detection"})
"""Names under which the program itself acts: nobody else may."""
ACTOR_LETTERS_MAX = 200
LIFE_S_MIN, LIFE_S_MAX = 60, 24 * 60 * 60
"""The shortest and the longest that the longest life of a token may be set to."""


def disclose(state: AccessState, disclosure: PersonalDataDisclosed) -> Decision:
    """Take down that personal data of a customer is about to be shown, an occurrence that every look takes down once more."""
    return just(disclosure)


def is_actor(name: str) -> bool:
    """Whether somebody outside may act under a name: it is printable, of a length that fits a page, and not one of ours."""
    return 0 < len(name) <= ACTOR_LETTERS_MAX and name.isprintable() and name == name.strip() and name not in ACTORS_OF_OURS


def issue(state: KeyState, issued: KeyIssued) -> Decision:
    """Issue a key; nothing when this very key stands.

    Raises Refused: usage for a role, an operation or a name that is none; conflict where another key bears the prefix.
    """
    if state.issued == issued and not state.revoked:
        return NOTHING
    if state.issued is not None:
        raise Refused("a key with this prefix was issued already; issue it again, under another command id", kind="conflict")
    if not is_actor(issued.acts_as):
        raise Refused("a key acts under a name of its own, in printable characters, that is none of the program's; give it another")
    _refuse_roles(issued.roles)
    if unknown := sorted(set(issued.operations or ()) - PERMISSIONS.keys()):
        raise Refused(f"there is no operation {unknown[0]}; `o2c access permissions` has them all")
    return just(issued)


def revoke(state: KeyState, prefix: str, *, note: str) -> Decision:
    """Revoke a key; nothing when it is revoked. Raises Refused: missing for one that was never issued, usage where nobody says why."""
    if state.issued is None:
        raise Refused("there is no such key; `o2c keys list` shows the prefixes of all", kind="missing")
    if not note.strip():
        raise Refused(f"key {prefix}: say why it is revoked; it is kept with it")
    return NOTHING if state.revoked else just(KeyRevoked(prefix=prefix, note=note))


def use(state: KeyState, prefix: str, *, on_day: str) -> Decision:
    """Take down that a key was used on a day (ISO, UTC); nothing when it was used on that day or later already, or is no key."""
    return NOTHING if state.issued is None or state.used_on >= on_day else just(KeyUsed(prefix=prefix, on_day=on_day))


def trust(state: IssuersState, trusted: IssuerTrusted) -> Decision:
    """Believe the tokens of an issuer from now on; nothing when they are believed so already.

    Raises Refused (usage) for names that are none, a role that is none, and a life outside LIFE_S_MIN and LIFE_S_MAX.
    """
    for what, text in (("issuer", trusted.issuer), ("audience", trusted.audience), ("claim", trusted.claim)):
        if not text.strip() or not text.isprintable():
            raise Refused(f"the {what} of tokens is a name in printable characters, to the letter as they have it")
    _refuse_roles(trusted.roles.values())
    if not LIFE_S_MIN <= trusted.life_s_max <= LIFE_S_MAX:
        raise Refused(f"issuer {trusted.issuer}: tokens live {LIFE_S_MIN} to {LIFE_S_MAX} seconds at most, not {trusted.life_s_max}")
    return NOTHING if state.trusted.get(trusted.issuer) == trusted else just(trusted)


def distrust(state: IssuersState, issuer: str, *, note: str) -> Decision:
    """Believe no token of an issuer any more; nothing when none is believed. Raises Refused: missing for one never trusted, usage without a
    note."""
    if issuer in state.gone:
        return NOTHING
    if issuer not in state.trusted:
        raise Refused("no such issuer is trusted; `o2c issuers list` shows those that are", kind="missing")
    if not note.strip():
        raise Refused(f"issuer {issuer}: say why it is trusted no more; it is kept with it")
    return just(IssuerDistrusted(issuer=issuer, note=note))


def _refuse_roles(roles: Iterable[str]) -> None:
    given = list(roles)
    if unknown := [role for role in given if role not in ROLES]:
        raise Refused(f"there is no role {unknown[0]} to give; there are {', '.join(ROLES)}")
    if not given:
        raise Refused(f"say at least one role; there are {', '.join(ROLES)}")
