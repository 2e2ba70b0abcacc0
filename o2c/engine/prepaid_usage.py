"""What prepaid money pays of usage that came beside the sessions of the network: in a file, or late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from o2c.engine.drafts import Command
from o2c.kernel.carry import Carried
from o2c.kernel.charges import account_stream
from o2c.kernel.frozen import changed
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_date
from o2c.kernel.records import RECORDS
from o2c.store import usage

if TYPE_CHECKING:
    from o2c.engine.app import Engine
    from o2c.engine.drafts import Loaded
    from o2c.kernel.work import Work

ACTOR = "mediation"
TRIES_MAX = 20
"""How often it is decided anew when sessions changed the account's quota meanwhile. What is left then is charged with the next record or
commit."""
_MOMENT = timedelta(microseconds=1)


def charge_prepaid(app: Engine, accounts: Iterable[str], at: datetime) -> None:
    """Pay from the prepaid balances of those of some accounts that have prepaid prices for what was used of them and is not paid yet.

    What comes of a period that ends today is charged for that period, while its bill run is to come; of the last two that no bill has yet.
    """
    for account in sorted(accounts):
        for _ in range(TRIES_MAX):
            if _charged(app, account, at):
                break


def _charged(app: Engine, account: str, at: datetime) -> bool:
    """Whether there was nothing to charge for an account, or it was charged; False where somebody else wrote meanwhile."""
    from o2c.quota.state import stream_of

    stream, of_account = stream_of(account), account_stream(account)
    loaded = app.load([stream, of_account])
    work = _work(app, of_account, loaded[of_account])
    if work is None:
        return True
    carried = _decided(app, work, stream, loaded[stream], at)
    if not carried.happened:
        return True
    command_id = derived_id("prepaid-usage", stream, str(loaded[stream].version))
    command = Command(command_id, stream, tuple(carried.happened), {stream: loaded[stream]}, ACTOR, "intake")
    return app.write([command])[0].verdict in ("appended", "repeated")


def _work(app: Engine, stream: str, loaded: Loaded) -> Work | None:
    """The work of the next bill run of an account, with the catalogue that it reads; None where no run is to come, or nothing of it is
    prepaid."""
    from o2c.invoicing.usage import catalogue_streams, metered, tariffs_of

    state = loaded.state
    if not metered(state) or not (state.due_run or state.to_bill or state.late_on):
        return None
    read = {name: one.state for name, one in app.load(catalogue_streams(state)).items()}
    work = changed(app.work(stream, state, "", "bill-run"), read=read)
    prepaid = (held.price.prepaid for tariff in tariffs_of(work).values() for held in tariff.prices)
    return work if any(prepaid) else None


def _decided(app: Engine, work: Work, stream: str, loaded: Loaded, at: datetime) -> Carried:
    """What is charged of the usage of an account for each of the periods that are on no bill yet."""
    from o2c.invoicing.state import bill_run
    from o2c.invoicing.usage import bases_until, wanted_before
    from o2c.quota.rules import charge_records
    from o2c.quota.state import PERIODS_KEPT

    state, carried = work.state, Carried(app.kind(stream), stream, loaded.state)
    run_on = date.fromisoformat(bill_run(work)["run_on"])
    wanted = changed(wanted_before(state, run_on, work.market.zone), before=at + _MOMENT)
    read = changed(work, read={**work.read, RECORDS: usage.of_account(app.reads, wanted)})
    told = {"account": state.account, "customer": state.customer, "currency": state.currency}
    for basis in bases_until(read, run_on, local_date(at, work.market.zone))[-PERIODS_KEPT:]:
        cost = basis.cost(basis.rated())
        carried.carry(charge_records(carried.state, **told, cost=cost, period_from=basis.period_from, at=at), at, app.book, None)
    return carried
