"""Charges of one order, as the contract note and both margin calls carry them."""

from decimal import Decimal
from typing import Any

from trading.domain.charges import Charges
from trading.exchange.venue.margin_quotes import MarginQuery


def note_row(query: MarginQuery, variety: str, average_price: Decimal, charges: Charges) -> dict[str, Any]:
    """Shape of one order in POST /charges/orders."""
    return {
        "transaction_type": query.side.value,
        "tradingsymbol": query.instrument.tradingsymbol,
        "exchange": query.instrument.exchange,
        "variety": variety,
        "product": query.product,
        "order_type": query.order_type,
        "quantity": query.quantity,
        "price": _number(average_price),
        "charges": charges_row(charges),
    }


def charges_row(charges: Charges) -> dict[str, Any]:
    """Shape of `charges`. All of GST is shown as integrated tax, as the broker shows it for every client."""
    gst = _number(charges.gst)
    return {
        "transaction_tax": _number(charges.transaction_tax),
        "transaction_tax_type": charges.tax_name,
        "exchange_turnover_charge": _number(charges.exchange_turnover),
        "sebi_turnover_charge": _number(charges.sebi_turnover),
        "brokerage": _number(charges.brokerage),
        "stamp_duty": _number(charges.stamp_duty),
        "gst": {"igst": gst, "cgst": 0, "sgst": 0, "total": gst},
        "total": _number(charges.total),
    }


def _number(rupees: Decimal) -> float:
    """Give exact rupees as JSON's number, at the wire."""
    return float(rupees)
