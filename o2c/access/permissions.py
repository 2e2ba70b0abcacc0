"""The table of permissions: one line an operation, one column a role. What no line allows is forbidden.

`yes`: may, with what is personal where it is asked for. `masked`: may, with nothing personal and numbers masked. `own`: may, of what it
began itself (an order that it captured, a customer that it registered). `-`: may not. Whoever has the machine (the role `operator`) may
everything and stands in no column. An operation with a slash is a part of one that takes more than the whole does.
"""

from __future__ import annotations

from collections.abc import Mapping

YES, MASKED, OWN, NO = "yes", "masked", "own", "-"
CELLS = frozenset({YES, MASKED, OWN, NO})
HOLDER, BY_LINK = "holder", frozenset({"orders.answer", "orders.by-link"})
"""Whoever has the link of an order, and what he may: the link says which order, so it is no role that somebody is given."""
OPERATOR = "operator"
"""Whoever has the machine, or embeds the engine in a service of his own."""

TABLE = """
operation                service  agent   supervisor  analyst  auditor  privacy-officer  admin
access.permissions       yes      yes     yes         yes      yes      yes              yes
access.records           -        -       -           -        yes      yes              -
accounts.list            -        yes     yes         masked   yes      yes              -
accounts.place           -        yes     yes         -        -        -                -
accounts.tree            -        yes     yes         masked   yes      yes              -
allowances.buy           yes      yes     yes         -        -        -                -
allowances.show          yes      yes     yes         masked   yes      yes              -
assurance                -        -       yes         masked   yes      -                -
balance.show             -        yes     yes         masked   yes      yes              -
care.agreements          -        yes     yes         yes      yes      yes              -
care.due                 -        yes     yes         masked   yes      yes              -
care.load                -        -       yes         -        -        -                -
catalogue.announce-rise  -        -       yes         -        -        -                -
catalogue.diff           yes      yes     yes         yes      yes      yes              yes
catalogue.dry-run        -        -       yes         masked   yes      -                -
catalogue.list           yes      yes     yes         yes      yes      yes              yes
catalogue.load           -        -       -           -        -        -                -
catalogue.offerings      yes      yes     yes         yes      yes      yes              yes
collections.hold         -        yes     yes         -        -        -                -
collections.list         -        yes     yes         masked   yes      -                -
collections.plan         -        yes     yes         -        -        -                -
collections.promise      -        yes     yes         -        -        -                -
collections.release      -        yes     yes         -        -        -                -
complaints.answer        -        yes     yes         -        -        -                -
complaints.escalate      -        yes     yes         -        -        -                -
complaints.list          -        yes     yes         masked   yes      yes              -
complaints.open         yes      yes     yes         -        -        -                -
complaints.resolve       -        yes     yes         -        -        -                -
complaints.show          -        yes     yes         masked   yes      yes              -
conformance              -        -       yes         masked   yes      -                -
conformance.states       -        -       yes         masked   yes      -                -
counterfactual           -        -       yes         masked   yes      -                -
credit-notes.approve     -        -       yes         -        -        -                -
credit-notes.issue       -        yes     yes         -        -        -                -
credit-notes.preview     -        yes     yes         masked   yes      -                -
customers.contact        own      yes     yes         -        -        -                -
customers.context        own      yes     yes         masked   yes      yes              -
customers.list           own      yes     yes         masked   yes      yes              -
customers.load           -        -       -           -        -        -                -
customers.register       yes      yes     yes         -        -        -                -
customers.show           own      yes     yes         masked   yes      yes              -
customers.told           own      yes     yes         masked   yes      yes              -
devices.block            -        yes     yes         -        -        -                -
devices.show             -        yes     yes         masked   yes      yes              -
devices.unblock          -        -       yes         -        -        -                -
diagnose                 -        -       -           -        yes      -                yes
disputes.open            -        yes     yes         -        -        -                -
disputes.settle          -        -       yes         -        -        -                -
events.find              -        yes     yes         masked   yes      yes              -
events.last              yes      yes     yes         yes      yes      yes              yes
events.page              -        yes     yes         masked   yes      yes              -
events.tail              -        yes     yes         masked   yes      yes              -
events.wait              yes      yes     yes         yes      yes      yes              yes
fallout.actions          yes      yes     yes         yes      yes      yes              yes
fallout.apply-fix        -        -       yes         -        -        -                -
fallout.apply-fix/codes  -        -       -           -        -        -                -
fallout.bulk             -        -       yes         -        -        -                -
fallout.codes            yes      yes     yes         yes      yes      yes              yes
fallout.forget-view      -        yes     yes         -        -        -                -
fallout.groups           -        yes     yes         masked   yes      -                -
fallout.job              -        yes     yes         masked   yes      -                -
fallout.list             -        yes     yes         masked   yes      -                -
fallout.load-codes       -        -       -           -        -        -                -
fallout.load-rates       -        -       -           -        -        -                -
fallout.prove            -        yes     yes         masked   yes      -                -
fallout.resolve          -        yes     yes         -        -        -                -
fallout.resolve/agree    -        -       yes         -        -        -                -
fallout.save-view        -        yes     yes         -        -        -                -
fallout.saved-views      -        yes     yes         -        yes      -                -
fallout.show             -        yes     yes         masked   yes      yes              -
fallout.work             -        yes     yes         -        -        -                -
fallout.work/assign      -        -       yes         -        -        -                -
hooks.allow-private-address  -   -       -           -        -        -                yes
hooks.deliveries         own      -       yes         -        yes      -                yes
hooks.list               own      -       yes         -        yes      -                yes
hooks.resend             own      -       yes         -        -        -                yes
hooks.resume             own      -       yes         -        -        -                yes
hooks.rotate             own      -       yes         -        -        -                -
hooks.subscribe          own      -       yes         -        -        -                -
hooks.subscribe/unmasked  -      -       yes         -        -        -                -
hooks.unsubscribe        own      -       yes         -        -        -                yes
instalments.settle       -        yes     yes         -        -        -                -
instalments.show         -        yes     yes         masked   yes      yes              -
invoices.html            own      yes     yes         masked   yes      yes              -
invoices.pdf             own      yes     yes         masked   yes      yes              -
invoices.show            own      yes     yes         masked   yes      yes              -
invoices.ubl             own      yes     yes         masked   yes      yes              -
invoices.void            -        -       yes         -        -        -                -
issuers.distrust         -        -       -           -        -        -                yes
issuers.list             -        -       -           -        yes      -                yes
issuers.trust            -        -       -           -        -        -                yes
jeopardy.list            -        yes     yes         masked   yes      -                -
jeopardy.score           -        yes     yes         yes      yes      -                -
journeys.list            yes      yes     yes         masked   yes      yes              -
journeys.load-policy     -        -       yes         -        -        -                -
journeys.note            yes      yes     yes         -        -        -                -
journeys.order           yes      yes     yes         -        -        -                -
journeys.policy          yes      yes     yes         yes      yes      yes              -
journeys.reach           -        yes     yes         -        -        -                -
journeys.show            yes      yes     yes         masked   yes      yes              -
keys.issue               -        -       -           -        -        -                yes
keys.list                -        -       -           -        yes      -                yes
keys.revoke              -        -       -           -        -        -                yes
ledger.close             -        -       yes         -        -        -                -
ledger.closings          -        -       yes         yes      yes      -                -
ledger.export            -        -       yes         masked   yes      -                -
ledger.trial-balance     -        -       yes         yes      yes      -                -
limits.agree             yes      yes     yes         -        -        -                -
limits.set               yes      yes     yes         -        -        -                -
limits.show              yes      yes     yes         masked   yes      yes              -
messages.bounced         yes      yes     yes         -        -        -                -
messages.list            -        yes     yes         masked   yes      yes              -
messages.load-templates  -        -       yes         -        -        -                yes
messages.resend          -        yes     yes         -        -        -                -
messages.show            -        yes     yes         masked   yes      yes              -
messages.silences        -        yes     yes         masked   yes      -                -
messages.start           -        -       -           -        -        -                yes
messages.stop            -        -       yes         -        -        -                yes
messages.templates       yes      yes     yes         yes      yes      yes              yes
metrics.ageing           -        yes     yes         masked   yes      -                -
metrics.ages             -        yes     yes         yes      yes      -                -
metrics.cycle-time       -        yes     yes         yes      yes      -                -
metrics.durations        -        yes     yes         yes      yes      -                -
metrics.explain          -        yes     yes         yes      yes      -                -
metrics.flow             -        yes     yes         yes      yes      -                -
metrics.funnel           -        yes     yes         yes      yes      -                -
metrics.headlines        -        yes     yes         yes      yes      -                -
metrics.list             yes      yes     yes         yes      yes      yes              yes
metrics.orders           -        yes     yes         masked   yes      -                -
metrics.promises         -        yes     yes         yes      yes      -                -
metrics.waiting          -        yes     yes         masked   yes      -                -
number-ranges.approve    -        -       yes         -        -        -                -
number-ranges.close      -        -       yes         -        -        -                -
number-ranges.list       -        yes     yes         yes      yes      -                -
numbers.release          -        yes     yes         -        -        -                -
numbers.reserve          -        yes     yes         -        -        -                -
numbers.show             -        yes     yes         masked   yes      yes              -
offers.effect            -        -       yes         yes      yes      -                -
offers.list              yes      yes     yes         yes      yes      yes              -
offers.load              -        -       yes         -        -        -                -
orders.amend             own      yes     yes         -        -        -                -
orders.annotate          own      yes     yes         -        -        -                -
orders.answer            yes      -       -           -        -        -                -
orders.assess            own      yes     yes         masked   yes      yes              -
orders.by-link           yes      yes     yes         -        yes      -                -
orders.cancel            own      yes     yes         -        -        -                -
orders.cancellations     own      yes     yes         masked   yes      yes              -
orders.capture           yes      yes     yes         -        -        -                -
orders.diff              -        yes     yes         masked   yes      yes              -
orders.document          own      yes     yes         masked   yes      yes              -
orders.documents         own      yes     yes         masked   yes      yes              -
orders.fields            own      yes     yes         masked   yes      yes              -
orders.find              -        yes     yes         -        yes      yes              -
orders.ingest            -        -       -           -        -        -                -
orders.link              own      yes     yes         -        -        -                -
orders.list              own      yes     yes         masked   yes      yes              -
orders.plan              own      yes     yes         masked   yes      yes              -
orders.promises          own      yes     yes         masked   yes      yes              -
orders.resume            own      yes     yes         -        -        -                -
orders.show              own      yes     yes         masked   yes      yes              -
orders.sites             own      yes     yes         masked   yes      yes              -
orders.suspend           own      yes     yes         -        -        -                -
orders.timeline          own      yes     yes         masked   yes      yes              -
orders.told              own      yes     yes         masked   yes      yes              -
orders.withdraw          own      yes     yes         -        -        -                -
partners.down            -        -       yes         -        -        -                yes
partners.faults          -        -       yes         yes      yes      -                yes
partners.link            -        -       -           -        -        -                yes
partners.list            -        -       yes         yes      yes      -                yes
partners.plan-faults     -        -       -           -        -        -                yes
partners.simulate        -        -       -           -        -        -                yes
partners.status          yes      yes     yes         yes      yes      -                yes
partners.up              -        -       yes         -        -        -                yes
payments.chargeback      yes      -       yes         -        -        -                -
payments.chargeback-won  yes      -       yes         -        -        -                -
payments.deposit         yes      yes     yes         -        -        -                -
payments.invoices        -        yes     yes         masked   yes      yes              -
payments.move            -        -       yes         -        -        -                -
payments.owed            -        yes     yes         masked   yes      -                -
payments.preview         -        yes     yes         masked   yes      -                -
payments.record          yes      yes     yes         -        -        -                -
payments.refund          yes      -       yes         -        -        -                -
payments.retry           yes      yes     yes         -        -        -                -
payments.show            own      yes     yes         masked   yes      yes              -
ports.cancel             own      yes     yes         -        -        -                -
ports.late               -        yes     yes         masked   yes      -                -
prepaid.refund           yes      yes     yes         -        -        -                -
prepaid.show             yes      yes     yes         masked   yes      yes              -
prepaid.top-up           yes      yes     yes         -        -        -                -
products.bulk-change     -        yes     yes         -        -        -                -
products.history         -        yes     yes         masked   yes      yes              -
products.list            own      yes     yes         masked   yes      yes              -
products.lock            -        yes     yes         -        -        -                -
products.notices         -        yes     yes         masked   yes      yes              -
products.port-out        yes      yes     yes         -        -        -                -
products.port-out-cancel yes      yes     yes         -        -        -                -
products.porting-code    -        yes     yes         -        -        -                -
products.switch          yes      yes     yes         -        -        -                -
products.switch-match    yes      yes     yes         -        -        -                -
products.transfer        -        yes     yes         -        -        -                -
products.withdraw        -        yes     yes         -        -        -                -
products.withdrawal      -        yes     yes         yes      yes      yes              -
projections.history      -        -       -           yes      yes      -                yes
projections.parked       -        -       -           -        yes      -                yes
projections.rebuild      -        -       -           -        -        -                yes
projections.repair       -        -       -           -        -        -                yes
projections.retry        -        -       -           -        -        -                yes
projections.rollback     -        -       -           -        -        -                yes
projections.skip         -        -       -           -        -        -                yes
projections.skipped      -        -       -           -        yes      -                yes
projections.status       -        -       yes         yes      yes      -                yes
projections.verify       -        -       -           -        yes      -                yes
promises.count           -        yes     yes         yes      yes      -                -
promises.list            -        yes     yes         masked   yes      -                -
queues.forecast          -        yes     yes         yes      yes      -                -
quota.commit             yes      -       -           -        -        -                -
quota.release            yes      -       -           -        -        -                -
quota.reserve            yes      -       -           -        -        -                -
refunds.approve          -        -       yes         -        -        -                -
refunds.give-up          -        -       yes         -        -        -                -
refunds.paid             -        -       yes         -        -        -                -
refunds.request          -        yes     yes         -        -        -                -
replay                   -        -       -           yes      -        -                -
returns.grade            -        yes     yes         -        -        -                -
returns.list             -        yes     yes         masked   yes      yes              -
returns.sent             -        yes     yes         -        -        -                -
returns.show             -        yes     yes         masked   yes      yes              -
sims.show                -        yes     yes         masked   yes      yes              -
sql                      -        -       -           yes      yes      -                -
status                   -        yes     yes         yes      yes      yes              yes
stock.levels             -        yes     yes         yes      yes      yes              yes
stock.load               -        -       -           -        -        -                -
store.adopt              -        -       -           -        -        -                -
streams.act              -        -       -           -        -        -                -
streams.append           -        -       -           -        -        -                -
streams.show             -        yes     yes         masked   yes      yes              -
triggers.dry-run         -        -       yes         masked   yes      -                -
triggers.firings         -        yes     yes         masked   yes      yes              -
triggers.list            -        yes     yes         yes      yes      yes              -
triggers.retire          -        -       yes         -        -        -                -
triggers.set             -        -       yes         -        -        -                -
triggers.show            -        yes     yes         yes      yes      yes              -
usage.gaps               -        yes     yes         yes      yes      -                yes
usage.list               -        yes     yes         masked   yes      yes              -
usage.load               -        -       -           -        -        -                -
usage.load-zones         -        -       -           -        -        -                -
usage.purge              -        -       yes         -        -        -                yes
usage.take               yes      -       -           -        -        -                -
usage.zones              yes      yes     yes         yes      yes      yes              yes
vouchers.issue           -        -       yes         -        -        -                -
vouchers.show            -        yes     yes         yes      yes      -                -
"""
"""The table. Files are loaded, rules of one's own are run and a copy is adopted by whoever has the machine alone; of SQL and replays
nothing personal is in reach, so that there is nothing to mask."""


def read(table: str) -> dict[str, Mapping[str, str]]:
    """Read a table: by operation, what each role may. Raises ValueError for a line that decides too much, too little, or twice."""
    heading, *lines = [line.split() for line in table.strip().splitlines()]
    rows: dict[str, Mapping[str, str]] = {}
    for operation, *cells in lines:
        if operation in rows or not CELLS.issuperset(cells):
            raise ValueError(f"permissions: {operation} is decided twice, or by a word that is none of {', '.join(sorted(CELLS))}")
        rows[operation] = dict(zip(heading[1:], cells, strict=True))
    return rows


PERMISSIONS: Mapping[str, Mapping[str, str]] = read(TABLE)
ROLES: tuple[str, ...] = tuple(TABLE.split("\n")[1].split()[1:])
"""The roles that a person or a service may be given, in the order of the columns."""

DISCLOSED: Mapping[str, tuple[str, ...]] = {
    "access.records": ("note",),
    "accounts.tree": ("name",),
    "complaints.list": ("note",),
    "complaints.show": ("note",),
    "customers.list": ("name", "birth-date", "e-mail", "address"),
    "customers.show": ("name", "birth-date", "e-mail", "address", "note"),
    "events.find": ("number", "sim"),
    "events.page": ("number", "sim"),
    "events.tail": ("number", "sim"),
    "fallout.show": ("correction", "note", "original"),
    "invoices.html": ("name", "address"),
    "invoices.pdf": ("name", "address"),
    "invoices.show": ("name", "address", "note"),
    "invoices.ubl": ("name", "address"),
    "journeys.show": ("login", "number", "token", "original"),
    "messages.show": ("name", "e-mail", "phone", "address"),
    "orders.cancellations": ("note",),
    "orders.document": ("name", "e-mail", "address", "note", "original"),
    "orders.documents": ("name", "e-mail", "address", "note", "original"),
    "orders.find": ("name", "e-mail"),
    "orders.sites": ("name", "address"),
    "ports.late": ("number",),
    "streams.show": ("number", "sim"),
}
"""By view, the kinds of personal data that it gives where they are asked for."""
EVENTS = frozenset({"events.find", "events.page", "events.tail", "streams.show"})
"""Views of events: numbers and SIMs in them are masked unless `identifiers` asks for all."""
SEALED: Mapping[str, str] = {"access": "access.records", "key": "keys.list", "issuers": "issuers.list"}
"""By kind of stream, the view that one must be allowed in order to see its events among others: elsewhere they are sealed."""
BY_PERSON = ("name", "email")
"""The ways to find orders that lead over a person; what was found so is a disclosure, asked for or not."""

SUBJECTS: Mapping[str, tuple[str, str]] = {
    "customers.contact": ("customer", "customer"),
    "customers.context": ("customer", "customer"),
    "customers.show": ("customer", "name"),
    "customers.told": ("customer", "name"),
    "hooks.deliveries": ("hook", "hook"),
    "hooks.resend": ("hook", "hook"),
    "hooks.resume": ("hook", "hook"),
    "hooks.rotate": ("hook", "hook"),
    "hooks.unsubscribe": ("hook", "hook"),
    "invoices.html": ("invoice", "invoice"),
    "invoices.pdf": ("invoice", "invoice"),
    "invoices.show": ("invoice", "invoice"),
    "invoices.ubl": ("invoice", "invoice"),
    "orders.amend": ("order", "name"),
    "orders.annotate": ("order", "name"),
    "orders.assess": ("order", "name"),
    "orders.cancel": ("order", "name"),
    "orders.document": ("order", "name"),
    "orders.fields": ("order", "name"),
    "orders.link": ("order", "name"),
    "orders.plan": ("order", "name"),
    "orders.promises": ("order", "name"),
    "orders.resume": ("order", "name"),
    "orders.show": ("order", "name"),
    "orders.sites": ("order", "name"),
    "orders.suspend": ("order", "name"),
    "orders.timeline": ("order", "name"),
    "orders.told": ("order", "name"),
    "orders.withdraw": ("order", "name"),
    "payments.show": ("invoice", "invoice"),
    "ports.cancel": ("order", "name"),
}
"""By operation that a role may use on what is its own: what kind of thing that is, and which argument names it. A list says
`captured_by`."""
