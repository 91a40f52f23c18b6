"""Positions: the net rows and the day's own rows."""

from typing import Any

from trading.exchange.kite.shapes.numbers import average, price
from trading.exchange.market.quotes import Quote
from trading.exchange.venue.positions import Position


def position_row(position: Position, quote: Quote) -> dict[str, Any]:
    """Shape of a net position."""
    overnight, overnight_value = position.overnight_quantity, position.overnight_value
    bought_before, sold_before = max(overnight, 0), max(-overnight, 0)
    buy_value = position.buy_value + (overnight_value if overnight > 0 else 0)
    sell_value = position.sell_value - (overnight_value if overnight < 0 else 0)
    at_close = overnight * quote.close
    buy_m2m = position.buy_value + max(at_close, 0)
    sell_m2m = position.sell_value + max(-at_close, 0)
    net = position.net_quantity
    pnl = position.pnl(quote.ltp)
    return _position_head(position, quote) | {
        "quantity": net,
        "overnight_quantity": overnight,
        "average_price": average(position.open_value, abs(net)),
        "value": price(sell_value - buy_value),
        "pnl": price(pnl),
        "m2m": price(sell_m2m - buy_m2m + net * quote.ltp),
        "unrealised": price(pnl - position.realised),
        "realised": price(position.realised),
        "buy_quantity": position.buy_quantity + bought_before,
        "buy_price": average(buy_value, position.buy_quantity + bought_before),
        "buy_value": price(buy_value),
        "buy_m2m": price(buy_m2m),
        "sell_quantity": position.sell_quantity + sold_before,
        "sell_price": average(sell_value, position.sell_quantity + sold_before),
        "sell_value": price(sell_value),
        "sell_m2m": price(sell_m2m),
        "day_buy_quantity": position.buy_quantity,
        "day_buy_price": average(position.buy_value, position.buy_quantity),
        "day_buy_value": price(position.buy_value),
        "day_sell_quantity": position.sell_quantity,
        "day_sell_price": average(position.sell_value, position.sell_quantity),
        "day_sell_value": price(position.sell_value),
    }


def _position_head(position: Position, quote: Quote) -> dict[str, Any]:
    instrument = position.instrument
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": instrument.token,
        "product": position.product,
        "multiplier": 1,
        "close_price": price(quote.close),
        "last_price": price(quote.ltp),
    }


def day_part(position: Position) -> Position | None:
    """Give today's part of a position, without what was carried overnight; None when nothing was traded today."""
    if not position.buy_quantity and not position.sell_quantity:
        return None
    if not position.overnight_quantity:
        return position
    return _only_today(position)


def _only_today(position: Position) -> Position:
    """Rebuild today's trading as if nothing had been held: matched units are realised at today's averages."""
    today = Position(position.instrument, position.product)
    today.buy_quantity, today.buy_value = position.buy_quantity, position.buy_value
    today.sell_quantity, today.sell_value = position.sell_quantity, position.sell_value
    net = today.net_quantity
    value, units = (today.buy_value, today.buy_quantity) if net > 0 else (today.sell_value, today.sell_quantity)
    if net:
        today.lots.append((net, value // units))
        today.open_value = abs(net) * value // units
    return today
