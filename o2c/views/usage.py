"""Usage: records, what is left of included units at any instant, and how an account stands with its limits."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date, local_time, stamp
from o2c.kernel.records import RECORDS
from o2c.kernel.refusal import Refused
from o2c.rating.units import decimal_of, in_base, in_unit
from o2c.store import usage
from o2c.views.reading import PART_MAX, Page, plain
from o2c.views.shown import AllowanceShown, LimitShown, UsageGapShown, UsageRecordShown

if TYPE_CHECKING:
    from o2c.invoicing.state import AccountState
    from o2c.kernel.work import Work
    from o2c.rating.account import Rated
    from o2c.rating.allowances import Grant

_SHOWN_AT_BOTH_ENDS = 4


def list_usage(
    app: Engine, *, account: str = "", file: str = "", suspense: bool = False, offset: int = 0, limit: int = 100
) -> Page[UsageRecordShown]:
    """Records of usage in the order in which they came: of an account, of a file, or those in suspense. Who used or was called is masked.

    Raises Refused (usage) for an offset or a limit that is none.
    """
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    picked = {"account": account, "file": file, "suspense": suspense}
    page = Page[UsageRecordShown]()
    for row in app.reads.rows(usage.LISTED, **picked, offset=offset, limit=limit):
        order, _, item = row.pop("owner").rpartition("/")
        del row["key"]
        masked = {name: _masked(row[name]) for name in ("party", "other")}
        page.append(cast("UsageRecordShown", plain({**row, **masked, "order": order, "item": item})))
    [counted] = app.reads.rows(usage.LISTED_COUNT, **picked)
    page.more = max(counted["n"] - offset - len(page), 0)
    return page


def _masked(party: str) -> str:
    """A number with its middle left out; an account as it is."""
    return f"{party[:_SHOWN_AT_BOTH_ENDS]}***{party[-3:]}" if party.startswith("+") else party


def usage_gaps(app: Engine, *, source: str = "", limit: int = 100) -> list[UsageGapShown]:
    """The numbers that are missing in the sequences of sources (of one, where it is named), each range with how many; none where nothing is
    missing.

    A record that comes late fills its gap. Raises Refused (usage) for a limit that is none.
    """
    if not 0 <= limit <= PART_MAX:
        raise Refused(f"ask for at most {PART_MAX} rows at once")
    rows = app.reads.rows(usage.GAPS, sources=[source] if source else None, limit=limit)
    return [cast("UsageGapShown", {**row, "missing": row["missing_to"] - row["missing_from"] + 1}) for row in rows]


def show_allowances(app: Engine, account: str, *, at: datetime | None = None) -> list[AllowanceShown]:
    """What is left of the included units of an account's lines at an instant (now, unless said), in the order in which they are used.

    Nothing where no line includes any, and zeros where no line is served any more. The instant must lie in the running bill period: what
    was left before stands in the account's events. Raises Refused: missing (no account that is charged), usage (another instant).
    """
    from o2c.invoicing import usage as rules

    when = at or app.clock().now
    ended: AccountState = app.load_one(account_stream(account)).state
    if ended.charges and not ended.running:
        return _over(app, ended, when)
    work, run_on = running(app, account)
    period = rules.period_before(work.state, run_on)
    if not rules.metered(work.state):
        return []
    if not local_time(period.start, 0, 0, work.market.zone) <= when <= local_time(period.end, 0, 0, work.market.zone):
        raise Refused(f"account {account}: its running bill period is {period.start} to {period.end}; name an instant in it")
    begun = {
        _same(grant): grant.left for grant in rules.grants_of(work.state, rules.tariffs_of(work), period) if grant.starts >= period.start
    }
    rated = rated_until(app, work, run_on, when)
    shown = sorted(rated.grants, key=lambda grant: grant.turn)
    today = local_date(when, work.market.zone)
    return [_allowance(grant, account, when, begun.get(_same(grant))) for grant in shown if grant.starts <= today < grant.ends]


def _same(grant: Grant) -> tuple[str, str, date, date]:
    """By what a grant is known again after some of it was used."""
    return grant.owner, grant.allowance.name, grant.starts, grant.created


def _over(app: Engine, state: AccountState, at: datetime) -> list[AllowanceShown]:
    """What lines included that are served no more: nothing is left of it."""
    from o2c.invoicing import usage as rules
    from o2c.rating.allowances import Grant

    work = app.work(account_stream(state.account), state, "", "bill-run")
    read = {name: one.state for name, one in app.load(rules.catalogue_streams(state)).items()}
    grants = []
    for owner, tariff in rules.tariffs_of(changed(work, read=read)).items():
        charge = state.charges[owner]
        begins = date.fromisoformat(charge.starts_on)
        ends = date.fromisoformat(charge.ended_on or charge.starts_on)
        grants += [Grant(owner, one, Fraction(0), begins, ends, begins) for one in tariff.allowances]
    return [_allowance(grant, state.account, at) for grant in sorted(grants, key=lambda grant: grant.turn)]


def _allowance(grant: Grant, account: str, at: datetime, begun: Fraction | None = None) -> AllowanceShown:
    """A grant as it is left; of one that began in the running period `begun` is what it began with: a part, where it was carried over or
    granted by days."""
    whole = in_base(grant.allowance.quantity, grant.allowance.unit) if begun is None else begun
    order, _, item = grant.owner.rpartition("/")
    return {
        "account": account,
        "order": order,
        "item": item,
        "allowance": grant.allowance.name,
        "unit": grant.allowance.unit,
        "granted": decimal_of(in_unit(whole, grant.allowance.unit)),
        "left": decimal_of(in_unit(grant.left, grant.allowance.unit)),
        "starts": grant.starts.isoformat(),
        "ends": grant.ends.isoformat(),
        "priority": grant.allowance.priority,
        "shared": grant.allowance.shared,
        "line_max": decimal_of(Fraction(most)) if (most := grant.allowance.line_max) is not None else "",
        "at": stamp(at),
    }


def show_limits(app: Engine, account: str) -> list[LimitShown]:
    """How an account stands with its limits in the running bill period: that of its bill, and that of what is used abroad.

    Raises Refused (missing) for an account that nothing was ever charged to.
    """
    from o2c.invoicing import usage as rules
    from o2c.rating.models import line_minor

    work, run_on = running(app, account)
    state, now = work.state, app.clock().now
    rated = rated_until(app, work, run_on, now)
    period = rules.period_before(state, run_on).start.isoformat()
    limits = rules.rules_of(work, run_on, {}).limits
    found = []
    for kind in ("bill", "roaming"):
        told = [notice for notice, of, began, _ in state.usage.notices if (of, began) == (kind, period)]
        found.append(
            LimitShown(
                account=account,
                kind=kind,
                amount_minor=limits.amount_minor(kind, now),
                currency=state.currency,
                chosen=any(of == kind for of, _, _ in state.usage.limits),
                period_from=period,
                spent_minor=line_minor(rated.spent.get((kind, period), Fraction(0)), state.currency),
                notice=told[-1] if told else "",
                agreed=limits.agreed_at(kind, period, now),
                not_chargeable=sum(of == kind for _, of in rated.beyond),
                offered_on=state.limit_offered_on,
            )
        )
    return found


def running(app: Engine, account: str) -> tuple[Work, date]:
    """The work of an account's next bill run with the catalogue that it reads, and the day of that run. Raises Refused (missing)."""
    from o2c.invoicing import usage as rules
    from o2c.invoicing.state import bill_run

    stream = account_stream(account)
    state: AccountState = app.load_one(stream).state
    if not state.running:
        raise Refused(f"no account {account} that is charged; see `o2c customers show`", kind="missing")
    work = app.work(stream, state, "", "bill-run")
    loaded = app.load(rules.catalogue_streams(state))
    read = {name: one.state for name, one in loaded.items()}
    return changed(work, read=read), date.fromisoformat(bill_run(work)["run_on"])


def rated_until(app: Engine, work: Work, run_on: date, until: datetime) -> Rated:
    """Rate what is on no bill yet, of what was used up to an instant."""
    from o2c.invoicing import usage as rules

    wanted = rules.wanted_before(work.state, run_on, work.market.zone)
    records = app.records(changed(wanted, before=until))
    return rules.rated_before(changed(work, read={**work.read, RECORDS: records}), run_on)[0]
