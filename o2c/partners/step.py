"""The entry of partners for the plan: the probe of one that was found to be down."""

from __future__ import annotations

from o2c.kernel.step import Step
from o2c.partners import rules
from o2c.partners.events import PartnerProbeFellOut, PartnerProbeRequested
from o2c.partners.state import PROBE as NAME

PROBE = Step(
    name=NAME,
    requested=PartnerProbeRequested,
    fell_out=PartnerProbeFellOut,
    complete=rules.open_probe,
    wanted=rules.probe_wanted,
    facts=rules.probe_facts,
)
