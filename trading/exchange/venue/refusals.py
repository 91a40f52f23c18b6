"""The broker's "no", in the broker's words.

`Refusal` is the synchronous way: HTTP 400, no order id, nothing in the book. `Rejection` is the other one: the order
has an id and turns REJECTED with these texts. Texts: protocol notes of Kite Connect v3, section 4.
"""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from trading.domain.money import from_scaled

NO_PROTECTION = (
    "Market orders without market protection are not allowed via API. "
    "Please set market protection or use a Limit order."
)
TOO_MANY_MODIFICATIONS = "Maximum allowed order modifications exceeded."
TOO_MANY_REQUESTS = "Too many requests"
TOO_MANY_ORDERS = "Maximum allowed order requests exceeded"
BUSY_ORDER = "Order cannot be modified as it is being processed. Try later."
BUSY_CANCEL = "Order cannot be cancelled as it is being processed. Try later."
"""Both are said of an order on its way and of one that is final too (logs of September 2026), as InputException."""
BAD_TOKEN = "Incorrect `api_key` or `access_token`."  # noqa: S105
DEAD_REQUEST_TOKEN = "Token is invalid or has expired."  # noqa: S105
COVER_EXIT = (
    "The stop loss of a cover order cannot be cancelled. Exit the order with its `order_id` and `parent_order_id`."
)
SELF_TRADE = "The order was cancelled by the exchange to prevent a self-trade."
UNKNOWN_ORDER = "Couldn't find that `order_id`."
UNREADABLE_BODY = "Invalid request body. It should be UTF-8 text, form-encoded or JSON as the call asks for."
CLOSED_RAW = "16387 : Security is not allowed to trade in this market"
OUT_OF_RANGE_RAW = "17070 : The Price is out of the current execution range"


class Refusal(Exception):
    """Refused before an order existed. `error_type` is Kite's word, `status` the HTTP status."""

    def __init__(self, message: str, *, error_type: str = "InputException", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.status = status


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an order that has an id is REJECTED: the text for people and the raw one of the risk system."""

    message: str
    raw: str


def rupees(scaled: int) -> str:
    """Show a scaled price or value with two decimals, as the broker's texts do."""
    return f"{from_scaled(scaled):.2f}"


def insufficient_funds(required: int, available: int, user_id: str) -> Rejection:
    """Both numbers are scaled rupees."""
    return Rejection(
        f"Insufficient funds. Required margin is {rupees(required)} but available margin is {rupees(available)}. "
        "Check the orderbook for open orders.",
        f"RMS:Margin Exceeds,Required:{rupees(required)}, Available:{rupees(available)} for entity account-{user_id} "
        "across exchange across segment across product ",
    )


def insufficient_holding(wanted: int, held: int, user_id: str) -> Rejection:
    """Both numbers are units."""
    return Rejection(
        f"Insufficient stock holding. Quantity to sell is {wanted} but only {held} can be sold.",
        f"RMS:Rule: Check holdings for entity account-{user_id} across exchange across segment across product ",
    )


def product_name(product: str) -> str:
    """Name a product as the broker's texts do."""
    words = {"MIS": "MIS (intraday)", "CNC": "CNC (delivery)", "NRML": "NRML (overnight)", "CO": "CO (cover)"}
    return words.get(product, product)


def market_closed(product: str) -> Rejection:
    """The text for an order outside every session."""
    return Rejection(
        f"{product_name(product)} are blocked as the markets are not open for trading today. Try placing an AMO order.",
        CLOSED_RAW,
    )


def intraday_over(product: str) -> str:
    """The text for an intraday order after the broker's square-off."""
    return (
        f"{product_name(product)} are blocked as the markets are not open for intraday orders any more: "
        "positions were squared off."
    )


def freeze(quantity: int, freeze_quantity: int, lot_size: int) -> str:
    """The text for an order above the freeze quantity (units)."""
    return (
        f"The order quantity {quantity} ({quantity // lot_size} lots) is higher than the maximum quantity of "
        f"{freeze_quantity} ({freeze_quantity // lot_size} lots) allowed by the exchanges. "
        "Please reduce the order quantity or use iceberg orders."
    )


def not_in_lots(lot_size: int) -> str:
    """The text for a quantity (units) between two lots."""
    return f"Quantity should be in multiples of the lot size {lot_size}."


def below_slicing(fewest: int) -> str:
    """The text for an autosliced order that needs no slices; `fewest` is units."""
    return f"Quantity should be greater than or equal to {fewest} for order slicing."


def slice_unpaid(required: int, available: int) -> Refusal:
    """The error of one slice that the account cannot pay; both numbers are scaled rupees."""
    return Refusal(
        f"Insufficient funds. Required margin is {rupees(required)} but available margin is {rupees(available)}.",
        error_type="MarginException",
    )


def iceberg_legs(fewest: int, most: int) -> str:
    """The text for a number of legs that is not offered."""
    return f"Invalid `iceberg_legs`. It should be between {fewest} and {most}."


def amo_closed(begins: time, ends: time) -> str:
    """The text for an after-market order, or a change of one, while the market is open or about to open."""
    return f"After market orders (AMO) are accepted only between {begins:%H:%M} and {ends:%H:%M}."


def auction_closed(begins: time, ends: time) -> str:
    """The text for an offer outside the auction session."""
    return f"The auction session takes orders only between {begins:%H:%M} and {ends:%H:%M}."


def outside_trigger_range(lower: int, upper: int) -> str:
    """The text for a cover order's stop that is too far away or on the wrong side; both scaled."""
    return f"Trigger price of the cover order should be between {rupees(lower)} and {rupees(upper)}."


def off_tick(tick_size: Decimal) -> str:
    """The text for a price between two ticks."""
    return (
        f"Tick size for this script is {tick_size:.2f}. "
        "Kindly enter price in the multiple of tick size for this script."
    )


def outside_circuit(price: int, lower: int, upper: int) -> str:
    """The text for a price beyond the day's limits; all scaled."""
    side, word, limit = ("lower", "lower", lower) if price < lower else ("higher", "upper", upper)
    return (
        f"Your order price is {side} than the current {word} circuit limit of {rupees(limit)}. "
        "Place an order within the daily range."
    )


def no_price(key: str) -> str:
    """The text for an instrument whose price nobody has told yet (live prices only)."""
    return f"No price of {key} has come in today. Subscribe to it in the feed that this exchange trades at."


def trigger_on_wrong_side(side: str, ltp: int) -> str:
    """The text for a stop that would trigger at once; `ltp` is scaled."""
    relation = "higher" if side == "BUY" else "lower"
    return (
        f"Trigger price for stoploss {side.lower()} orders should be {relation} than the last traded price "
        f"({rupees(ltp)})."
    )


def gtt_already_met(value: int, ltp: int) -> str:
    """The text for a trigger value on the wrong side of the market; both scaled."""
    return f"Trigger already met. The trigger price was {rupees(value)} and the last price is {rupees(ltp)}."


def gtt_too_close(value: int, ltp: int) -> str:
    """The text for a trigger value that the next tick could meet; both scaled."""
    return (
        f"Trigger price {rupees(value)} is too close to the last price {rupees(ltp)}. It should be at least 0.25% "
        "(9 paise below Rs. 50) away."
    )
