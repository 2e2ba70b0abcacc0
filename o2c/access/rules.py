"""When personal data is shown, and how keys and issuers come and go."""

from __future__ import annotations

from o2c.access.events import PersonalDataDisclosed
from o2c.access.state import AccessState
from o2c.kernel.decision import Decision, just


def disclose(state: AccessState, disclosure: PersonalDataDisclosed) -> Decision:
    """Take down that personal data of a customer is about to be shown, an occurrence that every look takes down once more."""
    return just(disclosure)
