"""Which accounts an exchange has, and what each begins with."""

from collections.abc import Iterable

from trading.domain.money import PRICE_SCALE
from trading.exchange.venue.accounts import Account, Holding
from trading.exchange.venue.books import Books
from trading.exchange.venue.prices import Market
from trading.exchange.venue.users import DEMO_USER_IDS

OPENING_CASH_RUPEES = 1_000_000
FIRST_HOLDING = ("NSE:INFY", 10)
"""Every account begins with these delivered shares, so that the holdings are not an empty list."""


def first_books(user_ids: Iterable[str], market: Market) -> Books:
    """Give the books of an exchange's first day."""
    return Books([first_account(user_id, market) for user_id in user_ids], market.day)


def first_account(user_id: str, market: Market) -> Account:
    """Give an account as it is opened."""
    account = Account(user_id, OPENING_CASH_RUPEES * PRICE_SCALE)
    key, quantity = FIRST_HOLDING
    instrument = market.by_key(key)
    if instrument is not None:
        close = market.quote(instrument.token).close
        account.holdings[instrument.token] = Holding(instrument, quantity, close)
    return account


def more_than_the_demo(books: Books | None) -> int:
    """Give how many accounts kept books have beside the demo ones: an account that once was does not go away."""
    return 0 if books is None else len(books.accounts.keys() - set(DEMO_USER_IDS))


def open_missing(books: Books, user_ids: Iterable[str], market: Market) -> list[Account]:
    """Open an account for each user who has none in kept books, and give these."""
    opened = [first_account(user_id, market) for user_id in user_ids if user_id not in books.accounts]
    books.accounts.update((account.user_id, account) for account in opened)
    return opened
