"""Journeys as they are shown."""

from typing import TypedDict


class OutreachShown(TypedDict):
    """Getting in touch with somebody whom something failed: when it may be done, how often it was, the last outcome, and what was
    promised."""

    open_from: str
    open_until: str
    budget_minor: int
    made: int
    outcome: str
    code: str


class JourneyShown(TypedDict):
    """What somebody tried: `state` is open, ordered, recovered (ordered after we got in touch about what had failed) or lost. `outreach` is
    its last outcome: `due` before it was made, `not-made` once that is too late, empty where nothing failed. `apart` says that it is nobody
    who wants to buy: bot or test."""

    journey: str
    customer: str
    channels: list[str]
    state: str
    attempts: int
    failed_at: str | None
    outreach: str
    order: str
    value_minor: int
    currency: str
    last_at: str
    apart: str


class StepOfJourney(TypedDict):
    """Something that happened on a journey, where and by whom it was taken down. `waited_s` is what the person waited in all: for a page,
    or on the telephone."""

    at: str
    type: str
    channel: str
    actor: str
    event: str
    error: str
    waited_s: int


class KeyedShown(TypedDict):
    """A field that was keyed in, by its place in the order's paper, and where. The value is None where personal values are not asked for,
    or their key is gone."""

    path: str
    value: str | None
    channel: str
    at: str


class IdentityShown(TypedDict):
    """What somebody was known by: None where personal values are not asked for, or their key is gone."""

    what: str
    value: str | None


class ApartRuleShown(TypedDict):
    """Who is no person that wants to buy: a rule of the policy, by what the client calls itself, login, token, channel, an order's external
    id or note (patterns), customers of one's own, or so many attempts within so many seconds."""

    name: str
    apart: str
    reason: str
    client: str
    login: str
    token: str
    channel: str
    external_id: str
    note: str
    customers: list[str]
    attempts: int
    within_s: int


class JourneyPolicyShown(TypedDict):
    """What is done about journeys, by the version of the file: in days and minutes; `budget_minor` is what an incentive may be worth, by
    market, in minor units of its currency."""

    version: str
    lost_after_days: int
    follows_within_days: int
    reach_after_minutes: int
    reach_within_days: int
    tries_max: int
    budget_minor: dict[str, int]
    apart: list[ApartRuleShown]


class JourneyPage(JourneyShown):
    """One journey with everything that happened on it. `forgotten_at` is when what is personal of its first day goes."""

    steps: list[StepOfJourney]
    fields: list[KeyedShown]
    identities: list[IdentityShown]
    outreaching: OutreachShown | None
    forgotten_at: str


class FieldShown(TypedDict):
    """Where a field of an order's paper comes from: a keyed digest of its value, and the event by which it was keyed in first."""

    path: str
    value_digest: str
    channel: str
    actor: str
    at: str
    event: str
