"""How much to order: capital to whole lots, and orders no larger than the exchange's freeze quantity."""

from decimal import Decimal


def quantity_for(capital: Decimal, price: Decimal, lot_size: int) -> int:
    """Give the units, in whole lots, that `capital` rupees pay for at `price`; 0 when not even one lot.

    Raises ValueError for a price or lot size that is not positive, or a negative capital.
    """
    if price <= 0 or lot_size < 1 or capital < 0:
        raise ValueError(f"capital, price and lot size must be positive, were {capital}, {price} and {lot_size}")
    return int(capital // (price * lot_size)) * lot_size


def slice_by_freeze(quantity: int, *, lot_size: int, freeze_quantity: int) -> list[int]:
    """Split an order into child quantities no larger than the freeze quantity.

    All arguments are in units, not lots. Children are whole lots, largest first, and add up to `quantity`.
    Raises ValueError unless `quantity` is a positive multiple of `lot_size`. Source: the exchange's
    quantity-freeze file.
    """
    if quantity <= 0 or quantity % lot_size:
        raise ValueError(f"quantity must be a positive multiple of {lot_size}, was {quantity}")
    biggest = freeze_quantity // lot_size * lot_size
    if biggest == 0:
        raise ValueError(f"freeze quantity {freeze_quantity} is below one lot of {lot_size}")
    full, rest = divmod(quantity, biggest)
    return [biggest] * full + ([rest] if rest else [])
