"""Keys and issuers on which each rule about them can be tried."""

import pytest

from o2c.access.events import IssuerTrusted, KeyIssued
from o2c.access.rules import distrust, issue, revoke, trust, use
from o2c.access.state import ISSUERS, KEY

ISSUED, TRUSTED = KeyIssued.model_validate(KeyIssued.example), IssuerTrusted.model_validate(IssuerTrusted.example)
OF_ACCESS = [
    pytest.param(KEY, KEY.initial(""), lambda s: issue(s, ISSUED), id="issue-a-key"),
    pytest.param(KEY, KEY.evolve(KEY.initial(""), ISSUED), lambda s: revoke(s, ISSUED.prefix, note="lost"), id="revoke-a-key"),
    pytest.param(KEY, KEY.evolve(KEY.initial(""), ISSUED), lambda s: use(s, ISSUED.prefix, on_day="2026-11-27"), id="use-a-key"),
    pytest.param(ISSUERS, ISSUERS.initial(""), lambda s: trust(s, TRUSTED), id="trust-an-issuer"),
    pytest.param(
        ISSUERS, ISSUERS.evolve(ISSUERS.initial(""), TRUSTED), lambda s: distrust(s, TRUSTED.issuer, note="stolen"), id="distrust-an-issuer"
    ),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
