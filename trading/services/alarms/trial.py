"""The test alarm: told by every channel, critical to nobody."""

from trading.domain.alarms import TEST_CODE
from trading.models import Alarm, Client, User
from trading.ports import Clock
from trading.services.events import actor, market_now
from trading.stores import alarms


def send_test_alarm(client: Client | None, by: User | None, clock: Clock) -> Alarm:
    """Put a test alarm out for a client and the operators, or with None for the operators; the caller is known.

    The threads of the running processes send it; the same person's next one within a minute comes with a minute's end.
    """
    text = f"a test alarm, asked for by {actor(by)}"
    client_id = client.pk if client else None
    return alarms.record(client_id, TEST_CODE, text, at=market_now(clock), wall=clock.wall())
