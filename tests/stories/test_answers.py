"""The description of the service tells the truth: every view, asked of a store in which everything has happened, answers as it says, and with nothing more."""

import base64
import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from o2c.entrypoints.http.calls import calls
from o2c.simulation.launch_data import LINE_ADD_ONS
from tests.metered import MONTHLY, offering
from tests.rich import BROUGHT_IN
from tests.service import Visitor, serving
from tests.world import World, item, line

VIEWS = {call.operation.name: call for call in calls() if not call.verb}
POLICY = 'version = "other"\nvalid_from = "2026-01-01"\n'
FIX = '[correct]\n"party" = "C-2"\n'
DEARER = {"dutyFreeAmount": {"unit": "GBP", "value": "15.00"}}
PAPERS = {
    "invoices.pdf": ("application/pdf", "pdf", b"%PDF-"),
    "invoices.html": ("text/html", "html", b"<!doctype html>"),
    "invoices.ubl": ("application/xml", "xml", b"<?xml"),
}
"""Views that answer a paper: its media type, the ending of its name, and how one of that type begins."""
Asked = tuple[str, str, Any]
"""A view, what stands in its path or query, and its body."""


@pytest.fixture(scope="module")
def service(rich_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The service on a store in which everything has happened."""
    folder: Path = tmp_path_factory.mktemp("answers")
    world = World(rich_dsn, folder)
    with pytest.MonkeyPatch.context() as patched, serving(world, folder) as made:
        patched.setenv("O2C_LOOKUP_KEY", "ab" * 32)
        yield made
    world.close()


@pytest.fixture(scope="module")
def description(service: Visitor) -> dict[str, Any]:
    """The OpenAPI document of the service."""
    told: dict[str, Any] = service.get("/api/v1/openapi.json").json()
    return told


@pytest.fixture(scope="module")
def told(service: Visitor) -> list[tuple[str, Any]]:
    """Every view with each of its answers."""
    return [(asked[0], answer(service, asked)) for asked in everything(service)]


def answer(service: Visitor, asked: Asked) -> Any:
    """What the service says."""
    view, rest, body = asked
    call = VIEWS[view]
    path = "/api/v1" + (call.path.replace("{" + call.identity + ":path}", rest.partition("?")[0]) if call.identity else call.path)
    query = rest.partition("?")[2]
    where = f"{path}?{query}" if query else path
    told = service.post(where, body) if call.method == "POST" else service.get(where)
    assert told.status_code == 200, (view, rest, told.text)
    return told.json()


def everything(service: Visitor) -> Iterator[Asked]:
    """Every view, of everything that there is to ask about."""
    for view, call in VIEWS.items():
        if not any(parameter.default is parameter.empty for parameter in call.parameters.values()):
            yield view, "?personal=true" if "personal" in call.parameters else "", {} if call.method == "POST" else None
    ids = [row["order"] for row in answer(service, ("orders.list", "?limit=1000", None))]
    for order in ids:
        yield from ((view, f"{order}{query}", None) for view, query in OF_ORDER)
        yield "orders.by-link", "", {"link": answer(service, ("orders.link", order, None))["link"]}
    for row in answer(service, ("orders.list", "?state=pending&limit=1000", None)):
        planned = answer(service, ("orders.plan", row["order"], None))
        yield from (("orders.assess", f"{row['order']}?merge=true", CHANGED) for _ in planned[:1])
    for row in answer(service, ("fallout.list", "?everything=true&limit=1000", None)):
        yield from (("fallout.show", row["fallout"] + query, None) for query in ("", "?personal=true"))
    yield "fallout.list", "?everything=true", None
    for metric in answer(service, ("metrics.list", "", None)):
        yield from (("metrics.explain", f"{metric['name']}?by={by}", None) for by in ("", *metric["by"]))
        yield "metrics.orders", metric["name"], None
    yield from _of_customers(service, ids)
    yield from _of_money(service)
    yield from OF_TEXTS
    yield from (("hooks.deliveries", row["hook"], None) for row in answer(service, ("hooks.list", "", None)))
    for row in answer(service, ("journeys.list", "?everything=true", None)):
        yield from (("journeys.show", row["journey"] + query, None) for query in ("", "?personal=true"))
    for row in answer(service, ("complaints.list", "", None)):
        yield from (("complaints.show", row["complaint"] + query, None) for query in ("", "?personal=true"))
    for row in answer(service, ("messages.list", "?limit=3", None)):
        yield from (("messages.show", row["message"] + query, None) for query in ("", "?personal=true"))
    for row in answer(service, ("triggers.list", "?retired=true", None)):
        yield "triggers.show", row["trigger"], None
    [job] = {event["stream"] for event in service.get("/api/v1/events?types=job.started").json()}
    yield "fallout.job", job.removeprefix("job-"), None
    yield from (("streams.show", "", {"name": name}) for name in (f"order-{ids[0]}", job, "issuers-main", "partner-credit-bureau"))


NOT_THERE = frozenset({"projections.history", "projections.parked", "projections.skipped", "returns.list"})
"""What a store in order has none of; and nobody withdrew from a contract in this one, which stories of their own show."""
CHANGED = {"requestedCompletionDate": "2026-03-27", "productOrderItem": [line(), item(LINE_ADD_ONS[1], "2", relies_on="1")]}
OF_ORDER = (
    ("orders.link", ""), ("orders.fields", ""), ("orders.promises", ""), ("orders.sites", ""), ("orders.sites", "?personal=true"), ("orders.told", ""), ("orders.diff", "?until=2026-03-15T00:00:00Z"),
    ("orders.show", ""), ("orders.show", "?at=2026-03-10T00:00:00Z"), ("orders.document", ""), ("orders.document", "?personal=true"),
    ("orders.document", "?at=2026-03-15T00:00:00Z"), ("orders.plan", ""), ("orders.timeline", ""), ("orders.timeline", "?whole=true"),
)  # fmt: skip
OF_TEXTS: tuple[Asked, ...] = (
    ("catalogue.dry-run", "", {"offerings": json.dumps([offering({**MONTHLY, "price": DEARER})]), "since": "2026-01-01T00:00:00Z"}),
    ("orders.find", "", {"text": "LATE"}),
    ("orders.find", "", {"text": BROUGHT_IN}),
    ("orders.find", "", {"text": "Tamsel Holmquay"}),
    ("counterfactual", "", {"policy": POLICY, "since": "2026-01-01T00:00:00Z"}),
    ("fallout.prove", "", {"fix": FIX, "reason": "DQ-PARTY"}),
    ("triggers.dry-run", "", {"since": "2026-01-01T00:00:00Z"}),
    ("sql", "", {"statement": "SELECT * FROM projection.orders LIMIT 2"}),
)


def _of_customers(service: Visitor, orders: list[str]) -> Iterator[Asked]:
    """What customers have: their pages, invoices, numbers, SIMs and devices."""
    of = {answer(service, ("orders.show", order, None))["customer_id"] for order in orders}
    for customer in sorted(of - {""}):
        yield from (("customers.show", customer + query, None) for query in ("", "?personal=true"))
        yield from ((view, customer, None) for view in ("customers.context", "customers.told"))
    yield from (("accounts.tree", f"C-1{query}", None) for query in ("", "?personal=true"))
    for customer in sorted(of - {""}):
        page = answer(service, ("customers.show", customer, None))
        yield from (("payments.show", row["invoice"], None) for row in page["invoices"])
        yield from (("numbers.show", "", {"msisdn": row["msisdn"]}) for row in page["numbers"])
        yield from (("sims.show", "", {"iccid": row["iccid"]}) for row in page["sims"])
        yield from (("devices.show", "", {"imei": row["imei"]}) for row in page["devices"])
    yield "numbers.show", "", {"msisdn": BROUGHT_IN}
    for row in answer(service, ("products.list", "?limit=1000", None)):
        yield from ((view, row["product"], None) for view in ("products.history", "products.notices", "products.withdrawal"))


def _of_money(service: Visitor) -> Iterator[Asked]:
    """Invoices and credit notes with their papers, the books at a day and a time, what leaks, what a note would come to, and what each account has left of what is included, and of its limits."""
    for invoice in (row["invoice"] for row in answer(service, ("payments.invoices", "?limit=1000", None))):
        yield from (("invoices.show", invoice + query, None) for query in ("", "?personal=true"))
        notes = answer(service, ("invoices.show", invoice, None))["notes"]
        for query in ("?personal=true", *(f"?note={note['note']}" for note in notes)):
            yield from ((paper, invoice + query, None) for paper in PAPERS)
    accounts = answer(service, ("accounts.list", "?limit=1000", None))
    yield from (("balance.show", row["account"], None) for row in accounts if row["currency"])
    for account in (row["account"] for row in accounts if row["charges"]):
        yield from ((view, account, None) for view in ("allowances.show", "instalments.show", "limits.show", "prepaid.show"))
    debt = answer(service, ("collections.list", "", None))[0]["invoices"][-1]
    yield from (("credit-notes.preview", "", {"invoice": debt, "lines": lines}) for lines in ({"1": "0.10"}, None))
    came = next(row["invoice"] for row in answer(service, ("payments.invoices", "?limit=1000", None)) if row["paid_minor"])
    yield from (("payments.preview", came + query, None) for query in ("", f"?to={debt}"))
    yield from (("ledger.trial-balance", query, None) for query in ("?on=2026-01-31", "?at=2026-01-31T12:00:00Z"))
    yield "ledger.export", "?since=2026-01-01&on=2026-01-31", None
    yield "assurance", "?days=0", None
    yield from (("vouchers.show", query, None) for query in ("", "?campaign=SPRING"))
    yield "usage.list", "?suspense=true", None
    yield from (("catalogue.diff", f"?a={version}", None) for version in (0, 1))


def schema_of(description: Mapping[str, Any], view: str) -> dict[str, Any]:
    """What the description says that a view answers, with the parts that it names and those that these name."""
    told = next(each for methods in description["paths"].values() for each in methods.values() if each["operationId"] == view)
    found: dict[str, Any] = told["responses"]["200"]["content"]["application/json"]["schema"]
    parts: dict[str, Any] = {}
    waiting = [found]
    while waiting:
        named = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(waiting.pop()))
        new = {name: description["components"]["schemas"][name] for name in named if name not in parts}
        parts |= new
        waiting += new.values()
    return {**found, "components": {"schemas": parts}}


@pytest.fixture(scope="module")
def checks(description: dict[str, Any]) -> dict[str, Any]:
    """What checks the answers of each view, by its name: made once, for it reads the whole description."""
    return {view: jsonschema_rs.Draft202012Validator(schema_of(description, view)) for view in VIEWS}


def wrong(checks: Mapping[str, Any], view: str, told: Any) -> list[str]:
    """Where an answer is not what the description says."""
    return [f"{view} {'/'.join(map(str, each.instance_path))}: {each.message[:200]}" for each in checks[view].iter_errors(told)]


def test_every_view_answers_as_it_is_described(told: list[tuple[str, Any]], checks: dict[str, Any]) -> None:
    """With everything that happened in the store, with and without what is personal; every view is asked."""
    found = [line for view, body in told for line in wrong(checks, view, body)]

    assert sorted({line.replace(line.split(":")[0], line.split(" ")[0]) for line in found}) == []
    assert {view for view, _ in told} == set(VIEWS) - {"returns.show"}


def test_nothing_stands_in_an_answer_that_is_not_described(told: list[tuple[str, Any]], checks: dict[str, Any]) -> None:
    """A field planted into any answer with fields is seen; so the test above would see one that somebody adds and does not describe."""
    planted: dict[str, list[str]] = {}
    for view, body in told:
        more = copy.deepcopy(body)
        row = more[0] if isinstance(more, list) and more else more
        if isinstance(row, dict):
            row["planted"] = True
            planted[view] = wrong(checks, view, more)

    assert sorted(view for view, seen in planted.items() if not seen) == ["sql"]
    assert set(VIEWS) - set(planted) == NOT_THERE | {"returns.show"}


def test_the_store_has_something_of_everything(told: list[tuple[str, Any]]) -> None:
    """A list without rows would prove nothing: only what a store in order has none of is empty."""
    full = {view for view, body in told if body}

    assert set(VIEWS) - full == NOT_THERE | {"returns.show"}


@pytest.mark.parametrize("view", PAPERS)
def test_a_paper_is_of_its_media_type(told: list[tuple[str, Any]], view: str) -> None:
    """What it says it is, its content begins as, and it has a name of that ending; of invoices as of credit notes."""
    media_type, ending, beginning = PAPERS[view]
    papers = [body for name, body in told if name == view]

    contents = [base64.b64decode(paper["content"]) if view == "invoices.pdf" else paper["content"].encode() for paper in papers]

    assert {paper["media_type"] for paper in papers} == {media_type}
    assert {content[: len(beginning)].lower() for content in contents} == {beginning.lower()}
    assert {paper["name"].rpartition(".")[2] for paper in papers} == {ending}
    assert {paper["name"].split("-")[1] for paper in papers} == {"INV", "CRN"}
