"""Quota's entry for the plan: the expiry of prepaid money."""

from __future__ import annotations

from o2c.kernel.step import Step
from o2c.quota import rules
from o2c.quota.events import PREPAID_EXPIRY, PrepaidExpiryFellOut, PrepaidExpiryRequested

STEP = Step(name=PREPAID_EXPIRY, requested=PrepaidExpiryRequested, fell_out=PrepaidExpiryFellOut, complete=rules.expire)
