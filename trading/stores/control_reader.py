"""The control rows for an engine that asks ten times a second: read anew only when something was committed."""

from datetime import date

from django.db import connection

from trading.ports import ControlView
from trading.stores.book import read_control


class ControlReader:
    """Remembers one answer. For one thread."""

    def __init__(self) -> None:
        self._known: tuple[object, date, ControlView] | None = None

    def read(self, day: date) -> ControlView:
        """Give the control rows of a market day as they are now."""
        mark = commit_mark()  # before the rows: what is committed in between is read again the next time
        if mark is not None and self._known is not None and self._known[:2] == (mark, day):
            return self._known[2]
        view = read_control(day)
        self._known = None if mark is None else (mark, day, view)
        return view


def commit_mark() -> object | None:
    """Give what stays the same only while nobody commits anything; None inside a transaction, which may be undone.

    SQLite: `PRAGMA data_version` tells of the commits of other connections (sqlite.org/pragma.html#pragma_data_version)
    and `total_changes` of this one's. PostgreSQL: what is visible hangs on the snapshot alone, and whoever writes takes
    a transaction id that moves it (its manual, "Transaction ID and Snapshot Information Functions").
    """
    if connection.in_atomic_block:
        return None
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version" if is_sqlite else "SELECT pg_current_snapshot()::text")
        (version,) = cursor.fetchone()
    raw = connection.connection  # a new connection counts anew
    return raw, version, raw.total_changes if is_sqlite else None
