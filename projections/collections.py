"""Collections: what each account owes past its due day in each currency, how far its collection went and what holds it. Amounts are minor
units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from o2c.collections.lateness import Billed, Late, charged, later
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.lateness import LateCharged, LateOvercharged
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_INITIAL: Doc = {
    "arrears": {}, "stages": {}, "notices": {}, "holds": {}, "disputes": {}, "conceded": {}, "promise": None, "plan": None, "bar": "", "late": {},
}  # fmt: skip


def _owes(doc: Doc, body: Mapping[str, Any]) -> Doc:
    invoice, open_minor = body["invoice"], max(body["open_minor"], 0)
    before = doc["arrears"].get(invoice)
    was_minor = before["open_minor"] if before else 0
    if body.get("business"):
        doc = {**doc, "late": {**doc["late"], invoice: _later(doc["late"].get(invoice), body, before)}}
    if before and body["cause"] == "credit":
        # A credit takes off the invoice what was conceded first.
        doc = _set(doc, "conceded", invoice, max(doc["conceded"].get(invoice, 0) - (was_minor - open_minor), 0))
    doc = _set(doc, "arrears", invoice, None)
    if open_minor:
        disputed_minor = body.get("disputed_minor") or _uncollected(doc, invoice)
        owed = {name: body[name] for name in ("currency", "due_on")}
        more = {"open_minor": open_minor, "disputed_minor": disputed_minor, "claims_minor": body.get("claims_minor", 0)}
        doc = _set(doc, "arrears", invoice, owed | more)
    return {**doc, **_whose(body)}


def _later(known: Doc | None, body: Mapping[str, Any], before: Doc | None) -> Doc:
    was_minor = max(before["open_minor"] - before["claims_minor"], 0) if before else 0
    return _kept(later(late_of(known) if known else None, ArrearsChanged.model_construct(**body), was_minor))


def late_of(kept: Mapping[str, Any]) -> Late:
    """What was late of an invoice, from a row's own words for it."""
    return Late(
        invoice=kept["invoice"],
        currency=kept["currency"],
        changes=tuple((day, minor) for day, minor in kept["changes"]),
        billed=tuple(Billed(**each) for each in kept["billed"]),
        rates=tuple((day, percent) for day, percent in kept["rates"]),
    )


def _kept(late: Late) -> Doc:
    """The same as JSON has it, in which there are no tuples."""
    told = asdict(late)
    return {**told, **{name: [list(pair) for pair in told[name]] for name in ("changes", "rates")}, "billed": list(told["billed"])}


def _charged(cls: type[LateCharged] | type[LateOvercharged]) -> Callable[[Doc, Mapping[str, Any]], Doc]:
    def fold(doc: Doc, body: Mapping[str, Any]) -> Doc:
        known = doc["late"].get(body["invoice"])
        return _set(doc, "late", body["invoice"], _kept(charged(late_of(known), cls.model_validate(body)))) if known else doc

    return fold


def _set(doc: Doc, what: str, name: str, value: Any) -> Doc:
    """The document with a value under a name of one of its parts, at its end; with nothing under it for no value."""
    rest = {key: kept for key, kept in doc[what].items() if key != name}
    return {**doc, what: {**rest, name: value} if value else rest}


def _uncollected(doc: Doc, invoice: str) -> int:
    return int(doc["disputes"].get(invoice, 0) + doc["conceded"].get(invoice, 0))


def _whose(body: Mapping[str, Any]) -> Doc:
    return {name: body[name] for name in ("account", "customer", "market")}


def _stage(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, "stages": {**doc["stages"], body["currency"]: body["stage"]}}


def _cleared(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return _set(_set(doc, "stages", body["currency"], None), "notices", body["currency"], None)


def _told(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return _set(doc, "notices", body["currency"], doc["notices"].get(body["currency"], 0) + 1)


def _hold(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, **_whose(body), "holds": {**doc["holds"], body["kind"]: body["until"]}}


def _release(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, **_whose(body), "holds": {kind: until for kind, until in doc["holds"].items() if kind != body["kind"]}}


def _promise(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, **_whose(body), "promise": {name: body[name] for name in ("currency", "by_on", "amount_minor")}}


def _plan(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, **_whose(body), "plan": {"currency": body["currency"], "parts": body["parts"], "kept": 0}}


def _plan_part(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return {**doc, "plan": {**doc["plan"], "kept": body["number"]}} if doc["plan"] else doc


def _dispute(doc: Doc, body: Mapping[str, Any]) -> Doc:
    return _disputed(_set(doc, "disputes", body["invoice"], body["amount_minor"]), body)


def _settle(doc: Doc, body: Mapping[str, Any]) -> Doc:
    conceded_minor = doc["conceded"].get(body["invoice"], 0) + (body["amount_minor"] if body["outcome"] == "customer" else 0)
    return _disputed(_set(_set(doc, "disputes", body["invoice"], None), "conceded", body["invoice"], conceded_minor), body)


def _disputed(doc: Doc, body: Mapping[str, Any]) -> Doc:
    known = doc["arrears"].get(body["invoice"])
    if known:
        known = {**known, "disputed_minor": _uncollected(doc, body["invoice"])}
    return {**_set(doc, "arrears", body["invoice"], known), **_whose(body)}


_FOLDS: Mapping[str, Callable[[Doc, Mapping[str, Any]], Doc]] = {
    "collections.arrears-changed": _owes,
    "collections.late-payment-charged": _charged(LateCharged),
    "collections.late-payment-overcharged": _charged(LateOvercharged),
    "collections.stage-entered": _stage,
    "collections.cleared": _cleared,
    "collections.reminded": _told,
    "collections.warned": _told,
    "collections.hold-placed": _hold,
    "collections.hold-released": _release,
    "collections.promise-made": _promise,
    "collections.promise-kept": lambda doc, body: {**doc, "promise": None},
    "collections.promise-broken": lambda doc, body: {**doc, "promise": None},
    "collections.plan-agreed": _plan,
    "collections.plan-part-kept": _plan_part,
    "collections.plan-kept": lambda doc, body: {**doc, "plan": None},
    "collections.plan-broken": lambda doc, body: {**doc, "plan": None},
    "collections.dispute-opened": _dispute,
    "collections.dispute-settled": _settle,
    "collections.barred": lambda doc, body: {**doc, "bar": body["level"]},
    "collections.bar-lifted": lambda doc, body: {**doc, "bar": ""},
}
"""By type what an event changes."""


def _evolve(doc: Doc, record: Seen) -> Doc:
    return _FOLDS[record.type](doc, record.body)


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    currencies = {owed["currency"] for owed in doc["arrears"].values()} | set(doc["stages"])
    for currency in sorted(currencies or ({""} if doc["holds"] else ())):
        owed = {invoice: each for invoice, each in doc["arrears"].items() if each["currency"] == currency}
        promise, plan = (doc[what] if doc[what] and doc[what]["currency"] == currency else None for what in ("promise", "plan"))
        yield {
            "account": doc["account"],
            "customer_id": doc["customer"],
            "market": doc["market"],
            "currency": currency,
            "stage": doc["stages"].get(currency, ""),
            "open_minor": sum(each["open_minor"] for each in owed.values()),
            "disputed_minor": sum(min(each["disputed_minor"], each["open_minor"]) for each in owed.values()),
            "due_on": min((each["due_on"] for each in owed.values()), default=None),
            "invoices": sorted(owed),
            "bar": doc["bar"],
            "notices": doc["notices"].get(currency, 0),
            "holds": doc["holds"],
            "promised_on": promise["by_on"] if promise else None,
            "promised_minor": promise["amount_minor"] if promise else 0,
            "plan": [{**part, "kept": number < plan["kept"]} for number, part in enumerate(plan["parts"])] if plan else [],
            "late": [late for _, late in sorted(doc["late"].items()) if late["currency"] == currency],
        }


COLLECTIONS = Projection(
    name="collections",
    meaning="One row an account and currency in which it owes past a due day or is in a stage, and one of an account that is only held (currency empty): open and in dispute, "
    "since when, stage, bar, notices since it last owed nothing, holds by kind with their last days, the promise, the plan's parts, and what was late of which invoice of a business.",
    shape_version=2,
    columns={
        "account": "text", "customer_id": "text", "market": "text", "currency": "text", "stage": "text", "open_minor": "bigint", "disputed_minor": "bigint",
        "due_on": "date", "invoices": "jsonb", "bar": "text", "notices": "integer", "holds": "jsonb", "promised_on": "date", "promised_minor": "bigint",
        "plan": "jsonb", "late": "jsonb",
    },
    key=("currency",),
    indexes=("account", "customer_id", "due_on, account, currency"),
    types=frozenset(_FOLDS),
    fields=frozenset({
        "account", "customer", "market", "currency", "invoice", "due_on", "open_minor", "disputed_minor", "claims_minor", "cause", "business", "paid_on",
        "credited_minor", "bill", "from_day", "to_day", "days", "interest_minor", "fixed_minor", "rates", "stage", "kind", "until", "amount_minor", "by_on",
        "parts", "number", "outcome", "level",
    }),
    group=lambda record: record.stream if record.stream.startswith("collection-") else None,
    found_by="stream",
    initial=_INITIAL,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

_PICKED = """(cardinality(%(accounts)s::text[]) = 0 OR account = ANY(%(accounts)s)) AND (%(stage)s::text = '' OR stage = %(stage)s)
AND (%(bar)s::text = '' OR bar = %(bar)s) AND (%(hold)s::text = '' OR jsonb_exists(holds, %(hold)s))"""
"""Rows as a caller picks them. Parameters: `accounts`, `stage`, `bar`, `hold` (each empty: any)."""

LISTED = f"""SELECT account, customer_id AS customer, market, currency, stage, open_minor, disputed_minor, due_on, invoices, bar, notices, holds, promised_on,
    promised_minor, plan, late, count(*) OVER () AS n
FROM projection.collections WHERE {_PICKED} ORDER BY due_on NULLS LAST, account COLLATE "C", currency COLLATE "C" OFFSET %(offset)s LIMIT %(limit)s"""
"""Accounts that are collected or held, the longest owed first, and how many there are in all (`n`). Parameters: those of the filter,
`offset`, `limit`."""

LISTED_COUNT = f"SELECT count(*) AS n FROM projection.collections WHERE {_PICKED}"
"""How many rows there are. Parameters: those of the filter."""
