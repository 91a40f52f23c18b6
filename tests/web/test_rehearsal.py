"""The square-off's rehearsal on the desk and on the operator's board."""

from collections.abc import Callable
from datetime import time

import pytest
from django.test import Client as Browser

from tests.factories import DAY
from tests.web.conftest import text_of
from tests.web.seed import ControlPort
from trading.domain.timezone import at_ist
from trading.models import Client, User
from trading.ports import EngineEvent
from trading.stores.chain import append_events

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]


def rehearse(client: Client, *hinders: str, fits: bool = True) -> None:
    """Put a rehearsal of one open position into a client's log, as the engine writes it."""
    position = {"account": "kite:AB1001", "instrument": "NSE:INFY", "quantity": -75, "orders": 1, "value": "115387.50"}
    group = {"start": "15:10:00", "flat_by": "15:14:00", "reason": "continuous trading ends at 15:15:00", "seconds": 22}
    idle = {**group, "orders": 0, "cancels": 0, "positions": []}
    data = {
        "text": "1 position by 1 order from 15:10:00, about 22 s, flat by 15:14:00. Nothing hinders it",
        "groups": [{**group, "orders": 1, "cancels": 0, "positions": [position]}, idle],
        "hinders": list(hinders),
        "fits": fits,
    }
    at = at_ist(DAY, time(15, 5))
    append_events([EngineEvent(client.pk, "SQUARE_OFF_REHEARSED", at, data)], wall=at)


def test_the_desk_shows_what_would_be_closed_and_when(day: Client, market: ControlPort, signed_in: SignedIn) -> None:
    browser = signed_in(day)
    assert 'data-testid="rehearsal"' not in browser.get("/dashboard/").content.decode()
    rehearse(day)

    page = text_of(browser.get("/dashboard/"))

    assert "15:10:00</strong> to be flat by" in page
    assert "1 order, about 22 s" in page
    assert page.count('data-testid="rehearsed"') == 1
    assert "-75" in page
    assert "1,15,387.50" in page
    assert "rehearsal-hinders" not in page


def test_what_hinders_it_comes_first_on_both_boards(day: Client, bob: User, signed_in: SignedIn) -> None:
    rehearse(day, "kite:AB1001 must be signed in at the broker: its positions are our own count", fits=True)

    desk, board = text_of(signed_in(day).get("/dashboard/")), text_of(signed_in(bob).get("/operator/"))

    assert "Something hinders it." in desk
    assert "kite:AB1001 must be signed in at the broker" in desk
    assert "1 position by 1 order from 15:10:00" in board


def test_once_everything_is_confirmed_flat_the_rehearsal_is_gone(day: Client, signed_in: SignedIn) -> None:
    rehearse(day)
    told = {"text": "flat, confirmed by the broker's positions", "instruments": "all"}
    append_events([EngineEvent(day.pk, "SQUARED_OFF", at_ist(DAY, time(15, 16)), told)], wall=at_ist(DAY, time(15, 16)))

    assert 'data-testid="rehearsal"' not in signed_in(day).get("/dashboard/").content.decode()


def test_charlie_never_sees_alice_s(day: Client, charlie: Client, signed_in: SignedIn) -> None:
    rehearse(day)

    assert "115387" not in signed_in(charlie).get("/dashboard/?part=rehearsal").content.decode()
