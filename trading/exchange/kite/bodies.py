"""What requests carry beside plain texts: JSON inside a form's field, and the fields of such an object."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.money import PRICE_SCALE, to_decimal, to_scaled
from trading.exchange.venue.refusals import Refusal

MOST_RUPEES = Decimal(10**9)
MOST_UNITS = 2**31 - 1


def json_field(form: Mapping[str, str], field: str) -> Any:
    """Give what the JSON text in a form's field says; numbers with a point stay exact. Raises Refusal."""
    text = form.get(field, "")
    if not text:
        raise Refusal(f"Missing or empty field `{field}`")
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):  # the last for an exponent beyond every number
        raise Refusal(f"Invalid `{field}`. It should be JSON.") from None


class Fields:
    """One JSON object of a client, field by field. Raises Refusal for what is missing or no such thing."""

    def __init__(self, body: Any, name: str) -> None:
        """`name` is the object's own, for the refusal when it is no object."""
        if not isinstance(body, dict):
            raise Refusal(f"Invalid `{name}`.")
        self._body = body

    def get(self, field: str) -> Any:
        """Give a field as it is, None when it is missing."""
        return self._body.get(field)

    def text(self, field: str) -> str:
        """Give a text that is not empty."""
        value = self._body.get(field)
        if value is None or value == "":
            raise Refusal(f"Missing or empty field `{field}`")
        if not isinstance(value, str):
            raise Refusal(f"Invalid `{field}`.")
        return value

    def items(self, field: str) -> list[Any]:
        """Give a list."""
        value = self._body.get(field)
        if not isinstance(value, list):
            raise Refusal(f"Invalid `{field}`.")
        return value

    def whole(self, field: str) -> int:
        """Give a whole number above 0."""
        value = self._body.get(field)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_UNITS:
            raise Refusal(f"Invalid `{field}`.")
        return value

    def price(self, field: str) -> int:
        """Give rupees above 0 as a scaled integer."""
        rupees = self.rupees(field)
        if rupees <= 0:
            raise Refusal(f"Invalid `{field}`.")
        return to_scaled(rupees)

    def number(self, field: str) -> Decimal:
        """Give an exact number; 0 when the field is missing or empty."""
        try:
            number = to_decimal(self._body.get(field) or 0)
        except ValueError:
            raise Refusal(f"Invalid `{field}`.") from None
        if abs(number) > MOST_RUPEES:
            raise Refusal(f"Invalid `{field}`.")
        return number

    def rupees(self, field: str) -> Decimal:
        """Give rupees from 0 up to a thousand million, at most four decimals; 0 when the field is missing."""
        rupees = self.number(field)
        if rupees < 0 or rupees * PRICE_SCALE % 1:
            raise Refusal(f"Invalid `{field}`.")
        return rupees
