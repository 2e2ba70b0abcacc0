"""A campaign of vouchers as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind
from o2c.vouchers.events import VoucherRedeemed, VoucherReleased, VoucherReserved, VouchersIssued


@dataclass(frozen=True, slots=True)
class Uses:
    """The uses of a code: `open` has, by order, the turn that it reserved and what that may come to; `free` are turns that were given back,
    and `last` is the highest turn there was. `redeemed` counts those that are over for good."""

    open: dict[str, tuple[int, int]] = field(default_factory=dict)
    free: tuple[int, ...] = ()
    last: int = 0
    redeemed: int = 0

    @property
    def taken(self) -> int:
        """How many uses are reserved or redeemed."""
        return len(self.open) + self.redeemed


@dataclass(frozen=True, slots=True)
class CampaignState:
    """A campaign as it was issued, the uses of its codes, and what the budget is reserved for and was redeemed, in minor units."""

    issued: VouchersIssued | None = None
    uses: dict[str, Uses] = field(default_factory=dict)
    reserved_minor: int = 0
    redeemed_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What is left of the budget."""
        return (self.issued.budget_minor if self.issued else 0) - self.reserved_minor - self.redeemed_minor


def evolve(state: CampaignState, event: Event) -> CampaignState:
    """Fold one event."""
    match event:
        case VouchersIssued():
            return changed(state, issued=event)
        case VoucherReserved():
            uses = state.uses.get(event.code, Uses())
            # Of an order that was changed: what its use can come to now takes the place of what that could come to before.
            more_minor = event.amount_minor - uses.open.get(event.order, (0, 0))[1]
            had = {**uses.open, event.order: (event.turn, event.amount_minor)}
            free = tuple(turn for turn in uses.free if turn != event.turn)
            after = changed(uses, open=had, free=free, last=max(uses.last, event.turn))
            return changed(state, uses={**state.uses, event.code: after}, reserved_minor=state.reserved_minor + more_minor)
        case VoucherRedeemed() | VoucherReleased():
            return _ended(state, event)
    return state


def _ended(state: CampaignState, event: VoucherRedeemed | VoucherReleased) -> CampaignState:
    uses = state.uses.get(event.code, Uses())
    if event.order not in uses.open:
        return state
    turn, amount_minor = uses.open[event.order]
    left = {order: use for order, use in uses.open.items() if order != event.order}
    state = changed(state, reserved_minor=state.reserved_minor - amount_minor)
    if isinstance(event, VoucherReleased):
        return changed(state, uses={**state.uses, event.code: changed(uses, open=left, free=(*uses.free, turn))})
    after = changed(uses, open=left, redeemed=uses.redeemed + 1)
    return changed(state, uses={**state.uses, event.code: after}, redeemed_minor=state.redeemed_minor + amount_minor)


KIND = StreamKind(category="voucher", shape_version=2, state_type=CampaignState, initial=lambda _: CampaignState(), evolve=evolve)
