"""Beat's side of the square-off: it believes only the broker's positions, instrument by instrument."""

from collections.abc import Awaitable, Callable
from datetime import date, time
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django_celery_beat.models import PeriodicTask

from tests.factories import entry_intent, make_account, make_client
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from trading.domain.orders import BrokerPosition
from trading.domain.timezone import at_ist
from trading.models import Alarm, BrokerAccount, Client, CommandRow
from trading.ports import Broker
from trading.services.control import request_due_square_offs
from trading.services.schedule import sync_schedule, verify_name
from trading.services.square_off import verify_flat
from trading.stores import intents
from trading.stores.accounts import AccountIndex

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 11, 23)
"""Stocks with a closing auction end continuous trading at 15:15."""


class Positions(FakeBroker):
    """An account that holds what the test says; without a word it cannot be read."""

    def __init__(self, clock: FakeClock, held: dict[str, int] | None) -> None:
        super().__init__(clock.now)
        self.held = held

    async def positions(self) -> list[BrokerPosition]:
        if self.held is None:
            raise KeyError("net")
        zero = Decimal(0)
        return [BrokerPosition(key, "MIS", units, zero, zero, zero) for key, units in self.held.items()]


class Desk:
    """One client with an account, and what its broker shows."""

    def __init__(self, at: str, held: dict[str, int] | None, **client: object) -> None:
        self.clock = FakeClock(at_ist(DAY, time.fromisoformat(at)))
        self.client: Client = make_client("alice", onboarded_at=self.clock.now(), **client)
        self.account: BrokerAccount = make_account(self.client)
        self.held = held

    def verify(self) -> list[str]:
        """Verify, and give the alarms."""
        broker_of: Callable[[BrokerAccount], Broker] = lambda account: Positions(self.clock, self.held)  # noqa: E731
        check: Callable[..., Awaitable[list[Client]]] = verify_flat
        async_to_sync(check)([self.client], self.clock, broker_of=broker_of)
        return list(Alarm.objects.values_list("text", flat=True))


def test_a_stock_with_a_closing_auction_is_late_ten_seconds_after_its_own_time() -> None:
    assert Desk("15:14:09", {"NSE:INFY": 50}).verify() == []


def test_what_nobody_described_is_judged_as_if_it_had_one() -> None:
    (text,) = Desk("15:14:10", {"NSE:INFY": 50, "NFO:NIFTY26NOV25000CE": 75}).verify()

    assert "50 NSE:INFY" in text
    assert "NIFTY26NOV" not in text


@pytest.mark.proves("F51", "I6")
def test_what_is_late_is_asked_for_again() -> None:
    desk = Desk("15:16:30", {"NFO:NIFTY26NOV25000CE": 75})

    assert len(desk.verify()) == 1

    command = CommandRow.objects.get()
    assert (command.client_id, command.arguments) == (None, {"scheduled": True, "only_due": True})


def test_a_client_is_verified_at_its_own_time_too() -> None:
    desk = Desk("11:31:15", {"NSE:INFY": 50}, square_off_at=time(11, 30))
    sync_schedule(desk.clock.now())

    row = PeriodicTask.objects.get(name=verify_name(desk.client))
    assert (row.crontab.hour, row.crontab.minute, row.args) == ("11", "32", f"[{desk.client.pk}]")
    assert len(desk.verify()) == 1


@pytest.mark.proves("F28", "I6", "I24")
def test_an_account_that_cannot_be_read_whatever_hinders_it_is_not_flat() -> None:
    (text,) = Desk("15:16:30", None).verify()

    assert "could not be read" in text


@pytest.mark.proves("F68", "I6")
def test_an_account_that_was_switched_off_after_it_traded_is_looked_at() -> None:
    desk = Desk("15:16:30", {"NSE:INFY": 50})
    ids = AccountIndex().of(desk.account.key)
    now = desk.clock.now()
    intents.create(entry_intent(desk.account.key, day=DAY), ids, decided_at=now, reason={}, wall=now)
    BrokerAccount.objects.update(is_enabled=False)

    assert len(desk.verify()) == 1


def test_what_must_go_whatever_was_chosen_is_asked_for_in_time_by_kind_and_once_a_minute() -> None:
    clock = FakeClock(at_ist(DAY, time(9, 0)))
    sync_schedule(clock.now())

    rows = PeriodicTask.objects.filter(task="trading.tasks.square_off_due")
    assert {(row.name, row.crontab.hour, row.crontab.minute) for row in rows} == {
        ("square off early", "15", "10"),
        ("square off other stocks", "15", "15"),
        ("square off derivatives", "15", "20"),
    }

    first, again = (request_due_square_offs(DAY, clock=clock) for _ in range(2))
    assert first.pk == again.pk
