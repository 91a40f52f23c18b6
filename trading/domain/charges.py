"""What an executed order costs beside its price: brokerage, taxes, exchange and regulator fees. Exact rupees.

Turnover is quantity x price, for options the premium. The arithmetic was read off the broker's own contract notes
(kiteconnect-mocks virtual_contract_note.json): the exchange's charge contains its investor protection fund, GST is
taken on brokerage, the exchange's charge without that fund, and the regulator's fee; stamp duty is whole rupees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from trading.domain.charge_rates import ChargeKind, ChargeRates, charge_table
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side

RUPEE = Decimal(1)
ZERO = Decimal(0)
DELIVERY_PRODUCTS = frozenset({"CNC", "MTF"})
COMMODITY_EXCHANGES = frozenset({"MCX", "NCO"})


@dataclass(frozen=True, slots=True)
class Charges:
    """What one executed order costs, or several together, in rupees. `tax_name` is `stt` or `ctt`, empty for a sum."""

    transaction_tax: Decimal = ZERO
    tax_name: str = ""
    exchange_turnover: Decimal = ZERO
    sebi_turnover: Decimal = ZERO
    brokerage: Decimal = ZERO
    stamp_duty: Decimal = ZERO
    gst: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Give the sum of all of them."""
        fees = self.exchange_turnover + self.sebi_turnover + self.brokerage
        return self.transaction_tax + fees + self.stamp_duty + self.gst


def charges_of(instrument: Instrument, *, product: str, side: Side, turnover: Decimal, day: date) -> Charges:
    """Give the charges of one executed order; `turnover` is the sum of quantity x price over its fills, in rupees.

    Raises LookupError for a kind, exchange or day without rates, ValueError for a negative turnover.
    """
    if turnover < 0:
        raise ValueError(f"turnover must not be negative, was {turnover}")
    return _charges(charge_table().rates(instrument.exchange, kind_of(instrument, product), day), side, turnover)


def _charges(rates: ChargeRates, side: Side, turnover: Decimal) -> Charges:
    """Charge one order's turnover in rupees."""
    at_exchange, sebi = turnover * rates.turnover, turnover * rates.sebi
    share = rates.brokerage_cap if rates.brokerage is None else turnover * rates.brokerage
    brokerage = min(share, rates.brokerage_cap)
    stamp = turnover * rates.stamp_buy if side is Side.BUY else ZERO
    return Charges(
        transaction_tax=turnover * rates.tax[side],
        tax_name=rates.tax_name,
        exchange_turnover=at_exchange + turnover * rates.protection_fund,
        sebi_turnover=sebi,
        brokerage=brokerage,
        stamp_duty=stamp.quantize(RUPEE, rounding=ROUND_HALF_UP),
        gst=(brokerage + at_exchange + sebi) * rates.gst,
    )


def together(parts: Iterable[Charges]) -> Charges:
    """Add up the charges of several orders."""
    every = list(parts)
    return Charges(
        transaction_tax=sum((one.transaction_tax for one in every), ZERO),
        exchange_turnover=sum((one.exchange_turnover for one in every), ZERO),
        sebi_turnover=sum((one.sebi_turnover for one in every), ZERO),
        brokerage=sum((one.brokerage for one in every), ZERO),
        stamp_duty=sum((one.stamp_duty for one in every), ZERO),
        gst=sum((one.gst for one in every), ZERO),
    )


def kind_of(instrument: Instrument, product: str) -> ChargeKind:
    """Say by which rows an instrument in a product is charged. Raises LookupError for an index."""
    is_commodity = instrument.exchange in COMMODITY_EXCHANGES
    match instrument.instrument_type:
        case InstrumentType.EQ:
            return ChargeKind.EQUITY_DELIVERY if product in DELIVERY_PRODUCTS else ChargeKind.EQUITY_INTRADAY
        case InstrumentType.FUT:
            return ChargeKind.COMMODITY_FUTURE if is_commodity else ChargeKind.FUTURE
        case InstrumentType.CE | InstrumentType.PE:
            return ChargeKind.COMMODITY_OPTION if is_commodity else ChargeKind.OPTION
    raise LookupError(f"{instrument.key} is an index: it is not traded")
