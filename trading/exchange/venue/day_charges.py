"""What each account's executed orders of the day cost. Shown apart: cash and P&L are without charges."""

from decimal import Decimal

from trading.domain.charges import Charges, charges_of, together
from trading.domain.money import from_scaled
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.books import Books
from trading.exchange.venue.orders import Order


def charges_of_the_day(books: Books) -> dict[str, dict[str, str]]:
    """Give exact rupees by user id and kind of charge. Raises LookupError on a day without known rates."""
    return {user_id: _shown(_charges(account, books)) for user_id, account in sorted(books.accounts.items())}


def _charges(account: Account, books: Books) -> Charges:
    return together(_order_charges(order, books) for order in account.orders.values() if order.filled)


def _order_charges(order: Order, books: Books) -> Charges:
    turnover = from_scaled(order.filled_value)
    return charges_of(order.instrument, product=order.product, side=order.side, turnover=turnover, day=books.day)


def _shown(charges: Charges) -> dict[str, str]:
    amounts: dict[str, Decimal] = {
        "transaction_tax": charges.transaction_tax,
        "exchange_turnover_charge": charges.exchange_turnover,
        "sebi_turnover_charge": charges.sebi_turnover,
        "brokerage": charges.brokerage,
        "stamp_duty": charges.stamp_duty,
        "gst": charges.gst,
        "total": charges.total,
    }
    return {name: f"{amount.normalize():f}" for name, amount in amounts.items()}
