"""The engine's sessions at the brokers: read from the database when it is there, kept in memory for when it is not."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from trading.brokers.kite.client import KiteBroker
from trading.clock.live import LiveClock
from trading.domain.errors import StoreUnavailable
from trading.models import BrokerAccount
from trading.ports import AccountRef
from trading.services.wiring import EngineBrokers
from trading.stores.thread import DatabaseThread

ALICE = AccountRef(7, "kite:AB1001", 1, "kite")


class Thread:
    """A database thread whose answer the test sets."""

    def __init__(self) -> None:
        self.rows: dict[int, BrokerAccount] | None = {}

    async def read(self, work: Callable[[], Any]) -> dict[int, BrokerAccount]:
        if self.rows is None:
            raise StoreUnavailable("the database did not answer")
        return self.rows


def row(token: str) -> BrokerAccount:
    return BrokerAccount(pk=7, key="kite:AB1001", broker="kite", api_key="key", api_secret="s", access_token=token)


async def token_of(brokers: EngineBrokers) -> str:
    made = cast(KiteBroker, brokers(ALICE))
    await made.close()
    return str(made._order_wire._sdk.access_token)


@pytest.mark.proves("F41", database="none")
async def test_a_session_that_was_learned_serves_while_the_database_is_away() -> None:
    thread = Thread()
    brokers = EngineBrokers(LiveClock(), cast(DatabaseThread, thread))
    thread.rows = {7: row("old")}
    await brokers.learn([ALICE])
    thread.rows = {7: row("new")}
    await brokers.learn([ALICE])
    thread.rows = None

    with pytest.raises(StoreUnavailable):
        await brokers.learn([ALICE])

    assert await token_of(brokers) == "new"


async def test_an_account_that_is_gone_is_not_served() -> None:
    thread = Thread()
    brokers = EngineBrokers(LiveClock(), cast(DatabaseThread, thread))
    thread.rows = {7: row("old")}
    await brokers.learn([ALICE])
    thread.rows = {}
    await brokers.learn([ALICE])

    with pytest.raises(KeyError):
        brokers(ALICE)
