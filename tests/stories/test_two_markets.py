"""Two countries in one store: each order lives by the rules of its own market, from capture to paid invoice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.fallout import Retry
from o2c.files import intake, loading
from o2c.kernel.partner import Answered, Failed, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.partners.clearing_house import SimulatedClearingHouse
from o2c.views.metrics import explain_metric
from o2c.views.reading import caught_up
from tests.world import Document, World, line, order, ported

DUTCH_LINE = "lijn-nl"
KERKSTRAAT = "Kerkstraat 12, 1017 GC Amsterdam"
MONDAY = datetime(2026, 4, 20, 9, tzinfo=UTC)
"""A week with the King's Birthday in it: Monday the 27th is no working day in the Netherlands, and one in England."""


@pytest.fixture
def world(store_dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(store_dsn, tmp_path)
    made.stocked(esims=6, physical=0, numbers=6, customers=4)
    offering: Document = {
        "id": DUTCH_LINE, "version": "1.0", "lifecycleStatus": "Active", "isBundle": False, "productSpecification": {"id": "spec-mobile"},
        "validFor": {"startDateTime": "2026-01-01T00:00:00Z"},
        "productOfferingPrice": [
            {"priceType": "recurring", "recurringChargePeriod": "month", "price": {"dutyFreeAmount": {"unit": "EUR", "value": "20.00"}}},
            {"priceType": "oneTime", "price": {"dutyFreeAmount": {"unit": "EUR", "value": "10.00"}}},
        ],
        "prodSpecCharValueUse": [
            {"name": "simType", "productSpecCharacteristicValue": [{"value": "esim"}, {"value": "physical"}]},
            {"name": "commitmentMonths", "productSpecCharacteristicValue": [{"value": "12"}]},
        ],
    }  # fmt: skip
    loading.load_catalogue(made.app, made.written("nl.json", json.dumps([offering])), market="NL")
    rows = [("msisdn", "class"), *((f"+3161234560{n}", "normal") for n in range(4))]
    loading.load_stock(made.app, made.runner, "numbers", made.written("nl.csv", rows), None)
    yield made
    made.close()


def dutch(number: str = "1", **values: str) -> Document:
    made = line(number, **{"place": KERKSTRAAT, **values})
    made["productOffering"] = {"id": DUTCH_LINE}
    return made


def take(world: World, market: str, *orders: Document) -> None:
    path = world.written(f"{market}.jsonl", "\n".join(json.dumps(document) for document in orders))
    intake.Intake(world.app, path, world.folder / "quarantine", market=market).run()


def issued(world: World, account: str, day: str) -> Any:
    return world.invoice(f"{account}-{day}").issued


def test_each_order_lives_by_its_own_market(world: World) -> None:
    """Currency, tax, number, bill day and porting day are those of the country, side by side in one log."""
    take(world, "GB", order("GB-1", ported(), party="C-1", on=MONDAY))
    take(world, "NL", order("NL-1", dutch(portInNumber="+31612345699"), party="C-2", on=MONDAY))
    world.run(datetime(2026, 6, 10, tzinfo=UTC))

    assert (world.state("GB-1"), world.state("NL-1")) == ("completed", "completed")
    assert (world.order("GB-1").market, world.order("NL-1").market) == ("GB@2026-01", "NL@2026-01")
    assert world.outcome("NL-1", "1", "number")["msisdn"].startswith("+3161234560")
    assert world.outcome("GB-1", "1", "number")["msisdn"].startswith("+44")
    english, dutch_ = issued(world, "BA-C-1", "20260422"), issued(world, "BA-C-2", "20260422")
    assert (english.currency, english.market, dutch_.currency, dutch_.market) == ("GBP", "GB@2026-01", "EUR", "NL@2026-01")
    # 10.00 once, 2 of 31 days of 20.00 (1.29), 20.00 in advance: 31.29, and 21 % of it.
    assert (dutch_.net_minor, dutch_.tax_minor, dutch_.total_minor) == (3129, 657, 3786)
    assert english.tax_minor * 5 == pytest.approx(english.net_minor, abs=3)
    assert world.invoice("BA-C-2-20260422").open_minor == 0


@pytest.mark.parametrize(
    ("first_possible_on", "opens_at"),
    [
        pytest.param("2026-04-21", datetime(2026, 4, 21, 7, tzinfo=UTC), id="the next working day at nine in Amsterdam"),
        pytest.param("2026-04-24", datetime(2026, 4, 24, 7, tzinfo=UTC), id="the day the donor names"),
        pytest.param("2026-04-25", datetime(2026, 4, 28, 7, tzinfo=UTC), id="a Saturday before the King's Birthday"),
        pytest.param("2026-04-19", datetime(2026, 4, 21, 7, tzinfo=UTC), id="never sooner than a working day"),
    ],
)
def test_the_donor_names_the_first_possible_day(world: World, first_possible_on: str, opens_at: datetime) -> None:
    """A port in the Netherlands happens on the first working day from the day the donor's answer names."""
    world.scripted.will("porting", Answered({"reference": "COIN-1", "first_possible_on": first_possible_on}))
    take(world, "NL", order("NL-1", dutch(portInNumber="+31612345699"), on=MONDAY))
    world.run(datetime(2026, 4, 29, tzinfo=UTC))

    assert datetime.fromisoformat(world.outcome("NL-1", "1", "porting")["window_opens_at"]) == opens_at
    assert world.when("NL-1", "cutover.number-ported-in") == opens_at


@pytest.mark.parametrize(("code", "reason"), [("DEBT", "NP-CONFLICT"), ("CONTRACT", "NP-CONFLICT"), ("BARRED", "NP-BAR")])
def test_a_debt_is_no_ground_to_keep_a_number(world: World, code: str, reason: str) -> None:
    """A donor that refuses for money or a contract is asked again; one with a lawful ground is not."""
    world.scripted.will("porting", RefusedBy(code))
    take(world, "NL", order("NL-1", dutch(portInNumber="+31612345699"), on=MONDAY))
    world.run(datetime(2026, 4, 20, 9, 30, tzinfo=UTC))

    told = world.told("NL-1")
    assert world.app.reads.rows("SELECT body ->> 'reason' AS reason FROM o2c.event WHERE type = 'porting.fell-out'") == [{"reason": reason}]
    assert ("porting.scheduled" in told) is (reason == "NP-CONFLICT")


def test_an_offering_is_sold_in_its_own_market_only(world: World) -> None:
    """A paper of one market that names another's offering waits for its channel."""
    take(world, "NL", order("NL-1", line(), on=MONDAY))
    take(world, "GB", order("GB-1", dutch(), on=MONDAY))
    world.run(datetime(2026, 4, 21, tzinfo=UTC))

    assert [(f["reason"], f["waiting_for"]) for name in ("NL-1", "GB-1") for f in world.fallouts(name)] == [("DQ-OFFER", "channel")] * 2


def test_no_number_of_another_country_is_given_out(world: World) -> None:
    """When the country's own numbers have run out the line waits, however many there are of another's."""
    take(world, "NL", order("NL-1", *(dutch(str(n)) for n in range(1, 6)), on=MONDAY))
    world.run(datetime(2026, 4, 21, tzinfo=UTC))

    [waiting] = world.fallouts("NL-1")
    assert (waiting["reason"], waiting["step"]) == ("INV-NUM", "number")
    numbers = [world.outcome("NL-1", str(n), "number").get("msisdn", "") for n in range(1, 6)]
    assert sum(number.startswith("+316") for number in numbers) == 4
    assert not any(number.startswith("+44") for number in numbers)


def test_there_is_no_market_by_any_other_name(world: World) -> None:
    """A market that the program does not know is refused, with those that it does."""
    with pytest.raises(Refused, match=f"there is no market FR; use one of {', '.join(sorted(MARKETS))}"):
        loading.load_catalogue(world.app, world.written("fr.json", json.dumps([{"id": "x"}])), market="FR")


def test_the_dutch_donor_is_simulated_as_it_answers() -> None:
    """It asks for no code, names a first possible day, and some donors answer with what is no ground, once."""
    house = SimulatedClearingHouse(7)

    def asked(number: int, attempt: int = 1) -> Any:
        body = {"msisdn": f"+3161{number:04d}000", "code": "", "market": "NL"}
        return house.submit(Request(f"order-{number}/1/porting/{attempt}", f"order-{number}", "1", "porting", attempt, MONDAY, body))

    answers = [asked(number) for number in range(2000)]
    days = {answer.data["first_possible_on"] for answer in answers if isinstance(answer, Answered)}
    codes = {answer.code for answer in answers if isinstance(answer, RefusedBy)}
    assert days == {"2026-04-21", "2026-04-22", "2026-04-23", "2026-04-24"}
    assert codes == {"NAME-MISMATCH", "NUMBER-INACTIVE", "BARRED", "DEBT", "CONTRACT"}
    breaches = [number for number, answer in enumerate(answers) if getattr(answer, "code", "") in ("DEBT", "CONTRACT")]
    assert all(isinstance(asked(number, 2), Answered) for number in breaches)


def test_figures_are_in_the_hours_and_money_of_each_market(world: World) -> None:
    """Both fell out on Friday at noon and were tried again on Tuesday at ten: Monday was the King's Birthday, and worked in England. Each is paid in its
    own currency, by its own price of a minute."""
    friday = datetime(2026, 4, 24, 10, tzinfo=UTC)
    world.scripted.will("activation", Failed("PERMANENT"), Failed("PERMANENT"))
    take(world, "GB", order("GB-1", line(), party="C-1", on=friday, channel="gb"))
    take(world, "NL", order("NL-1", dutch(), party="C-2", on=friday, channel="nl"))
    world.run(datetime(2026, 4, 28, 8, tzinfo=UTC))
    for name in ("GB-1", "NL-1"):
        [found] = world.fallouts(name)
        world.resolve(found["reason"], Retry(), of=name)
    caught_up(world.app)
    worked = explain_metric(world.app, "working-time-to-acknowledge", by="channel")["rows"]
    costs = explain_metric(world.app, "fallout-cost", by="currency")["rows"]

    fell = {name: datetime.fromisoformat(str(world.fallouts(name)[0]["opened_at"])) for name in ("GB-1", "NL-1")}
    minutes = {row["key"]: row["value"] / 60 for row in worked}
    # Friday until five, local time, which is an hour or two ahead of UTC; Tuesday from nine, until nine in London and ten in Amsterdam.
    assert minutes["gb"] == pytest.approx((datetime(2026, 4, 24, 16, tzinfo=UTC) - fell["GB-1"]).total_seconds() / 60 + 8 * 60, abs=0.1)
    assert minutes["nl"] == pytest.approx((datetime(2026, 4, 24, 15, tzinfo=UTC) - fell["NL-1"]).total_seconds() / 60 + 60, abs=0.1)
    assert {row["key"]: row["value"] for row in costs} == {"GBP": 2 * 55, "EUR": 2 * 65}


def test_a_fallout_of_an_invoice_is_of_the_market_of_its_account(world: World) -> None:
    """A Dutch customer's card was refused: whoever sees to it is paid in euro."""
    world.scripted.will("payment", RefusedBy("DECLINED"))
    take(world, "NL", order("NL-1", dutch(), party="C-2", on=MONDAY))
    world.run(datetime(2026, 4, 30, tzinfo=UTC))
    [found] = world.fallouts()
    assert found["step"] == "payment"
    world.resolve(found["reason"], Retry())
    caught_up(world.app)

    assert explain_metric(world.app, "fallout-cost")["unit"] == "minor units of EUR"
