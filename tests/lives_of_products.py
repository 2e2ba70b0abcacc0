"""Products in service for stories: a customer's line, orders that change it, and what became of it."""

from typing import Any

from o2c.products.events import product_of, product_stream
from o2c.products.state import ProductState
from o2c.simulation.launch_data import Offering
from tests.world import Document, World, at, line, order


def change(world: World, of: str, *, action: str = "modify", number: str = "1", item_of: str = "1", offering: Offering | None = None,
           place: str | None = None, **values: str) -> Document:  # fmt: skip
    """An item that is about the product that an item of an order became."""
    product: Document = {"id": product_of(world.order(of).order_id, item_of)}
    product["productCharacteristic"] = [{"name": name, "value": value} for name, value in values.items()]
    if place:
        product["place"] = [{"role": "address", "name": place}]
    told: Document = {"id": number, "action": action, "quantity": 1, "product": product}
    return {**told, "productOffering": {"id": offering.id}} if offering else told


def product(world: World, of: str, item_of: str = "1") -> ProductState:
    """The product that an item of an order became, as it stands."""
    stream = product_stream(product_of(world.order(of).order_id, item_of))
    state: ProductState = world.app.load_one(stream).state
    return state


def in_service(world: World, name: str = "FIRST", **more: Any) -> World:
    """A world with a line in service."""
    world.take(order(name, line(**more)))
    return world.run(at(12))
