"""In words, what is open: for whoever has to close it by hand."""

from collections.abc import Callable, Mapping

from trading.domain.timezone import to_ist
from trading.engine.desk import AccountDesk


def open_words(open_: Mapping[str, int]) -> str:
    """Name what is open: `+100 NSE:INFY, -50 NSE:SBIN`."""
    return ", ".join(f"{units:+d} {instrument}" for instrument, units in sorted(open_.items()))


def open_at(desk: AccountDesk, open_: Mapping[str, int], covers: Callable[[str], bool]) -> str:
    """Say what an account has open, which orders may have filled beside it, and since when nobody can see it.

    Empty when it is seen, and nothing is open or may be.
    """
    parts = [open_words(open_)] if open_ else []
    parts += [
        f"{working.intent.side} {working.remaining} {working.intent.key.instrument} may have filled"
        for working in desk.orders.by_tag.values()
        if working.remaining and working.intent.key.instrument not in open_ and covers(working.intent.key.instrument)
    ]
    unseen = _unseen(desk, has_open=bool(parts))
    parts += [unseen] if unseen else []
    return f"{desk.ref.key}: {', '.join(parts)}" if parts else ""


def _unseen(desk: AccountDesk, *, has_open: bool) -> str:
    read = desk.reads.positions
    if not read.trouble and desk.is_restored:
        return ""
    more = "more may be open" if has_open else "what is open there is not known"
    if read.good_at is None:
        return f"it could not be read yet, {more}"
    return f"it could not be read since {to_ist(read.good_at):%H:%M:%S}, {more}"
