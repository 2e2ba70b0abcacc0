"""Which stage an account is in, what is told and barred for it, and what holds it.

Source: billing facts, section 6.6 (the worst stage whose condition holds wins, and it goes down again after a payment).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from o2c.collections.barring import lines, rests, while_barred
from o2c.collections.debt_plans import days_of_plan, judged
from o2c.collections.events import (
    BarLifted,
    Barred,
    BarRequested,
    Cleared,
    DebtPlaced,
    DisputeOpened,
    DisputeSettled,
    HoldPlaced,
    HoldReleased,
    Looked,
    Owed,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    Reminded,
    StageEntered,
    Warned,
)
from o2c.collections.state import Arrear, CollectionState, Notice, evolve
from o2c.kernel.agenda import NEVER
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.charges import ChargeWithdrawn, RestEnded, account_stream
from o2c.kernel.debts import DebtGivenUp, OwedInvoice
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work, next_attempt
from o2c.markets.base import Market
from o2c.markets.collecting import LEVELS, CollectionRules, Stage

LOOKED_AT_HOUR = 9
"""The local hour at which accounts are looked at on the day of a stage: people are told, and lines are barred, in working hours."""
_WORSE = ("", "soft", "hard", "ended")


def look(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide about an account: the stage in each currency, the notices that are due, and the bar of its lines, by the worst of its stages.

    Nothing is barred without a warning that was given `warning_days` before, of an invoice that is still unpaid: where there is none, the
    account is in the worst stage that does not bar, and is warned now.
    """
    state: CollectionState = work.state
    told: list[Event] = []
    for decide in (_promise, _plan, _courses, _bar):
        for event in decide(state, work, at):
            told.append(event)
            state = evolve(state, event)
    return just(*told, Looked(attempt=work.attempt))


def _promise(state: CollectionState, work: Work, at: datetime) -> Iterator[Event]:
    promise = state.promise
    if promise is None:
        return
    said = {"amount_minor": promise.amount_minor, "currency": promise.currency, "by_on": promise.by_on}
    if promise.paid_minor >= promise.amount_minor or not state.collected(promise.currency):
        yield PromiseKept.model_validate(said)
    elif promise.by_on < _today(work.market, at):
        yield PromiseBroken.model_validate({**said, "paid_minor": promise.paid_minor})


def _plan(state: CollectionState, work: Work, at: datetime) -> Iterator[Event]:
    yield from judged(state, work.market.collections, _today(work.market, at))


def _courses(state: CollectionState, work: Work, at: datetime) -> Iterator[Event]:
    currencies = {arrear.currency for arrear in state.arrears.values()} | set(state.stages)
    for currency in sorted(currencies):
        yield from _course(state, currency, work, at)


def _course(state: CollectionState, currency: str, work: Work, at: datetime) -> Iterator[Event]:
    """The stage of an account in one currency, and its notice if one is due."""
    rests, was = state.collected(currency), state.stages.get(currency, "")
    if not rests:
        if was:
            yield Cleared(currency=currency, was=was)
        return
    rules, today = work.market.collections, _today(work.market, at)
    stage = _stage(state, currency, rules, today)
    name = stage.name if stage else ""
    said = _said(currency, name, rests)
    if name != was:
        warnings = _warnings(state, currency, rules, today) if stage and stage.action in LEVELS else ()
        yield StageEntered.model_validate({**said, "was": was, "notices": [notice.notice for notice in warnings]})
    if stage is None or _frozen(state, currency, rules, today):
        return
    if _to_tell(state, currency, stage, today):
        yield _notice(state, stage, said, rules, at, today)
    ripe = [arrear for arrear in rests if today >= _later(arrear.due_on, stage.after_days)]
    yield from _given_up(state, currency, stage, ripe, rules)


def _said(currency: str, stage: str, rests: Sequence[Arrear]) -> dict[str, Any]:
    owed = tuple(Owed(invoice=arrear.invoice, open_minor=arrear.collected_minor, due_on=arrear.due_on) for arrear in rests)
    return {"currency": currency, "stage": stage, "open_minor": sum(one.open_minor for one in owed), "invoices": owed}


def _given_up(state: CollectionState, currency: str, stage: Stage, ripe: Sequence[Arrear], rules: CollectionRules) -> Iterator[Event]:
    """Place with the agency, and have the books write off, what was due so long ago as the stage says, each invoice once."""
    fresh = [arrear for arrear in ripe if arrear.invoice not in state.placed]
    if stage.action == "agency" and rules.agency and fresh:
        yield DebtPlaced.model_validate({**_said(currency, stage.name, fresh), "agency": rules.agency})
    fresh = [arrear for arrear in ripe if arrear.invoice not in state.written_off]
    if stage.writes_off and fresh:
        owed = tuple(OwedInvoice(invoice=arrear.invoice, amount_minor=arrear.collected_minor) for arrear in fresh)
        yield DebtGivenUp(currency=currency, stage=stage.name, invoices=owed)


def _notice(state: CollectionState, stage: Stage, said: Mapping[str, Any], rules: CollectionRules, at: datetime, today: str) -> Event:
    key = derived_id("notice", state.account, said["currency"], stage.name, at.isoformat())
    body = {**said, "notice": key, "customer": state.customer, "channels": rules.channels, "told_on": today}
    if stage.action == "remind":
        return Reminded.model_validate(body)
    return Warned.model_validate({**body, "barred_from": _later(today, rules.warning_days)})


def _stage(state: CollectionState, currency: str, rules: CollectionRules, today: str) -> Stage | None:
    """The stage that an account is in now: the worst that holds, no worse than it was while it is frozen, and none that bars unless
    warned."""
    rests, held = state.collected(currency), holding(state, today)
    holds = [stage for stage in rules.stages if _holds(stage, rests, held, today)]
    if _frozen(state, currency, rules, today):
        worst = rules.rank(state.stages.get(currency, ""))
        holds = [stage for stage in holds if rules.rank(stage.name) <= worst]
    if not _warnings(state, currency, rules, today):
        holds = [stage for stage in holds if stage.action not in LEVELS]
    return holds[0] if holds else None


def _holds(stage: Stage, rests: Sequence[Arrear], held: frozenset[str], today: str) -> bool:
    """Whether all conditions of a stage hold. Source: Kill Bill, DefaultOverdueCondition."""
    return (
        len(rests) >= stage.invoices_min
        and sum(arrear.collected_minor for arrear in rests) >= stage.balance_min_minor
        and today >= _later(rests[0].due_on, stage.after_days)
        and (not stage.answers or any(arrear.answer in stage.answers for arrear in rests))
        and stage.only_held <= held
        and not stage.not_held & held
    )


def _warnings(state: CollectionState, currency: str, rules: CollectionRules, today: str) -> tuple[Notice, ...]:
    """The warnings that a bar can rest on: old enough, and of an invoice that is still unpaid."""
    unpaid = {arrear.invoice for arrear in state.collected(currency)}
    return tuple(
        notice for notice in _told(state, currency) if notice.warns and _over(notice, rules, today) and unpaid.intersection(notice.invoices)
    )


def _over(notice: Notice, rules: CollectionRules, today: str) -> bool:
    return _later(notice.told_on, rules.warning_days) <= today


def _told(state: CollectionState, currency: str) -> list[Notice]:
    return [notice for notice in state.notices if notice.currency == currency]


def _of_stage(state: CollectionState, currency: str, stage: Stage) -> list[Notice]:
    """The notices of a stage that told of an invoice which is still unpaid."""
    unpaid = {arrear.invoice for arrear in state.collected(currency)}
    return [notice for notice in _told(state, currency) if notice.stage == stage.name and unpaid.intersection(notice.invoices)]


def _to_tell(state: CollectionState, currency: str, stage: Stage, today: str) -> bool:
    if stage.action not in ("remind", "warn"):
        return False
    told = _of_stage(state, currency, stage)
    return not told or (len(told) < stage.attempts and today >= _later(told[-1].told_on, stage.days_between))


def holding(state: CollectionState, today: str) -> frozenset[str]:
    """The kinds of hold that are in force on a local day."""
    return frozenset(kind for kind, until in state.holds.items() if not until or today <= until)


def _frozen(state: CollectionState, currency: str, rules: CollectionRules, today: str) -> bool:
    planned = state.plan is not None and state.plan.currency == currency
    return planned or state.promise is not None or any(rules.holds[kind].freezes for kind in holding(state, today) if kind in rules.holds)


def _bar(state: CollectionState, work: Work, at: datetime) -> Iterator[Event]:
    """Ask the network for the bar of the worst stage, or to lift it; what was ended stays so."""
    rules, today = work.market.collections, _today(work.market, at)
    levels = {currency: _level(rules.stage(stage)) for currency, stage in state.stages.items()}
    level = max(levels.values(), key=_WORSE.index, default="")
    if level == state.bar_asked or state.bar_asked == "ended":
        return
    barring = [currency for currency, of_stage in levels.items() if of_stage]
    notices = [notice.notice for currency in barring for notice in _warnings(state, currency, rules, today)]
    if level and not notices:
        raise ValueError(f"{work.stream}: no warning precedes the bar; nothing may be barred")
    attempt = next_attempt(state.records, "barring")
    yield BarRequested.model_validate({"attempt": attempt, "due_at": at, "level": level, "notices": notices})


def _level(stage: Stage | None) -> str:
    return LEVELS.get(stage.action, "") if stage else ""


def owing(work: Work) -> bool:
    """Whether there is anything to look at: something owed, a stage to leave, a promise or a plan."""
    state: CollectionState = work.state
    return bool(state.arrears or state.stages or state.promise or state.plan)


def next_look(work: Work, at: datetime) -> datetime:
    """Give the next time after `at` at which the account could be in another stage, or is to be told again; NEVER when only an event
    changes it."""
    state: CollectionState = work.state
    days = {day for currency in {arrear.currency for arrear in state.arrears.values()} for day in _days(state, currency, work.market)}
    days.update(days_of_plan(state, work.market.collections))
    days |= {_later(until, 1) for until in (*state.holds.values(), state.promise.by_on if state.promise else "") if until}
    times = (local_time(date.fromisoformat(day), LOOKED_AT_HOUR, 0, work.market.zone) for day in days)
    return min((time for time in times if time > at), default=NEVER)


def _days(state: CollectionState, currency: str, market: Market) -> Iterator[str]:
    rules, rests = market.collections, state.collected(currency)
    if not rests:
        return
    yield from (_later(rests[0].due_on, stage.after_days) for stage in rules.stages)
    last = [stage for stage in rules.stages if stage.action == "agency" or stage.writes_off]
    yield from (_later(arrear.due_on, stage.after_days) for stage in last for arrear in rests)
    yield from (_later(notice.told_on, rules.warning_days) for notice in _told(state, currency) if notice.warns)
    stage = rules.stage(state.stages.get(currency, ""))
    if stage and (told := _of_stage(state, currency, stage)) and len(told) < stage.attempts:
        yield _later(told[-1].told_on, stage.days_between)


def barred(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network did what it was asked for: the lines are barred at the level, or serve again. Lines that it ended are charged
    no more; whether those that it barred are, is the policy of the market for the level. Source: billing facts, section 6.4, lesson 9."""
    state: CollectionState = work.state
    day, stream = _today(work.market, at), account_stream(state.account)
    account = work.read.get(stream)
    running: Iterable[Any] = account.running if account else ()
    if state.bar_asked == "ended":
        told = ({"order": one.order, "item": one.item, "product": one.product} for one in running)
        over = (RestEnded(product=name, ended_on=day) for name in (account.resting if account else ()))
        charges: Iterator[Event] = chain((ChargeWithdrawn(ended_on=day, served=True, **of) for of in told), over)
    else:
        charges = rests(running, while_barred(work), day)
    elsewhere = tuple((stream, event) for event in charges)
    if not state.bar_asked:
        return Decision((BarLifted(attempt=work.attempt, lines=lines(work)),), elsewhere)
    body = {"attempt": work.attempt, "level": state.bar_asked, "notices": state.bar_notices, "lines": lines(work)}
    return Decision((Barred.model_validate({**body, "while_barred": while_barred(work)}),), elsewhere)


def hold(
    state: CollectionState, kind: str, *, until: date | None, note: str, today: date, market: Market, of: Mapping[str, str]
) -> Decision:
    """Hold the collections of an account for a reason; the same hold once more changes nothing. `of` names account, customer and market.

    Raises Refused: usage (a kind that the market does not know, a day that is over or too far off).
    """
    rule = market.collections.holds.get(kind)
    if rule is None:
        raise Refused(f"account {of['account']}: there is no hold {kind!r}; use one of {', '.join(sorted(market.collections.holds))}")
    last = today + timedelta(days=rule.days_max) if rule.days_max is not None else None
    until = until or last
    if until and (until < today or (last and until > last)):
        raise Refused(f"account {of['account']}: a hold {kind} ends between {today} and {last or 'any later day'}; say another day")
    day = until.isoformat() if until else ""
    return just() if state.holds.get(kind) == day else just(HoldPlaced.model_validate({**of, "kind": kind, "until": day, "note": note}))


def release(state: CollectionState, kind: str, *, note: str, of: Mapping[str, str]) -> Decision:
    """Release a hold; one that there is not, changes nothing."""
    return just(HoldReleased.model_validate({**of, "kind": kind, "note": note})) if kind in state.holds else just()


def dispute(
    state: CollectionState, invoice: str, *, amount_minor: int, open_minor: int, currency: str, note: str, of: Mapping[str, str]
) -> Decision:
    """Take an amount of an invoice out of collection, because its customer disputes it. The same dispute once more changes nothing.

    Raises Refused: usage (more than is open and not conceded already), conflict (another dispute about the invoice stands).
    """
    known = state.disputes.get(invoice)
    if known == amount_minor:
        return just()
    if known is not None:
        raise Refused(f"invoice {invoice}: a dispute stands already; settle it first", kind="conflict")
    if amount_minor > open_minor - state.conceded.get(invoice, 0):
        raise Refused(f"invoice {invoice}: less than that is open; dispute what is open at most")
    body = {**of, "invoice": invoice, "currency": currency, "amount_minor": amount_minor, "note": note}
    return _in_dispute(state, DisputeOpened.model_validate(body))


def settle_dispute(state: CollectionState, invoice: str, *, outcome: str, currency: str, note: str, of: Mapping[str, str]) -> Decision:
    """Settle the dispute about an invoice for the `customer` or the `operator`. One that there is not (any more) changes nothing.

    Raises Refused (usage) for another outcome.
    """
    if outcome not in ("customer", "operator"):
        raise Refused(f"invoice {invoice}: a dispute is settled for the customer or for the operator")
    if invoice not in state.disputes:
        return just()
    body = {**of, "invoice": invoice, "currency": currency, "amount_minor": state.disputes[invoice], "outcome": outcome, "note": note}
    return _in_dispute(state, DisputeSettled.model_validate(body))


def _in_dispute(state: CollectionState, event: DisputeOpened | DisputeSettled) -> Decision:
    """A dispute, and how much of what is owed past its due day on the invoice is not collected with it: the invoice itself knows of no
    dispute."""
    known = state.arrears.get(event.invoice)
    if known is None:
        return just(event)
    disputed_minor = min(evolve(state, event).uncollected(event.invoice), known.open_minor)
    of = {name: getattr(event, name) for name in ("account", "customer", "market", "invoice", "currency")}
    owes = {
        "due_on": known.due_on,
        "open_minor": known.open_minor,
        "disputed_minor": disputed_minor,
        "cause": "dispute",
        "business": event.invoice in state.late,
        "claims_minor": known.claims_minor,
    }
    return just(event, ArrearsChanged.model_validate({**of, **owes, "answer": known.answer}))


def promise(
    state: CollectionState, *, amount_minor: int, currency: str, by: date, note: str, today: date, market: Market, of: Mapping[str, str]
) -> Decision:
    """Take down a promise to pay: until its day nothing becomes worse. The same promise once more changes nothing.

    Raises Refused: usage (a day that is over or too far off, more than is owed), conflict (nothing is owed, another promise or a plan
    stands, too many were broken).
    """
    rules, account = market.collections, of["account"]
    known = state.promise
    if known and (known.amount_minor, known.currency, known.by_on) == (amount_minor, currency, by.isoformat()):
        return just()
    owed = sum(arrear.collected_minor for arrear in state.collected(currency))
    if not owed:
        raise Refused(
            f"account {account} owes nothing in {currency} that is past its due day; there is nothing to promise", kind="conflict"
        )
    if agencies := {state.placed[arrear.invoice] for arrear in state.collected(currency) if arrear.invoice in state.placed}:
        raise Refused(
            f"account {account}: the debt is with {min(agencies)}, which agrees with the customer how it is paid", kind="conflict"
        )
    if known:
        raise Refused(f"account {account}: a promise for {known.by_on} stands; wait for its day", kind="conflict")
    if state.plan:
        raise Refused(f"account {account}: a plan up to {state.plan.parts[-1][0]} stands; its parts are what is promised", kind="conflict")
    if state.promises_broken >= rules.promises_max:
        raise Refused(f"account {account}: {state.promises_broken} promises were broken; none more is taken", kind="conflict")
    if not today <= by <= today + timedelta(days=rules.promise_days_max):
        raise Refused(f"account {account}: a promise is for a day from {today} on, {rules.promise_days_max} days ahead at most")
    if amount_minor > owed:
        raise Refused(f"account {account} owes less than that; promise what is owed at most")
    body = {**of, "amount_minor": amount_minor, "currency": currency, "by_on": by.isoformat(), "note": note}
    return just(PromiseMade.model_validate(body))


def _today(market: Market, at: datetime) -> str:
    return local_date(at, market.zone).isoformat()


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
