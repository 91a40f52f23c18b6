"""Quotes as the three quote calls give them."""

from typing import Any

from trading.domain.instruments import Instrument
from trading.exchange.kite.shapes.numbers import price
from trading.exchange.market.quotes import Level, Quote
from trading.exchange.venue.marketclock import stamp


def ltp_row(quote: Quote) -> dict[str, Any]:
    """Shape of one instrument in GET /quote/ltp."""
    return {"instrument_token": quote.token, "last_price": price(quote.ltp)}


def ohlc_row(quote: Quote) -> dict[str, Any]:
    """Shape of one instrument in GET /quote/ohlc."""
    bars = {"open": quote.open, "high": quote.high, "low": quote.low, "close": quote.close}
    return ltp_row(quote) | {"ohlc": {name: price(value) for name, value in bars.items()}}


def quote_row(quote: Quote, instrument: Instrument) -> dict[str, Any]:
    """Shape of one instrument in GET /quote; an index has no depth to speak of. net_change is absolute."""
    return ohlc_row(quote) | {
        "timestamp": stamp(quote.at_ms),
        "last_trade_time": stamp(quote.last_trade_ms) if quote.last_trade_ms else None,
        "last_quantity": quote.last_quantity,
        "buy_quantity": quote.buy_quantity,
        "sell_quantity": quote.sell_quantity,
        "volume": quote.volume,
        "average_price": price(quote.average_price),
        "oi": quote.oi,
        "oi_day_high": quote.oi_day_high,
        "oi_day_low": quote.oi_day_low,
        "net_change": price(quote.ltp - quote.close),
        "lower_circuit_limit": price(quote.lower_circuit) if instrument.is_tradable else 0,
        "upper_circuit_limit": price(quote.upper_circuit) if instrument.is_tradable else 0,
        "depth": {"buy": [_level(one) for one in quote.bids], "sell": [_level(one) for one in quote.asks]},
    }


def _level(level: Level) -> dict[str, Any]:
    return {"price": price(level.price), "quantity": level.quantity, "orders": level.orders}
