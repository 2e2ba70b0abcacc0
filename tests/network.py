"""The network's own books: by which SIM, line or offering it serves each product, whatever the log says of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, Partner, Request, Unknown

PIECES = ("iccid", "line_id", "offering")
"""What the network serves a product by: its SIM, else its line, else what was sold."""


@dataclass
class Books:
    """What is on, by product (`serves`); what may be on, because nobody knows what came of a request (`may_serve`); the accounts whose lines were ended, how often something was
    `taken_off`, by the step that asked for it, and the `numbers` under which a product is reached, of which the last is so for sure."""

    serves: dict[str, str] = field(default_factory=dict)
    may_serve: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    taken_off: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, list[str]] = field(default_factory=dict)

    def note(self, request: Request, answer: Answer, *, query: bool = False) -> None:
        """Write down what an answer of the network makes of a request. What met silence may be on until the network says that it is not: by a question, or as it
        refuses to switch on what it would have found on."""
        product, body = product_of(request), request.body
        if "level" in body:
            self.ended |= {str(body["account"])} if body["level"] == "ended" and isinstance(answer, Answered) else set()
        elif body.get("status") == "terminated":
            if isinstance(answer, Answered):
                self.note_by_hand([product])
                self.taken_off[request.step] += 1
        elif isinstance(answer, Answered):
            if self._served_anew(product, body):
                self.serves[product] = _piece(body)
                self.may_serve.pop(product, None)
            self._reached(product, body, [])
        elif isinstance(answer, Accepted | Unknown):
            if self._served_anew(product, body):
                self.may_serve[product] = _piece(body)
            self._reached(product, body, self.numbers.get(product, []))
        elif query or not (isinstance(answer, Failed) and answer.code == "UNAVAILABLE"):
            self.may_serve.pop(product, None)

    def _served_anew(self, product: str, body: Mapping[str, Any]) -> bool:
        """Whether a request says by which piece a product is served: what changes the number of a line alone says nothing of its SIM."""
        return product not in self.on or any(body.get(name) for name in PIECES[:-1]) or not self.numbers.get(product)

    def _reached(self, product: str, body: Mapping[str, Any], before: list[str]) -> None:
        """The product may be reached by the number of a request, or by those of before; what changes something else of it only names its number."""
        if product not in self.numbers or "number" in body.get("attributes", ["number"]):
            self.numbers[product] = [*([str(body["msisdn"])] if "msisdn" in body else []), *before]

    def note_by_hand(self, products: Iterable[str]) -> None:
        """Somebody says that these are off."""
        for product in products:
            for known in (self.serves, self.may_serve, self.numbers):
                known.pop(product, None)

    @property
    def on(self) -> Mapping[str, str]:
        """What is on, or may be."""
        return {**self.serves, **self.may_serve}


def product_of(request: Request) -> str:
    """The product that a request is about: the one it names, else the one that its item is to become."""
    return str(request.body.get("product") or f"{request.stream.removeprefix('order-')}:{request.item}")


def _piece(body: Mapping[str, object]) -> str:
    return str(next(body[name] for name in PIECES if body.get(name)))


@dataclass(frozen=True)
class Network:
    """A simulated network that keeps books of its own."""

    partner: Partner
    books: Books = field(default_factory=Books)

    def submit(self, request: Request) -> Answer:
        """Ask the simulator, and write down what came of it."""
        answer = self.partner.submit(request)
        self.books.note(request, answer)
        return answer

    def query(self, request: Request) -> Answer:
        """The same of a question."""
        answer = self.partner.query(request)
        self.books.note(request, answer, query=True)
        return answer
