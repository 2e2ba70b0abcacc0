"""The desk for journeys: what somebody tried in a channel before there was an order, and who it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from o2c.customers.state import stream_of as customer_stream
from o2c.desk.act import Deed, IdTaken, act
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.journeys import rules
from o2c.journeys.events import (
    AttemptFailed,
    BasketFilled,
    CallAbandoned,
    JourneyFollowed,
    JourneyIdentified,
    JourneyResumed,
    OfAttempt,
    QuoteGiven,
    StoreVisited,
    journey_stream,
    prospects_stream,
)
from o2c.journeys.policy import Comer, Policies
from o2c.journeys.state import POLICY_STREAM, JourneyState, PolicyState
from o2c.kernel.decision import Decision
from o2c.kernel.money import to_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.telephones import as_called
from o2c.markets.base import Market
from o2c.markets.registry import HOME, current
from o2c.views.journeys import paper_of, policies
from o2c.views.sealing import Keys, key_of_day, keys_for

Kind = Literal["basket", "quote", "failed", "abandoned-call", "visit", "resumed"]
Channel = Literal["web", "app", "call", "chat", "store", "partner"]
KINDS: Mapping[str, type[OfAttempt]] = {
    cls.kind: cls for cls in (BasketFilled, QuoteGiven, AttemptFailed, CallAbandoned, StoreVisited, JourneyResumed)
}
CHANNELS = ("web", "app", "call", "chat", "store", "partner")
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "quote": ("reference",),
    "failed": ("error", "waited_s"),
    "abandoned-call": ("ivr_s", "hold_s"),
    "visit": ("store",),
}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
TRIES_MAX = 10
EPOCH = datetime.fromtimestamp(0, UTC)
"""Stands for the time of an attempt until the rules say it."""
FIELDS_MAX, VALUE_CHARACTERS_MAX = 200, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried(Written):
    """What became of an attempt: the `journey` that it belongs to, by which the order names it."""

    journey: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a channel told of an attempt, on its way into a journey."""

    kind: str
    tried: OfAttempt
    known_by: Mapping[str, str]
    customer: str
    journey: str
    client: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attempt belongs: the journey, as read, others of the same person that are open, streams by which this one is not found
    yet."""

    journey: str
    others: tuple[Loaded, ...]
    pointers: tuple[Loaded, ...]


def note_attempt(
    app: Engine,
    context: Context,
    kind: Kind,
    channel: Channel,
    *,
    login: str = "",
    phone: str = "",
    token: str = "",
    customer: str = "",
    journey: str = "",
    offerings: Sequence[str] = (),
    value: str = "",
    fields: Mapping[str, str] | None = None,
    error: str = "",
    waited_s: int = 0,
    ivr_s: int = 0,
    hold_s: int = 0,
    store: str = "",
    reference: str = "",
    client: str = "",
    market: str = HOME,
) -> Tried:
    """Take down what somebody tried before there is an order: a basket, a quote, a web attempt that failed, a call that was given up, a
    visit to a store.

    Who it is tells a login, a telephone number (as it is called in the market or from abroad), the token of a browser, or a `customer`;
    whoever was on an open journey under one of them within the days that the market allows is on it still, in whatever channel, and
    journeys that turn out to be of one person are joined. A `journey` may be named instead. `fields` are what was keyed in, by their places
    in a TMF622 paper (`/productOrderItem/0/productOffering/id`), so that no other channel asks for them again. `value` is what the wish is
    worth (decimal text, net). Of what failed, `error` is the channel's code and `waited_s` how long the person waited; of a call, `ivr_s`
    with the machine and `hold_s` on hold, in seconds. `client` is what a program calls itself; it is judged and not kept.

    Raises Refused: usage (an unknown kind, channel or market, nobody to know it by, a code or place that is none), missing (no such journey
    or customer), conflict (the journey is over, or another customer's), forbidden.
    """
    pinned = current(market, app.clock().now.date())
    told = {"reference": reference, "error": error, "waited_s": waited_s, "ivr_s": ivr_s, "hold_s": hold_s, "store": store}
    said = keyed(fields or {})
    tried = _tried(kind, channel, pinned, offerings=offerings, value=value, paths=tuple(sorted(said)), told=told)
    by = ("login", login), ("phone", as_called(phone, pinned.numbering.region)), ("token", token)
    known_by = {what: said for what, said in by if said.strip()}
    if not (known_by or customer or journey):
        raise Refused("an attempt needs somebody to know it by: give a login, a phone, a token, a customer or the journey")
    asked = _Asked(kind, tried, known_by, customer, journey, client)
    seen: Mapping[str, Loaded] | None = None
    for _ in range(TRIES_MAX):
        found, deed = _noted(app, asked, pinned, said)
        try:
            written = act(app, context, "journeys.note", deed)
        except Refused as refused:
            # Somebody else may have begun, joined or ended a journey of the same person meanwhile; if so it is looked at again.
            if refused.kind != "conflict" or isinstance(refused, IdTaken) or _same(seen, deed.beside):
                raise
            seen = deed.beside
            continue
        return Tried(written.stream, written.position, written.repeated, written.unchanged, journey=found)
    raise Refused("journeys of this person are written to without end; try again with the same command id", kind="unavailable")


def _same(seen: Mapping[str, Loaded] | None, beside: Mapping[str, Loaded]) -> bool:
    return seen is not None and {name: one.version for name, one in seen.items()} == {name: one.version for name, one in beside.items()}


def _tried(
    kind: str, channel: str, market: Market, *, offerings: Sequence[str], value: str, paths: tuple[str, ...], told: Mapping[str, Any]
) -> OfAttempt:
    if kind not in KINDS or channel not in CHANNELS:
        raise Refused(f"say what was tried ({', '.join(KINDS)}) and in which channel ({', '.join(CHANNELS)})")
    own = {name: told[name] for name in _OF_KIND.get(kind, ())}
    wrong = [name for name, said in told.items() if said and name not in own]
    wrong += [name for name in ("error", "store", "reference") if own.get(name) and not _CODE.fullmatch(own[name])]
    wrong += [name for name, said in own.items() if isinstance(said, int) and said < 0]
    if kind == "failed" and not own["error"]:
        wrong.append("error")
    if wrong or not all(_CODE.fullmatch(name) for name in offerings):
        raise Refused(
            f"{kind}: {wrong[0] if wrong else 'an offering'} is not said so; codes are 1 to 40 letters, digits, dots and dashes, times are seconds"
        )
    try:
        value_minor = to_minor(value, market.currency) if value else 0
    except ValueError as error:
        raise Refused(f"{kind}: {error}; say what the wish is worth in {market.currency}") from None
    about = {"offerings": tuple(offerings), "value_minor": value_minor, "currency": market.currency, "paths": paths}
    return KINDS[kind].model_validate({"channel": channel, "tried_at": EPOCH, **about, **own})


def keyed(fields: Mapping[str, str]) -> dict[str, str]:
    """What was keyed in, by its places. Raises Refused, showing no value: it may be personal."""
    if len(fields) > FIELDS_MAX or max(map(len, fields.values()), default=0) > VALUE_CHARACTERS_MAX:
        raise Refused(f"what was keyed in is up to {FIELDS_MAX} texts of up to {VALUE_CHARACTERS_MAX} characters; nothing was stored")
    paper_of(fields)
    return dict(fields)


def _noted(app: Engine, asked: _Asked, market: Market, said: Mapping[str, str]) -> tuple[str, Deed]:
    """The journey of an attempt, and the deed that takes it down."""
    day = app.clock().now.date().isoformat()
    key = key_of_day(market.code, day)
    keys = keys_for(app, market.code, key)
    place = _place(app, keys, key, asked)
    opened = app.load_one(prospects_stream(key))
    customer = asked.customer or next((one.state.customer for one in place.others if one.state.customer), "")
    known = app.load_one(customer_stream(customer)) if customer else None
    sealed = keys.seal(key, json.dumps(said, ensure_ascii=False)) if said else ""
    told = _Told(asked, place, asked.tried.model_copy(update={"paper": sealed}), market, policies(app), keys, key, opened, known)
    beside = {one.stream: one for one in (*place.others, *place.pointers, opened, *([known] if known else []))}
    wish = ["note", asked.kind, asked.tried.model_dump(mode="json", exclude={"paper", "tried_at"}), sorted(asked.known_by), customer]
    return place.journey, Deed(
        journey_stream(place.journey), (told.attempted, told.identified, told.joined, told.linked), wish, beside=beside
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """An attempt and everything that was read for it, with the rules that take it down one after another."""

    asked: _Asked
    place: _Place
    tried: OfAttempt
    market: Market
    policies: Policies
    keys: Keys
    key: str
    opened: Loaded
    known: Loaded | None

    def attempted(self, state: JourneyState, at: datetime) -> Decision:
        """What was tried, and the key of the day, where it is the first journey of that."""
        policy, kept_days = self.policies(at), self.market.care.prospects.kept_days
        known_by = {name: self.asked.known_by.get(name, "") for name in ("login", "token")}
        since = at - (state.began_at if state.status else at)
        who = Comer(
            self.asked.client, **known_by, channel=self.tried.channel, customer=self._customer, attempts=state.attempts + 1, since=since
        )
        apart = policy.apart_of(who)
        told: dict[str, Any] = {
            "journey": self.place.journey,
            "market": self.market.pin,
            "kept_days": kept_days,
            "policy": policy,
            "apart": apart,
        }
        tried = self.tried.model_copy(update={"tried_at": at})
        decision = rules.attempt(state, tried, at=at, **told)
        key_opened = rules.open_key(self.opened.state, key=self.key, market=self.market.pin, at=at, kept_days=kept_days)
        return decision + Decision(elsewhere=tuple((self.opened.stream, event) for event in key_opened.events))

    def identified(self, state: JourneyState, at: datetime) -> Decision:
        """Who it is, as far as the journey does not know."""
        decision = Decision()
        for what, said in self.asked.known_by.items():
            if state.identities.get(what) not in self.keys.digests(what, said).values():
                told = {"what": what, "digest": self.keys.digest(self.key, what, said), "sealed": self.keys.seal(self.key, said)}
                decision += rules.identify(state, JourneyIdentified.model_validate(told))
        return decision

    def joined(self, state: JourneyState, at: datetime) -> Decision:
        """Other journeys of the same person, and what leads to this one from now on."""
        decision = Decision(elsewhere=tuple((one.stream, JourneyFollowed(into=self.place.journey)) for one in self.place.pointers))
        for other in self.place.others:
            decision += rules.join(state, other.state)
        return decision

    def linked(self, state: JourneyState, at: datetime) -> Decision:
        """The customer whom it turns out to be."""
        return rules.link(state, self._customer, self.known.state) if self.known else Decision()

    @property
    def _customer(self) -> str:
        return self.known.stream.partition("-")[2] if self.known else ""


def _place(app: Engine, keys: Keys, key: str, asked: _Asked) -> _Place:
    """Find the journey that an attempt belongs to: the one that is named, else the open one that began first of those that lead to who it
    is, else a new one.

    Raises Refused (missing) for a journey that there is not.
    """
    found: dict[str, Loaded] = {}
    unknown: list[Loaded] = []
    if asked.journey:
        found |= {one.stream: one for one in [_standing(app, asked.journey)]}
    if asked.customer:
        state = app.load_one(customer_stream(asked.customer)).state
        followed = [_standing(app, journey) for journey in state.journeys]
        found |= {one.stream: one for one in followed if one.state.is_open}
    for what, said in asked.known_by.items():
        digests = keys.digests(what, said)
        ends = _ends(app, digests.values())
        at_end = [one for one in ends if one.state.is_open]
        found |= {one.stream: one for one in at_end}
        if not at_end:
            unknown.append(_free(app, digests[key]))
    ordered = sorted(found.values(), key=lambda one: (one.state.journey != asked.journey, one.state.began_at, one.stream))
    pointers = list({one.stream: one for one in unknown}.values())
    if ordered:
        main = ordered[0].state
        whose = {"", main.customer or asked.customer}
        return _Place(main.journey, tuple(one for one in ordered[1:] if one.state.customer in whose), tuple(pointers))
    first, *rest = pointers or [_free(app, keys.digest(key, "customer", asked.customer))]
    return _Place(first.stream.partition("-")[2], (), tuple(rest))


def _standing(app: Engine, journey: str) -> Loaded:
    """A journey as it stands, or the one that it goes on in. Raises Refused (missing)."""
    loaded = app.load_one(journey_stream(journey))
    if not loaded.version:
        raise Refused(f"no journey {journey[:40]}; see `o2c journeys list`", kind="missing")
    return _standing(app, loaded.state.into) if loaded.state.into else loaded


def _ends(app: Engine, digests: Iterable[str]) -> list[Loaded]:
    """Where the last journeys that somebody was on under some digests go on."""
    last = [series[-1] for series in _series(app, digests).values() if series]
    return [_standing(app, one.state.into) if one.state.into else one for one in last]


def _series(app: Engine, digests: Iterable[str]) -> dict[str, list[Loaded]]:
    """The journeys that began under each of some digests, one after another."""
    series: dict[str, list[Loaded]] = {digest: [] for digest in digests}
    going, ordinal = set(series), 1
    while going:
        streams = {digest: _stream_of(digest, ordinal) for digest in going}
        loaded = app.load(streams.values())
        going = {digest for digest, stream in streams.items() if loaded[stream].version}
        for digest in going:
            series[digest].append(loaded[streams[digest]])
        ordinal += 1
    return series


def _free(app: Engine, digest: str) -> Loaded:
    """The stream of the next journey under a digest: without events as yet."""
    return app.load_one(_stream_of(digest, len(_series(app, [digest])[digest]) + 1))


def _stream_of(digest: str, ordinal: int) -> str:
    return journey_stream(digest if ordinal == 1 else f"{digest}.{ordinal}")


def load_policy(app: Engine, context: Context, *, definitions: str) -> Written:
    """Put the operator's own policy for journeys in force (the text of a TOML file), in place of the one before: when a journey is lost,
    which orders follow it, when and how often people are got in touch with, what an incentive may be worth, who is nobody that wants to
    buy. Loaded again unchanged, it does nothing.

    What was decided before stands, and what is dated before it is judged by the one of its day; what happens next, on journeys that have
    begun as well, goes by it. Raises Refused (usage) with the first thing that is wrong; then nothing of it is loaded.
    """

    def rule(state: PolicyState, at: datetime) -> Decision:
        return rules.load_policy(state, definitions, at)

    return act(app, context, "journeys.load-policy", Deed(POLICY_STREAM, (rule,), ["load policy", definitions]))
