"""Check a million lines of event log: how many a second, and in how much memory."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

LINES = 1_000_000
BATCH = 10_000
BODY = {"purpose": "ENTRY", "verdicts": [{"check": f"check {n}", "ok": True, "facts": {"limit": n}} for n in range(16)]}


def measure(lines: int = LINES) -> Iterable[tuple[str, float, str, str]]:
    """Give the rows, on a SQLite file that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        _open_database(Path(folder))
        yield from _measured(lines, Path(folder))


def _open_database(folder: Path) -> None:
    os.environ |= {"ALGO_STATE_DIR": str(folder), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "algosystem.settings"}
    del os.environ["DATABASE_URL"]
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _measured(lines: int, folder: Path) -> Iterator[tuple[str, float, str, str]]:
    from django.db import transaction

    from trading.ports import EngineEvent
    from trading.services.log_check import check_log
    from trading.stores.chain import append_events

    at, began = datetime(2026, 11, 23, 4, 0, tzinfo=UTC), time.perf_counter()
    for start in range(0, lines, BATCH):
        events = [EngineEvent(None, "GATE", at + timedelta(seconds=n), BODY) for n in range(start, start + BATCH)]
        with transaction.atomic():
            append_events(events, wall=at)
    wrote_s = time.perf_counter() - began
    size = sum(file.stat().st_size for file in folder.glob("db.sqlite3*"))
    yield (
        "event log: append",
        lines / wrote_s,
        "lines/s",
        f"{BATCH:,} a transaction, {size / lines:,.0f} bytes a line on disk",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    report = check_log()
    took_s = time.perf_counter() - began
    grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if not report.is_whole or report.lines != lines:
        raise RuntimeError("the log that was just written is not whole")
    yield "event log: verify_log", lines / took_s, "lines/s", f"{lines:,} lines, {grew:.0f} MB more at the peak"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    for row in measure(int(sys.argv[1]) if len(sys.argv) > 1 else LINES):
        sys.stdout.write(f"{row}\n")
