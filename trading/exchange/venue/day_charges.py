"""What each account's executed orders of the day cost. Shown apart: cash and P&L are without charges.

An order that the broker placed to square off costs its fee and the GST on it as well, shown as `square_off`.
"""

from decimal import Decimal

from trading.domain.broker_square_off import find_row
from trading.domain.charge_rates import charge_table
from trading.domain.charges import Charges, charges_of, kind_of, together
from trading.domain.money import from_scaled
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.books import Books
from trading.exchange.venue.orders import Order
from trading.exchange.venue.square_off_times import BROKER

ZERO = Decimal(0)


def charges_of_the_day(books: Books) -> dict[str, dict[str, str]]:
    """Give exact rupees by user id and kind of charge. Raises LookupError on a day without known rates."""
    return {user_id: _account(account, books) for user_id, account in sorted(books.accounts.items())}


def _account(account: Account, books: Books) -> dict[str, str]:
    filled = [order for order in account.orders.values() if order.filled]
    by_broker = [order for order in filled if order.kind.placed_by]
    fees = sum((_fee(order, books) for order in by_broker), ZERO)
    tax = sum((_fee(order, books) * _gst(order, books) for order in by_broker), ZERO)
    return _shown(together(_order_charges(order, books) for order in filled), fees, tax)


def _fee(order: Order, books: Books) -> Decimal:
    """Give what the broker takes for an order of its square-off, in rupees before GST."""
    row = find_row(BROKER, order.instrument.instrument_class, books.day)
    return row.fee if row else ZERO


def _gst(order: Order, books: Books) -> Decimal:
    instrument = order.instrument
    return charge_table().rates(instrument.exchange, kind_of(instrument, order.product), books.day).gst


def _order_charges(order: Order, books: Books) -> Charges:
    turnover = from_scaled(order.filled_value)
    return charges_of(order.instrument, product=order.product, side=order.side, turnover=turnover, day=books.day)


def _shown(charges: Charges, fees: Decimal, tax: Decimal) -> dict[str, str]:
    amounts: dict[str, Decimal] = {
        "transaction_tax": charges.transaction_tax,
        "exchange_turnover_charge": charges.exchange_turnover,
        "sebi_turnover_charge": charges.sebi_turnover,
        "brokerage": charges.brokerage,
        "stamp_duty": charges.stamp_duty,
        "gst": charges.gst + tax,
        "total": charges.total + fees + tax,
    } | ({"square_off": fees} if fees else {})
    return {name: f"{amount.normalize():f}" for name, amount in amounts.items()}
