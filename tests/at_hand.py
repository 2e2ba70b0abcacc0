"""The files that the examples of the help pages name, as somebody has them at hand."""

from pathlib import Path

USAGE = "party,kind,start,quantity\n+447700900123,voice,2026-01-20T12:00:00Z,61\n"
DEVICES = "imei,sku\n001010120000003,lark-9-black-128\n"
WHAT_IF = """
from dataclasses import replace
from projections.orders import ORDERS
LOUD = replace(ORDERS, rows=lambda group, doc: [{**row, "channel": row["channel"].upper()} for row in ORDERS.rows(group, doc)])
"""
FAULTS = """
[[fault]]
partner = "network"
kind = "outage"
percent = 100
from = 2026-03-02T10:00:00Z
to = 2026-03-02T12:00:00Z
"""
RATES = 'version = "ours-1"\nvalid_from = "2026-01-01"\n[minutes]\nretry = 3\n'
CODES = 'version = "ours-1"\nvalid_from = "2026-01-01"\n[codes.NP-CODE]\nseverity = 2\n'
JWKS = '{"keys": [{"kid": "1", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
"""The public key of RFC 8037, appendix A.2."""
FIX = CODES + '[correct]\nportInCode = "ABC123456"\n'
CHANGED = '{"requestedCompletionDate": "2026-02-27"}'
"""A merge patch on the paper of an order."""
ZONES = """version = "2026-02"
valid_from = "2026-02-01"
market = "GB"
other_band = "evening"
[[bands]]
name = "day"
weekdays = ["mon", "tue", "wed", "thu", "fri", "sat"]
from_hour = 8
to_hour = 20
"""
TEMPLATES = 'version = "ours-1"\n[en.messages.received]\nsubject = "Order $order"\ntext = "We have it, $name."\n'
TRIGGERS = """
[triggers.slow-ports]
on = "porting.fell-out"
when = [{ compare = "equals", field = "reason", value = "NP-CODE" }]
then = { do = "task", queue = "porting", text = "Ask the customer for another code" }

[triggers.asked]
on = "customer.contacted"
when = [{ compare = "equals", field = "topic", value = "where-is-my-order" }]
then = { do = "alarm", severity = 4, text = "Somebody asks where an order is" }
"""
OFFERS = """version = "ours-1"
[[offers]]
name = "month-free"
remedy = "free-period"
when = ["complaint-open"]
reason = "a complaint is open"
held_out_percent = 20
"""
AGREEMENTS = """version = "ours-1"
[tiers.standard]
contacts = {}
until_hour = 18
complete_within_days = 30
"""
JOURNEYS = """version = "ours-1"
lost_after_days = 7
follows_within_days = 7
apart = []
[outreach]
after_minutes = 30
within_days = 5
tries_max = 2
budget_minor = { GB = 1500 }
"""
FILES = {
    "agreements.toml": AGREEMENTS,
    "journeys.toml": JOURNEYS,
    "offers.toml": OFFERS,
    "triggers.toml": TRIGGERS,
    "templates.toml": TEMPLATES,
    "zones.toml": ZONES,
    "what_if.py": WHAT_IF,
    "faults.toml": FAULTS,
    "codes.toml": CODES,
    "fix.toml": FIX,
    "rates.toml": RATES,
    "usage.csv": USAGE,
    "devices.csv": DEVICES,
    "keys.json": JWKS,
    "changed.json": CHANGED,
    "changes.csv": "product,offering,effective\n6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1,lark-second,bill-date\n",
}


def lay_out(folder: Path) -> None:
    """Write them all into a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
