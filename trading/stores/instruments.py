"""Which instruments are not what the last list said they were: nothing is entered in them."""

from collections.abc import Iterable
from datetime import date

from trading.domain.instrument_facts import why_unfit
from trading.models import InstrumentDump, InstrumentRow


def unfit(rows: Iterable[InstrumentRow], day: date) -> dict[str, str]:
    """Give, by its key, why nothing may be entered in an instrument on a day; a fit one is absent.

    Where the day has no list, the last one counts, and only a contract's expiry tells.
    """
    listed = set(InstrumentDump.objects.filter(day=day).values_list("broker", flat=True))
    found = {
        row.key: why_unfit(
            row.changes, expiry=row.expiry, is_listed=row.broker not in listed or row.last_seen_on == day, day=day
        )
        for row in rows
    }
    return {key: why for key, why in found.items() if why}
