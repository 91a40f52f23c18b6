"""Alice is a client, bob operates the house, charlie is another client; two channels that a test can break."""

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from tests.factories import TEN_O_CLOCK, make_client, make_operator
from tests.fakes.channels import Channels
from tests.fakes.wire import WireClock
from trading.models import Alarm, Client, User
from trading.services.alarms.post import Sender
from trading.stores import alarms

ENDS_WITHIN_S = 60.0

Raise = Callable[..., Alarm]


@pytest.fixture
def clock() -> WireClock:
    return WireClock(TEN_O_CLOCK)


@pytest.fixture
def channels() -> Channels:
    return Channels()


@pytest.fixture
def alice(db: None) -> Client:
    return make_client("alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_operator()


@pytest.fixture
def charlie(db: None) -> Client:
    return make_client("charlie")


@pytest.fixture
def house(alice: Client, bob: User, charlie: Client, settings: Settings) -> None:
    """Everybody is there, and a program is named."""
    settings.ALARM_PROGRAM = "tell-me"


@pytest.fixture
def alarm(clock: WireClock) -> Raise:
    """Raise an alarm now."""

    def raise_(client: Client | None, code: str = "NOT_FLAT", text: str = "25 NSE:INFY are open") -> Alarm:
        return alarms.record(client.pk if client else None, code, text, at=clock.now(), wall=clock.wall())

    return raise_


class Sending:
    """A sender, and the channels behind it; `go` sends what is due and hears what came of it."""

    def __init__(self, clock: WireClock, channels: Channels) -> None:
        self.sender = Sender(clock, channels.ways)

    def go(self) -> int:
        self.sender.step()
        self.sender.wait(ENDS_WITHIN_S)
        return self.sender.step()


@pytest.fixture
def sending(clock: WireClock, channels: Channels) -> Sending:
    return Sending(clock, channels)
