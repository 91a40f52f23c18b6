"""Numbers and times as the pages write them. The browser's half is theme/static_src/src/js/formats.js."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from trading.domain.money import group_indian as group_indian
from trading.domain.timezone import to_ist
from trading.services.glance import age_words

EM_DASH = "—"
MINUS = "−"

PHASE_WORDS = {
    "pre_market": "Before the market",
    "pre_open": "Pre-open",
    "open": "Market open",
    "continuous": "Market open",
    "closing_auction": "Closing auction",
    "cas_reference": "Closing auction",
    "cas_entry": "Closing auction",
    "cas_limit_only": "Closing auction",
    "cas_matching": "Closing auction",
    "post_close": "Post-close",
    "closed": "Market closed",
}


def _split(value: Decimal, places: int) -> tuple[str, str]:
    """Give the sign ("−" or "") and the grouped digits; never minus zero."""
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    digits = group_indian(whole) + (f".{fraction}" if places else "")
    return (MINUS if rounded < 0 else ""), digits


def price(value: Decimal | None, places: int = 2) -> str:
    """A price or a limit in rupees without the rupee sign; unknown is an em dash, never 0."""
    if value is None:
        return EM_DASH
    sign, digits = _split(value, places)
    return sign + digits


def rupees(value: Decimal | None, places: int = 2) -> str:
    """An amount: ₹1,23,456.00."""
    if value is None:
        return EM_DASH
    sign, digits = _split(value, places)
    return f"{sign}₹{digits}"


def pnl(value: Decimal | None) -> str:
    """Profit and loss: always with a sign, except for zero."""
    if value is None:
        return EM_DASH
    sign, digits = _split(value, 2)
    return f"{sign or ('+' if sign_of(value) == 'up' else '')}₹{digits}"


def percent(value: Decimal | None) -> str:
    """A signed percentage with two places."""
    if value is None:
        return ""
    sign, digits = _split(value, 2)
    return f"{sign or ('+' if sign_of(value) == 'up' else '')}{digits} %"


def sign_of(value: Decimal | None) -> str:
    """Give "up", "down" or "flat" for the eye, judged on the paisa that is shown."""
    rounded = (value or Decimal(0)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if rounded == 0:
        return "flat"
    return "up" if rounded > 0 else "down"


def ist(moment: datetime | None, *, with_ms: bool = False) -> str:
    """A moment as IST to the second, or to the millisecond in traces."""
    if moment is None:
        return EM_DASH
    local = to_ist(moment)
    text = local.strftime("%H:%M:%S")
    return f"{text}.{local.microsecond // 1000:03d}" if with_ms else text


def age(seconds: float | None) -> str:
    """Seconds as a person says them; unknown is an em dash."""
    return EM_DASH if seconds is None else age_words(seconds)


def phase(code: str) -> str:
    """A market phase in words; an unknown one is shown as it came."""
    return PHASE_WORDS.get(code, code or EM_DASH)
