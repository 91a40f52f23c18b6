"""The auction session, in which the exchange buys shares that somebody failed to deliver.

Source: the broker's help pages on auctions (2026): 14:30 to 15:00, settled holdings only, sell orders only, prices
within 20 % of the previous close, no changes, everything matched at the end by price. What the exchange pays is made
up: one price for all, 0 to 10 % above the previous close, by day and share; it takes every share offered at or below.
"""

from datetime import date, datetime, time

from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled, round_to_tick, to_scaled
from trading.domain.orders import Side
from trading.domain.timezone import IST
from trading.exchange.market.quotes import Quote
from trading.exchange.market.randomness import number_of
from trading.exchange.venue import refusals
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.auction_list import auction_number
from trading.exchange.venue.kinds import AUCTION, Kind
from trading.exchange.venue.orders import Terms
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest, check_tag, on_grid

BEGINS, ENDS = time(14, 30), time(15, 0)
RANGE_PERCENT = 20
PREMIUM_PERCENT = 10


def require_session(moment: datetime) -> None:
    """Raise Refusal unless the session takes orders at this aware moment."""
    if not BEGINS <= moment.astimezone(IST).time() < ENDS:
        raise Refusal(refusals.auction_closed(BEGINS, ENDS))


def is_over(moment: datetime) -> bool:
    """Say whether the session's orders are due for matching."""
    return moment.astimezone(IST).time() >= ENDS


def checked(request: OrderRequest, quote: Quote, account: Account, day: date) -> tuple[Terms, Kind]:
    """Give terms and kind of an offer, or raise Refusal."""
    token = request.instrument.token
    check_tag(request.tag)
    if request.side is not Side.SELL or request.product != "CNC":
        raise Refusal("Only CNC SELL orders are allowed in the auction.")
    if request.order_type != "LIMIT" or request.validity != "DAY":
        raise Refusal("Auction orders are LIMIT orders with DAY validity.")
    held = account.holdings.get(token)
    if held is None or request.auction_number != auction_number(day, token):
        raise Refusal("Invalid `auction_number`.")
    if not 0 < request.quantity <= held.quantity:
        raise Refusal(refusals.insufficient_holding(request.quantity, held.quantity, account.user_id).message)
    price = on_grid(request.price, request.instrument, "price")
    width = quote.close * RANGE_PERCENT // 100
    if abs(price - quote.close) > width:
        raise Refusal(refusals.outside_circuit(price, quote.close - width, quote.close + width))
    return Terms(request.quantity, "LIMIT", price, 0, "DAY", 0, None), Kind(
        AUCTION, auction_number=request.auction_number
    )


def paid_price(instrument: Instrument, quote: Quote, day: date) -> int:
    """Give what the exchange pays for a share (scaled, on the tick); dearer offers are not taken."""
    percent = number_of("auction price", day.isoformat(), instrument.token) % (PREMIUM_PERCENT + 1)
    return to_scaled(round_to_tick(from_scaled(quote.close * (100 + percent) // 100), instrument.tick_size))
