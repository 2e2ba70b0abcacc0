"""The credit bureau over HTTP: what each reply and each trouble on the line means, beside a call that goes well."""

import gzip
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import hypothesis
import pytest
from hypothesis import strategies
from rich.pretty import pretty_repr
from structlog.testing import capture_logs

from o2c.fallout.codes import packaged
from o2c.kernel.partner import Answer, Answered, Failed, NeverHeard, RefusedBy, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.partners.credit_bureau import CreditBureau, SimulatedCreditBureau
from o2c.partners.http import BODY_BYTES_MAX, NEVER_SENT, Endpoint, not_before
from tests.bureau import TOKEN, Bureau, Says, open_bureau

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
CUSTOMER = "C-Zebra0815"
VARIABLE = "O2C_TEST_BUREAU_TOKEN"
READ_S = 0.2
LATER = Unknown(AT + timedelta(minutes=5))
REJECTED, UNAVAILABLE = Failed("REJECTED"), Failed("UNAVAILABLE")
LIMIT = {"result": "limit", "limit_minor": 50_000, "currency": "GBP"}
DEPOSIT = {"result": "deposit", "deposit_minor": 10_000, "currency": "GBP"}


def asked(number: int = 1, *, commitment_minor: int = 47_976) -> Request:
    """One order's request as the runner sends it: a step of the whole order has no item in its key."""
    body = {"customer": CUSTOMER, "commitment_minor": commitment_minor, "currency": "GBP", "unasked": "stays with us"}
    return Request(f"order-{number}//credit/1", f"order-{number}", "", "credit", 1, AT, body)


def until(**later: float) -> Failed:
    return Failed("UNAVAILABLE", AT + timedelta(**later))


def json_of(text: str, **more: Any) -> Says:
    return Says(body=text.encode(), **more)


@pytest.fixture
def bureau() -> Iterator[Bureau]:
    with open_bureau() as opened:
        yield opened


@pytest.fixture
def client(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> Iterator[CreditBureau]:
    """The client under test, with a token and without a proxy between, as patient as in real life."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    endpoint = Endpoint(bureau.base, VARIABLE)
    yield CreditBureau(endpoint)
    endpoint.close()


@pytest.fixture
def impatient(client: CreditBureau, bureau: Bureau) -> Iterator[CreditBureau]:
    """The same for what is never answered in time."""
    endpoint = Endpoint(bureau.base, VARIABLE, read_s=READ_S)
    yield CreditBureau(endpoint)
    endpoint.close()


def assert_well(client: CreditBureau, bureau: Bureau) -> None:
    """The control of every trouble: without it the client is answered, for another order."""
    bureau.trouble, bureau.result = None, LIMIT
    assert client.submit(asked(99)) == client.query(asked(99)) == Answered({"limit_minor": 50_000})


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        pytest.param({"result": "approved"}, Answered(), id="approved"),
        pytest.param({"result": "approved", "limit_minor": 0, "deposit_minor": None, "more": [1]}, Answered(), id="what-does-not-belong"),
        pytest.param(LIMIT, Answered({"limit_minor": 50_000}), id="limit"),
        pytest.param(DEPOSIT, RefusedBy("DEPOSIT", {"deposit_minor": 10_000, "currency": "GBP"}), id="deposit"),
        pytest.param({"result": "refer"}, RefusedBy("REFER"), id="refer"),
        pytest.param({"result": "decline"}, RefusedBy("DECLINE"), id="decline"),
    ],
)
def test_a_result_is_an_answer(client: CreditBureau, bureau: Bureau, result: dict[str, Any], answer: Answer) -> None:
    """To a submit as to a query; the bureau is told no more than it needs."""
    bureau.result = result
    assert client.query(asked()) == NeverHeard()
    assert client.submit(asked()) == client.query(asked()) == answer
    assert bureau.bodies == [{"customer": CUSTOMER, "commitment_minor": 47_976, "currency": "GBP"}]
    assert bureau.asked[1:] == ["POST /v1/searches", "GET /v1/searches/order-1%2F%2Fcredit%2F1"]


TROUBLES = [
    pytest.param(Says(ends="silent"), LATER, LATER, id="no word"),
    pytest.param(json_of(" " * 20 + '{"result": "approved"}', ends="drips"), LATER, LATER, id="byte by byte"),
    pytest.param(json_of('{"result": "approved"}', ends="cut"), LATER, LATER, id="cut in mid-body"),
    pytest.param(json_of('{"result": "approved"}', ends="reset"), LATER, LATER, id="reset in mid-body"),
    pytest.param(Says(500), LATER, LATER, id="500"),
    pytest.param(Says(502), LATER, LATER, id="502"),
    pytest.param(Says(503), UNAVAILABLE, LATER, id="503"),
    pytest.param(Says(503, headers={"Retry-After": "120"}), until(minutes=2), LATER, id="503 with seconds"),
    pytest.param(Says(429, headers={"Retry-After": "90"}), until(seconds=90), LATER, id="429 with seconds"),
    pytest.param(
        Says(429, headers={"Retry-After": "Mon, 05 Jan 2026 11:00:00 GMT"}),
        until(hours=1),
        Unknown(AT + timedelta(hours=1)),
        id="429 with a date",
    ),
    pytest.param(Says(429, headers={"Retry-After": "soon"}), UNAVAILABLE, LATER, id="429 with neither"),
    pytest.param(Says(404), REJECTED, NeverHeard(), id="404"),
    pytest.param(Says(400), REJECTED, REJECTED, id="400"),
    pytest.param(Says(401), REJECTED, REJECTED, id="401"),
    pytest.param(Says(302, headers={"Location": "/v1/searches/order-99"}), LATER, LATER, id="302"),
    pytest.param(Says(307, headers={"Location": "/v1/searches"}), LATER, LATER, id="307"),
    pytest.param(Says(204, b""), LATER, LATER, id="no body"),
    pytest.param(json_of("<p>Welcome</p>"), LATER, LATER, id="not JSON"),
    pytest.param(json_of('[{"result": "approved"}]'), LATER, LATER, id="an array"),
    pytest.param(json_of("[" * 100_000), LATER, LATER, id="without end"),
    pytest.param(json_of('{"result": "approved"}' + " " * BODY_BYTES_MAX), LATER, LATER, id="huge"),
    pytest.param(
        Says(body=gzip.compress(b'{"result": "approved"}'), headers={"Content-Encoding": "gzip"}), LATER, LATER, id="packed unasked"
    ),
    pytest.param(json_of('{"result": "perhaps"}'), LATER, LATER, id="unknown result"),
    pytest.param(json_of('{"result": "Approved"}'), LATER, LATER, id="a result in capitals"),
    pytest.param(json_of('{"limit_minor": 1}'), LATER, LATER, id="no result"),
    pytest.param(json_of('{"result": "limit", "currency": "GBP"}'), LATER, LATER, id="a limit of nobody knows what"),
    pytest.param(json_of('{"result": "deposit", "deposit_minor": null, "currency": "GBP"}'), LATER, LATER, id="a deposit of null"),
    pytest.param(json_of('{"result": "deposit", "limit_minor": 5, "currency": "GBP"}'), LATER, LATER, id="the amount of another result"),
    pytest.param(json_of('{"result": "limit", "limit_minor": 5}'), LATER, LATER, id="no currency"),
    pytest.param(json_of('{"result": "limit", "limit_minor": 5, "currency": "EUR"}'), LATER, LATER, id="another currency"),
    *(
        pytest.param(json_of(f'{{"result": "limit", "limit_minor": {text}, "currency": "GBP"}}'), LATER, LATER, id=f"a limit of {text}")
        for text in ('"5"', "5.0", "true", "0", "-5", "9007199254740992", "1e400", "NaN")
    ),
]


@pytest.mark.parametrize(("says", "to_submit", "to_query"), TROUBLES)
def test_a_trouble_is_an_answer(
    client: CreditBureau, impatient: CreditBureau, bureau: Bureau, says: Says, to_submit: Answer, to_query: Answer
) -> None:
    """One call each, never followed or sent again by the client itself; afterwards all is well."""
    caller = impatient if says.ends in ("silent", "drips") else client
    bureau.trouble = says
    assert (caller.submit(asked()), caller.query(asked())) == (to_submit, to_query)
    assert bureau.heard(2) == 2
    assert bureau.searches == {}
    assert_well(client, bureau)


@pytest.mark.parametrize("text", ["[]", '[["reads", "well"]]', '"text"', "5", "null", "", "{", '{"a": 1} {}', "\x00"])
def test_only_an_object_reaches_a_partners_own_reading(client: CreditBureau, bureau: Bureau, text: str) -> None:
    """Also for a partner that would be content with anything; the control is an object."""
    bureau.trouble = json_of(text)
    assert client.endpoint.submit("searches", asked(), {}, Answered) == LATER
    bureau.trouble = json_of('{"reads": "well"}')
    assert client.endpoint.submit("searches", asked(), {}, Answered) == Answered({"reads": "well"})


def test_a_refused_connection_was_never_heard(client: CreditBureau, bureau: Bureau) -> None:
    """Nobody listens at a port that is only taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}", VARIABLE)
        assert CreditBureau(endpoint).submit(asked()) == UNAVAILABLE
        endpoint.close()
    assert_well(client, bureau)


@pytest.mark.parametrize(("place", "error"), [("getaddrinfo", socket.gaierror(-2, "no such host")), ("create_connection", TimeoutError())])
def test_without_a_connection_nothing_was_heard(
    client: CreditBureau, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    """A name that nobody knows, a host that does not take the call."""

    def fails(*arguments: Any, **options: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(socket, place, fails)
        assert client.submit(asked()) == UNAVAILABLE
    assert bureau.asked == []
    assert_well(client, bureau)


def every_kind(of: type[Exception]) -> Iterator[type[Exception]]:
    for kind in of.__subclasses__():
        yield kind
        yield from every_kind(kind)


@pytest.mark.parametrize("kind", [*every_kind(httpx.TransportError), httpx.DecodingError, httpx.TooManyRedirects])
def test_whatever_breaks_after_connecting_is_unknown(client: CreditBureau, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    """Every kind of error the library has, one that a later version adds too."""

    def breaks(*arguments: Any) -> httpx.Response:
        raise kind(f"{CUSTOMER} {TOKEN}")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", breaks)
    expected = UNAVAILABLE if issubclass(kind, NEVER_SENT) else LATER
    assert (client.submit(asked()), client.query(asked())) == (expected, LATER)


def test_the_kinds_that_are_tried_are_there() -> None:
    """The control of the test above: it sees both sorts."""
    kinds = set(every_kind(httpx.TransportError))
    assert set(NEVER_SENT) < kinds
    assert {httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError} <= kinds - set(NEVER_SENT)


def test_the_same_key_is_one_search(client: CreditBureau, bureau: Bureau) -> None:
    """The second submit gets the first one's answer, whatever a new search would find; another key is another search."""
    bureau.result = DEPOSIT
    first = client.submit(asked())
    bureau.result = {"result": "decline"}
    assert client.submit(asked()) == first == RefusedBy("DEPOSIT", {"deposit_minor": 10_000, "currency": "GBP"})
    assert list(bureau.searches) == ["order-1//credit/1"]
    assert client.submit(asked(2)) == RefusedBy("DECLINE")
    assert len(bureau.bodies) == 2


@pytest.mark.parametrize("ends", ["silent", "reset"])
@pytest.mark.parametrize(("done", "found"), [(True, Answered()), (False, NeverHeard())])
def test_after_silence_a_query_tells(
    client: CreditBureau, impatient: CreditBureau, bureau: Bureau, ends: str, done: bool, found: Answer
) -> None:
    """The search was made and the answer lost, or the request was lost already."""
    bureau.trouble = json_of('{"result": "approved"}', ends=ends, done=done)
    assert (impatient if ends == "silent" else client).submit(asked()) == LATER
    assert bureau.heard(1) == 1
    bureau.trouble = None
    assert client.query(asked()) == found
    assert len(bureau.searches) == done


@pytest.mark.parametrize("key", ["a/../b//c/1", "a%2Fb", "a?b=c#d", "a b+c", "å/1", "a;b,c&d"])
def test_a_key_arrives_as_it_is(client: CreditBureau, bureau: Bureau, key: str) -> None:
    """In the header of a submit as in the path of a query."""
    request = replace(asked(), key=key)
    assert client.submit(request) == client.query(request) == Answered()
    assert list(bureau.searches) == [key]


def test_threads_share_the_connections(client: CreditBureau, bureau: Bureau) -> None:
    """Many at once, each with its own search."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(client.submit, map(asked, range(40))))
    assert answers == [Answered()] * 40
    assert len(bureau.searches) == 40


def told(answer: Answer) -> dict[str, Any]:
    """What a bureau would write that found what the simulator found."""
    match answer:
        case Answered(data):
            return {"result": "limit" if data else "approved", **data, "currency": "GBP"}
        case RefusedBy(code, data):
            return {"result": code.lower(), **data}
    raise AssertionError(answer)


def test_simulator_and_client_agree(client: CreditBureau, bureau: Bureau) -> None:
    """The first three of every kind of result that the simulator draws, and a step that knows each code."""
    simulator, first = SimulatedCreditBureau(7), dict[str, list[Request]]()
    for number in range(1_000):
        request = asked(number, commitment_minor=10_000 + number)
        first.setdefault(told(simulator.submit(request))["result"], []).append(request)
    assert set(first) == {"approved", "limit", "deposit", "refer", "decline"}
    for request in (request for found in first.values() for request in found[:3]):
        answer = simulator.submit(request)
        bureau.result = told(answer)
        assert client.submit(request) == client.query(request) == answer
        assert not isinstance(answer, RefusedBy) or answer.code in packaged().newest.steps["credit"].codes


def test_the_step_knows_of_outages_and_not_of_our_own_defects() -> None:
    """A request of ours that is rejected goes to engineering, as every unknown code does."""
    assert "UNAVAILABLE" in packaged().newest.steps["credit"].codes
    assert "REJECTED" not in packaged().newest.steps["credit"].codes


def test_nothing_personal_and_no_token_is_told(client: CreditBureau, bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    """Not by our log, nor the libraries' at their most talkative, nor the parts as text. The control: the key is told, and so is the trouble."""
    caplog.set_level(logging.DEBUG)
    with capture_logs() as ours:
        for says in (Says(ends="reset"), Says(500), Says(400), json_of(f'["{CUSTOMER}"]'), json_of(f'{{"result": "{CUSTOMER}"}}')):
            bureau.trouble = says
            client.submit(asked())
            client.query(asked())
        assert_well(client, bureau)
    text = f"{ours} {caplog.text} {client!r} {pretty_repr(client)} {pretty_repr(vars(client.endpoint))}"
    assert CUSTOMER not in text
    assert TOKEN not in text
    assert [(line["key"], line["error"]) for line in ours[2:6]] == [
        ("order-1//credit/1", trouble) for trouble in ("HTTP 500", "HTTP 500", "HTTP 400", "HTTP 400")
    ]
    assert "httpx" in caplog.text


def test_a_wrong_token_is_rejected(client: CreditBureau, bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the configuration names is what is sent."""
    monkeypatch.setenv(VARIABLE, "another")
    endpoint = Endpoint(bureau.base, VARIABLE)
    assert CreditBureau(endpoint).submit(asked()) == REJECTED
    endpoint.close()
    assert_well(client, bureau)


@pytest.mark.parametrize("token", ["", " ", "Zebra4711 x", "Zebra4711\nx", "Zebra4711é"])
def test_no_token_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """By the name of the variable; its value is not quoted."""
    monkeypatch.setenv(VARIABLE, token)
    with pytest.raises(Refused, match=VARIABLE) as refused:
        Endpoint("https://bureau.example", VARIABLE)
    assert "Zebra" not in str(refused.value)


@pytest.mark.parametrize("variable", ["", "tkn-Zebra4711", "zebra4711"])
def test_a_secret_in_place_of_a_name_is_refused(variable: str) -> None:
    """Without quoting it."""
    with pytest.raises(Refused, match="name") as refused:
        Endpoint("https://bureau.example", variable)
    assert "ebra" not in str(refused.value)


BASES = [
    "",
    "bureau.example",
    "ftp://bureau.example",
    "https://",
    "https://ann:Zebra@bureau.example",
    "https://b.example/?Zebra=1",
    "http://b:x",
]


@pytest.mark.parametrize("base", BASES)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    """At once, and without quoting a password that may be in it."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    with pytest.raises(Refused, match="address") as refused:
        Endpoint(base, VARIABLE)
    assert "Zebra" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("0", AT, id="at-once"),
        pytest.param("3600", AT + timedelta(hours=1), id="seconds"),
        pytest.param("86401", AT + timedelta(days=1), id="more-than-a-day"),
        pytest.param("9" * 5_000, AT + timedelta(days=1), id="digits-without-end"),
        pytest.param("Mon, 05 Jan 2026 12:00:00 GMT", AT + timedelta(hours=2), id="fixdate"),
        pytest.param("Monday, 05-Jan-26 12:00:00 GMT", AT + timedelta(hours=2), id="rfc-850"),
        pytest.param("Mon Jan  5 12:00:00 2026", AT + timedelta(hours=2), id="asctime"),
        pytest.param("Tue, 05 Jan 2027 12:00:00 GMT", AT + timedelta(days=1), id="next-year"),
        pytest.param("Sun, 04 Jan 2026 12:00:00 GMT", AT - timedelta(hours=22), id="yesterday"),
        *(
            pytest.param(text, None, id=f"nothing {text}")
            for text in ("", "-5", "5.5", "²", "soon", "Mon, 35 Jan 2026 12:00:00 GMT", "Fri, 31 Dec 9999 23:00:00 -0200")
        ),
    ],
)
def test_when_requests_are_taken_again(text: str, moment: datetime | None) -> None:
    """All three forms of a date (RFC 9110 section 5.6.7), seconds, and never more than a day."""
    assert not_before(text, AT) == moment


@hypothesis.given(
    strategies.text() | strategies.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} Jan [0-9]{1,5} [0-9]{1,3}:[0-9]{2}:00 [+-][0-9]{1,9}")
)
def test_no_text_breaks_it(text: str) -> None:
    """Whatever a partner writes there is a moment within a day, or nothing."""
    moment = not_before(text, AT)
    assert moment is None or (moment.tzinfo is UTC and moment <= AT + timedelta(days=1))
