"""What becomes of records that came for accounts which had their final bill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from o2c.engine.drafts import Command
from o2c.kernel.carry import Carried
from o2c.kernel.charges import account_stream
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_date
from o2c.store import usage

if TYPE_CHECKING:
    from o2c.engine.app import Engine
    from o2c.invoicing.state import AccountState

ACTOR = "mediation"


def bill_late(app: Engine, accounts: Iterable[str], at: datetime) -> None:
    """Ask for a further final bill of those of some accounts that had theirs and have records on no bill, or say that these are not
    chargeable.

    Somebody who writes to such an account meanwhile lets it be: the next records that come for it decide for all.
    """
    from o2c.invoicing.usage import metered, wanted_before
    from o2c.rating.late import take_late

    for stream, loaded in app.load(map(account_stream, sorted(accounts))).items():
        state: AccountState = loaded.state
        if not state.settled_on or state.late_on or not metered(state):
            continue
        market = app.book.market(state.market)
        on = local_date(at, market.zone)
        records = usage.of_account(app.reads, wanted_before(state, on + timedelta(days=1), market.zone))
        carried = Carried(app.kind(stream), stream, state)
        carried.carry(take_late(state, records=records, came_on=on, days=market.usage.late.days_after_final), at, app.book, None)
        if carried.happened:
            command_id = derived_id("late-usage", stream, str(loaded.version))
            app.write([Command(command_id, stream, tuple(carried.happened), {stream: loaded}, ACTOR, "intake")])
