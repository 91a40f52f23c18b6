"""Beat's rows: what happens when on a market day. Every task asks the calendar itself, so rows say `*` for the day.

One entry a client squares that client off at its own time, another verifies it two minutes later; the others are
the house's.
"""

from datetime import datetime, time, timedelta

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from trading.domain.broker_square_off import RUN_BY
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import Subject, square_off_plan
from trading.domain.timezone import IST, at_ist, ist_day
from trading.models import Client
from trading.stores.calendar import market_calendar

ZONE = "Asia/Kolkata"
FIRST_FETCH_AT = time(9, 0)
"""The first entry of the morning, IST."""
HOUSE_ENTRIES: tuple[tuple[str, str, str, str], ...] = (
    ("fetch instruments", "trading.tasks.fetch_instruments", str(FIRST_FETCH_AT.minute), str(FIRST_FETCH_AT.hour)),
    ("fetch ranges", "trading.tasks.fetch_ranges", "5", "9"),
    ("verify flat", "trading.tasks.verify_flat", "10-29", "15"),
    ("anchor the log", "trading.tasks.anchor_log", "*/10", "9-16"),
    ("day report", "trading.tasks.day_report", "40", "15"),
)
"""(name, task, minutes, hours), market time."""
EARLY_ENTRIES = {
    InstrumentClass.EQUITY_CAS: "square off early",
    InstrumentClass.EQUITY: "square off other stocks",
    InstrumentClass.DERIVATIVE: "square off derivatives",
}
VERIFIED_AFTER = timedelta(minutes=2)


def entry_name(client: Client) -> str:
    """Give the name of a client's square-off entry."""
    return f"square off client {client.pk}"


def verify_name(client: Client) -> str:
    """Give the name of the entry that verifies a client's square-off."""
    return f"verify client {client.pk}"


def sync_schedule(now: datetime) -> None:
    """Make Beat's rows what they should be. Safe to run at any time; `now` is market time.

    A new row counts as last run now: the package would take the wall's time, and with a simulated
    market either run it at once or never.
    """
    with transaction.atomic():
        for name, task, minutes, hours in HOUSE_ENTRIES:
            _put(name, task, _crontab(minutes, hours), args="[]", now=now, is_enabled=True)
        _put_early_square_offs(now)
        for client in Client.objects.select_related("user"):
            put_client_entry(client, now)


def put_client_entry(client: Client, now: datetime) -> None:
    """Make one client's square-off entry what it should be; called when its time or its standing changes."""
    at = client.square_off_at
    if not isinstance(at, time):
        raise TypeError(f"square_off_at must be a time, was {at!r}; save the form's value first")
    verified = at_ist(ist_day(now), at) + VERIFIED_AFTER
    for name, task, moment in (
        (entry_name(client), "trading.tasks.square_off_client", at),
        (verify_name(client), "trading.tasks.verify_client", verified),
    ):
        crontab, args = _crontab(str(moment.minute), str(moment.hour)), f"[{client.pk}]"
        _put(name, task, crontab, args=args, now=now, is_enabled=client.onboarded_at is not None)


def _put_early_square_offs(now: datetime) -> None:
    """Make the entries that ask for what must go whatever a client chose, on the day of `now`: one a kind of
    instrument, at the start that the session's end or the broker's own square-off leaves."""
    day = ist_day(now)
    for kind, name in EARLY_ENTRIES.items():
        if market_calendar().find_session(day, kind) is not None:
            subject = Subject(kind, frozenset(RUN_BY))
            start = square_off_plan(market_calendar(), day, subject, time.max).start
            crontab = _crontab(str(start.minute), str(start.hour))
            _put(name, "trading.tasks.square_off_due", crontab, args="[]", now=now, is_enabled=True)


def _crontab(minutes: str, hours: str) -> CrontabSchedule:
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=minutes, hour=hours, day_of_week="*", day_of_month="*", month_of_year="*", timezone=ZONE
    )
    return crontab


def _put(name: str, task: str, crontab: CrontabSchedule, *, args: str, now: datetime, is_enabled: bool) -> None:
    row = PeriodicTask.objects.filter(name=name).first() or PeriodicTask(name=name)
    wished = {"task": task, "crontab": crontab, "args": args, "enabled": is_enabled, "queue": "default"}
    if row.pk is None or any(getattr(row, field) != value for field, value in wished.items()):
        for field, value in wished.items():
            setattr(row, field, value)
        if row.last_run_at is None:  # the package forgets it for a row that is switched off
            row.last_run_at = now.astimezone(IST)
        row.save()
