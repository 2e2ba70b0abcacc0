"""The paper of an order as the console's form wants it: what is said of a line stands in it, and what is not said stays."""

from typing import Any

import pytest

from o2c.entrypoints.http.console.frame import Form
from o2c.entrypoints.http.console.papers import changed_paper, says_nothing

PAPER: dict[str, Any] = {
    "externalId": "WEB-1",
    "productOrderItem": [
        {
            "id": "1",
            "action": "add",
            "productOffering": {"id": "lark-line", "name": "Lark"},
            "product": {
                "place": [{"role": "delivery", "name": "1 Mill Lane"}],
                "productCharacteristic": [{"name": "simType", "value": "esim"}, {"name": "commitmentMonths", "value": "12"}],
            },
        },
        {
            "id": "2",
            "action": "add",
            "productOffering": {"id": "site"},
            "productOrderItem": [{"id": "2.1", "productOffering": {"id": "lark-line"}}],
        },
    ],
}


def changed(**values: str) -> dict[str, Any]:
    """The paper with what a form says; two underscores stand for the point in the name of a field, and one more for that in an id."""
    return changed_paper(PAPER, Form({name.replace("__", "."): [value] for name, value in values.items()}))


def traits(item: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in item["product"].get("productCharacteristic", ())}


@pytest.mark.parametrize(
    ("field", "value", "trait", "stays"),
    [
        ("sim__1", "physical", "simType", {"commitmentMonths": "12"}),
        ("number__1", "+447700900123", "portInNumber", {"simType": "esim", "commitmentMonths": "12"}),
        ("code__1", "ABC123456", "portInCode", {"simType": "esim", "commitmentMonths": "12"}),
    ],
)
def test_a_characteristic_takes_the_place_of_its_own_and_of_no_other(field: str, value: str, trait: str, stays: dict[str, str]) -> None:
    """Whether the line had it before or not."""
    first, second = changed(**{field: value})["productOrderItem"]
    assert traits(first) == {**stays, trait: value}
    assert second["productOrderItem"][0]["productOffering"] == {"id": "lark-line"}


def test_any_characteristic_can_be_named_and_one_without_a_value_goes() -> None:
    """The other fields of the line stay."""
    [first, _] = changed(name__1="commitmentMonths", value__1="24")["productOrderItem"]
    assert traits(first) == {"simType": "esim", "commitmentMonths": "24"}
    [first, _] = changed(name__1="commitmentMonths")["productOrderItem"]
    assert traits(first) == {"simType": "esim"}


def test_offering_address_and_day_of_a_line_within_a_line() -> None:
    """A bundle stays a bundle, and the name of the offering of before goes with it."""
    told = {"offering__2__1": "lark-second", "place__1": "2 Quay Street", "day__2__1": "2026-02-01", "offering__1": "lark-second"}
    first, second = changed(**told)["productOrderItem"]
    [inner] = second["productOrderItem"]
    assert (inner["productOffering"], inner["requestedCompletionDate"]) == ({"id": "lark-second"}, "2026-02-01")
    assert first["productOffering"] == {"id": "lark-second"}
    assert [place["name"] for place in first["product"]["place"]] == ["2 Quay Street"]
    assert PAPER["productOrderItem"][0]["product"]["place"][0]["name"] == "1 Mill Lane"


def test_a_line_goes_and_one_comes() -> None:
    """The one that comes has a number that no line had, so that it is never taken for the one that went, and relies on what it is said to."""
    [second, new] = changed(gone__1="yes", new_offering="call-guard", new_relies_on="2")["productOrderItem"]
    assert (second["id"], new["id"], new["action"]) == ("2", "3", "add")
    assert new["productOrderItemRelationship"] == [{"id": "2", "relationshipType": "reliesOn"}]


@pytest.mark.parametrize(
    ("values", "nothing"), [({}, True), ({"day.1": " "}, True), ({"day.1": "2026-02-01"}, False), ({"new_offering": "x"}, False)]
)
def test_a_form_that_says_nothing_is_known(values: dict[str, str], nothing: bool) -> None:
    """Blanks say nothing."""
    assert says_nothing(Form({name: [value] for name, value in values.items()})) == nothing
