"""The machine underneath: its clock and its disk."""

import http.client
import logging
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.db import transaction

from trading.domain.control import TradingState
from trading.ports import Clock
from trading.services.events import market_now, record
from trading.stores import alarms
from trading.stores.controls import lower_state
from trading.stores.locks import CONTROL, chain_lock, take

logger = logging.getLogger(__name__)

CLOCK_ALARM_S, CLOCK_STOPS_S = 2.0, 5.0
SECOND_WORD = timedelta(minutes=5)
ANSWERS_WITHIN_S = 4.0
LOW_BYTES, FULL_BYTES, RESERVE_BYTES = 1 << 30, 64 << 20, 16 << 20
"""Free space that is little, that is none, and what the reserve file gives back."""

OffsetReader = Callable[[], float | None]


def clock_offset(url: str, clock: Clock) -> float | None:
    """Ask a server for its Date and give by how many seconds our wall clock surely differs, 0 within the error.

    The header has whole seconds and the answer took its time: only what lies outside of both counts. None while
    the server does not say. Sends no credentials and follows no redirect.
    """
    place = urlsplit(url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.netloc, timeout=ANSWERS_WITHIN_S)
    try:
        asked = clock.wall()
        connection.request("HEAD", "/")
        said = connection.getresponse().getheader("Date")
        answered = clock.wall()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return surely_off(said, asked=asked, answered=answered)


def surely_off(said: str | None, *, asked: datetime, answered: datetime) -> float | None:
    """Judge one Date header: the server wrote it between `asked` and `answered`, and cut off up to a second."""
    try:
        told = parsedate_to_datetime(said or "")
    except ValueError:
        return None
    if told.tzinfo is None:
        return None
    latest_ahead = (asked - told).total_seconds() - 1.0
    least_behind = (answered - told).total_seconds()
    if latest_ahead > 0:
        return latest_ahead
    return least_behind if least_behind < 0 else 0.0


class ClockWatch:
    """The wall clock against the outside, and against its own monotonic one: a step is seen without any network.

    Two readings in a row must agree before entries go off: one odd answer of a proxy stops nobody.
    """

    def __init__(self, clock: Clock, read_offset: OffsetReader) -> None:
        self._clock = clock
        self._read = read_offset
        self._was_far = False
        self._origin = self._difference()

    def look_outside(self) -> float | None:
        """Compare with the outside; gives the offset in seconds, None while unknown."""
        offset = self._read()
        if offset is None:
            return None
        if abs(offset) > CLOCK_ALARM_S:
            self._tell(
                f"the clock is {abs(offset):.1f} s {'ahead' if offset > 0 else 'behind'} of the broker's", offset
            )
        self._was_far = abs(offset) > CLOCK_STOPS_S
        return offset

    def look_inside(self) -> float:
        """Notice a step of the wall clock; gives its size in seconds."""
        difference = self._difference()
        step, self._origin = difference - self._origin, difference
        if abs(step) > CLOCK_ALARM_S:
            self._was_far = True  # seen by ourselves: needs no second word
            self._tell(f"the clock was set {'forward' if step > 0 else 'back'} by {abs(step):.1f} s", step)
            self._was_far = False
        return step

    def _difference(self) -> float:
        return self._clock.wall().timestamp() - self._clock.monotonic()

    def _tell(self, text: str, offset: float) -> None:
        at, wall = market_now(self._clock), self._clock.wall()
        if abs(offset) > CLOCK_STOPS_S and self._was_far:
            with transaction.atomic():
                take([CONTROL, chain_lock(None)])
                lower_state(None, TradingState.REDUCING, f"entries are off: {text}", latch_day=None, wall=wall)
                record(None, "ENTRIES_STOPPED", {"text": f"no new entries: {text}"}, clock=self._clock)
            alarms.record(None, "CLOCK_WRONG", text, at=at, wall=wall, unless_within=SECOND_WORD)
        else:
            alarms.record(None, "CLOCK_OFF", text, at=at, wall=wall, unless_within=SECOND_WORD)
        logger.error("%s", text)


class DiskWatch:
    """Free space where the state lies. A reserve file is deleted when the disk is full, so that exits can be stored."""

    def __init__(self, clock: Clock, folder: Path, free: Callable[[Path], int] | None = None) -> None:
        self._clock = clock
        self._folder = folder
        self._reserve = folder / "reserve"
        self._free = free or (lambda path: shutil.disk_usage(path).free)

    def look(self) -> int:
        """Give the free bytes; alarms when they are few, and frees the reserve when there are hardly any."""
        free = self._free(self._folder)
        at, wall = market_now(self._clock), self._clock.wall()
        if free < FULL_BYTES:
            was_freed = self._reserve.exists()
            self._reserve.unlink(missing_ok=True)
            text = f"{free >> 20} MB are free on {self._folder.name}"
            logger.critical("%s; the reserve was %s", text, "freed" if was_freed else "used up before")
            alarms.record(None, "DISK_FULL", text, at=at, wall=wall, unless_within=SECOND_WORD)
        elif free < LOW_BYTES:
            text = f"{free >> 20} MB are free on {self._folder.name}"
            alarms.record(None, "DISK_LOW", text, at=at, wall=wall, unless_within=timedelta(hours=1))
        elif not self._reserve.exists():
            self._make_reserve()
        return free

    def _make_reserve(self) -> None:
        descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        finally:
            os.close(descriptor)
