"""The SIM platform (SM-DP+), simulated: confirms an eSIM profile for download, tells when it was downloaded, or cancels it.

Codes of failed downloads are those of GSMA SGP.22 (subject and reason).
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import timedelta

from o2c.kernel.chance import draw, pick
from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request
from o2c.partners import faults

CANCEL, DOWNLOAD = "esim-cancel", "esim-download"
DOWNLOADED_PERCENT = 3.0
_ALPHABET = string.digits + string.ascii_uppercase
_GROUPS = 4
_GROUP_CHARACTERS = 5
DOWNLOAD_FIRST_MINUTES = 2
DOWNLOAD_SPREAD = 720
"""The slowest customer downloads so many times later than the quickest; half of them do within the hour."""
FIRST_USE_MINUTES_MAX = 120
DOWNLOAD_FAILURES: tuple[tuple[str, float], ...] = (("8.8.5-3.8", 0.8), ("8.8.5-6.4", 0.2))


@dataclass(frozen=True, slots=True)
class SimulatedSimPlatform:
    """Confirms a profile with the matching id of its activation code; the same profile always has the same one."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Confirm a profile for download (`matching_id`), or cancel it (refused with DOWNLOADED when it is too late).

        Asked for a state of the profile that only the customer brings about, it names the time at which it will know.
        """
        trouble = faults.on_submit(faults.fault(self.seed, request, self.planned), request)
        return trouble or (self._awaited(request) if request.step == DOWNLOAD else self._confirmed(request))

    def query(self, request: Request) -> Answer:
        """Give the same outcome again, unless a fault lost the request."""
        trouble = faults.on_query(faults.fault(self.seed, request, self.planned), self.seed, request)
        return trouble or (self._downloaded(request) if request.step == DOWNLOAD else self._confirmed(request))

    def _awaited(self, request: Request) -> Answer:
        minutes = DOWNLOAD_FIRST_MINUTES * DOWNLOAD_SPREAD ** faults.chance(self.seed, request, "download")
        if request.body.get("state") == "Enabled":
            minutes += faults.whole(self.seed, request, "first use", FIRST_USE_MINUTES_MAX)
        return Accepted(str(request.body.get("iccid", "")), request.at + timedelta(minutes=round(minutes)))

    def _downloaded(self, request: Request) -> Answer:
        # By attempt: a customer who is asked again may well say yes.
        code = pick(self.seed, faults.place(request), request.attempt, "download fails", (("", 0.0), *DOWNLOAD_FAILURES))
        return RefusedBy(code) if code else Answered({"state": request.body.get("state", "")})

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
