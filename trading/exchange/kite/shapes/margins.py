"""What margin calls answer: the margin of an order and of a basket, and the two segments of an account."""

from collections.abc import Mapping, Sequence
from typing import Any

from trading.domain.charges import Charges, together
from trading.exchange.kite.shapes.charges import charges_row
from trading.exchange.kite.shapes.numbers import price
from trading.exchange.venue import margin
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.margin import Part
from trading.exchange.venue.margin_quotes import Basket, MarginQuote

COMMODITY_EXCHANGES = frozenset({"MCX", "NCO"})
NO_CHARGES = Charges()


def order_margin_row(quote: MarginQuote) -> dict[str, Any]:
    """Shape of one order in POST /margins/orders."""
    instrument = quote.order.instrument
    head = {
        "type": "commodity" if instrument.exchange in COMMODITY_EXCHANGES else "equity",
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
    }
    return _margin_row(head, quote.parts, quote.leverage, quote.charges)


def basket_row(basket: Basket, *, is_compact: bool) -> dict[str, Any]:
    """Shape of POST /margins/basket; compact leaves the single orders out."""
    nobody = {"type": "", "tradingsymbol": "", "exchange": ""}
    orders: Sequence[MarginQuote] = () if is_compact else basket.quotes
    return {
        "initial": _margin_row(nobody, basket.initial, 0, NO_CHARGES),
        "final": _margin_row(nobody, basket.final, 0, NO_CHARGES),
        "orders": [order_margin_row(one) for one in orders],
        "charges": charges_row(together(one.charges for one in basket.quotes)),
    }


def _margin_row(head: dict[str, Any], parts: Mapping[Part, int], leverage: int, charges: Charges) -> dict[str, Any]:
    return head | {
        "span": price(parts.get(Part.SPAN, 0)),
        "exposure": 0,
        "option_premium": price(parts.get(Part.OPTION_PREMIUM, 0)),
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": price(parts.get(Part.DELIVERY, 0) + parts.get(Part.INTRADAY, 0)),
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": leverage,
        "charges": charges_row(charges),
        "total": price(sum(parts.values())),
    }


def equity_margins(account: Account) -> dict[str, Any]:
    """Shape of the equity segment: debits are all that is blocked less realised P&L; net is cash less debits."""
    return _segment(account.cash, margin.used_by_part(account), account.realised)


def commodity_margins() -> dict[str, Any]:
    """Shape of the commodity segment, which has no money here."""
    return _segment(0, {}, 0)


def _segment(cash: int, used: Mapping[Part, int], realised: int) -> dict[str, Any]:
    debits = sum(used.values()) - realised
    return {
        "enabled": True,
        "net": price(cash - debits),
        "available": {
            "adhoc_margin": 0,
            "cash": price(cash),
            "opening_balance": price(cash),
            "live_balance": price(cash - debits),
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {
            "debits": price(debits),
            "exposure": price(used.get(Part.INTRADAY, 0)),
            "m2m_realised": price(realised),
            "m2m_unrealised": 0,
            "option_premium": price(used.get(Part.OPTION_PREMIUM, 0)),
            "payout": 0,
            "span": price(used.get(Part.SPAN, 0)),
            "holding_sales": 0,
            "turnover": 0,
            "liquid_collateral": 0,
            "stock_collateral": 0,
            "delivery": price(used.get(Part.DELIVERY, 0)),
        },
    }
