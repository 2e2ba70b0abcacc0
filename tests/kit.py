"""What TM Forum's conformance kit for TMF622 asks of a service, request by request, with nothing left out that it looks at.

The kit itself is run unmodified elsewhere. Several of its assertions cannot fail; here each of them can.
"""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import httpx

BASES = {4: "/tmf-api/productOrderingManagement/v4", 5: "/tmf-api/productOrderingManagement/v5"}
CREATED = {4: "orderDate", 5: "creationDate"}
MANDATORY = {
    4: ("id", "href", "orderDate", "state", "relatedParty", "productOrderItem"),
    5: ("id", "href", "creationDate", "state", "relatedParty", "productOrderItem", "@type"),
}
SMALLEST = {"productOrderItem": [{"id": "1", "action": "add"}], "relatedParty": [{"id": "C-1", "@referredType": "Individual"}]}
"""What the kit posts: no offering, no external id, no role."""
PARTY = {
    "role": "customer",
    "partyOrPartyRole": {"id": "C-1", "@type": "PartyRef", "@referredType": "Individual"},
    "@type": "RelatedPartyRefOrPartyRoleRef",
}
BODIES = {
    4: SMALLEST,
    5: {"@type": "ProductOrder", "productOrderItem": [{"id": "1", "action": "add", "@type": "ProductOrderItem"}], "relatedParty": [PARTY]},
}  # fmt: skip
ACTIONS = ("add", "modify", "delete", "noChange")


def steps(client: httpx.Client, version: int) -> Iterator[tuple[str, float]]:
    """The requests of the kit in its order, each with the seconds until its answer; raises AssertionError where one is not as it must be."""
    path, created = f"{BASES[version]}/productOrder", CREATED[version]
    post = _timed(client, "POST", path, BODIES[version])
    [made] = _orders(post[0], version, 201, one=True)
    yield "N1 post", post[1]
    asked: list[tuple[str, str, bool]] = [
        ("N1 list", path, False),
        ("N1 one", f"{path}/{made['id']}", True),
        ("N1 href", made["href"], True),
    ]
    asked += [("N2 id", f"{path}?id={made['id']}", False), ("N2 created", f"{path}?{created}={made[created]}", False)]
    asked += [("N2 state", f"{path}?state={made['state']}", False), ("N2 pair", f"{path}?id={made['id']}&state={made['state']}", False)]
    for name, url, one in asked:
        answer, seconds = _timed(client, "GET", url)
        found = _orders(answer, version, 200, one=one)
        if name not in ("N1 list", "N2 state"):
            assert made in found, name
        if name.startswith("N2"):
            assert all(order[key] == made[key] for order in found for key in _keys(name, created)), name
        yield name, seconds
    for field in MANDATORY[version]:
        for url in (f"{path}?fields={field}", f"{path}?fields={field}&id={made['id']}", f"{path}/{made['id']}?fields={field}"):
            answer, seconds = _timed(client, "GET", url)
            assert answer.status_code == 200, url
            found = answer.json() if isinstance(answer.json(), list) else [answer.json()]
            assert found, url
            assert {frozenset(order) for order in found} == {frozenset({"id", "href", "@type", field})}, url
            yield f"N2 fields {url.removeprefix(path).replace(made['id'], 'ID')}", seconds
    for name, url, wanted in (("E1 unknown", f"{path}/404-no-such-order", 404), ("E2 nothing in it", path, 400)):
        answer, seconds = _timed(client, "GET", url) if wanted == 404 else _timed(client, "POST", url, {})
        assert (answer.status_code, answer.json()["status"]) == (wanted, wanted), name
        yield name, seconds


def _timed(client: httpx.Client, method: str, url: str, body: Any = None) -> tuple[httpx.Response, float]:
    """Ask as the kit does: what stands in a query goes as it is, unescaped."""
    begun = perf_counter()
    answer = client.request(method, url, json=body) if body is not None else client.request(method, url)
    return answer, perf_counter() - begun


def _keys(name: str, created: str) -> tuple[str, ...]:
    return {"N2 id": ("id",), "N2 created": (created,), "N2 state": ("state",), "N2 pair": ("id", "state")}[name]


def _orders(answer: httpx.Response, version: int, status: int, *, one: bool) -> list[dict[str, Any]]:
    """The orders of an answer, each with all that is mandatory, of the type that it must have."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert isinstance(answer.json(), dict if one else list)
    orders: list[dict[str, Any]] = [answer.json()] if one else answer.json()
    assert orders
    for order in orders:
        assert [name for name in MANDATORY[version] if name not in order] == [], order["id"]
        assert all(isinstance(order[name], str) and order[name] for name in ("id", "href", "state", CREATED[version]))
        assert order["href"].endswith(f"/productOrder/{order['id']}")
        assert order[CREATED[version]].endswith("Z")
        assert isinstance(order["relatedParty"], list)
        assert all(party.get("id" if version == 4 else "role") or party["partyOrPartyRole"]["id"] for party in order["relatedParty"])
        assert order["productOrderItem"]
        assert all(item["id"] and item["action"] in ACTIONS for item in order["productOrderItem"])
    return orders
