"""The numbers that the lines of an order bring: one a line, each with its code, and not so many that they are a bulk port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from o2c.markets.base import Market
from o2c.orders.wish import CODE, NUMBER, Line


def brought(line: Line, turn: int) -> dict[str, str]:
    """Give the number and code that a line of an item brings, as characteristics; `turn` counts the item's lines from 0.

    An item of several lines names one number a line: `portInNumber#1`, `portInNumber#2` and so on (`portInNumber` is the first), each with
    its own `portInCode#n` or, where one code is for all of them, `portInCode`.
    """
    own = line.characteristics
    number = own.get(f"{NUMBER}#{turn + 1}", own.get(NUMBER) if turn == 0 else None)
    if number is None:
        return {}
    code = own.get(f"{CODE}#{turn + 1}", own.get(CODE))
    return {NUMBER: number} if code is None else {NUMBER: number, CODE: code}


def flaw_of_numbers(lines: Sequence[Line], counts: Mapping[str, int], market: Market) -> str:
    """Give the first reason why the numbers that lines bring cannot be planned (DQ-ITEM with detail); empty when there is none.

    An item of several lines that brings any number brings one a line. Numbers of one order under one code are a bulk process from
    `bulk_from` of the market on, which does not go to the automatic one. Source: the market's porting rules (Great Britain: 1 to 24
    numbers).
    """
    codes: Counter[str] = Counter()
    for line in lines:
        count = counts.get(line.item, 0)
        given = sum(1 for name in line.characteristics if name.partition("#")[0] == NUMBER)
        lines_bringing = [each for turn in range(count) if (each := brought(line, turn))]
        if count and given and not given == len(lines_bringing) == count:
            return f"DQ-ITEM: item {line.item} {_told(count, given)}; send one line a number, or one number a line ({NUMBER}#1 and so on)"
        codes.update(each.get(CODE, "") for each in lines_bringing)
    most = max(codes.values(), default=0)
    bulk_from = market.porting.bulk_from if most > 1 else None
    if bulk_from is not None and most >= bulk_from:
        return f"DQ-ITEM: {most} numbers under one code are a bulk port, which is arranged by hand; an order brings up to {bulk_from - 1}"
    return ""


def _told(count: int, given: int) -> str:
    lines = "is one line" if count == 1 else f"is {count} lines"
    return f"{lines} and brings {'one number' if given == 1 else f'{given} numbers'}"
