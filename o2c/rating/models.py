"""Charge models: what a quantity of usage costs under a price. Amounts are in units of the currency, exact, and rounded once for each line.

Tiers hold from the bound of the one before them, exclusive, up to their own, inclusive. Quantities may be fractions; a started package or
block counts whole. Source: billing facts, section 6.3, cases K16, K17, L1 to L4 and O1, which the kinds of the public systems agree with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from o2c.kernel.money import half_up, minor_units

DIGITS_MAX = 30
"""More digits than any price or quantity has: a longer number is a slip, and would cost time."""


def _exact(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError("a number of a price is decimal text or whole: a float is not exact")
    return value


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, max_digits=DIGITS_MAX, allow_inf_nan=False)]
"""A number that is not below zero, exact; money is in units of the currency and may have more places than that has."""
Size = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, max_digits=DIGITS_MAX, allow_inf_nan=False)]
NONE = Decimal(0)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Kind(_Model):
    """A charge model is read by its kind, so that is written even where what has its default is left out, as in a state that is kept."""

    kind: str

    @model_serializer(mode="wrap")
    def _with_kind(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **written(self)}


class Part(NamedTuple):
    """A part of what is charged: the tier it falls in (from 0), the quantity there, and its exact amount."""

    tier: int
    quantity: Fraction
    amount: Fraction


class Tier(_Model):
    """A tier up to a bound (inclusive; None: open): a flat amount for using it at all, and one for each unit, or for each started `block`
    of units."""

    up_to: Size | None = None
    unit_amount: Amount = NONE
    flat_amount: Amount = NONE
    block: Size | None = None

    def words(self, unit: str, currency: str) -> str:
        """What is asked for within it, in plain words."""
        block = "" if self.block is None else f"started {self.block:f} "
        flat = [f"{self.flat_amount:f} {currency} flat"] if self.flat_amount else []
        each = [f"{self.unit_amount:f} {currency} a {block}{unit}"] if self.unit_amount or not flat else []
        return f"{' and '.join([*flat, *each])} {'beyond' if self.up_to is None else f'up to {self.up_to:f}'}"

    def cost(self, quantity: Fraction) -> Fraction:
        """The exact amount for a quantity within the tier, with its flat amount."""
        counted = quantity if self.block is None else ceil(quantity / Fraction(self.block))
        return Fraction(self.flat_amount) + Fraction(self.unit_amount) * counted


class _Tiered(_Kind):
    tiers: tuple[Tier, ...]

    @model_validator(mode="after")
    def _in_order(self) -> _Tiered:
        bounds = [tier.up_to for tier in self.tiers]
        if not bounds or bounds[-1] is not None:
            raise ValueError("the last tier is open: leave its up_to out")
        if None in bounds[:-1] or any(low >= high for low, high in pairwise(bounds[:-1]) if low is not None and high is not None):
            raise ValueError("each tier but the last has an up_to above that of the tier before it")
        return self

    def words(self, unit: str, currency: str) -> str:
        """Its tiers in plain words."""
        return f"{self.kind}: {', '.join(tier.words(unit, currency) for tier in self.tiers)}"

    def reached(self, quantity: Fraction) -> int:
        """The tier in which the last unit of a quantity falls; the first for nothing."""
        return next(place for place, tier in enumerate(self.tiers) if tier.up_to is None or quantity <= Fraction(tier.up_to))


class PerUnit(_Kind):
    """Every unit costs the same."""

    kind: Literal["per-unit"] = "per-unit"
    unit_amount: Amount

    def words(self, unit: str, currency: str) -> str:
        """The price of a unit, in plain words."""
        return f"{self.unit_amount:f} {currency} a {unit}"

    def parts(self, quantity: Fraction) -> Iterator[Part]:
        """One part."""
        yield Part(0, quantity, quantity * Fraction(self.unit_amount))


class Graduated(_Tiered):
    """Every unit costs what its own tier says, and each tier that is reached its flat amount; the first is reached by nothing at all."""

    kind: Literal["graduated"] = "graduated"

    def parts(self, quantity: Fraction) -> Iterator[Part]:
        """A part for each tier that is reached."""
        floor = Fraction(0)
        for place, tier in enumerate(self.tiers[: self.reached(quantity) + 1]):
            top = quantity if tier.up_to is None else min(quantity, Fraction(tier.up_to))
            yield Part(place, top - floor, tier.cost(top - floor))
            floor = top


class Volume(_Tiered):
    """All units cost what the tier of the last one says (top tier)."""

    kind: Literal["volume"] = "volume"

    def parts(self, quantity: Fraction) -> Iterator[Part]:
        """One part, in the tier that is reached."""
        place = self.reached(quantity)
        yield Part(place, quantity, self.tiers[place].cost(quantity))


class Package(_Kind):
    """Every started package of `size` units costs the same, after some that are free."""

    kind: Literal["package"] = "package"
    package_amount: Amount
    size: Size
    free_units: Amount = NONE

    def words(self, unit: str, currency: str) -> str:
        """The price of a package, in plain words."""
        free = f", {self.free_units:f} free" if self.free_units else ""
        return f"{self.package_amount:f} {currency} a started {self.size:f} {unit}{free}"

    def parts(self, quantity: Fraction) -> Iterator[Part]:
        """One part, of the units that are not free."""
        charged = max(quantity - Fraction(self.free_units), Fraction(0))
        yield Part(0, charged, ceil(charged / Fraction(self.size)) * Fraction(self.package_amount))


class Percentage(_Kind):
    """A share of amounts of money that are used, such as transfers, and a fixed fee for each of them.

    The first `free_amount` in all bears no rate; the fee is not asked for the first `free_events`, nor for those within the free amount,
    and where both are named whichever ends first ends it. What one event costs is at least `event_minimum` and at most `event_maximum`,
    where it is not free.
    """

    kind: Literal["percentage"] = "percentage"
    percent: Amount
    fixed_amount: Amount = NONE
    free_amount: Amount = NONE
    free_events: Annotated[int, Field(ge=0)] = 0
    event_minimum: Amount = NONE
    event_maximum: Amount | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Percentage:
        if self.event_maximum is not None and self.event_maximum < self.event_minimum:
            raise ValueError("event_maximum is below event_minimum")
        return self

    def words(self, unit: str, currency: str) -> str:
        """The share, the fee and their bounds, in plain words; amounts are in `unit`, a currency's code."""
        fee = f" and {self.fixed_amount:f} {currency} each" if self.fixed_amount else ""
        told = [f"{self.free_amount:f} {unit} free"] if self.free_amount else []
        told += [f"{self.free_events} times free"] if self.free_events else []
        told += [f"at least {self.event_minimum:f} {currency}"] if self.event_minimum else []
        told += [f"at most {self.event_maximum:f} {currency}"] if self.event_maximum is not None else []
        return ", ".join([f"{self.percent:f} %{fee}", *told])

    def of_events(self, amounts: Sequence[Fraction]) -> Iterator[Part]:
        """A part for each event, by its amount and in turn."""
        total = Fraction(0)
        for turn, amount in enumerate(amounts, 1):
            before, total = total, total + amount
            rated = total - max(before, min(Fraction(self.free_amount), total))
            spared = not self._fee_due(turn, total)
            cost = rated * Fraction(self.percent) / 100 + (0 if spared else Fraction(self.fixed_amount))
            yield Part(turn - 1, amount, cost if spared and not rated else self._bounded(cost))

    def _fee_due(self, turn: int, total: Fraction) -> bool:
        reasons = [turn <= self.free_events] if self.free_events else []
        reasons += [total <= Fraction(self.free_amount)] if self.free_amount else []
        return not reasons or not all(reasons)

    def _bounded(self, cost: Fraction) -> Fraction:
        cost = max(cost, Fraction(self.event_minimum))
        return cost if self.event_maximum is None else min(cost, Fraction(self.event_maximum))

    def parts(self, quantity: Fraction) -> Iterator[Part]:
        """One event of the whole amount; none for nothing."""
        yield from self.of_events([quantity] if quantity else [])


ChargeModel = Annotated[PerUnit | Graduated | Volume | Package | Percentage, Field(discriminator="kind")]
"""How usage is charged."""


def parts(model: ChargeModel, quantity: Fraction | Decimal | int) -> tuple[Part, ...]:
    """What a quantity costs, part by part; their sum is the charge. ValueError for a quantity below zero, or that is no number."""
    return tuple(model.parts(_quantity(quantity)))


def charge(model: ChargeModel, quantity: Fraction | Decimal | int) -> Fraction:
    """What a quantity costs, exact, in units of the currency. ValueError as `parts`."""
    return sum((part.amount for part in parts(model, quantity)), Fraction(0))


def charge_events(model: ChargeModel, amounts: Sequence[Fraction | Decimal | int]) -> Fraction:
    """What events cost that each have an amount, exact: a percentage looks at each, every other model at their sum. ValueError as
    `parts`."""
    exact = [_quantity(amount) for amount in amounts]
    if isinstance(model, Percentage):
        return sum((part.amount for part in model.of_events(exact)), Fraction(0))
    return charge(model, sum(exact, Fraction(0)))


def line_minor(amount: Fraction, currency: str) -> int:
    """An exact amount as a line of an invoice has it: minor units of the currency, half-up, once. ValueError for an unknown currency."""
    return half_up(amount * 10 ** minor_units(currency))


def tiers_of_sizes(sizes: Sequence[tuple[str | None, str]], *, blocks: Sequence[str] = ()) -> tuple[Tier, ...]:
    """Tiers by how many units each holds and the price of one (None: open), instead of by bounds; of `blocks`, how many blocks of so many
    units.

    Source: billing facts, section 6.3, K16 and K17, whose tiers hold so many units or blocks each.
    """
    tiers, bound = [], Decimal(0)
    for place, (size, unit_amount) in enumerate(sizes):
        block = Decimal(blocks[place]) if blocks else None
        bound += Decimal(size or 0) * (block or 1)
        tiers.append(Tier(up_to=None if size is None else bound, unit_amount=Decimal(unit_amount), block=block))
    return tuple(tiers)


def _quantity(quantity: Fraction | Decimal | int) -> Fraction:
    if isinstance(quantity, float) or (isinstance(quantity, Decimal) and not quantity.is_finite()):
        raise ValueError("a quantity is a decimal or whole number; a float is not exact")
    exact = Fraction(quantity)
    if exact < 0:
        raise ValueError(f"a quantity of {quantity} is below zero")
    return exact
