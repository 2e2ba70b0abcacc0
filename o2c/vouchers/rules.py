"""When vouchers may be issued, and when a use of a code may be reserved."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from o2c.kernel.money import from_minor
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.vouchers.events import VoucherReserved, VouchersIssued, campaign_of
from o2c.vouchers.state import CampaignState, Uses

CODES_MAX = 1_000
USES_MAX = 1_000_000
RESERVED_DAYS = 90
"""For how many days an order holds a use where its campaign does not say otherwise: the operator's own figure."""
RESERVED_DAYS_MAX = 3_650
_CAMPAIGN = re.compile(r"[A-Z0-9]{3,20}")
_CODE = re.compile(r"[A-Z0-9]{3,20}(-[A-Z0-9]{1,30})?")


def spelled(text: str) -> str:
    """Give a code as it was issued that was typed in small letters or with blanks around it: codes are ours, capitals and digits alone, so
    that this can be no other code. Any other text is as it was, and no code."""
    code = text.strip().upper()
    return code if text.isascii() and _CODE.fullmatch(code) else text


def issue(state: CampaignState, issued: VouchersIssued) -> list[VouchersIssued]:
    """Issue a campaign of vouchers; nothing when it was issued so.

    A campaign has one stream, so that its budget is counted in one place: at most CODES_MAX codes. Raises Refused: conflict (it was issued
    otherwise), usage (a name or code that cannot be one, too many codes or uses, a budget for what has no end, an offering or tier without
    a name, a validity that ends before it begins).
    """
    of = f"campaign {issued.campaign[:40]}"
    if not _CAMPAIGN.fullmatch(issued.campaign):
        raise Refused(f"{of}: its name is 3 to 20 capitals and digits")
    if wrong := next((code for code in issued.codes if not _CODE.fullmatch(code) or campaign_of(code) != issued.campaign), None):
        raise Refused(
            f"{of}: {wrong[:40]!r} cannot be a code of it; use {issued.campaign}, or {issued.campaign}- and up to 30 capitals and digits"
        )
    if not 1 <= len(set(issued.codes)) == len(issued.codes) <= CODES_MAX:
        raise Refused(f"{of}: give 1 to {CODES_MAX:,} different codes; issue more as another campaign")
    if not 1 <= issued.uses_max <= USES_MAX:
        raise Refused(f"{of}: a code may be used 1 to {USES_MAX:,} times")
    if not 0 <= issued.reserved_days <= RESERVED_DAYS_MAX:
        raise Refused(f"{of}: a use is reserved for 1 to {RESERVED_DAYS_MAX:,} days, or 0 for as long as its order goes on")
    if issued.budget_minor < 0:
        raise Refused(f"{of}: a budget is an amount above nothing; leave it out for none")
    if issued.budget_minor and issued.discount.of == "recurring" and not issued.discount.lasts_length:
        raise Refused(f"{of}: what is taken off for good has no end that a budget could cover; say for how many months")
    if not all(name.strip() for name in (*issued.offerings, *issued.tiers)):
        raise Refused(f"{of}: an offering or a tier without a name is nobody's; leave them out for all")
    if issued.valid_from and issued.valid_to and parse_time(issued.valid_from) >= parse_time(issued.valid_to):
        raise Refused(f"{of}: its validity ends before it begins")
    if state.issued == issued:
        return []
    if state.issued is not None:
        raise Refused(f"{of} was issued with other terms; take another name", kind="conflict")
    return [issued]


def why_not(
    state: CampaignState | None, code: str, *, order: str, at: datetime, market: str, tier: str, fits: Collection[str], amount_minor: int
) -> str:
    """Say why an order that was taken at a time may not have a use of a code; empty when it may.

    `fits` are those of its lines that the code is for, and `amount_minor` is all that the use can come to. An order that has a use already,
    and is changed, is asked no more when it came and whose it is; what the use is to come to more has to be left in the budget.
    """
    issued = state.issued if state else None
    if state is None or issued is None or code not in issued.codes or issued.market != market:
        return "is unknown"
    uses = state.uses.get(code, Uses())
    had_minor = uses.open[order][1] if order in uses.open else None
    if had_minor is None and (why := _not_for(issued, at, tier)):
        return why
    if not fits:
        return "is for other offerings"
    if not amount_minor:
        return "takes nothing off what it is named for"
    if had_minor is None and uses.taken >= issued.uses_max:
        return "is used up"
    if issued.budget_minor and (more := amount_minor - (had_minor or 0)) > (left := max(state.left_minor, 0)):
        told = [f"{from_minor(minor, issued.currency)} {issued.currency}" for minor in (more, left)]
        return f"can come to {told[0]}{' more' if had_minor else ''}, and its budget has {told[1]} left"
    return ""


def _not_for(issued: VouchersIssued, at: datetime, tier: str) -> str:
    if (issued.valid_from and at < parse_time(issued.valid_from)) or (issued.valid_to and at >= parse_time(issued.valid_to)):
        return "is not valid at the time of the order"
    return "is for other customers" if issued.tiers and tier not in issued.tiers else ""


def reserve(state: CampaignState, code: str, *, order: str, amount_minor: int) -> VoucherReserved:
    """Reserve a use of a code that an order may have (`why_not`): the turn that it has, one that was given back, else the next."""
    uses = state.uses.get(code, Uses())
    turn = uses.open[order][0] if order in uses.open else min(uses.free, default=uses.last + 1)
    return VoucherReserved(order=order, code=code, turn=turn, amount_minor=amount_minor)
