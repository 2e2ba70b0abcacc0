"""Requests that schemathesis makes out of the description of the service, and whether what comes back is as described."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, FlakyStrategyDefinition
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from o2c.entrypoints.http.problems import MEDIA_TYPE, TYPES
from tests.inside import BASE

SETTINGS = settings(
    database=None, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)
SLOW = frozenset({"GET /api/v1/diagnose", "GET /api/v1/conformance", "GET /api/v1/conformance/states", "POST /api/v1/counterfactual"})
"""What reads the whole log for each answer is asked a tenth as often."""
WIDE = frozenset({f"POST /tmf-api/productOrderingManagement/v{version}/productOrder" for version in (4, 5)})
"""What has so many fields that it is enumerated twenty times as far; one by chance takes as long to make as ten of others."""
LISTS = {
    "/api/v1/accounts/": ("/api/v1/customers", "customer"),
    "/api/v1/allowances/": ("/api/v1/payments/invoices", "account"),
    "/api/v1/balance/": ("/api/v1/payments/invoices", "account"),
    "/api/v1/catalogue/": ("/api/v1/catalogue", "offering"),
    "/api/v1/collections/": ("/api/v1/collections", "account"),
    "/api/v1/complaints/": ("/api/v1/complaints", "complaint"),
    "/api/v1/customers/": ("/api/v1/customers", "customer"),
    "/api/v1/fallout/": ("/api/v1/fallout?everything=true", "fallout"),
    "/api/v1/hooks/": ("/api/v1/hooks", "hook"),
    "/api/v1/instalments/": ("/api/v1/payments/invoices", "account"),
    "/api/v1/invoices/": ("/api/v1/payments/invoices", "invoice"),
    "/api/v1/issuers/": ("/api/v1/issuers", "issuer"),
    "/api/v1/journeys/": ("/api/v1/journeys", "journey"),
    "/api/v1/keys/": ("/api/v1/keys", "prefix"),
    "/api/v1/prepaid/": ("/api/v1/payments/invoices", "account"),
    "/api/v1/limits/": ("/api/v1/payments/invoices", "account"),
    "/api/v1/messages/": ("/api/v1/messages", "message"),
    "/api/v1/metrics/": ("/api/v1/metrics", "name"),
    "/api/v1/number-ranges/": ("/api/v1/number-ranges", "range"),
    "/api/v1/orders/": ("/api/v1/orders", "order"),
    "/api/v1/partners/": ("/api/v1/partners", "partner"),
    "/api/v1/payments/": ("/api/v1/payments/invoices", "invoice"),
    "/api/v1/refunds/": ("/api/v1/payments/owed", "account"),
    "/api/v1/products/": ("/api/v1/products", "product"),
    "/api/v1/returns/": ("/api/v1/products", "product"),
    "/api/v1/ports/": ("/api/v1/orders", "order"),
    "/api/v1/triggers/": ("/api/v1/triggers", "trigger"),
    "/api/v1/vouchers/": ("/api/v1/vouchers", "campaign"),
}
"""Where the names of what stands in the store are found, by the beginning of the paths that take one."""


def problem_as_told(context: CheckContext, response: Response, case: Case) -> None:
    """A refusal is a problem of a known type, with the headers of its status; every status is told of by its number."""
    status = response.status_code
    headers = {name.lower(): values[0] for name, values in response.headers.items()}
    told = case.operation.definition.raw["responses"]
    unknown_way = case.method.upper() != case.operation.method.upper()
    if str(status) not in told and not (unknown_way and status == 405):
        raise Failure(operation=case.operation.label, title="An answer that is not told of", message=str(status))
    if status < 400:
        return
    problem = json.loads(response.content)
    kind = problem["type"].removeprefix("/problems/")
    right = headers["content-type"] == MEDIA_TYPE and kind in TYPES and TYPES[kind][0] == status == problem["status"] and problem["detail"]
    beside = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}.get(status)
    if not right or (beside and beside not in headers):
        raise Failure(operation=case.operation.label, title="A refusal that is no problem", message=response.content.decode()[:300])


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, problem_as_told]


@dataclass
class Trial:
    """A service that is tried: what is described, what stands in its store, how often it answered what, and where it did not as described."""

    session: requests.Session
    answers: Counter[int] = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schema = schemathesis.openapi.from_dict(self.session.get(f"{BASE}/api/v1/openapi.json").json())
        self.operations = [found.ok() for found in self.schema.get_all_operations()]
        self.names = {path: self._names(path) for path in self.schema.raw_schema["paths"] if "{" in path}

    def _names(self, path: str) -> Sequence[str]:
        """What there is that a path may name."""
        listed = next((where for beginning, where in LISTS.items() if path.startswith(beginning)), (path.partition("/{")[0], "id"))
        answer = self.session.get(f"{BASE}{listed[0]}")
        return [row[listed[1]] for row in answer.json()] if answer.status_code == 200 else []

    def send(self, case: Case, place: int) -> None:
        """Send a request, every other one about something that there is, and judge the answer."""
        names = self.names.get(case.operation.path, ())
        if names and place % 2 and case.path_parameters:
            case.path_parameters = {**case.path_parameters, next(iter(case.path_parameters)): names[place // 2 % len(names)]}
        response = case.call(base_url=BASE, session=self.session)
        self.judge(case, response)

    def judge(self, case: Case, response: Response) -> None:
        """Keep what is not as described."""
        self.answers[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS, transport_kwargs={"base_url": BASE, "session": self.session})
        except FailureGroup as found:
            for failure in found.exceptions:
                self.failures.setdefault((case.operation.label, failure.title), str(found)[:1_500])

    def enumerated(self, most: int) -> None:
        """Every boundary of every parameter and field, and every way to break one: of each operation as many as `most`, from all over."""
        for operation in self.operations:
            wanted = most // 10 if operation.label in SLOW else most * 20 if operation.label in WIDE else most
            made = list(self._enumeration(operation))
            for place, case in enumerate(itertools.islice(made, 0, None, -(-len(made) // wanted))):
                self.send(case, place)

    def _enumeration(self, operation: Any) -> Iterator[Case]:
        options: Mapping[str, Any] = {
            "generation_modes": list(GenerationMode),
            "generation_config": self.schema.config.generation_for(operation=operation),
        }
        return self.schema.iter_coverage_cases(operation, **options)

    def drawn(self, fitting: int, unfitting: int) -> None:
        """So many requests of each operation that fit the description, and so many that do not, by chance."""
        for operation in self.operations:
            for mode, count in ((GenerationMode.POSITIVE, fitting), (GenerationMode.NEGATIVE, unfitting)):
                self._draw(operation, mode, max(count // 10, 1) if operation.label in SLOW | WIDE else count)

    def _draw(self, operation: Any, mode: GenerationMode, count: int) -> None:
        places = itertools.count()

        @settings(SETTINGS, max_examples=count)
        @given(case=operation.as_strategy(generation_mode=mode))
        def drawn(case: Case) -> None:
            self.send(case, next(places))

        drawn()

    def linked(self, answers: int, steps: int) -> None:
        """So many requests in chains, in which what one answer names is asked for by the next."""
        trial, before, chain = self, self.answers.total(), self.schema.as_state_machine()

        class Chain(chain):  # type: ignore[misc,valid-type]  # a class made while the program runs
            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                return {"base_url": BASE, "session": trial.session}

            def validate_response(self, response: Response, case: Case, *words: Any, **options: Any) -> None:
                trial.judge(case, response)

        for number in itertools.count():
            if self.answers.total() - before >= answers:
                return
            # The store moves on, so a chain that begins like one before may go on otherwise: then the next ones begin anew.
            with suppress(Flaky, FlakyStrategyDefinition):
                seed(number)(Chain).run(settings=settings(SETTINGS, derandomize=False, max_examples=40, stateful_step_count=steps))
