"""Beat's side of the square-off: write the command, wait a little, and believe only the broker's positions.

The engine has its own timer for the same idempotent square-off; whoever is second finds it done.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trading.domain.errors import BrokerError
from trading.domain.orders import BrokerPosition, Product
from trading.domain.square_off import client_time_plan, plan_square_off
from trading.domain.timezone import ist_day
from trading.models import BrokerAccount, Client, CommandRow, WatchItem
from trading.ports import Clock
from trading.services import wiring
from trading.services.control import request_square_off
from trading.stores import alarms
from trading.stores.calendar import market_calendar

logger = logging.getLogger(__name__)

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


async def square_off_and_verify(client: Client, day: date, clock: Clock) -> Flatness | None:
    """Ask the engine to square one client off and give what the broker holds once it says done.

    None when the engine did not finish in time: the market may need to move first, and `verify_flat`
    looks again every minute. Safe to run twice: the scheduled command exists once a client and day.
    """
    command = await asyncio.to_thread(request_square_off, client, day, clock=clock)
    deadline = clock.monotonic() + WAITS_FOR_ENGINE_S
    while not await _is_finished(command.pk):
        if clock.monotonic() >= deadline:
            logger.warning("square-off of client=%s was asked for and is not done yet", client.pk)
            return None
        await clock.sleep(LOOKS_EVERY_S)
    return await read_flatness(client)


async def _is_finished(command_id: int) -> bool:
    return await CommandRow.objects.filter(pk=command_id, finished_at__isnull=False).aexists()


async def read_flatness(client: Client) -> Flatness:
    """Read a client's intraday positions from its brokers, all accounts at once."""
    accounts = [
        account
        async for account in BrokerAccount.objects.filter(owner_id=client.user_id, is_enabled=True)
        if account.key
    ]
    answers = await asyncio.gather(*(_positions(account) for account in accounts))
    open_positions = [
        position
        for answer in answers
        for position in answer or ()
        if position.net_quantity and position.product == Product.MIS
    ]
    unread = [account.key for account, answer in zip(accounts, answers, strict=True) if answer is None]
    return Flatness(tuple(open_positions), tuple(unread))


async def _positions(account: BrokerAccount) -> list[BrokerPosition] | None:
    broker = wiring.broker_of(account)
    try:
        return await broker.positions()
    except BrokerError as error:
        logger.warning("positions of account=%s could not be read: %s", account.key, error.code)
        return None
    finally:
        await broker.close()


def flat_by(client: Client, day: date) -> datetime:
    """Give the latest moment at which this client should be seen flat, over the instruments it trades."""
    calendar = market_calendar()
    items = WatchItem.objects.filter(client=client, trades_enabled=True).select_related("instrument")
    sessions = {calendar.find_session(day, item.instrument.to_domain().instrument_class) for item in items}
    plans = [plan_square_off(hours, client.square_off_at) for hours in sessions if hours is not None]
    return max((plan.flat_by for plan in plans), default=client_time_plan(day, client.square_off_at).flat_by)


async def verify_flat(clients: Iterable[Client], clock: Clock) -> list[Client]:
    """Alarm for every client whose time has passed and whom the broker does not show flat; give those."""
    now = clock.now()
    day = ist_day(now)
    late = []
    for client in clients:
        if now < await asyncio.to_thread(flat_by, client, day) + ALARM_AFTER:
            continue
        flatness = await read_flatness(client)
        if not flatness.is_flat:
            await asyncio.to_thread(_alarm, client, flatness, clock)
            late.append(client)
    return late


def _alarm(client: Client, flatness: Flatness, clock: Clock) -> None:
    open_words = [f"{position.net_quantity} {position.instrument}" for position in flatness.open_positions]
    words = open_words + [f"{key} could not be read" for key in flatness.unread]
    text = f"{client.label} is not seen flat after the square-off: {', '.join(words)}. Close it in the broker's app."
    alarms.record(client.pk, "NOT_FLAT", text, at=clock.now(), wall=clock.wall())
    logger.error("NOT_FLAT client=%s %s", client.pk, ", ".join(words))
