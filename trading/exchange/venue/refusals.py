"""The broker's "no", in the broker's words.

`Refusal` is the synchronous way: HTTP 400, no order id, nothing in the book. `Rejection` is the other one: the order
has an id and turns REJECTED with these texts. Texts: protocol notes of Kite Connect v3, section 4.
"""

from dataclasses import dataclass
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
BAD_TOKEN = "Incorrect `api_key` or `access_token`."  # noqa: S105
DEAD_REQUEST_TOKEN = "Token is invalid or has expired."  # noqa: S105
UNKNOWN_ORDER = "Couldn't find that `order_id`."
SLICING_NOT_OFFERED = "Autoslice is not available on this account."


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


def market_closed(product: str) -> Rejection:
    """The text for an order outside the continuous session."""
    words = {"MIS": "MIS (intraday)", "CNC": "CNC (delivery)", "NRML": "NRML (overnight)"}
    return Rejection(
        f"{words.get(product, product)} are blocked as the markets are not open for trading today. "
        "Try placing an AMO order.",
        "16387 : Security is not allowed to trade in this market",
    )


def freeze(quantity: int, freeze_quantity: int, lot_size: int) -> str:
    """The text for an order above the freeze quantity (units)."""
    return (
        f"The order quantity {quantity} ({quantity // lot_size} lots) is higher than the maximum quantity of "
        f"{freeze_quantity} ({freeze_quantity // lot_size} lots) allowed by the exchanges. "
        "Please reduce the order quantity or use iceberg orders."
    )


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


def trigger_on_wrong_side(side: str, ltp: int) -> str:
    """The text for a stop that would trigger at once; `ltp` is scaled."""
    relation = "higher" if side == "BUY" else "lower"
    return (
        f"Trigger price for stoploss {side.lower()} orders should be {relation} than the last traded price "
        f"({rupees(ltp)})."
    )
