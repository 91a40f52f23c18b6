"""What of an instrument may not change unseen: a wrong token, lot, tick or expiry makes wrong prices and wrong orders.

A broker's new list that says otherwise is believed only once a person looked; until then nothing is entered there.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from trading.domain.instruments import Instrument

FACTS = {
    "token": "feed token",
    "tick_size": "tick size",
    "lot_size": "lot size",
    "instrument_type": "type",
    "segment": "segment",
    "expiry": "expiry",
    "strike": "strike",
    "has_derivatives": "has derivatives",
}
"""Field of an Instrument, and what a person calls it."""

Changes = Mapping[str, tuple[str, str]]
"""Field -> (what we hold, what the list says), as text."""


def changed_facts(known: Instrument, listed: Instrument) -> dict[str, tuple[str, str]]:
    """Give what a new list says otherwise of an instrument that is used.

    That a stock has derivatives now is no such change: its session then ends sooner, and acting by that is never wrong.
    """
    pairs = {field: (getattr(known, field), getattr(listed, field)) for field in FACTS}
    if listed.has_derivatives:
        del pairs["has_derivatives"]
    return {field: (_text(was), _text(now)) for field, (was, now) in pairs.items() if was != now}


def change_words(changes: Changes) -> str:
    """Say what changed: `lot size was 75, the list says 65`."""
    return "; ".join(
        f"{FACTS.get(field, field)} was {was}, the list says {now}" for field, (was, now) in changes.items()
    )


def why_unfit(changes: Changes, *, expiry: date | None, is_listed: bool, day: date) -> str:
    """Say why nothing may be entered in an instrument on a day; empty when something may."""
    if expiry is not None and expiry < day:
        return f"it expired on {expiry.isoformat()}"
    if not is_listed:
        return f"the broker's list of {day.isoformat()} does not have it"
    return change_words(changes)


def _text(value: object) -> str:
    """Write a fact; of an amount without the noughts that a database adds."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "none" if value is None else str(value)
