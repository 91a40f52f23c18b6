"""How much a contract trades and how many are open, by family, expiry and moneyness.

Shapes over strikes are fitted to the NIFTY chain of 2025-08-29; what other families trade is assumed.
"""

from typing import Final, NamedTuple

from trading.exchange.market.randomness import number_of
from trading.exchange.market.wide.wander import chance


class Trade(NamedTuple):
    """Lots of an ordinary day in the nearest contract: the option at the money, and the future."""

    option: int
    future: int


FAMILIES: Final = {
    "NIFTY": Trade(2_200_000, 110_000), "BANKNIFTY": Trade(160_000, 45_000), "FINNIFTY": Trade(4_000, 900),
    "MIDCPNIFTY": Trade(30_000, 7_000), "SENSEX": Trade(1_400_000, 3_000), "BANKEX": Trade(3_000, 60),
    "CRUDEOIL": Trade(30_000, 9_000), "NATURALGAS": Trade(20_000, 12_000), "GOLD": Trade(300, 6_000),
    "SILVER": Trade(400, 9_000), "USDINR": Trade(6_000, 60_000),
}  # fmt: skip
OTHERS: Final = {"MCX": Trade(150, 2_500), "CDS": Trade(60, 5_000)}
OPTION_RANKS: Final = ((1.0, 1.0), (0.016, 0.12), (0.006, 0.07), (0.002, 0.04), (0.0008, 0.02))
"""What later expiries have of the nearest one's (volume, open interest), the nearest first."""
FUTURE_RANKS: Final = ((1.0, 1.0), (0.12, 0.2), (0.02, 0.04), (0.002, 0.01))
OPTION_INTEREST, FUTURE_INTEREST = 0.035, 1.6
"""Lots open over lots traded in a day."""


def family_trade(exchange: str, name: str) -> Trade:
    """Give what a family trades; a share's is drawn by its name."""
    known = FAMILIES.get(name) or OTHERS.get(exchange)
    if known is not None:
        return known
    size = 600 + number_of("trade", name) % 6_000
    return Trade(size, 2 * size)


def traded(z: float) -> float:
    """Give a strike's volume over that at the money; z deviations out of the money (negative: in it)."""
    squared = z * z
    return 1 / (1 + 0.9 * squared) if z >= 0 else 1 / (1 + 8 * squared + 11.5 * squared**3)


def held(z: float) -> float:
    """Give a strike's open interest over that at the money."""
    squared = z * z
    return 1 / (1 + 0.12 * squared) if z >= 0 else 1 / (1 + 6 * squared + squared * squared)


def rank_of(ranks: tuple[tuple[float, float], ...], place: int) -> tuple[float, float]:
    """Give (volume, interest) of the expiry at this place, the nearest 0."""
    return ranks[min(place, len(ranks) - 1)]


def luck(number: int) -> float:
    """Draw what one contract has more or less than its like: 0.4 to 1.6."""
    return 0.4 + 1.2 * chance(number)


def option_spread(price: float, forward: float, inside: float, place: int) -> float:
    """Give the usual distance of bid and ask in rupees; `inside` is how far in the money, in rupees, 0 when out."""
    percent = 100 * inside / forward
    return (0.05 + 0.002 * price + forward * 3.7e-6 * min(percent, 12.0) ** 3) * (1 + 0.8 * min(place, 4))


def future_spread(price: float, place: int) -> float:
    """Give the usual distance of bid and ask of a future, in the unit of its price."""
    return price * 0.00004 * (1 + 3 * place)
