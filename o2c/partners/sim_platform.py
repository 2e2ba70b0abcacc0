"""The SIM platform (SM-DP+), simulated: confirms the download of an eSIM profile, or cancels it."""

from __future__ import annotations

import string
from dataclasses import dataclass

from o2c.kernel.chance import draw
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.partners import faults

CANCEL = "esim-cancel"
DOWNLOADED_PERCENT = 3.0
_ALPHABET = string.digits + string.ascii_uppercase
_GROUPS = 4
_GROUP_CHARACTERS = 5


@dataclass(frozen=True, slots=True)
class SimulatedSimPlatform:
    """Confirms a profile with the matching id of its activation code; the same profile always has the same one."""

    seed: int

    def submit(self, request: Request) -> Answer:
        """Confirm the download of a profile (`matching_id`), or cancel it (refused with DOWNLOADED when it is too late)."""
        return faults.on_submit(faults.fault(self.seed, request), request) or self._confirmed(request)

    def query(self, request: Request) -> Answer:
        """Give the same outcome again, unless a fault lost the request."""
        return faults.on_query(faults.fault(self.seed, request), self.seed, request) or self._confirmed(request)

    def _confirmed(self, request: Request) -> Answer:
        if request.step == CANCEL:
            downloaded = faults.happens(self.seed, request, "downloaded", DOWNLOADED_PERCENT)
            return RefusedBy("DOWNLOADED") if downloaded else Answered()
        return Answered({"matching_id": matching_id(self.seed, f"{faults.place(request)} {request.body.get('iccid', '')}")})


def matching_id(seed: int, profile: str) -> str:
    """Make a matching id: digits, capital letters and `-`, as an activation code allows (GSMA SGP.22 section 4.1)."""
    return "-".join(_group(draw(seed, profile, 0, f"matching id {number}")) for number in range(_GROUPS))


def _group(share: float) -> str:
    number = int(share * len(_ALPHABET) ** _GROUP_CHARACTERS)
    return "".join(_ALPHABET[number // len(_ALPHABET) ** power % len(_ALPHABET)] for power in range(_GROUP_CHARACTERS))
