"""Reference rates by date, for the interest on what businesses pay late. All figures are from memory [M], to be confirmed before a
launch."""

from datetime import date
from decimal import Decimal

BANK_RATE = tuple(
    (date.fromisoformat(day), Decimal(percent))
    for day, percent in (
        ("2022-12-15", "3.5"),
        ("2023-02-02", "4"),
        ("2023-03-23", "4.25"),
        ("2023-05-11", "4.5"),
        ("2023-06-22", "5"),
        ("2023-08-03", "5.25"),
        ("2024-08-01", "5"),
        ("2024-11-07", "4.75"),
        ("2025-02-06", "4.5"),
        ("2025-05-08", "4.25"),
        ("2025-08-07", "4"),
        ("2025-12-18", "3.75"),
    )
)
"""The official dealing rate of the Bank of England, percent, from each day on [M]."""
ECB_MAIN_REFINANCING = tuple(
    (date.fromisoformat(day), Decimal(percent))
    for day, percent in (
        ("2022-12-21", "2.5"),
        ("2023-02-08", "3"),
        ("2023-03-22", "3.5"),
        ("2023-05-10", "3.75"),
        ("2023-06-21", "4"),
        ("2023-08-02", "4.25"),
        ("2023-09-20", "4.5"),
        ("2024-06-12", "4.25"),
        ("2024-09-18", "3.65"),
        ("2024-10-23", "3.4"),
        ("2024-12-18", "3.15"),
        ("2025-02-05", "2.9"),
        ("2025-03-12", "2.65"),
        ("2025-04-23", "2.4"),
        ("2025-06-11", "2.15"),
    )
)
"""The rate of the European Central Bank for its main refinancing operations, percent, from each day on [M]."""
