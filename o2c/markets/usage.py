"""A market's rules for usage: zones and time bands, how long records are kept, and statutory limits of what a bill may come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from o2c.markets.currencies import converted_minor

PERCENT_TOLD = 80


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a call or a message goes, or where something is used: by the beginnings of numbers, or by ISO 3166 country codes abroad."""

    name: str
    prefixes: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TimeBand:
    """Some hours (local, the last one exclusive) of some weekdays (Monday is 0)."""

    name: str
    weekdays: frozenset[int]
    from_hour: int
    to_hour: int


@dataclass(frozen=True, slots=True)
class LimitRules:
    """A limit of what a bill period may cost beyond the recurring prices.

    `offered_before_contract` says that every customer must be offered one. The customer is told at `told_percent` of it and when it is
    reached, and may go beyond it only by agreeing after such a notice. In the market's currency, `roaming_minor` is the limit of what is
    used abroad that holds unless the customer chose another (None: there is none), net of tax, and `roaming_reminder_minor` the amount
    above which he is told once more.
    """

    offered_before_contract: bool
    told_percent: int
    roaming_minor: int | None
    roaming_reminder_minor: int | None
    source: str

    def roaming_in(self, currency: str, own: str, on: date) -> int | None:
        """The limit of what is used abroad in the `currency` of an account, for a bill period that began on a day; `own` is the market's.
        Minor units.

        Source: Regulation (EU) 2022/612, art. 14: not above 50 EUR without tax; for an account in another currency its equivalent there.
        """
        return None if self.roaming_minor is None else converted_minor(self.roaming_minor, own, currency, on)

    def reminder_in(self, currency: str, own: str, on: date) -> int | None:
        """The amount above which one who agreed to go on is told once more, in the currency of an account; minor units."""
        return None if self.roaming_reminder_minor is None else converted_minor(self.roaming_reminder_minor, own, currency, on)


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """For how many seconds units that are granted to a session are held, and after how many days a top-up expires (None: it does not)."""

    valid_s: int
    top_up_days: int | None
    source: str


USUAL_QUOTA = QuotaRules(
    valid_s=3600,
    top_up_days=365,
    source="an hour, and a year: the operator's own practice; validity time: 3GPP TS 32.299, 7.2.235 [M]; expiry of unused credit is a term that must be "
    "fair and told before the contract: Consumer Rights Act 2015, s. 62 to 64, and directive 93/13/EEC [M]",
)


@dataclass(frozen=True, slots=True)
class PrepaidRefundRules:
    """How what is left of prepaid money goes back to a customer who left and asks for it: within `days` of the day on which he asks (0: no
    day is set), worked ones where `working_days`.

    `fee_minor` is what the contract says that it costs, tax included; `fee_max_minor` what it may cost at most (None: no sum is set; it is
    proportionate to what the refund costs). ValueError for a fee above that.
    """

    days: int
    working_days: bool
    fee_minor: int
    fee_max_minor: int | None
    source: str

    def __post_init__(self) -> None:
        if self.fee_minor < 0 or (self.fee_max_minor is not None and self.fee_minor > self.fee_max_minor):
            raise ValueError(f"{self.fee_minor} minor units for a refund of prepaid money are more than the market allows")


USUAL_PREPAID_REFUND = PrepaidRefundRules(
    days=14,
    working_days=False,
    fee_minor=0,
    fee_max_minor=None,
    source="what remains is refunded to a consumer on request, for a fee only if the contract has one, which is proportionate to what it costs: directive (EU) 2018/1972, art. 106(6), "
    "of who switches; for who gives the service up, the 14 days, and no fee: the operator's own practice",
)
"""Where the market's own law names no more."""


@dataclass(frozen=True, slots=True)
class LateUsageRules:
    """For how many days after a final bill usage that comes late is still billed, by a further one; what comes later is not chargeable."""

    days_after_final: int
    source: str


USUAL_LATE = LateUsageRules(
    days_after_final=90,
    source="records of use abroad come within 30 days (GSMA TD.57, BA.08 [M]), and disputes among operators of them end within 90: the operator's own "
    "practice; a claim itself lasts longer: Limitation Act 1980, s. 5 [M]",
)


@dataclass(frozen=True, slots=True)
class ZoneTable:
    """Zones and time bands. What no zone's prefixes or countries fit belongs to `other_zone`, and what no band has to `other_band`."""

    zones: tuple[Zone, ...]
    other_zone: str
    bands: tuple[TimeBand, ...]
    other_band: str

    @property
    def zone_names(self) -> frozenset[str]:
        """The names that prices and records may give for zones."""
        return frozenset({zone.name for zone in self.zones} | {self.other_zone})

    @property
    def band_names(self) -> frozenset[str]:
        """The names that prices may give for time bands."""
        return frozenset({band.name for band in self.bands} | {self.other_band})

    def zone_of(self, destination: str, country: str = "") -> str:
        """The zone of a number that was called, by the longest prefix that fits, or of a country where something was used."""
        if country:
            return next((zone.name for zone in self.zones if country in zone.countries), self.other_zone)
        digits = destination.removeprefix("+")
        fitting = [(len(prefix), zone.name) for zone in self.zones for prefix in zone.prefixes if digits.startswith(prefix)]
        return max(fitting, default=(0, self.other_zone))[1]

    def band_of(self, local: datetime) -> str:
        """The time band of a local time: the first that has it."""
        named = (band.name for band in self.bands if local.weekday() in band.weekdays and band.from_hour <= local.hour < band.to_hour)
        return next(named, self.other_band)

    def band_at(self, at: datetime, zone: ZoneInfo) -> str:
        """The time band of an instant in a time zone."""
        return self.band_of(at.astimezone(zone))

    @property
    def digits_told(self) -> int:
        """How many first digits of a number tell its zone."""
        return max((len(prefix) for zone in self.zones for prefix in zone.prefixes), default=0)


@dataclass(frozen=True, slots=True)
class UsageRules(ZoneTable):
    """The zones and bands of a market, over which an operator may load its own, for how many days records of usage are kept, and its limits
    of what a bill may come to."""

    kept_days: int
    kept_source: str
    limits: LimitRules
    quota: QuotaRules = USUAL_QUOTA
    late: LateUsageRules = USUAL_LATE
    prepaid_refund: PrepaidRefundRules = USUAL_PREPAID_REFUND


EU_EEA = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
"""The countries in which the rules of the European Union for roaming hold: Regulation (EU) 2022/612 and its incorporation into the EEA
agreement [M]."""
WEEKDAYS = frozenset(range(5))
