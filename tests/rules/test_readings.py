"""What a caller's words could be, judged by their form."""

import pytest

from o2c.kernel.refusal import Refused
from o2c.views.finding import readings, searched_number

ID = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"
ICCID = "8944500102198304826"


@pytest.mark.parametrize(
    ("text", "could_be"),
    [
        pytest.param(ID, {"order", "external-id", "customer"}, id="our id"),
        pytest.param(ID.upper(), {"order", "external-id", "customer"}, id="our id in capitals"),
        pytest.param("WEB-1001", {"external-id", "customer"}, id="an id of others"),
        pytest.param("+447700900123", {"external-id", "customer", "msisdn"}, id="a number"),
        pytest.param("07700 900123", {"external-id", "customer", "msisdn"}, id="a number as dialled at home"),
        pytest.param("07700 9OO123", {"external-id", "customer", "name"}, id="letters are no digits"),
        pytest.param(ICCID, {"external-id", "customer", "iccid"}, id="a SIM"),
        pytest.param(f"{ICCID}F", {"external-id", "customer", "iccid"}, id="a SIM with its filler"),
        pytest.param("8944500102198304827", {"external-id", "customer"}, id="a SIM with a wrong check digit"),
        pytest.param("Ada Example", {"external-id", "customer", "name"}, id="a name"),
        pytest.param("Example", {"external-id", "customer", "name"}, id="one word"),
        pytest.param("ada@example.org", {"external-id", "customer", "email"}, id="an e-mail"),
        pytest.param("4711", {"external-id", "customer"}, id="a few digits"),
    ],
)
def test_a_text_is_read_as_all_that_it_could_be(text: str, could_be: set[str]) -> None:
    """Ids of others have no form of their own; everything else is told by its form."""
    assert {reading.by for reading in readings(text)} == could_be


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("+447700900123", "+447700900123", id="as it is"),
        pytest.param("+447700000000", "+447700000000", id="E.164 is never judged further"),
        pytest.param("07700900123", "+447700900123", id="at home"),
        pytest.param("(07700) 900-123", "+447700900123", id="as printed"),
        pytest.param("00447700900123", "+447700900123", id="from abroad"),
        pytest.param("020 7946 0018", "+442079460018", id="not a mobile"),
        pytest.param("077009001", "", id="two digits short"),
        pytest.param("0770090", "", id="too short for a number of the country"),
        pytest.param("07700 9OO123", "", id="with letters"),
        pytest.param("1001", "", id="too short for any"),
    ],
)
def test_a_national_number_is_read_for_looking_up(text: str, number: str) -> None:
    """Digits as dialled lead to one E.164 number or to none."""
    assert searched_number(text) == number


def test_what_is_searched_is_told() -> None:
    """A number and a SIM are named in the form they were searched in; a name or an e-mail is not repeated."""
    told = [readings(text, by)[0].told for text, by in (("07700 900123", "msisdn"), (f"{ICCID}F", "iccid"), ("Ada Example", "name"))]

    assert told == ["msisdn +447700900123", f"iccid {ICCID}", "name"]


def test_a_name_may_have_digits_when_it_is_said_to_be_one() -> None:
    """An organisation called by one word with a digit is looked up as a name if asked so."""
    assert [reading.by for reading in readings("Mobile4", "name")] == ["name"]


@pytest.mark.parametrize(
    ("text", "by", "says"),
    [
        pytest.param("Ada Quill", "shoe-size", "say one of order, external-id, msisdn", id="no such way"),
        pytest.param("Ada Quill", "email", "no email; write it in full", id="no e-mail"),
        pytest.param("Ada Quill", "iccid", "no iccid; write it in full", id="no SIM"),
        pytest.param("Ada Quill", "msisdn", "no msisdn; write it in full", id="no number"),
        pytest.param("Ada Quill", "order", "no order; write it in full", id="no id"),
        pytest.param(" , ", "name", "no name; write it in full", id="no name"),
        pytest.param(" ", "", "give an id, a number, a SIM, a name or an e-mail", id="nothing"),
    ],
)
def test_a_text_without_the_form_is_refused(text: str, by: str, says: str) -> None:
    """One line says what to do and repeats nothing of what may be personal."""
    with pytest.raises(Refused, match=says) as caught:
        readings(text, by)

    assert "Quill" not in str(caught.value)
    assert "\n" not in str(caught.value)
