"""How much to order: capital to whole lots."""

from decimal import Decimal


def quantity_for(capital: Decimal, price: Decimal, lot_size: int) -> int:
    """Give the units, in whole lots, that `capital` rupees pay for at `price`; 0 when not even one lot.

    Raises ValueError for a price or lot size that is not positive, or a negative capital.
    """
    if price <= 0 or lot_size < 1 or capital < 0:
        raise ValueError(f"capital, price and lot size must be positive, were {capital}, {price} and {lot_size}")
    return int(capital // (price * lot_size)) * lot_size
