"""The venue's things in Kite's JSON shapes (field names and types as in Zerodha's mock responses)."""

from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any

from trading.domain.instruments import Instrument
from trading.domain.money import PRICE_SCALE
from trading.exchange.market.quotes import Level, Quote
from trading.exchange.venue import margin
from trading.exchange.venue.access import Session
from trading.exchange.venue.accounts import Account, Holding, Position
from trading.exchange.venue.marketclock import stamp
from trading.exchange.venue.orders import FINAL, Order, Snapshot, Status, Trade
from trading.exchange.venue.users import User

EXCHANGES = ["NSE", "BSE", "NFO", "BFO", "CDS", "MCX"]
PRODUCTS = ["CNC", "NRML", "MIS"]
ORDER_TYPES = ["MARKET", "LIMIT", "SL", "SL-M"]


def price(scaled: int) -> float:
    """Give scaled rupees as JSON's number."""
    return scaled / PRICE_SCALE


def average(value: int, quantity: int) -> float:
    """Give value by quantity, to 4 decimals; 0 for nothing."""
    if quantity == 0:
        return 0
    exact = Decimal(value) / quantity / PRICE_SCALE
    return float(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))


def profile(user: User) -> dict[str, Any]:
    """Shape of GET /user/profile."""
    return {
        "user_id": user.user_id,
        "user_type": "individual",
        "email": user.email,
        "user_name": user.name,
        "user_shortname": user.shortname,
        "broker": "ZERODHA",
        "exchanges": EXCHANGES,
        "products": PRODUCTS,
        "order_types": ORDER_TYPES,
        "avatar_url": None,
        "meta": {"demat_consent": "physical"},
    }


def session(user: User, login: Session) -> dict[str, Any]:
    """Shape of POST /session/token."""
    return profile(user) | {
        "api_key": login.api_key,
        "access_token": login.access_token,
        "public_token": sha256(login.access_token.encode()).hexdigest()[:32],
        "enctoken": "",
        "refresh_token": "",
        "silo": "",
        "login_time": stamp(login.login_ms),
    }


def order_row(order: Order, state: Snapshot) -> dict[str, Any]:
    """Shape of one order in the book or in its history."""
    tags = _tags(order, state)
    return _order_core(order, state) | {
        "account_id": order.user_id,
        "modified": state.modified,
        "validity_ttl": 0,
        "auction_number": None,
        "tag": order.tag or None,
        "tags": tags or None,
        "guid": None,
    }


def _order_core(order: Order, state: Snapshot) -> dict[str, Any]:
    terms, instrument = state.terms, order.instrument
    at_exchange = stamp(state.exchange_ms) if state.exchange_ms is not None else None
    return {
        "placed_by": order.user_id,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id if at_exchange else None,
        "parent_order_id": None,
        "status": state.status.value,
        "status_message": state.message,
        "status_message_raw": state.raw,
        "order_timestamp": stamp(order.placed_ms),
        "exchange_update_timestamp": at_exchange,
        "exchange_timestamp": at_exchange,
        "variety": "regular",
        "exchange": instrument.exchange,
        "tradingsymbol": instrument.tradingsymbol,
        "instrument_token": instrument.token,
        "order_type": terms.order_type,
        "transaction_type": order.side.value,
        "validity": terms.validity,
        "product": order.product,
        "quantity": terms.quantity,
        "disclosed_quantity": terms.disclosed_quantity,
        "price": price(terms.price),
        "trigger_price": price(terms.trigger_price),
        "average_price": average(state.filled_value, state.filled),
        "filled_quantity": state.filled,
        "pending_quantity": 0 if state.status in FINAL else terms.quantity - state.filled,
        "cancelled_quantity": state.cancelled,
        "market_protection": 0,
        "meta": {},
    }


def _tags(order: Order, state: Snapshot) -> list[str]:
    """Give the client's tag, then the marks of market protection."""
    tags = [order.tag] if order.tag else []
    if state.terms.percent is not None:
        tags += ["mktp", f"mktp:{state.terms.percent}"]
    return tags


def order_message(order: Order, word: str, app: User, checksum: str) -> dict[str, Any]:
    """Shape of a postback and of a socket's order message; the socket's checksum is empty."""
    state = order.history[-1]
    return _order_core(order, state) | {
        "user_id": order.user_id,
        "unfilled_quantity": 0 if state.status is Status.COMPLETE else state.terms.quantity - state.filled,
        "app_id": app.app_id,
        "checksum": checksum,
        "status": word,
        "tag": order.tag or None,
        "guid": None,
    }


def trade_row(trade: Trade, order: Order) -> dict[str, Any]:
    """Shape of one trade."""
    at = stamp(trade.at_ms)
    return {
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "exchange": order.instrument.exchange,
        "tradingsymbol": order.instrument.tradingsymbol,
        "instrument_token": trade.token,
        "product": trade.product,
        "average_price": price(trade.price),
        "quantity": trade.quantity,
        "exchange_order_id": order.exchange_order_id,
        "transaction_type": trade.side.value,
        "fill_timestamp": at,
        "order_timestamp": stamp(order.placed_ms)[11:],
        "exchange_timestamp": at,
    }


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
        "oi_day_high": quote.oi,
        "oi_day_low": quote.oi,
        "net_change": price(quote.ltp - quote.close),
        "lower_circuit_limit": price(quote.lower_circuit) if instrument.is_tradable else 0,
        "upper_circuit_limit": price(quote.upper_circuit) if instrument.is_tradable else 0,
        "depth": {"buy": [_level(one) for one in quote.bids], "sell": [_level(one) for one in quote.asks]},
    }


def _level(level: Level) -> dict[str, Any]:
    return {"price": price(level.price), "quantity": level.quantity, "orders": level.orders}
