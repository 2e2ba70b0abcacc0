"""An example of a request for every operation of the native API, by the names of its parameters: the description shows it, and a test sends
it to a store in which what it names stands (`tests/stories/test_examples.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORDER = "WEB-1001"
FALLOUT = "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"
JOB = "9b643193-1fc8-554d-902f-0b9c30640255"
HOOK = "0f9a539f-1160-5491-b1bc-7b8723669fe1"
INVOICE = "BA-C-1001-20260108"
MSISDN, ICCID, IMEI = "+447700900123", "8944980000000000005", "001010120000003"
PRODUCT = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"
LINK = "v1.eyJvcmRlciI6ICIuLi4ifQ.signature"
"""What the page of a customer's own order is asked by; `orders.link` gives it."""
COMPLAINT = "0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f"
JOURNEY = "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6"
PREFIX = "4f2a9c01b7de"
ISSUER = "https://login.example.net/"
WISH = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"
"""An Idempotency-Key."""
ANY_VERSION = "*"
"""An If-Match that takes whatever stands."""
JWKS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
POLICY = 'version = "other"\nvalid_from = "2026-01-01"\n'
OFFERINGS = '[{"id": "lark-line", "version": "2.0", "lifecycleStatus": "Draft", "productSpecification": {"id": "spec-mobile"}}]'
MESSAGE = "2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11"
TEMPLATES = 'version = "own-1"\n[en.messages.received]\nsubject = "Order $order"\ntext = "We have your order $order."\n'
OFFERS = """version = "own-1"
[[offers]]
name = "month-free"
remedy = "free-period"
when = ["complaint-open"]
reason = "a complaint is open"
held_out_percent = 10
"""
AGREEMENTS = """version = "own-1"
[tiers.standard]
contacts = {}
until_hour = 18
complete_within_days = 30
"""
JOURNEYS = """version = "own-1"
lost_after_days = 7
follows_within_days = 7
apart = []
[outreach]
after_minutes = 30
within_days = 5
tries_max = 2
budget_minor = { GB = 1000 }
"""
TRIGGERS = """[triggers.slow-ports]
on = "porting.fell-out"
when = [{ compare = "equals", field = "reason", value = "NP-NOANS" }]
then = { do = "task", queue = "porting", severity = 2, text = "Ask the other provider" }
"""
FIX = '[correct]\nparty = "C-1001"\n'
_PARTY = {
    "@type": "Individual", "id": "C-2001", "givenName": "Ada", "familyName": "Example", "birthDate": "1980-02-29",
    "partyCharacteristic": [{"name": "paymentMethod", "value": "card"}],
}  # fmt: skip
_LINE = {
    "id": "1",
    "action": "add",
    "quantity": 1,
    "productOffering": {"id": "lark-line"},
    "product": {"productCharacteristic": [{"name": "simType", "value": "esim"}, {"name": "commitmentMonths", "value": "12"}]},
}
_PAPER = {
    "externalId": "WEB-2001",
    "orderDate": "2026-01-05T09:00:00Z",
    "category": "consumer",
    "priority": "4",
    "channel": [{"id": "web"}],
    "billingAccount": {"id": "BA-C-1001"},
    "relatedParty": [{"id": "C-1001", "role": "customer"}],
    "productOrderItem": [_LINE],
}
_USAGE = {
    "key": "msc-1-17",
    "party": MSISDN,
    "kind": "voice",
    "start": "2026-01-20T12:00:00Z",
    "quantity": 61,
    "destination": "+447700900999",
}
_SINCE = "2026-01-01T00:00:00Z"

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "access.permissions": {},
    "access.records": {"customer": "C-1001", "limit": 20},
    "accounts.list": {"accounts": ["BA-C-1001"]},
    "allowances.buy": {"account": "BA-C-1001", "offering": "data-pack"},
    "accounts.place": {"customer": "C-1001", "account": "GROUP-1", "level": "entity", "pays": "itself"},
    "accounts.tree": {"customer": "C-1001"},
    "allowances.show": {"account": "BA-C-1001"},
    "assurance": {"rule": "ceased-but-billed", "days": 35},
    "balance.show": {"account": "BA-C-1001"},
    "vouchers.issue": {"campaign": "SUMMER", "percent": "20", "months": 3, "codes": ["SUMMER-A1", "SUMMER-B2"], "budget": "1000.00"},
    "vouchers.show": {"campaign": "SPRING"},
    "care.agreements": {},
    "care.due": {"tier": "key-account", "state": "missed", "limit": 20},
    "care.load": {"definitions": AGREEMENTS},
    "catalogue.announce-rise": {"offering": "lark-line", "amount": "1.50", "from_day": "2026-06-01"},
    "catalogue.diff": {"a": 1},
    "catalogue.dry-run": {"offerings": OFFERINGS, "since": _SINCE},
    "catalogue.list": {"offering": "lark-line"},
    "catalogue.offerings": {},
    "collections.hold": {"account": "BA-C-1001", "kind": "vulnerable", "note": "told us on the telephone"},
    "collections.list": {"stage": "reminder", "limit": 20},
    "collections.plan": {"account": "BA-C-1001", "parts": {"2026-02-27": "5.00", "2026-03-27": "5.00"}},
    "collections.promise": {"account": "BA-C-1001", "amount": "5.00", "by": "2026-02-16"},
    "collections.release": {"account": "BA-C-1001", "kind": "vulnerable"},
    "conformance": {},
    "conformance.states": {"machine": "complaint-states"},
    "counterfactual": {"policy": POLICY, "since": _SINCE},
    "journeys.list": {"state": "open", "limit": 20},
    "journeys.load-policy": {"definitions": JOURNEYS},
    "journeys.note": {
        "kind": "failed",
        "channel": "web",
        "login": "ada@example.org",
        "offerings": ["lark-line"],
        "value": "24.00",
        "error": "HTTP-504",
        "waited_s": 94,
    },
    "journeys.order": {"journey": JOURNEY, "channel": "call", "external_id": "TEL-1"},
    "journeys.policy": {},
    "journeys.reach": {"journey": JOURNEY, "medium": "call", "outcome": "reached", "voucher": "SORRY-A1"},
    "journeys.show": {"journey": JOURNEY, "personal": True, "why": "the customer rang"},
    "complaints.answer": {"complaint": COMPLAINT, "channel": "store", "remedy": "free-period", "note": "a month free"},
    "complaints.escalate": {"complaint": COMPLAINT, "team": "care-management"},
    "complaints.list": {"state": "open", "personal": True, "why": "the customer rang"},
    "complaints.open": {"customer": "C-1001", "topic": "port", "channel": "web", "note": "the number never came"},
    "complaints.show": {"complaint": COMPLAINT, "personal": True, "why": "the customer rang"},
    "complaints.resolve": {"complaint": COMPLAINT, "remedy": "free-period", "channel": "store"},
    "customers.context": {"customer": "C-1001"},
    "customers.contact": {"customer": "C-1001", "medium": "call", "topic": "port", "note": "asked when the number comes"},
    "customers.list": {"limit": 20},
    "customers.register": {"paper": _PARTY},
    "customers.told": {"name": "C-1001"},
    "customers.show": {"name": "C-1001", "personal": True, "why": "the customer rang"},
    "diagnose": {"quick": True},
    "devices.block": {"imei": IMEI, "cause": "stolen"},
    "devices.show": {"imei": IMEI},
    "devices.unblock": {"imei": IMEI, "reason": "found"},
    "disputes.open": {"invoice": INVOICE, "amount": "1.00", "note": "says she never called there"},
    "disputes.settle": {"invoice": INVOICE, "outcome": "operator"},
    "events.find": {"types": ["order.*"], "limit": 20},
    "events.last": {},
    "events.page": {"types": ["order.*"], "limit": 20},
    "fallout.actions": {},
    "fallout.apply-fix": {"fix": FIX, "reason": "DQ-PARTY", "note": "the channel had mixed up its customers"},
    "fallout.bulk": {"query": {"reason": "NP-CODE"}, "way": {"action": "note"}, "note": "all rang up", "dry_run": True},
    "fallout.codes": {},
    "fallout.forget-view": {"name": "ports without a code"},
    "fallout.groups": {"open_only": True, "limit": 20},
    "fallout.job": {"job": JOB},
    "fallout.list": {"reason": "NP-CODE", "sort": "oldest", "limit": 20},
    "fallout.prove": {"fix": FIX, "reason": "DQ-PARTY"},
    "fallout.resolve": {
        "fallout": FALLOUT,
        "resolution": {"action": "correct", "changes": {"portInCode": "ABC123456"}},
        "note": "the customer gave the code",
    },
    "fallout.save-view": {"name": "old ports", "reason": "NP-CODE", "sort": "oldest"},
    "fallout.saved-views": {"owner": "ann"},
    "fallout.show": {"name": FALLOUT},
    "fallout.work": {"fallout": FALLOUT, "handling": {"action": "note"}, "note": "rang, nobody there"},
    "hooks.allow-private-address": {"hook": HOOK},
    "hooks.deliveries": {"hook": HOOK, "state": "delivered", "limit": 20},
    "hooks.list": {},
    "hooks.resend": {"hook": HOOK, "since": _SINCE},
    "hooks.resume": {"hook": HOOK},
    "hooks.rotate": {"hook": HOOK},
    "hooks.subscribe": {"url": "https://shop.example/told", "types": ["order.*"]},
    "hooks.unsubscribe": {"hook": HOOK},
    "credit-notes.approve": {"invoice": INVOICE, "note": f"{INVOICE}-C1"},
    "credit-notes.issue": {
        "invoice": INVOICE,
        "reason": "goodwill",
        "lines": {"1": "0.50"},
        "comment": "two days without service",
    },
    "instalments.settle": {"account": "BA-C-1", "order": ORDER, "item": "1"},
    "instalments.show": {"account": "BA-C-1", "on": "2026-02-16"},
    "invoices.html": {"invoice": INVOICE},
    "credit-notes.preview": {"invoice": INVOICE, "lines": {"1": "0.50"}},
    "invoices.pdf": {"invoice": INVOICE},
    "invoices.show": {"invoice": INVOICE},
    "invoices.ubl": {"invoice": INVOICE, "personal": True},
    "invoices.void": {"invoice": INVOICE, "reason": "billed-in-error"},
    "issuers.distrust": {"issuer": ISSUER, "note": "we changed to another one"},
    "issuers.list": {},
    "issuers.trust": {"issuer": ISSUER, "audience": "o2c", "jwks": JWKS, "claim": "groups", "roles": {"care-desk": "agent"}},
    "jeopardy.list": {"level": "critical", "limit": 20},
    "jeopardy.score": {},
    "keys.issue": {"acts_as": "web-shop", "roles": ["service"], "days": 90, "operations": ["orders.capture", "orders.show"]},
    "keys.list": {},
    "keys.revoke": {"prefix": PREFIX, "note": "the laptop was stolen"},
    "ledger.close": {"day": "2026-01-09"},
    "ledger.closings": {"limit": 20},
    "ledger.export": {"since": "2026-01-01", "on": "2026-01-31"},
    "ledger.trial-balance": {"on": "2026-01-31"},
    "limits.agree": {"account": "BA-C-1001", "notice": "bill-2026-01-08-100"},
    "limits.set": {"account": "BA-C-1001", "amount": "20.00"},
    "limits.show": {"account": "BA-C-1001"},
    "messages.bounced": {"message": MESSAGE, "code": "5.1.1"},
    "messages.list": {"order": ORDER, "limit": 20},
    "messages.load-templates": {"templates": TEMPLATES},
    "messages.resend": {"message": MESSAGE, "medium": "letter"},
    "messages.show": {"message": MESSAGE},
    "messages.silences": {"limit": 20},
    "messages.start": {"sender": "orders@example.org", "operator": "Example Mobile", "email": "file", "letter": "file"},
    "messages.stop": {},
    "messages.templates": {"language": "nl", "milestone": "received"},
    "metrics.ageing": {"limit": 20},
    "metrics.ages": {},
    "metrics.cycle-time": {},
    "metrics.durations": {"since": _SINCE, "limit": 20},
    "metrics.explain": {"name": "fallout-rate", "by": "reason", "since": _SINCE},
    "metrics.flow": {"since": _SINCE},
    "metrics.funnel": {"since": _SINCE},
    "metrics.headlines": {"since": _SINCE},
    "metrics.list": {},
    "promises.count": {},
    "promises.list": {"state": "broken", "limit": 20},
    "queues.forecast": {"seed": 1},
    "metrics.orders": {"name": "fallout-rate", "limit": 20},
    "metrics.promises": {},
    "metrics.waiting": {"since": _SINCE, "limit": 20},
    "number-ranges.approve": {
        "first": 990000001,
        "last": 990005000,
        "prefix": "SETP",
        "approval": "18760000001",
        "valid_from": "2027-01-01",
        "valid_to": "2027-12-31",
        "market": "PT",
        "papers": "invoices",
    },
    "number-ranges.close": {"number_range": "SETP990000001"},
    "number-ranges.list": {"market": "PT"},
    "numbers.release": {"msisdn": MSISDN},
    "numbers.reserve": {"msisdn": MSISDN, "order": ORDER, "note": "the customer wished for it"},
    "numbers.show": {"msisdn": MSISDN},
    "orders.amend": {"name": ORDER, "merge": True, "paper": {"productOrderItem": [_LINE]}},
    "orders.annotate": {"name": ORDER, "amendment": {"priority": 1, "note": "rang twice"}},
    "orders.answer": {"link": LINK, "fallout": FALLOUT, "changes": {"portInCode": "ABC123456"}},
    "orders.assess": {"name": ORDER, "merge": True, "paper": {"productOrderItem": [_LINE]}},
    "orders.by-link": {"link": LINK},
    "orders.cancel": {"name": ORDER, "note": "changed their mind", "reason": "changed-mind"},
    "orders.resume": {"name": ORDER, "note": "the keys came early"},
    "orders.suspend": {"name": ORDER, "until": "2026-05-01T00:00:00Z", "waits_for": "customer", "note": "moves in later"},
    "orders.cancellations": {"limit": 20},
    "orders.capture": {"paper": _PAPER},
    "orders.diff": {"name": ORDER, "other": ORDER},
    "orders.document": {"name": ORDER},
    "orders.documents": {"states": ["completed"], "sort": "-captured_at", "limit": 20},
    "offers.effect": {"days": 30},
    "offers.list": {},
    "offers.load": {"definitions": OFFERS},
    "orders.fields": {"name": ORDER},
    "orders.find": {"text": ORDER},
    "orders.link": {"name": ORDER, "days": 14},
    "orders.list": {"state": "completed", "limit": 20},
    "orders.plan": {"name": ORDER},
    "orders.promises": {"name": ORDER},
    "orders.sites": {"name": ORDER},
    "orders.show": {"name": ORDER},
    "orders.timeline": {"name": ORDER},
    "orders.told": {"name": ORDER},
    "orders.withdraw": {"name": ORDER, "note": "changed their mind"},
    "partners.down": {"partner": "network", "reason": "planned work until noon"},
    "partners.faults": {},
    "partners.link": {"partner": "credit-bureau", "url": "https://bureau.example.net/", "credential": "BUREAU_KEY"},
    "partners.list": {},
    "partners.plan-faults": {"rows": [{"partner": "courier", "kind": "transient", "percent": "5"}]},
    "partners.simulate": {"partner": "credit-bureau"},
    "partners.status": {},
    "partners.up": {"partner": "network", "reason": "they rang"},
    "payments.chargeback": {"invoice": INVOICE, "case": "CB-20417", "amount": "1.00", "reason": "10.4"},
    "payments.chargeback-won": {"invoice": INVOICE, "case": "CB-20417"},
    "payments.preview": {"invoice": INVOICE, "to": "BA-C-1002-20260208"},
    "payments.move": {"invoice": INVOICE, "to": "BA-C-1002-20260208", "reason": "typed one digit wrong"},
    "payments.deposit": {"order": ORDER, "amount": "10.00", "reference": "TFR-77"},
    "payments.invoices": {"customers": ["C-1001"], "limit": 20},
    "payments.owed": {"limit": 20},
    "payments.record": {"invoice": INVOICE, "amount": "5.00", "reference": "TFR-78"},
    "payments.refund": {"account": "BA-C-1001", "amount": "5.00", "reference": "TFR-79"},
    "payments.retry": {"invoice": INVOICE, "note": "a new card"},
    "payments.show": {"invoice": INVOICE},
    "ports.cancel": {"name": ORDER, "note": "stays with the old provider"},
    "ports.late": {"market": "GB", "limit": 20},
    "refunds.approve": {"account": "BA-C-1001", "refund": "BA-C-1001-R9"},
    "refunds.paid": {"account": "BA-C-1001", "refund": "BA-C-1001-R9", "reference": "RFD-204417"},
    "refunds.give-up": {"account": "BA-C-1001", "refund": "BA-C-1001-R9", "reason": "his account at the bank is closed"},
    "refunds.request": {"account": "BA-C-1001", "amount": "0.50"},
    "products.history": {"product": PRODUCT},
    "products.lock": {"product": PRODUCT, "lift": False},
    "products.port-out": {"product": PRODUCT, "operator": "Other Mobile", "reference": "PRT-901", "code": "EXO123456"},
    "products.port-out-cancel": {"product": PRODUCT, "reference": "PRT-901"},
    "products.porting-code": {"product": PRODUCT},
    "products.withdraw": {"product": PRODUCT},
    "products.withdrawal": {"product": PRODUCT},
    "returns.grade": {"product": PRODUCT, "found": "as-new"},
    "returns.list": {"customers": ["C-1001"], "late": False, "limit": 20},
    "returns.sent": {"product": PRODUCT, "sent_on": "2026-01-11", "reference": "PCL-20395"},
    "returns.show": {"product": PRODUCT},
    "products.list": {"customers": ["C-1001"], "limit": 20},
    "products.notices": {"product": PRODUCT},
    "products.switch": {"product": PRODUCT, "reference": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "message": "order", "on": "2026-03-19"},
    "products.switch-match": {
        "gaining": "Other Fibre",
        "request": "OTS-77120",
        "name": "Ada Example",
        "address": "1 Mill Lane, Testford, ZZ1 1AA",
    },
    "products.bulk-change": {
        "account": "BA-C-1001",
        "changes": [{"product": PRODUCT, "offering": "lark-second", "effective": "bill-date"}],
    },
    "products.transfer": {"product": PRODUCT, "to": "C-1002", "commitment": "taken-over"},
    "projections.history": {},
    "projections.parked": {},
    "projections.skipped": {},
    "projections.status": {},
    "sims.show": {"iccid": ICCID},
    "sql": {"statement": "SELECT channel, count(*) AS n FROM analyst.order_captured GROUP BY channel"},
    "status": {},
    "stock.levels": {"kind": "device"},
    "streams.show": {"name": f"sim-{ICCID}"},
    "prepaid.refund": {"account": "BA-C-1001"},
    "prepaid.show": {"account": "BA-C-1001"},
    "prepaid.top-up": {"account": "BA-C-1001", "amount": "10.00", "reference": "PAY-7781"},
    "quota.commit": {"account": "BA-C-1001", "session": "pcf-1;1767;42", "used": 18000000, "request": 1},
    "quota.release": {"account": "BA-C-1001", "session": "pcf-1;1767;43", "request": 1},
    "quota.reserve": {"party": "BA-C-1001", "session": "pcf-1;1767;42", "kind": "data", "quantity": 20000000},
    "triggers.dry-run": {"definitions": TRIGGERS, "since": _SINCE},
    "triggers.firings": {"does": "task", "limit": 20},
    "triggers.list": {},
    "triggers.retire": {"trigger": "slow-ports"},
    "triggers.set": {"definitions": TRIGGERS},
    "triggers.show": {"trigger": "slow-ports"},
    "usage.gaps": {"limit": 20},
    "usage.list": {"account": "BA-C-1001", "limit": 20},
    "usage.purge": {},
    "usage.take": {"document": _USAGE},
    "usage.zones": {"market": "GB"},
}
"""By operation, what is sent. A parameter that is the whole body stands under its name."""
