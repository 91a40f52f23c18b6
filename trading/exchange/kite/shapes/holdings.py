"""Delivered shares: one holding, all of them in short, and what they are worth together."""

from collections.abc import Iterable
from typing import Any

from trading.domain.instruments import Instrument
from trading.exchange.kite.shapes.numbers import price
from trading.exchange.market.quotes import Quote
from trading.exchange.venue.accounts import Holding
from trading.exchange.venue.marketclock import stamp

PERCENT = 100


def isin(instrument: Instrument) -> str:
    """Give the made-up ISIN of a share, the same every day."""
    return f"INE{instrument.token % 10**6:06d}010"


def holding_row(holding: Holding, quote: Quote, sold_today: int) -> dict[str, Any]:
    """Shape of one holding; `sold_today` is units sold from it."""
    return _core(holding, quote, sold_today) | {
        "used_quantity": sold_today,
        "authorisation": {},
        "short_quantity": 0,
        "mtf": {"quantity": 0, "used_quantity": 0, "average_price": 0, "value": 0, "initial_margin": 0},
    }


def auction_row(holding: Holding, quote: Quote, sold_today: int, auction_number: str) -> dict[str, Any]:
    """Shape of a holding that an auction session asks for."""
    return _core(holding, quote, sold_today) | {"auction_number": auction_number}


def _core(holding: Holding, quote: Quote, sold_today: int) -> dict[str, Any]:
    change = quote.ltp - quote.close
    instrument = holding.instrument
    settled, young = left_of(holding, sold_today)
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": instrument.token,
        "isin": isin(instrument),
        "product": "CNC",
        "price": 0,
        "quantity": settled,
        "t1_quantity": young,
        "realised_quantity": holding.quantity,
        "authorised_quantity": 0,
        "authorised_date": stamp(quote.at_ms)[:10] + " 00:00:00",
        "opening_quantity": holding.total,
        "collateral_quantity": 0,
        "collateral_type": "",
        "discrepancy": False,
        "average_price": price(holding.average_price),
        "last_price": price(quote.ltp),
        "close_price": price(quote.close),
        "pnl": price((quote.ltp - holding.average_price) * (settled + young)),
        "day_change": price(change),
        "day_change_percentage": _percent(change, quote.close),
    }


def compact_row(holding: Holding, sold_today: int) -> dict[str, Any]:
    """Shape of one holding in GET /portfolio/holdings/compact."""
    instrument = holding.instrument
    settled, young = left_of(holding, sold_today)
    return {
        "exchange": instrument.exchange,
        "tradingsymbol": instrument.tradingsymbol,
        "instrument_token": instrument.token,
        "t1_quantity": young,
        "quantity": settled,
    }


def summary(held: Iterable[tuple[Holding, Quote, int]]) -> dict[str, Any]:
    """Shape of GET /portfolio/holdings/summary: of what is still held. Today's percentage is of yesterday's value."""
    invested = current = yesterday = 0
    for holding, quote, sold_today in held:
        units = holding.total - sold_today
        invested += units * holding.average_price
        current += units * quote.ltp
        yesterday += units * quote.close
    return {
        "total_pnl": price(current - invested),
        "total_pnl_percent": _percent(current - invested, invested),
        "today_pnl": price(current - yesterday),
        "today_pnl_percent": _percent(current - yesterday, yesterday),
        "invested_amount": price(invested),
        "current_value": price(current),
    }


def left_of(holding: Holding, sold_today: int) -> tuple[int, int]:
    """Give the settled and the T+1 units still held: what is settled is sold first."""
    from_settled = min(sold_today, holding.quantity)
    return holding.quantity - from_settled, holding.t1_quantity - (sold_today - from_settled)


def _percent(part: int, whole: int) -> float:
    return part * PERCENT / whole if whole else 0
