"""Beat's side of the square-off: write the command, wait a little, and believe only the broker's positions.

The engine has its own timer for the same idempotent square-off; whoever is second finds it done.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from trading.domain.errors import BrokerError
from trading.domain.instruments import InstrumentClass, presumed_class
from trading.domain.orders import BrokerPosition, Product
from trading.domain.square_off import Subject, square_off_plan
from trading.domain.timezone import ist_day
from trading.models import BrokerAccount, Client, CommandRow, WatchItem
from trading.ports import Broker, Clock
from trading.services import wiring
from trading.services.accounts import brokers_of
from trading.services.control import request_due_square_offs, request_square_off
from trading.stores import alarms
from trading.stores.calendar import market_calendar
from trading.stores.thread import in_thread

logger = logging.getLogger(__name__)

BrokerOf = Callable[[BrokerAccount], Broker]

WAITS_FOR_ENGINE_S = 3.0
LOOKS_EVERY_S = 0.05
ALARM_AFTER = timedelta(seconds=10)
"""How long after its flat-by moment a client that is not seen flat is an alarm."""


@dataclass(frozen=True, slots=True)
class Flatness:
    """What the broker's positions say. `unread` accounts could not be asked: unknown is not flat."""

    open_positions: tuple[BrokerPosition, ...]
    unread: tuple[str, ...]

    @property
    def is_flat(self) -> bool:
        """True only when every account was read and has nothing open."""
        return not self.open_positions and not self.unread


async def square_off_and_verify(
    client: Client, day: date, clock: Clock, *, broker_of: BrokerOf = wiring.broker_of
) -> Flatness | None:
    """Ask the engine to square one client off and give what the broker holds once it says done.

    None when the engine did not finish in time: the market may need to move first, and `verify_flat`
    looks again every minute. Safe to run twice: the scheduled command exists once a client and day.
    """
    command = await in_thread(request_square_off, client, day, clock=clock)
    deadline = clock.monotonic() + WAITS_FOR_ENGINE_S
    while not await in_thread(_is_finished, command.pk):
        if clock.monotonic() >= deadline:
            logger.warning("square-off of client=%s was asked for and is not done yet", client.pk)
            return None
        await clock.sleep(LOOKS_EVERY_S)
    return await read_flatness(client, day, broker_of)


def _is_finished(command_id: int) -> bool:
    return CommandRow.objects.filter(pk=command_id, finished_at__isnull=False).exists()


async def read_flatness(client: Client, day: date, broker_of: BrokerOf = wiring.broker_of) -> Flatness:
    """Read a client's intraday positions from its brokers, all accounts at once."""
    accounts = await in_thread(_accounts, client, day)
    answers = await asyncio.gather(*(_positions(account, broker_of) for account in accounts))
    open_positions = [
        position
        for answer in answers
        for position in answer or ()
        if position.net_quantity and position.product == Product.MIS
    ]
    unread = [account.key for account, answer in zip(accounts, answers, strict=True) if answer is None]
    return Flatness(tuple(open_positions), tuple(unread))


def _accounts(client: Client, day: date) -> list[BrokerAccount]:
    """Give every account that may hold something: also one that was switched off after it traded today."""
    mine = BrokerAccount.objects.filter(owner_id=client.user_id).exclude(key="")
    return list(mine.filter(Q(is_enabled=True) | Q(intents__day=day)).distinct())


async def _positions(account: BrokerAccount, broker_of: BrokerOf) -> list[BrokerPosition] | None:
    """Read one account; None when that was not possible, whatever hindered it."""
    try:
        broker = broker_of(account)
        try:
            return await broker.positions()
        finally:
            await broker.close()
    except BrokerError as error:
        logger.warning("positions of account=%s could not be read: %s", account.key, error.code)
    except Exception:
        logger.exception("positions of account=%s could not be read", account.key)
    return None


async def verify_flat(
    clients: Iterable[Client], clock: Clock, *, broker_of: BrokerOf = wiring.broker_of
) -> list[Client]:
    """Alarm for every client of whom the broker shows something that should be closed by now; give those.

    Each instrument is judged by its own session: one with a closing auction is late while others are not. The engine
    is asked again for whatever is late.
    """
    now = clock.now()
    late = []
    for client in clients:
        deadlines = await in_thread(_deadlines, client, ist_day(now))
        if now < deadlines.earliest + ALARM_AFTER:
            continue
        flatness = await read_flatness(client, ist_day(now), broker_of)
        late_ones = tuple(
            position for position in flatness.open_positions if now >= deadlines.of(position.instrument) + ALARM_AFTER
        )
        if late_ones or flatness.unread:
            await in_thread(_alarm, client, Flatness(late_ones, flatness.unread), clock)
            late.append(client)
    if late:
        await in_thread(request_due_square_offs, ist_day(now), clock=clock)
    return late


@dataclass(frozen=True, slots=True)
class _Deadlines:
    """By when a client's instruments must be seen flat: the watched ones by their rows, others as presumed."""

    by_class: Mapping[InstrumentClass, datetime]
    watched: Mapping[str, datetime]

    def of(self, instrument: str) -> datetime:
        return self.watched.get(instrument) or self.by_class[presumed_class(instrument)]

    @property
    def earliest(self) -> datetime:
        return min((*self.by_class.values(), *self.watched.values()))


def _deadlines(client: Client, day: date) -> _Deadlines:
    calendar, brokers = market_calendar(), brokers_of(client)

    def flat_by(subject: Subject) -> datetime:
        return square_off_plan(calendar, day, subject, client.square_off_at).flat_by

    kinds = [kind for kind in InstrumentClass if kind is not InstrumentClass.INDEX]
    items = WatchItem.objects.filter(client=client).select_related("instrument")
    watched = [item.instrument.to_domain() for item in items]
    return _Deadlines(
        {kind: flat_by(Subject(kind, brokers)) for kind in kinds},
        {one.key: flat_by(Subject.of(one, brokers)) for one in watched if one.is_tradable},
    )


def _alarm(client: Client, flatness: Flatness, clock: Clock) -> None:
    open_words = [f"{position.net_quantity} {position.instrument}" for position in flatness.open_positions]
    words = open_words + [f"{key} could not be read" for key in flatness.unread]
    text = f"{client.label} is not seen flat after the square-off: {', '.join(words)}. Close it in the broker's app."
    alarms.record(client.pk, "NOT_FLAT", text, at=clock.now(), wall=clock.wall())
    logger.error("NOT_FLAT client=%s %s", client.pk, ", ".join(words))
