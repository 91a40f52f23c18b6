"""Positions, holdings and margins."""

from typing import Any

from trading.exchange.kite.shapes.numbers import average, price
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import margin
from trading.exchange.venue.accounts import Account, Holding, Position
from trading.exchange.venue.marketclock import stamp


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
    if net > 0:
        today.lots.append((net, position.buy_value // position.buy_quantity))
    elif net < 0:
        today.lots.append((net, position.sell_value // position.sell_quantity))
    return today


def holding_row(holding: Holding, quote: Quote, sold_today: int) -> dict[str, Any]:
    """Shape of one holding; `sold_today` is units sold from it."""
    change = quote.ltp - quote.close
    instrument = holding.instrument
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": instrument.token,
        "isin": f"INE{instrument.token % 10**6:06d}010",
        "product": "CNC",
        "price": 0,
        "quantity": holding.quantity - sold_today,
        "used_quantity": sold_today,
        "t1_quantity": 0,
        "realised_quantity": holding.quantity,
        "authorised_quantity": 0,
        "authorised_date": stamp(quote.at_ms)[:10] + " 00:00:00",
        "authorisation": {},
        "opening_quantity": holding.quantity,
        "short_quantity": 0,
        "collateral_quantity": 0,
        "collateral_type": "",
        "discrepancy": False,
        "average_price": price(holding.average_price),
        "last_price": price(quote.ltp),
        "close_price": price(quote.close),
        "pnl": price((quote.ltp - holding.average_price) * holding.quantity),
        "day_change": price(change),
        "day_change_percentage": change * 100 / quote.close if quote.close else 0,
        "mtf": {"quantity": 0, "used_quantity": 0, "average_price": 0, "value": 0, "initial_margin": 0},
    }


def equity_margins(account: Account) -> dict[str, Any]:
    """Shape of the equity segment: debits are exposure and delivery less realised P&L; net is cash less debits."""
    delivery = margin.used(account, "CNC")
    exposure = margin.used(account) - delivery
    return _segment(account.cash, exposure=exposure, delivery=delivery, realised=account.realised)


def commodity_margins() -> dict[str, Any]:
    """Shape of the commodity segment, which has no money here."""
    return _segment(0, exposure=0, delivery=0, realised=0)


def _segment(cash: int, *, exposure: int, delivery: int, realised: int) -> dict[str, Any]:
    debits = exposure + delivery - realised
    zero = ("m2m_unrealised", "option_premium", "payout", "span", "holding_sales", "turnover", "liquid_collateral",
            "stock_collateral")  # fmt: skip
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
            "exposure": price(exposure),
            "m2m_realised": price(realised),
            "delivery": price(delivery),
        }
        | dict.fromkeys(zero, 0),
    }
