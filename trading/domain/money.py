"""Prices and rupees. Everything is exact; this file is the only door for a float."""

from decimal import ROUND_HALF_UP, Decimal

PAISA = Decimal("0.01")
PRICE_SCALE = 10_000
"""The hot loop carries prices as integers of one ten-thousandth of a rupee."""
MAX_EXPONENT = 60


def to_decimal(value: object) -> Decimal:
    """Turn a broker's number (int, str, float, Decimal) into an exact Decimal.

    A float goes through `repr`, so 1487.35 stays 1487.35. Raises ValueError for NaN,
    infinities, booleans, anything that is no number, and exponents that no price has (exact arithmetic on
    1e999999999 would never end).
    """
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"number was {value!r}")
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"number was {value!r}") from error
    if not number.is_finite() or not -MAX_EXPONENT <= int(number.as_tuple().exponent) <= MAX_EXPONENT:
        raise ValueError(f"number was {value!r}")
    return number


def round_to_tick(price: Decimal, tick_size: Decimal) -> Decimal:
    """Round to the nearest multiple of `tick_size`; a tie goes to the higher price."""
    if tick_size <= 0:
        raise ValueError(f"tick_size must be positive, was {tick_size}")
    steps, rest = divmod(price, tick_size)
    if rest < 0:  # Decimal's divmod truncates towards zero
        steps, rest = steps - 1, rest + tick_size
    return (steps + 1 if rest * 2 >= tick_size else steps) * tick_size


def to_paisa(amount: Decimal) -> Decimal:
    """Round rupees once, at the edge, half up to the paisa. Never gives a negative zero."""
    rounded = amount.quantize(PAISA, rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def to_scaled(price: Decimal) -> int:
    """Give a price as an integer of 1/PRICE_SCALE rupees. Raises ValueError when that is not exact."""
    scaled = price * PRICE_SCALE
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"price must be a multiple of 0.0001, was {price}")
    return whole


def from_scaled(scaled: int) -> Decimal:
    """Give a hot-loop integer back as rupees."""
    return Decimal(scaled) / PRICE_SCALE


def format_scaled(scaled: int) -> str:
    """Give a hot-loop integer as text: two decimals, more only where the price has them (0.0025)."""
    price = from_scaled(scaled)
    return str(price.quantize(PAISA)) if scaled % 100 == 0 else str(price.normalize())


def signed(units: int) -> str:
    """Write units with their sign; nothing has none."""
    return f"{units:+d}" if units else "0"


def group_indian(digits: str) -> str:
    """Group digits the Indian way: 1234567 gives 12,34,567."""
    head, tail = digits[:-3], digits[-3:]
    if not head:
        return tail
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])


def grouped(amount: Decimal) -> str:
    """Write an amount to the paisa with Indian grouping: 123456.5 gives 1,23,456.50."""
    whole, _, fraction = f"{abs(to_paisa(amount)):.2f}".partition(".")
    return f"{'-' if to_paisa(amount) < 0 else ''}{group_indian(whole)}.{fraction}"
