"""What today's auction session asks for. Made up: every settled share that is held, under a number of the day."""

from datetime import date

from trading.exchange.market.randomness import number_of
from trading.exchange.venue.accounts import Account, Holding

NUMBERS = 9999


def auction_number(day: date, token: int) -> str:
    """Give the number of a share's auction on a day, the same for everybody."""
    return str(1 + number_of("auction", day.isoformat(), token) % NUMBERS)


def offered(account: Account, day: date) -> list[tuple[Holding, str]]:
    """List the holdings that an account may offer in the auction, each with its number."""
    return [
        (holding, auction_number(day, token)) for token, holding in account.holdings.items() if holding.quantity > 0
    ]
