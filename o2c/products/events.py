"""Events of a product: the life of what a completed item gave a customer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.charges import MONTHLY, PriceTerms
from o2c.kernel.event import Event, Pii, Upcast
from o2c.products.leaving_events import PortOutCompleted as PortOutCompleted
from o2c.products.notice_events import EndNoticeGiven as EndNoticeGiven
from o2c.products.switch_events import SwitchMatched as SwitchMatched
from o2c.products.transfer_events import TransferAgreed as TransferAgreed

_STANDING = {
    "customer": "C-1001", "account": "BA-1001", "offering": "mobile-line", "specification": "spec-mobile", "characteristics": {"simType": "esim"},
    "holds": {"msisdn": "447400000001", "iccid": "8944000000000000012"}, "pieces": {"sim": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1"},
    "charge": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1", "recurring_minor": 1999, "commitment_ends_on": "2027-01-05",
}  # fmt: skip
_BY = {"order": "960dd07c-b654-5d95-9a31-65845ce3ab78", "item": "1"}


def product_of(order: str, item: str) -> str:
    """Give the id of the product that an item of an order becomes: `ORDER:ITEM`."""
    return f"{order}:{item}"


def place_of(order: str, item: str) -> str:
    """Give the place of an item, `ORDER/ITEM`, as charges and pieces are named."""
    return f"{order}/{item}"


def product_stream(product: str) -> str:
    """Give the name of a product's stream: `product-` and its id."""
    return f"product-{product}"


class Standing(BaseModel):
    """How a product stands: whose it is, what was sold, what it holds, and what it costs (net, in minor units).

    `holds` are the identifiers of what serves it: `msisdn`, `iccid`, `imsi`, `sim_kind`, `line_id`, `imei`. `pieces` names, for each step
    that obtained one of these, the `ORDER/ITEM` that did: it gives back what is not needed any more. `charge` is the `ORDER/ITEM` under
    which the account is charged, empty for none. `commitment_ends_on` is the first day (ISO, local) on which the contract may end without a
    charge, empty for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: str
    account: str
    offering: str
    specification: str
    characteristics: dict[str, str] = {}
    holds: dict[str, str] = {}
    pieces: dict[str, str] = {}
    charge: str = ""
    recurring_minor: int = 0
    terms: PriceTerms = MONTHLY
    commitment_ends_on: str = ""


class ProductStarted(Event, name="product.started", stream="product"):
    """An item was completed and is a product in service now, from the local date `started_on` on. `relies_on` are the products that it
    needs.

    Version 2 says whether the program that began it asks for the notices of its term's end by itself (`notices`); those of before did not.
    """

    example = {**_BY, "product": "960dd07c-b654-5d95-9a31-65845ce3ab78:1", "market": "GB@2026-01", "currency": "GBP", "started_on": "2026-01-05",
               "standing": _STANDING}  # fmt: skip
    upcasts = (Upcast(defaults={"notices": False}),)
    product: str
    order: str
    item: str
    market: str
    currency: str
    started_on: str
    standing: Standing
    relies_on: tuple[str, ...] = ()
    notices: bool = True


class ProductReliedOn(Event, name="product.relied-on", stream="product"):
    """Another product relies on this one, and ends with it."""

    example = {"by": "960dd07c-b654-5d95-9a31-65845ce3ab78:2"}
    by: str


class ProductChangeAccepted(Event, name="product.change-accepted", stream="product"):
    """An order that changes these attributes was taken on; no other order changes them until it has, or was dropped. `stays for ORDER` is
    asked by an order that adds something to the product and leaves it as it is: nothing ends it until that order is over."""

    example = {**_BY, "attributes": ["offering"]}
    order: str
    item: str
    attributes: tuple[str, ...]


class ProductChangeDropped(Event, name="product.change-dropped", stream="product"):
    """The order that was to change the product ended without doing so."""

    example = _BY
    order: str
    item: str


class ProductChanged(Event, name="product.changed", stream="product"):
    """An order changed these attributes, on the local date `changed_on`; `standing` is how the product stands since.

    `gives_back` names, by step, the `ORDER/ITEM` whose piece serves the product no more.
    """

    example = {**_BY, "attributes": ["offering"], "changed_on": "2026-03-05", "standing": {**_STANDING, "recurring_minor": 2499}}
    order: str
    item: str
    attributes: tuple[str, ...]
    changed_on: str
    standing: Standing
    gives_back: dict[str, str] = {}


class ProductSuspended(Event, name="product.suspended", stream="product"):
    """The product rests from the local date `suspended_on` on, for a reason of the market's list; `charged` says whether it costs as
    before. Version 2 names the product that it was added to and rests with (`base`; empty: its own order lets it rest)."""

    example = {**_BY, "reason": "lost-phone", "suspended_on": "2026-03-05", "charged": True, "charge": "", "base": ""}
    upcasts = (Upcast(defaults={"base": ""}),)
    order: str
    item: str
    reason: str
    suspended_on: str
    charged: bool
    charge: str = ""
    base: str = ""


class ProductResumed(Event, name="product.resumed", stream="product"):
    """The product serves again from the local date `resumed_on` on. `charge` is the `ORDER/ITEM` under which it is charged, and
    `commitment_ends_on` the end of its term, later by the days that did not count. Of what was added to a product that serves again, `item`
    is that under which it is charged from now on (`ITEM-added-N`)."""

    example = {**_BY, "resumed_on": "2026-03-19", "charge": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1", "commitment_ends_on": "2027-01-05"}
    order: str
    item: str
    resumed_on: str
    charge: str = ""
    commitment_ends_on: str = ""


class ProductTerminated(Event, name="product.terminated", stream="product"):
    """The product ended: it is not served from the local date `ended_on` on. `order` and `item` ended it, empty where no order did;
    `gives_back` as for a change. Version 2 names the products that are to end with it and were not ended in the same moment (`ends`)."""

    example = {
        **_BY,
        "cause": "ordered",
        "ended_on": "2026-06-05",
        "gives_back": {"sim": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1"},
        "ends": [],
    }
    upcasts = (Upcast(defaults={"ends": []}),)
    order: str = ""
    item: str = ""
    cause: str
    ended_on: str
    gives_back: dict[str, str] = {}
    ends: tuple[str, ...] = ()


class PortingCodeIssued(Event, name="product.porting-code-issued", stream="product"):
    """The customer was given a code to take the number of the product to another operator: good through the local day `valid_through`.

    `early_minor` is what the contract costs that ends before its term, on the day of issue, net; `owed_minor` what is open of the account's
    invoices.
    """

    example = {
        "code": "EXO123456",
        "issued_on": "2026-03-05",
        "valid_through": "2026-04-04",
        "early_minor": 18500,
        "owed_minor": 2220,
        "currency": "GBP",
    }
    code: Annotated[str, Pii("porting-code")]
    issued_on: str
    valid_through: str
    early_minor: int
    owed_minor: int
    currency: str


class PortingCodeRefused(Event, name="product.porting-code-refused", stream="product"):
    """The customer was given no code, on a ground that the market has."""

    example = {"ground": "sim-swap", "asked_on": "2026-03-05"}
    ground: Literal["leaving", "sim-swap", "locked"]
    asked_on: str
