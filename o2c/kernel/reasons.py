"""Reason codes of fallout as versioned data: what each code means for us, how it is tried again, and which partner's code it stands for.

The table itself is a file (`o2c/fallout/codes.toml`), over which an operator may load his own. Source: the fallout table (vocabulary of
Oracle OSM, Salesforce, ServiceNow, TIBCO and TM Forum eTOM 1.3.3.8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from o2c.kernel.shapes import FaultClass, Origin, Recoverability, WaitingFor

DEFECT = "SYS-BUG"
"""Our code for a defect of ours: a rule that raised an exception."""
UNCLASSIFIED = "unclassified"
"""Our code, and the queue, for a partner's code that is mapped to none of ours."""
UNSURE = frozenset({DEFECT, UNCLASSIFIED})
"""The codes under which nobody can say whether the partner did the work: it is asked before anything is sent again."""
PARCEL_LOST = "LOG-LOST"
"""Our code for a parcel that the courier lost: what was in it is nobody's stock any more."""
STREAM = "codes-main"
"""The one stream of the table: what an operator loaded over the packaged one."""
RetryClass = Literal["never", "transient", "scheduled", "after-correction"]
WAITS_BY_ITSELF: Mapping[str, str] = {
    "stock": "when a piece of its pool arrives or comes free: the step waits for it by itself",
    "numbers": "when a range of numbers is approved: as many steps as it has numbers go on by themselves",
    "money": "when the money has come: the step waits for it by itself",
}
"""For what a step that fell out under a scheduled code waits by itself: no time is set, it goes on with what comes."""
MOMENTS: Mapping[str, str] = {
    "cut-off": "half an hour before the market's next cut-off for ports: the last time that the next window can still be had",
    "next-slot": "when the next working day begins (09:00 local), or when the step opens next, if that is later",
}
"""When a step that fell out under a scheduled code is tried again, by the market's calendar; beside these, `Nh`: N hours later."""
HOURS = re.compile(r"[1-9][0-9]{0,3}h")
"""A schedule in hours, from 1 to 9,999."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code, as of one version: class and origin of the fault, severity (1 worst to 5), whom we wait for, queue and retry class.

    `meaning` is a sentence, `next` a few words for a row of the queue, `actions` the usual ones (names of the table of actions). `owner` is
    the team that works the queue and `runbook` says where it reads how. `version` and `valid_from` (ISO day, UTC) are those of the table
    that last changed the code.
    """

    code: str
    meaning: str
    next: str
    queue: str
    fault_class: FaultClass
    origin: Origin
    severity: int
    recoverability: Recoverability
    retry: RetryClass
    waiting_for: WaitingFor
    actions: tuple[str, ...]
    owner: str
    runbook: str
    version: str
    valid_from: str


@dataclass(frozen=True, slots=True)
class Retries:
    """How a transient fallout is tried again: after `first_s` seconds, then `factor` times as long each time, at most `longest_s`,
    `attempts_max` times, spread by `jitter_percent`."""

    attempts_max: int = 5
    first_s: int = 30
    factor: int = 4
    longest_s: int = 1800
    jitter_percent: int = 10


@dataclass(frozen=True, slots=True)
class OutageRule:
    """When a partner counts as down and as up again, and how fast its parked calls are made.

    It is down once its last calls, one after another, met nobody, none longer than `window_s` seconds ago, in numbers that come by chance
    less than once in `once_in`. How often it meets nobody while it is well, its own calls before these show; until there are some it counts
    as `usual_percent` of the calls, which weighs as much as `usual_calls` calls. There are at least `calls_min` of them, of at least
    `orders_min` orders. Of the order with most of them only one counts, and of each other the first, and from the third on up to the
    `tries_max`-th: an order that is tried again and again shows its own trouble.

    Then one call is made every `probe_every_s` seconds, and the partner is up once `answers_min` in a row were answered: twice as many
    whenever it goes down again within `window_s` of having come up, at most `answers_max`. After `longest_s` seconds its calls are made all
    the same, so that orders in trouble of their own get to somebody; who knows better declares it. `rate_per_min` is how many parked calls
    are made in a minute from then on.
    """

    window_s: int = 3600
    usual_percent: int = 5
    usual_calls: int = 20
    once_in: int = 100_000
    calls_min: int = 3
    orders_min: int = 2
    tries_max: int = 5
    probe_every_s: int = 120
    answers_min: int = 2
    answers_max: int = 8
    longest_s: int = 86_400
    rate_per_min: int = 60


USUAL_OUTAGES = OutageRule()
OTHER_PARTNERS = "usual"
"""Stands, in the table of outages, for the partners that have no rule of their own."""


@dataclass(frozen=True, slots=True)
class StepCodes:
    """What the partner of a step says, in our codes: `silence` for a request that was never answered or never arrived, `codes` by its
    own."""

    silence: str
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Codes:
    """The reason codes of one version of the table, in force from `valid_from` (ISO day, UTC), with what partners' codes come to, by step.

    `escalation` gives, by severity, the hours after which a fallout goes up a level; `tiers` gives the place of a customer's tier, or of an
    order's category where that is not known, lower first. `scheduled` says of each code that is tried again at a moment which one: a word
    of `WAITS_BY_ITSELF` or `MOMENTS`, or hours such as `24h`. `outages` gives by partner when it counts as down and as up, and under
    OTHER_PARTNERS that of all others.
    """

    version: str
    valid_from: str
    reasons: Mapping[str, Reason]
    steps: Mapping[str, StepCodes]
    retries: Retries
    escalation: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)
    scheduled: Mapping[str, str] = field(default_factory=dict)
    outages: Mapping[str, OutageRule] = field(default_factory=dict)

    def outage_rule(self, partner: str) -> OutageRule:
        """Give the rule by which a partner goes down and comes up."""
        return self.outages.get(partner) or self.outages.get(OTHER_PARTNERS, USUAL_OUTAGES)

    def ours(self, step: str, code: str) -> str:
        """Give our code for that of the step's partner; `unclassified` for one that is mapped to none."""
        return self.steps[step].codes.get(code, UNCLASSIFIED)


@dataclass(frozen=True, slots=True)
class CodeBook:
    """All versions of the table, the oldest first."""

    versions: tuple[Codes, ...]

    def at(self, moment: datetime) -> Codes:
        """Give the version in force at a moment: of those that are valid by then, the one that was loaded last."""
        if len(self.versions) == 1:  # as in most stores, and asked at every decision
            return self.versions[0]
        day = moment.astimezone(UTC).date().isoformat()
        return next((codes for codes in reversed(self.versions) if codes.valid_from <= day), self.versions[0])

    @property
    def newest(self) -> Codes:
        """The version that was loaded last."""
        return self.versions[-1]

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue of any version, in alphabetical order."""
        return tuple(sorted({reason.queue for codes in self.versions for reason in codes.reasons.values()}))
