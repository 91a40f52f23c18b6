"""What is fetched before the session: the instrument dump, and the last session's ranges of what is watched."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import redis
from django.conf import settings
from django.db import transaction

from trading.domain.candles import Candle
from trading.domain.dump import ParsedDump
from trading.domain.errors import BrokerAuthError, BrokerError
from trading.domain.instruments import Instrument
from trading.domain.timezone import at_ist, ist_day, to_ist
from trading.marketdata.master import DumpFolder, DumpRefused, NewDump
from trading.marketdata.ranges import LOOK_BACK_DAYS, SessionRange, last_session_range
from trading.marketdata.search import IndexMissing, InstrumentIndex
from trading.models import BrokerAccount, BrokerName, DayRange, FeedAccount, InstrumentDump, InstrumentRow, WatchItem
from trading.services import wiring
from trading.services.background import ask_worker
from trading.services.control import request_reload
from trading.services.events import market_now
from trading.services.instrument_facts import update_rows
from trading.services.schedule import FIRST_FETCH_AT
from trading.stores import alarms
from trading.stores.thread import in_thread

logger = logging.getLogger(__name__)

KITE = BrokerName.KITE.value
INDICES = ("NSE:NIFTY 50", "NSE:NIFTY BANK")
"""Always subscribed and shown, watched or not."""
INDEX_ASKED_KEY, INDEX_ASKED_EVERY_S = "instruments:asked", 15


def feed_account() -> BrokerAccount:
    """Give the account that market data is read with. Raises BrokerAuthError while there is none signed in."""
    feed = FeedAccount.objects.select_related("account").filter(is_active=True).first()
    if feed is None or not feed.account.access_token:
        raise BrokerAuthError("no feed account is signed in: sign in at the broker with the account that feeds prices")
    return feed.account


def refresh_instruments(day: date) -> int:
    """Fetch the day's dump, keep it, index it and bring known rows up to date; gives the row count.

    Raises DumpRefused for a truncated or yesterday's file: then the last good one stays in use. Raises
    BrokerUnavailable, BrokerAuthError. Safe to run twice a day.
    """
    return take_list(asyncio.run(_dump(feed_account())), day)


def take_list(raw: bytes, day: date) -> int:
    """Judge a fetched dump and take it in; gives the row count. Raises DumpRefused, which operators are told."""
    try:
        new = DumpFolder(settings.STATE_DIR, KITE).accept(raw, day=day, parse=_parse)
    except DumpRefused as error:
        text = f"the instrument list of {day.isoformat()} was refused, the last good one stays in use: {error}"
        alarms.record(None, "INSTRUMENT_LIST_REFUSED", text, at=market_now(wiring.clock()), wall=wiring.clock().wall())
        raise
    with transaction.atomic():  # a day that has a list without its rows would call them all unlisted
        known = {row.key for row in InstrumentRow.objects.filter(broker=KITE)}
        update_rows([one for one in new.contents.instruments if one.key in known or one.key in INDICES], day)
        _record(new)
    InstrumentIndex(wiring.redis_client(), KITE).build(new.contents.instruments, f"{day}-{new.record.sha256[:12]}")
    request_reload(None, by=None, clock=wiring.clock())
    return new.record.row_count


async def _dump(account: BrokerAccount) -> bytes:
    broker = wiring.prices_of(account)
    try:
        return await broker.instrument_dump()
    finally:
        await broker.close()


def _parse(raw: bytes) -> ParsedDump:
    return wiring.dump_parser(KITE)(raw)


def _record(new: NewDump) -> None:
    InstrumentDump.objects.update_or_create(
        day=new.record.day,
        broker=KITE,
        defaults={
            "path": str(new.record.path),
            "sha256": new.record.sha256,
            "row_count": new.record.row_count,
            "fetched_at": wiring.clock().wall(),
        },
    )


def instrument_rows(keys: set[str]) -> dict[str, InstrumentRow]:
    """Give the rows of these instruments, made from the search index or the newest dump; unknown keys are absent.

    Fetches today's dump when none was ever kept. Raises BrokerUnavailable, BrokerAuthError.
    """
    day = ist_day(wiring.clock().now())
    known = {row.key: row for row in InstrumentRow.objects.filter(broker=KITE, last_seen_on=day) if row.key in keys}
    missing = keys - set(known)
    if not missing:
        return known
    return known | update_rows(_look_up(missing, day), day)


def _look_up(keys: set[str], day: date) -> list[Instrument]:
    index = InstrumentIndex(wiring.redis_client(), KITE)
    try:
        return list(index.get(sorted(keys)).values())
    except IndexMissing:
        logger.info("the search index is missing; it is made anew")
    rebuild_index(day)
    return list(index.get(sorted(keys)).values())


def rebuild_index(day: date) -> None:
    """Make the search index from the newest kept file, or from a fetched one where none was kept."""
    folder = DumpFolder(settings.STATE_DIR, KITE)
    record = folder.latest()
    if record is None:
        refresh_instruments(day)
        return
    contents = folder.read(record.day, parse=_parse)
    InstrumentIndex(wiring.redis_client(), KITE).build(contents.instruments, f"{record.day}-{record.sha256[:12]}")


def ask_for_index() -> None:
    """Have a worker make the search index anew, at most once in INDEX_ASKED_EVERY_S."""
    try:
        is_first = wiring.redis_client().set(INDEX_ASKED_KEY, 1, nx=True, ex=INDEX_ASKED_EVERY_S)
    except redis.RedisError:
        logger.warning("the search index was not asked for: Redis is away")
        return
    if is_first:
        ask_worker("build_index")


def catch_up(account: BrokerAccount, now: datetime) -> None:
    """Have a worker fetch what Beat's morning entries could not, when the feed's account signs in after them.

    `now` is market time. Without this a holder who signs in at 09:10 would leave the house without ranges all day.
    """
    is_feed = FeedAccount.objects.filter(account=account, is_active=True).exists()
    if is_feed and to_ist(now).time() >= FIRST_FETCH_AT:
        transaction.on_commit(lambda: ask_worker("fetch_morning"), robust=True)


def refresh_ranges(day: date) -> int:
    """Fetch the last session's range of every watched instrument that lacks it; tells the engine; gives how many."""
    watched = InstrumentRow.objects.filter(pk__in=WatchItem.objects.values("instrument")).distinct()
    count = asyncio.run(_fetch_ranges(feed_account(), list(watched), day))
    request_reload(None, by=None, clock=wiring.clock())
    return count


def fetch_range_of(row: InstrumentRow) -> bool:
    """Fetch one instrument's range, for a line that was just added; tells the engine. False when none was had."""
    day = ist_day(wiring.clock().now())
    found = asyncio.run(_fetch_ranges(feed_account(), [row], day)) == 1
    request_reload(None, by=None, clock=wiring.clock())
    return found


async def _fetch_ranges(account: BrokerAccount, rows: Sequence[InstrumentRow], day: date) -> int:
    broker = wiring.prices_of(account)
    start, end = at_ist(day - timedelta(days=LOOK_BACK_DAYS), time(0)), at_ist(day, time(23, 59))
    count = 0
    try:
        for row in rows:
            try:
                candles = await broker.candles(row.token, start, end, "day")
            except BrokerAuthError:
                raise
            except BrokerError as error:
                logger.warning("no range of %s: %s", row.key, error)
                continue
            count += await in_thread(_save_range, row, candles, day)
    finally:
        await broker.close()
    return count


def _save_range(row: InstrumentRow, candles: Sequence[Candle], day: date) -> bool:
    found: SessionRange | None = last_session_range(candles, before=day)
    if found is None:
        logger.warning("no finished session of %s before %s is known: it is not traded", row.key, day)
        return False
    DayRange.objects.update_or_create(
        instrument=row,
        day=found.day,
        defaults={"high": found.high, "low": found.low, "close": found.close, "source": "kite:historical"},
    )
    return True
