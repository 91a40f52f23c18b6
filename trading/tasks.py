"""Celery tasks: an id in, one service call. Each may run twice without harm; none decides about prices."""

import asyncio
import logging
from datetime import date

from celery import shared_task

from trading.domain.errors import BrokerUnavailable
from trading.domain.timezone import at_ist, ist_day
from trading.models import Client, InstrumentRow
from trading.services import mail, morning, reports, square_off, wiring
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


@shared_task(queue="notify")
def send_mail(mail_id: int) -> None:
    """Send one mail of the outbox."""
    mail.deliver(mail_id)


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_instruments() -> None:
    """Fetch and version the market day's instrument dump."""
    if (day := _trading_day()) is not None:
        logger.info("instruments day=%s count=%s", day, morning.refresh_instruments(day))


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_ranges() -> None:
    """Fetch the last session's range of everything that is watched."""
    if (day := _trading_day()) is not None:
        logger.info("ranges day=%s count=%s", day, morning.refresh_ranges(day))


@shared_task(autoretry_for=(BrokerUnavailable,), max_retries=3, retry_backoff=5, retry_jitter=True)
def fetch_range(instrument_id: int) -> None:
    """Fetch the last session's range of one instrument that came onto a watchlist."""
    row = InstrumentRow.objects.filter(pk=instrument_id).first()
    if row is not None:
        logger.info("range of %s: %s", row.key, "fetched" if morning.fetch_range_of(row) else "none was had")


@shared_task
def square_off_client(client_id: int) -> None:
    """Square one client off at its time, and verify it. A task that comes too early does nothing."""
    day = _trading_day()
    client = Client.objects.filter(pk=client_id, onboarded_at__isnull=False).first()
    if day is None or client is None:
        return
    if wiring.clock().now() < at_ist(day, client.square_off_at):
        logger.error("the square-off of client=%s was sent before its time %s", client_id, client.square_off_at)
        return
    asyncio.run(square_off.square_off_and_verify(client, day, wiring.clock()))


@shared_task
def verify_flat() -> None:
    """Alarm for every client that should be flat by now and is not."""
    if _trading_day() is not None:
        clients = list(Client.objects.filter(onboarded_at__isnull=False).select_related("user"))
        asyncio.run(square_off.verify_flat(clients, wiring.clock()))


@shared_task
def day_report() -> None:
    """Write and mail the day's reports."""
    if (day := _trading_day()) is not None:
        logger.info("reports day=%s count=%s", day, reports.write_reports(day))
