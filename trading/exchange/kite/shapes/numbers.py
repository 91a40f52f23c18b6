"""Scaled integers as JSON's numbers: here, at the wire, a price becomes a float."""

from decimal import ROUND_HALF_UP, Decimal

from trading.domain.money import PRICE_SCALE


def price(scaled: int) -> float:
    """Give scaled rupees as JSON's number."""
    return scaled / PRICE_SCALE


def average(value: int, quantity: int) -> float:
    """Give value by quantity, to 4 decimals; 0 for nothing."""
    if quantity == 0:
        return 0
    exact = Decimal(value) / quantity / PRICE_SCALE
    return float(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))
