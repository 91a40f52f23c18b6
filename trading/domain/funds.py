"""What a broker says of the person behind an account, and of the money in it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class BrokerProfile:
    """Whose account it is. `user_id` is the broker's client code."""

    user_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class BrokerFunds:
    """The equity segment's money in rupees: `available` may still be used, `used` is blocked or spent today."""

    available: Decimal
    used: Decimal
    opening_balance: Decimal
