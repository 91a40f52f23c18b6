"""Whether the database itself refuses to change the event log (migration 0006 made the triggers)."""

from django.db import connection

TRIGGERS = frozenset({"event_log_keeps_lines", "event_log_loses_none", "event_chain_goes_on", "event_chain_stays"})
TRUNCATE_TRIGGERS = frozenset({"event_log_is_not_emptied", "event_chain_is_not_emptied"})
"""Of PostgreSQL alone: SQLite has no TRUNCATE."""
ASKED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


def missing_triggers() -> list[str]:
    """Name the triggers that should be there and are not; empty when every line is guarded."""
    with connection.cursor() as cursor:
        cursor.execute(ASKED[connection.vendor])
        present = {name for (name,) in cursor.fetchall()}
    wanted = TRIGGERS | (TRUNCATE_TRIGGERS if connection.vendor == "postgresql" else frozenset())
    return sorted(wanted - present)
