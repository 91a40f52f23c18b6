"""The pages of limits and caps: a raise is shown waiting, a stopped ladder is let go on, the house's caps are saved."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client as Browser

from tests.factories import ONBOARDED_AT, TEN_O_CLOCK, make_account
from tests.web.conftest import text_of
from trading.models import Client, House, LadderStop, User
from trading.services.caps import CAPS
from trading.stores import ladder_stops

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
LIMITS = {
    "daily_loss_limit": "25000",
    "max_order_value": "1000000",
    "max_order_quantity": "500",
    "price_collar_percent": "5",
    "max_entries_per_ladder": "10",
    "no_new_entry_after": "14:30",
    "square_off_at": "15:05",
    "squares_off_on_kill": "true",
}


def test_a_raise_is_shown_beside_what_counts_until_then(alice: Client, signed_in: SignedIn) -> None:
    Client.objects.filter(pk=alice.pk).update(onboarded_at=ONBOARDED_AT, daily_loss_limit=Decimal(5000))
    browser = signed_in(alice)

    reply = browser.post("/settings/limits/", LIMITS, follow=True)

    page = text_of(reply)
    assert "wider ones from the next market day" in page
    assert "5,000.00 counts until" in page
    assert 'value="25000"' in page
    alice.refresh_from_db()
    assert (alice.daily_loss_limit, alice.max_order_quantity) == (Decimal(5000), 500)


def test_a_stopped_ladder_is_let_go_on_by_its_client_with_reason_and_symbol(alice: Client, signed_in: SignedIn) -> None:
    stop = ladder_stops.stop(
        make_account(alice).pk, "NSE:INFY", "21 entries of this ladder today", at=TEN_O_CLOCK, wall=TEN_O_CLOCK
    )
    browser = signed_in(alice)
    assert "21 entries of this ladder today" in text_of(browser.get("/settings/limits/"))
    place = f"/settings/limits/ladder/{stop.pk}/"

    assert "exactly" in text_of(browser.post(place, {"reason": "looked at it", "confirmation": "TCS"}))
    assert LadderStop.objects.filter(allowed_at=None).exists()
    browser.post(place, {"reason": "looked at it", "confirmation": "INFY"})

    assert LadderStop.objects.get().allowed_by == alice.user
    assert browser.get(place).status_code == 404


def test_the_operator_sees_everybodys_stopped_ladders(alice: Client, bob: User, signed_in: SignedIn) -> None:
    stop = ladder_stops.stop(make_account(alice).pk, "NSE:INFY", "a test", at=TEN_O_CLOCK, wall=TEN_O_CLOCK)

    page = text_of(signed_in(bob).get("/operator/caps/"))

    assert f"/settings/limits/ladder/{stop.pk}/" in page
    assert "alice@example.com" in page


def test_the_operator_sets_the_houses_caps(bob: User, signed_in: SignedIn) -> None:
    browser = signed_in(bob)
    form = {name: str(getattr(House(), name)) for name in CAPS if name != "needs_algo_id"}

    assert "House caps" in text_of(browser.get("/operator/caps/"))
    refused = browser.post("/operator/caps/", {**form, "cap_trades_a_day": "0"})
    assert "above zero" in text_of(refused)
    browser.post("/operator/caps/", {**form, "cap_trades_a_day": "40", "needs_algo_id": "on"})

    row = House.objects.get()
    assert (row.cap_trades_a_day, row.needs_algo_id) == (40, True)
