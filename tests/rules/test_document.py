"""Reading an order: what cannot be read is refused without its values; what can be read is taken as it stands."""

import contextlib
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from o2c.orders.document import DEPTH_MAX, ITEMS_MAX, LINE_BYTES_MAX, Unreadable, differing, fingerprint, read
from tests.given import Document, captured, item, paper, wish

SECRET = "Ada Example"


def nested(depth: int) -> bytes:
    """An order whose deepest list stands inside depth objects and lists, the order itself among them."""
    lists = depth - 1
    return json.dumps(paper(item())).encode()[:-1] + b', "deep": ' + b"[" * lists + b"1" + b"]" * lists + b"}"


def sent(**changes: Any) -> bytes:
    return json.dumps(paper(item(), **{"note": SECRET, **changes})).encode()


def with_text(text: bytes) -> bytes:
    return sent(note="HERE", owner=SECRET).replace(b'"HERE"', text)


REFUSED = [
    pytest.param(b"", "not JSON", id="empty"),
    pytest.param(sent()[:-1], "not JSON", id="cut-off"),
    pytest.param(sent() + b"{}", "not JSON", id="two-values"),
    pytest.param(b"\xef\xbb\xbf" + sent(), "not JSON", id="byte-order-mark"),
    pytest.param(with_text(b"'single'"), "not JSON", id="single-quotes"),
    pytest.param(with_text(b"01"), "not JSON", id="leading-zero"),
    pytest.param(with_text(b"+1"), "not JSON", id="plus-sign"),
    pytest.param(with_text(b'"a\tb"'), "not JSON", id="bare-control-character"),
    pytest.param(b"[]", "not a JSON object", id="a-list"),
    pytest.param(b'"order"', "not a JSON object", id="a-text"),
    pytest.param(b"null", "not a JSON object", id="null"),
    pytest.param(b"7", "not a JSON object", id="a-number"),
    pytest.param(with_text(b'1, "note": 2'), "the same key twice", id="duplicate-key"),
    pytest.param(with_text(b'{"a": 1, "\\u0061": 2}'), "the same key twice", id="duplicate-key-escaped-and-nested"),
    pytest.param(with_text(b"NaN"), "no JSON number", id="nan"),
    pytest.param(with_text(b"Infinity"), "no JSON number", id="infinity"),
    pytest.param(with_text(b"-Infinity"), "no JSON number", id="minus-infinity"),
    pytest.param(with_text(b"1e9999"), "beyond all bounds", id="a-number-beyond-any-float"),
    pytest.param(with_text(b"9" * 5000), "too many digits", id="integer-of-5000-digits"),
    pytest.param(with_text(b'"\xff"'), "not UTF-8 at byte", id="invalid-utf-8"),
    pytest.param(with_text(b'"\xc0\xaf"'), "not UTF-8 at byte", id="overlong-utf-8"),
    pytest.param(with_text(b'"\xed\xa0\x80"'), "not UTF-8 at byte", id="surrogate-in-utf-8"),
    pytest.param(sent().decode().encode("utf-16"), "not UTF-8", id="utf-16"),
    pytest.param(with_text(b'"a\\u0000b"'), "a NUL character", id="escaped-nul"),
    pytest.param(with_text(b'{"a\\u0000": 1}'), "a NUL character", id="nul-in-a-key"),
    pytest.param(with_text(b'["a", ["\\u0000"]]'), "a NUL character", id="nul-in-a-list"),
    pytest.param(with_text(b'"a\0b"'), "not JSON", id="bare-nul"),
    pytest.param(with_text(b'"\\ud800"'), "an unpaired surrogate", id="high-surrogate-alone"),
    pytest.param(with_text(b'"\\udc00\\ud800"'), "an unpaired surrogate", id="surrogates-the-wrong-way-round"),
    pytest.param(with_text(b'{"\\ud83d": 1}'), "an unpaired surrogate", id="surrogate-in-a-key"),
    pytest.param(nested(DEPTH_MAX + 1), "nested deeper", id="depth-65"),
    pytest.param(nested(1_000), "nested deeper", id="depth-1000"),
    pytest.param(b"[" * 500_000, "nested deeper", id="depth-500000"),
    pytest.param(b'{"a":' * 150_000, "nested deeper", id="depth-150000-of-objects"),
    pytest.param(sent() + b" " * LINE_BYTES_MAX, "bytes in one line", id="over-a-megabyte"),
    pytest.param(sent(externalId={"id": "1"}), "externalId has no id", id="external-id-of-the-wrong-kind"),
    pytest.param(sent(externalId=[{"owner": "shop"}]), "externalId has no id", id="an-identifier-without-id"),
    pytest.param(b'{"id": "C-1001", "givenName": "Ada Example"}', "no product order", id="a-customer"),
    pytest.param(b"{}", "no product order", id="an-empty-object"),
    pytest.param(sent(orderDate="2026-01-05T10:00:00"), "no time with a zone", id="naive-order-date"),
    pytest.param(sent(orderDate="2026-02-29T10:00:00Z"), "no time with a zone", id="impossible-date"),
    pytest.param(sent(orderDate="2026-01-05T24:00:00Z"), "no time with a zone", id="impossible-time"),
    pytest.param(sent(orderDate="2026-01-05T10:00:00+25:00"), "no time with a zone", id="impossible-zone"),
    pytest.param(sent(orderDate="0001-01-01T00:00:00+01:00"), "no time with a zone", id="before-the-first-year"),
    pytest.param(sent(orderDate="2026-01-05"), "no time with a zone", id="a-date-only"),
    pytest.param(sent(orderDate="next Monday"), "no time with a zone", id="prose"),
    pytest.param(sent(orderDate=1_767_607_200), "no time with a zone", id="seconds-since-1970"),
    pytest.param(sent(orderDate=""), "orderDate is no time with a zone", id="an-empty-order-date"),
    pytest.param(sent(orderDate=None, creationDate="soon"), "creationDate is no time with a zone", id="a-creation-date-in-prose"),
    pytest.param(sent(orderDate=None), "orderDate is missing", id="no-order-date-and-nobody-says-when-it-came"),
    pytest.param(sent(productOrderItem=[{}] * (ITEMS_MAX + 1)), "5001 items", id="too-many-items"),
    pytest.param(sent(productOrderItem=[{"productOrderItem": [{}] * ITEMS_MAX}]), "5001 items", id="too-many-items-in-a-bundle"),
]


@pytest.mark.parametrize(("raw", "why"), REFUSED)
def test_what_is_no_order_is_refused_without_its_values(raw: bytes, why: str) -> None:
    """The refusal is one line that says what is wrong and never what was written."""
    with pytest.raises(Unreadable, match=why) as refusal:
        read(raw)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(nested(DEPTH_MAX), id="depth-64"),
        pytest.param(sent() + b" " * (LINE_BYTES_MAX - len(sent())), id="a-megabyte"),
        pytest.param(sent(productOrderItem=[{}] * ITEMS_MAX), id="5000-items"),
        pytest.param(with_text(b'"\\ud83d\\ude00"'), id="a-pair-of-surrogates"),
        pytest.param(with_text(b"9" * 4000), id="integer-of-4000-digits"),
        pytest.param(sent(orderDate="2026-01-05T10:00:00.123456789+05:30"), id="nanoseconds-and-a-half-hour-zone"),
        pytest.param(sent(productOrderItem="none", relatedParty={}, channel=7, billingAccount=[]), id="parts-of-the-wrong-kind"),
        pytest.param(b'{"externalId": "1", "orderDate": "2026-01-05T10:00:00Z"}', id="nothing-but-a-name-and-a-date"),
    ],
)
def test_what_is_within_the_limits_is_read(raw: bytes) -> None:
    """At the limit is within it, and a thin order is still an order; the original is kept to the letter."""
    assert read(raw).original == raw.decode()


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        pytest.param("quantity", 1, "1", id="number"),
        pytest.param("quantity", "1", "1", id="text"),
        pytest.param("quantity", 1.5, "1.5", id="fraction"),
        pytest.param("quantity", 1e9, "1000000000", id="whole-number-with-a-fraction"),
        pytest.param("quantity", 2.0, "2", id="integer-as-a-float"),
        pytest.param("quantity", "2.0", "2.0", id="fraction-as-text"),
        pytest.param("quantity", 1e30, "1e+30", id="too-large-for-a-count"),
        pytest.param("quantity", None, "?", id="null"),
        pytest.param("quantity", "", "?", id="empty"),
        pytest.param("quantity", [1], "?", id="list"),
        pytest.param("quantity", True, "true", id="boolean"),
        pytest.param("action", None, "", id="no-action"),
        pytest.param("id", 7, "7", id="number-as-id"),
    ],
)
def test_values_are_taken_as_text(field: str, value: Any, text: str) -> None:
    """Nothing is repaired or rounded on the way in: a line holds what was written, for the rules to judge."""
    [line] = wish(item(**{"name" if field == "id" else field: value})).lines
    assert {"quantity": line.quantity, "action": line.action, "id": line.item}[field] == text


def test_a_missing_quantity_is_one() -> None:
    """TMF622 makes quantity optional with the meaning of one."""
    bare = item()
    del bare["quantity"]
    assert [line.quantity for line in wish(bare).lines] == ["1"]


def test_lines_of_a_bundle_know_their_parent() -> None:
    """Items within items are read at any depth, outer ones first."""
    order = wish(item("1", productOrderItem=[item("1.1", productOrderItem=[item("1.1.1")]), item("1.2")]), item("2"))
    assert [(line.item, line.parent) for line in order.lines] == [("1", ""), ("1.1", "1"), ("1.1.1", "1.1"), ("1.2", "1"), ("2", "")]


def test_an_item_may_name_its_own_account_and_times() -> None:
    """What an item says of itself is kept apart from what the order says, through capture; absent ones are empty."""
    dated = item("1", billingAccount={"id": "BA-7"}, requestedStartDate="2026-03-01", requestedCompletionDate="2026-03-09")
    lines = captured(dated, item("2")).lines
    assert [(line.account, line.requested_start, line.requested_completion) for line in lines] == [
        ("BA-7", "2026-03-01", "2026-03-09"),
        ("", "", ""),
    ]


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"priority": "0"}, "priority", 0, id="highest-priority"),
        pytest.param({"priority": 5}, "priority", 4, id="priority-out-of-range"),
        pytest.param({"priority": "urgent"}, "priority", 4, id="priority-in-words"),
        pytest.param({"relatedParty": [{"id": "S-1", "role": "seller"}]}, "party", "", id="no-customer-among-parties"),
        pytest.param({"relatedParty": [{"id": "C-2", "role": "Customer"}]}, "party", "C-2", id="role-in-capitals"),
        pytest.param({"billingAccount": None}, "account", "C-1001", id="no-account-is-the-party"),
        pytest.param({"channel": []}, "channel", "unknown", id="no-channel"),
        pytest.param({"requestedStartDate": "2026-03-01"}, "requested_start", "2026-03-01", id="wished-start"),
        pytest.param({"requestedCompletionDate": "2026-03-02T00:00:00Z"}, "requested_completion", "2026-03-02T00:00:00Z", id="wished-end"),
        pytest.param({"externalId": None, "id": "TMF-7"}, "external_id", "TMF-7", id="id-instead-of-external-id"),
    ],
)
def test_the_head_of_an_order(changes: Document, field: str, value: Any) -> None:
    """What the channel left out or garbled at the head of an order has a plain meaning or stays empty."""
    assert getattr(wish(item(), **changes), field) == value


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        pytest.param({}, True, id="to-the-letter"),
        pytest.param({"orderDate": "2026-01-06T10:00:00Z"}, True, id="order-date"),
        pytest.param({"channel": [{"id": "store"}]}, True, id="channel"),
        pytest.param({"priority": "1"}, False, id="priority"),
        pytest.param({"note": "x"}, False, id="an-unknown-field"),
        pytest.param({"productOrderItem": []}, False, id="items"),
    ],
)
def test_the_fingerprint_covers_everything_but_date_and_channel(changes: Document, same: bool) -> None:
    """Two papers are the same order when they differ at most in order date and channel, in whatever order their keys stand."""
    turned = dict(reversed(paper(item(), **changes).items()))
    assert (fingerprint(turned) == fingerprint(paper(item()))) is same


def test_differences_are_named_and_not_told() -> None:
    """A characteristic is named by its name, other parts by their place; values do not appear."""
    one, other = paper(item()), paper(item(characteristics={"simType": "physical"}), priority="1", channel=[])
    sim_type = "productOrderItem[0].product.productCharacteristic[simType].value"
    assert differing(one, other) == ("priority", sim_type)


leaves = strategies.none() | strategies.booleans() | strategies.integers(0, 2) | strategies.sampled_from(["", "1", "a"])
parts = strategies.recursive(
    leaves,
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.sampled_from(["name", "value", "b"]), inner),
    max_leaves=5,
)
papers = strategies.dictionaries(strategies.sampled_from(["a", "b", "orderDate", "channel"]), parts, max_size=3)


@hypothesis.given(papers, papers)
def test_no_difference_is_named_between_equal_papers(one: Document, other: Document) -> None:
    """Papers of one fingerprint differ in nothing, and where something is named the fingerprints differ."""
    assert differing(one, one) == ()
    if fingerprint(one) == fingerprint(other):
        assert differing(one, other) == ()


@strategies.composite
def changed_somewhere(draw: strategies.DrawFn, value: Any) -> Any:
    """The value with one part of it, however deep, made another."""
    if not value or not isinstance(value, dict | list):
        return draw(leaves)
    place = draw(strategies.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    part = draw(changed_somewhere(value[place]))
    return {**value, place: part} if isinstance(value, dict) else [*value[:place], part, *value[place + 1 :]]


pairs = papers.filter(bool).flatmap(lambda one: strategies.tuples(strategies.just(one), changed_somewhere(one)))


@hypothesis.given(strategies.tuples(papers, papers) | pairs)
def test_a_difference_beyond_the_order_of_named_parts_is_named(both: tuple[Document, Document]) -> None:
    """When nothing is named, the papers have the same values under the same names."""
    one, other = both
    assert differing(one, other) or _sorted(one) == _sorted(other)


@strategies.composite
def shuffled_parts(draw: strategies.DrawFn) -> tuple[list[Document], list[Document]]:
    """Parts with names, in two orders; every second time one of them has another value."""
    part = strategies.fixed_dictionaries({"name": strategies.sampled_from("abc"), "value": strategies.sampled_from("xy")})
    one = draw(strategies.lists(part, min_size=1, max_size=3))
    other = draw(strategies.permutations(one))
    return one, ([{**other[0], "value": "z"}, *other[1:]] if draw(strategies.booleans()) else other)


@hypothesis.given(shuffled_parts())
def test_the_order_of_parts_is_a_difference_only_where_names_do_not_tell_them_apart(both: tuple[list[Document], list[Document]]) -> None:
    """Parts with names of their own may stand in any order and a changed one is named by its name; where a name comes twice, the place counts."""
    one, other = both
    found = differing({"parts": one}, {"parts": other})
    if len({part["name"] for part in one}) == len(one):
        changed = sorted(part["name"] for part in other if part not in one)
        assert found == tuple(f"parts[{name}].value" for name in changed)
    else:
        assert (found == ()) is (one == other)


def _sorted(value: Any) -> Any:
    """Without what is no content at the top, with the parts of lists and objects in one order."""
    if isinstance(value, dict):
        return {key: _sorted(part) for key, part in sorted(value.items()) if key not in ("orderDate", "channel")}
    return sorted(json.dumps(_sorted(part)) for part in value) if isinstance(value, list) else value


anything = strategies.binary(max_size=60) | strategies.text(max_size=40).map(str.encode)
places = strategies.integers(0, len(sent()))
overwritten = strategies.tuples(anything, places).map(lambda new: sent()[: new[1]] + new[0] + sent()[new[1] + len(new[0]) :])
of_orders = strategies.dictionaries(strategies.sampled_from(sorted(paper())), parts, max_size=3)
of_items = strategies.dictionaries(strategies.sampled_from(sorted(item())), parts, max_size=3)
garbled = strategies.tuples(of_orders, of_items).map(lambda new: json.dumps(paper({**item(), **new[1]}) | new[0]).encode())


@hypothesis.given(anything | overwritten | garbled)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """Whatever stands in a line, be it noise, an order with noise in it or one with parts of any kind, it is read as it stands or refused."""
    with contextlib.suppress(Unreadable):
        order = read(raw)
        assert order.original == raw.decode()
        assert all(isinstance(text, str) for line in order.lines for text in (line.item, line.quantity, line.place, *line.relies_on))
