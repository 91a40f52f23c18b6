"""Telling people without the database: a file first, then every way out that needs nothing else.

Recipients are those of the settings, and the people whom the database named when it was last there. What was told is
recorded in the database once it is back, so that no alarm is missing from the pages.
"""

import itertools
import logging
import os
import queue
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from trading.domain.alarms import Tells, kind_of
from trading.models import Channel, Client, User
from trading.ports import Clock
from trading.services.alarms.channels import CHANNELS, SENDS_WITHIN_S, Send, Sending
from trading.services.alarms.message import Message
from trading.services.alarms.spool import Notice, Spool
from trading.stores import alarms

logger = logging.getLogger(__name__)

Cause = tuple[int | None, str, str]
QUIET_S = alarms.QUIET_FOR.total_seconds()
TRIES_AGAIN_AFTER_S = 5.0
MOST_NUMBERS = 100


@dataclass
class AddressBook:
    """Mail addresses as the database last had them."""

    operators: tuple[str, ...] = ()
    clients: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "AddressBook":
        """Read it. Raises DatabaseError."""
        operators = User.objects.filter(is_operator=True, is_active=True).values_list("email", flat=True)
        clients = Client.objects.filter(user__is_active=True).values_list("pk", "user__email")
        return cls(tuple(operators), dict(clients))


@dataclass
class _Told:
    """What is known of one cause: how often it came, how often people know of, and when they may hear next."""

    newest: Notice
    since: datetime
    numbers: list[str] = field(default_factory=list)
    count: int = 0
    told_count: int = 0
    not_before: float = float("-inf")
    under_way: list[tuple[Channel, str, Sending]] = field(default_factory=list)
    sent_count: int = 0
    too_late_at: float = 0.0


class DirectAlarms:
    """Used by one thread; `tell` may be called from any."""

    def __init__(self, clock: Clock, spool: Spool, channels: Mapping[Channel, Send] = CHANNELS) -> None:
        self.book = AddressBook()
        self._clock = clock
        self._spool = spool
        self._channels = channels
        self._came: queue.SimpleQueue[tuple[int | None, str, str, datetime]] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._causes: dict[Cause, _Told] = {}
        self._is_home = False

    def tell(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        """Take an alarm; never waits."""
        self._came.put((client_id, code, text, at))

    def step(self) -> int:
        """Keep what came, note what was delivered and send what is due; gives how many messages were delivered."""
        if self._is_home:
            self._is_home, self._causes = False, {cause: told for cause, told in self._causes.items() if told.under_way}
        while not self._came.empty():
            self._keep(*self._came.get())
        delivered = sum(self._settle(told) for told in self._causes.values())
        now = self._clock.monotonic()
        for told in self._causes.values():
            if told.count > told.told_count and now >= told.not_before and not told.under_way:
                self._send(told)
        return delivered

    def wait(self, seconds: float) -> None:
        """Wait so long for each message under way."""
        for told in self._causes.values():
            for _, _, sending in told.under_way:
                sending.wait(seconds)

    def bring_home(self) -> int:
        """Record in the database what was kept on disk; gives how many. Raises DatabaseError; nothing is lost."""
        recorded = []
        with self._spool.bringing_home() as is_mine:
            kept = self._spool.kept() if is_mine else []
            try:
                for one in kept:
                    its, wall = one.notice, self._clock.wall()
                    alarms.record(its.client_id, its.code, its.text, at=its.at, wall=wall, told=one.told)
                    recorded.append(its.number)
            finally:
                if recorded:
                    self._spool.forget(recorded)
                    self._is_home = True  # the outbox of the database tells them from here on
        return len(recorded)

    def _keep(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        number = f"{os.getpid()}-{next(self._numbers)}-{self._clock.wall():%H%M%S%f}"
        notice = Notice(number, client_id, code, text, at, self._clock.wall())
        known = self._causes.setdefault(notice.cause, _Told(notice, at))
        known.newest, known.count = notice, known.count + 1
        known.numbers = [*known.numbers[-MOST_NUMBERS:], number]
        try:
            if self._another_told(notice):
                known.not_before = max(known.not_before, self._clock.monotonic() + QUIET_S)
            self._spool.add(notice)
        except OSError:
            logger.exception("the alarm %s could not be kept on disk", code)

    def _another_told(self, notice: Notice) -> bool:
        """Say whether another process told people of this cause within the last minute."""
        return any(
            one.told
            and one.notice.cause == notice.cause
            and one.notice.number not in self._causes[notice.cause].numbers
            and abs(notice.wall - one.notice.wall) < alarms.QUIET_FOR
            for one in self._spool.kept()
        )

    def _send(self, told: _Told) -> None:
        notice = told.newest
        who = self.book.clients.get(notice.client_id or 0, "")
        message = Message(notice.code, notice.text, who, told.count, told.since, notice.at)
        told.sent_count, told.too_late_at = told.count, self._clock.monotonic() + SENDS_WITHIN_S
        told.under_way = [
            (channel, recipient, Sending(channel, self._channels[channel], recipient, message))
            for channel, recipient in self._recipients(notice)
            if channel in self._channels
        ]
        if not told.under_way:
            logger.critical("the alarm %s has no recipient: %s", notice.code, notice.text)
            told.not_before = self._clock.monotonic() + QUIET_S

    def _settle(self, told: _Told) -> int:
        """Note who has it; one recipient is enough, and with none it is sent again soon."""
        now = self._clock.monotonic()
        over = [one for one in told.under_way if one[2].is_over or now >= told.too_late_at]
        told.under_way = [one for one in told.under_way if one not in over]
        reached = [(channel, recipient) for channel, recipient, sending in over if sending.error is None]
        for channel, recipient in reached:
            self._note_told(told, channel, recipient)
        if reached:
            told.told_count, told.not_before = told.sent_count, now + QUIET_S
        elif over and not told.under_way and told.told_count < told.sent_count:
            logger.critical("the alarm %s reached nobody: %s", told.newest.code, told.newest.text)
            told.not_before = now + TRIES_AGAIN_AFTER_S
        return len(reached)

    def _recipients(self, notice: Notice) -> list[tuple[Channel, str]]:
        kind = kind_of(notice.code)
        mails = dict.fromkeys(self.book.operators)
        if kind.tells is not Tells.OPERATOR and (client := self.book.clients.get(notice.client_id or 0)):
            mails[client] = None
        found = dict.fromkeys((Channel.MAIL, mail) for mail in mails)
        found.update(dict.fromkeys((one.channel, one.recipient) for one in alarms.house_addresses(kind)))
        return list(found)

    def _note_told(self, told: _Told, channel: Channel, recipient: str) -> None:
        for number in told.numbers:
            try:
                self._spool.add_told(number, channel.value, recipient)
            except OSError:
                logger.exception("who was told of an alarm could not be kept on disk")
