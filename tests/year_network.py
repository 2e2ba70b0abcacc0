"""What the network has on after a year of changes, by its own books, against the products in service by the log: the same, once, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence

from o2c.engine.app import Engine
from tests import year_outside
from tests.book import Entry
from tests.fates import Claim
from tests.network import Books, Network
from tests.year_outside import Standing, first_of, standing_of

OF_PRODUCTS = "SELECT product, iccid, msisdn, account, status FROM projection.products ORDER BY product"
TO_GO_OFF = """SELECT substr(stream, strpos(stream, '-') + 1) AS product FROM o2c.agenda WHERE step = ANY(%(steps)s)
    UNION SELECT substr(stream, strpos(stream, '-') + 1) FROM projection.fallout WHERE state = 'open' AND step = ANY(%(steps)s)"""
"""The products that the network is still asked to switch off, or that somebody has in a queue for that."""
OFF_STEPS = ["product-off", "withdrawal-switch-off"]
Row = Mapping[str, str]
__all__ = ["Network", "claims", "wrong_network"]


def wrong_network(books: Books, told: Standing, products: Sequence[Row], to_go: set[str]) -> list[str]:
    """What is on that no product in service has and no item that goes on obtained, what serves a product that has another, and what is not on that a product has."""
    rows = {row["product"]: row for row in products if row["account"] not in books.ended}
    ended = {row["product"] for row in products if row["account"] in books.ended}
    obtained = {key for kind, key in told.pieces if kind == "sim"}
    going = {f"{stream.removeprefix('order-')}:{item}" for stream, item in told.going} | to_go | ended
    wrong = []
    for name, piece in books.on.items():
        row = rows.get(name)
        if name in going:
            continue
        if row is None or row["status"] == "terminated":
            wrong.append(f"{name} is on by {piece}, and {'is of nobody' if row is None else 'has ended'}")
        elif row["iccid"] and piece not in (row["iccid"], *obtained):
            wrong.append(f"{name} is on by {piece}, must be by {row['iccid']}")
        elif row["msisdn"] and row["msisdn"] not in books.numbers.get(name, ()):
            wrong.append(f"{name} is reached by {books.numbers.get(name)}, must be by {row['msisdn']}")
    must = {name: row["iccid"] for name, row in rows.items() if row["status"] != "terminated" and row["iccid"]}
    return wrong + [f"{name} is not on, must be by {piece}" for name, piece in must.items() if name not in books.on]


def claims(app: Engine, book: list[Entry], books: Books) -> Iterator[Claim]:
    """What all partners hold, and what is on at the network."""
    yield from year_outside.claims(app, book)
    yield from _of_the_network(app, books)


def _of_the_network(app: Engine, books: Books) -> Iterator[Claim]:
    """The claim, and what shows that the same eyes see what is on for nobody, by another SIM, and what is off."""
    told = standing_of(app)
    products = list(app.reads.rows(OF_PRODUCTS))
    to_go = {row["product"] for row in app.reads.rows(TO_GO_OFF, steps=OFF_STEPS)}
    wrong = wrong_network(books, told, products, to_go)
    off = {"asked back": books.taken_off["activation-cancel"], "with their base": books.taken_off["product-off"]}
    figures = f"{len(books.on)} on, {len(products)} products so far, switched off {off}, {len(to_go)} to go{first_of(wrong)}"
    yield Claim("the network serves what is in service, and nothing else", bool(books.on and off["asked back"]) and not wrong, figures)
    first = next(row for row in products if row["iccid"] and row["status"] == "active" and row["account"] not in books.ended)
    name = first["product"]
    others = {
        "on for nobody": Books({**books.serves, "nobody:1": "8944"}, {}, books.ended, numbers=books.numbers),
        "on after its end": books,
        "by another SIM": Books({**books.serves, name: "8944"}, {}, books.ended, numbers=books.numbers),
        "off": Books({of: piece for of, piece in books.serves.items() if of != name}, {}, books.ended, numbers=books.numbers),
        "by another number": Books(books.serves, {}, books.ended, numbers={**books.numbers, name: ["+4470000"]}),
    }
    over = [{**row, "status": "terminated"} if row["product"] == name else row for row in products]
    found = {what: len(wrong_network(each, told, over if each is books else products, to_go)) - len(wrong) for what, each in others.items()}
    yield Claim("control: what the network would have on is seen", all(n > 0 for n in found.values()), str(found))
