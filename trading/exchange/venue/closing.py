"""Prices of a day's end: the closing auction's reference and band, and the closing price. Scaled integers.

Source: SEBI HO/47/11/11(3)2025-MRD-POD2/I/2765/2026: the reference is the volume weighted price of the last 15 minutes
of continuous trading, else the last price, else the previous close; a stock without a closing auction closes at the
volume weighted price of its last 30 minutes.
"""

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading.domain.auctions import CallAuction
from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled, round_to_tick, to_scaled
from trading.domain.sessions import SessionHours
from trading.exchange.market.prints import Print
from trading.exchange.venue.prices import Market

CLASSIC_CLOSE = timedelta(minutes=30)


def printed(market: Market, token: int, auction: CallAuction, now: datetime) -> Print | None:
    """Give the auction's trade on the tape, None while there is none (or when there never was).

    Real bars print it in the last minute of the entry (RELIANCE 2026-09-11 at 15:29): no other trade can be there.
    """
    until = min(now, auction.match_end - timedelta(milliseconds=1))
    return market.print_in(token, _ms(auction.entry_start), _ms(until))


def reference_price(market: Market, token: int, hours: SessionHours, auction: CallAuction) -> int:
    """Give the price around which a closing auction's orders may be."""
    end = hours.continuous_end
    begin = end - timedelta(minutes=auction.rule.reference_minutes)
    return market.vwap(token, _ms(begin), _ms(end)) or market.quote(token).ltp


def band(instrument: Instrument, reference: int, percent: Decimal) -> tuple[int, int]:
    """Give the lowest and highest limit of a closing auction, on the tick, inside the percentage."""
    width = from_scaled(reference) * percent / 100
    lower = _on_tick(from_scaled(reference) - width, instrument.tick_size, ROUND_CEILING)
    return lower, _on_tick(from_scaled(reference) + width, instrument.tick_size, ROUND_FLOOR)


def closing_price(
    market: Market, instrument: Instrument, hours: SessionHours, auction: CallAuction | None, now: datetime
) -> int:
    """Give the day's closing price, on the tick, once continuous trading and the auction are over."""
    token = instrument.token
    if auction is not None:
        found = printed(market, token, auction, now)
        return found.price if found else market.quote(token).ltp
    end = hours.continuous_end
    price = market.vwap(token, _ms(end - CLASSIC_CLOSE), _ms(end))
    if not price:
        return market.quote(token).ltp
    return to_scaled(round_to_tick(from_scaled(price), instrument.tick_size))


def _on_tick(price: Decimal, tick_size: Decimal, rounding: str) -> int:
    return to_scaled((price / tick_size).to_integral_value(rounding) * tick_size)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
