"""The rates behind a trade's charges: dated rows (`data/charges.csv`, percent of turnover), as budgets change them.

A day or a kind without a row raises: a wrong charge is worse than none.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files

from trading.domain.orders import Side

PERCENT = Decimal(100)
FLAT = "flat"
"""In the column `brokerage`: the cap is charged on every order."""


class ChargeKind(StrEnum):
    """What a row is written for."""

    EQUITY_DELIVERY = "equity_delivery"
    EQUITY_INTRADAY = "equity_intraday"
    FUTURE = "future"
    OPTION = "option"
    COMMODITY_FUTURE = "commodity_future"
    COMMODITY_OPTION = "commodity_option"


@dataclass(frozen=True, slots=True)
class ChargeRates:
    """One row. Rates are fractions of turnover, `brokerage_cap` rupees an order; `brokerage` None: the cap always."""

    exchange: str
    kind: ChargeKind
    valid_from: date
    valid_to: date | None
    brokerage: Decimal | None
    brokerage_cap: Decimal
    tax_name: str
    tax: Mapping[Side, Decimal]
    turnover: Decimal
    protection_fund: Decimal
    sebi: Decimal
    stamp_buy: Decimal
    gst: Decimal

    def holds_on(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class ChargeTable:
    """Finds the row of an exchange, a kind and a day."""

    def __init__(self, rows: Iterable[ChargeRates]) -> None:
        self.rows = tuple(rows)

    def rates(self, exchange: str, kind: ChargeKind, day: date) -> ChargeRates:
        """Give the row in force. Raises LookupError where none is known."""
        for row in self.rows:
            if (row.exchange, row.kind) == (exchange, kind) and row.holds_on(day):
                return row
        raise LookupError(f"no charges are known for {kind} on {exchange} on {day}")


@cache
def charge_table() -> ChargeTable:
    """Give the table that ships with the project."""
    text = (files("trading.domain") / "data" / "charges.csv").read_text()
    return ChargeTable(_row(line) for line in csv.DictReader(text.splitlines()))


def _row(line: Mapping[str, str]) -> ChargeRates:
    return ChargeRates(
        exchange=line["exchange"],
        kind=ChargeKind(line["kind"]),
        valid_from=date.fromisoformat(line["valid_from"]),
        valid_to=date.fromisoformat(line["valid_to"]) if line["valid_to"] else None,
        brokerage=None if line["brokerage"] == FLAT else _fraction(line["brokerage"]),
        brokerage_cap=Decimal(line["brokerage_cap"]),
        tax_name=line["tax"],
        tax={Side.BUY: _fraction(line["tax_buy"]), Side.SELL: _fraction(line["tax_sell"])},
        turnover=_fraction(line["turnover"]),
        protection_fund=_fraction(line["protection_fund"]),
        sebi=_fraction(line["sebi"]),
        stamp_buy=_fraction(line["stamp_buy"]),
        gst=_fraction(line["gst"]),
    )


def _fraction(percent: str) -> Decimal:
    return Decimal(percent) / PERCENT
