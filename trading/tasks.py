"""Celery tasks: an id in, one service call. Each may run twice without harm; none decides about prices."""

import asyncio
import logging
from datetime import date

from celery import shared_task
from django.db.models import QuerySet

from trading.domain.calendar import DayKind
from trading.domain.errors import BrokerUnavailable
from trading.domain.timezone import at_ist, ist_day
from trading.models import Client, InstrumentRow
from trading.services import anchors, control, mail, morning, reports, schedule, square_off, wiring
from trading.services.build import build_words
from trading.stores import heartbeats
from trading.stores.calendar import market_calendar

logger = logging.getLogger(__name__)


def _trading_day() -> date | None:
    """Give the market's day when it trades; None on a holiday, a weekend or an unknown day."""
    day = ist_day(wiring.clock().now())
    verdict = market_calendar().day_kind(day)
    if market_calendar().is_trading_day(day):
        return day
    logger.info("nothing to do: %s", verdict.reason)
    return None


def _day_of_positions() -> date | None:
    """Give the market's day unless it is known to be closed: on an unknown day nothing is entered, but what is open
    is closed."""
    day = ist_day(wiring.clock().now())
    return None if market_calendar().day_kind(day).kind in (DayKind.HOLIDAY, DayKind.WEEKEND) else day


@shared_task
def send_mail(mail_id: int) -> None:
    """Send one mail of the outbox."""
    mail.deliver(mail_id)


@shared_task
def canary() -> None:
    """Show that tasks come through: whoever sent this looks at the worker's sign of life."""
    heartbeats.beat("worker", wall=wiring.clock().wall(), detail=build_words())


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_instruments() -> None:
    """Fetch and version the market day's instrument dump."""
    if (day := _trading_day()) is not None:
        schedule.sync_schedule(wiring.clock().now())  # today's session may end at another time than yesterday's
        logger.info("instruments day=%s count=%s", day, morning.refresh_instruments(day))


@shared_task
def build_index() -> None:
    """Make the instrument search anew after Redis has lost it, or before the first morning."""
    morning.rebuild_index(ist_day(wiring.clock().now()))


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_ranges() -> None:
    """Fetch the last session's range of everything that is watched."""
    if (day := _trading_day()) is not None:
        logger.info("ranges day=%s count=%s", day, morning.refresh_ranges(day))


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_morning() -> None:
    """Fetch dump and ranges for a feed that was signed in, or named, after Beat's entries of the morning."""
    fetch_instruments()
    fetch_ranges()


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_range(instrument_id: int) -> None:
    """Fetch the last session's range of one instrument that came onto a watchlist."""
    row = InstrumentRow.objects.filter(pk=instrument_id).first()
    if row is not None:
        logger.info("range of %s: %s", row.key, "fetched" if morning.fetch_range_of(row) else "none was had")


@shared_task
def square_off_client(client_id: int) -> None:
    """Square one client off at its time, and verify it. A task that comes too early does nothing."""
    day = _day_of_positions()
    client = Client.objects.filter(pk=client_id, onboarded_at__isnull=False).first()
    if day is None or client is None:
        return
    if wiring.clock().now() < at_ist(day, client.square_off_at):
        logger.error("the square-off of client=%s was sent before its time %s", client_id, client.square_off_at)
        return
    asyncio.run(square_off.square_off_and_verify(client, day, wiring.clock()))


@shared_task
def square_off_due() -> None:
    """Ask for what must go before the clients' own times: stocks whose session ends with a closing auction."""
    if (day := _day_of_positions()) is not None:
        control.request_due_square_offs(day, clock=wiring.clock())


@shared_task
def verify_flat() -> None:
    """Alarm for every client that should be flat by now and is not."""
    _verify(Client.objects.all())


@shared_task
def verify_client(client_id: int) -> None:
    """Alarm for one client that should be flat by now and is not."""
    _verify(Client.objects.filter(pk=client_id))


def _verify(clients: QuerySet[Client]) -> None:
    if _day_of_positions() is not None:
        onboarded = list(clients.filter(onboarded_at__isnull=False).select_related("user"))
        asyncio.run(square_off.verify_flat(onboarded, wiring.clock()))


@shared_task
def anchor_log() -> None:
    """Note the heads of the event log outside the database."""
    logger.info("anchors of the event log: %s heads moved", anchors.write_anchors(wall=wiring.clock().wall()))


@shared_task
def day_report() -> None:
    """Anchor the log, then write and mail the day's reports."""
    anchor_log()
    if (day := _trading_day()) is not None:
        logger.info("reports day=%s count=%s", day, reports.write_reports(day))
