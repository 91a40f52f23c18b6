"""The operator's board names the instruments on hold, and a page takes over what the broker's list says."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client as Browser

from tests.factories import DAY, make_account, make_instrument, make_watch_item
from tests.web.conftest import text_of
from trading.models import Client, InstrumentRow, User
from trading.services.instrument_facts import update_rows

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
WORDS = "lot size was 1, the list says 10"


@pytest.mark.proves("F06")
def test_values_of_a_list_are_taken_over_with_a_reason_and_the_symbol_typed(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    make_watch_item(make_account(alice))
    row = update_rows([replace(make_instrument().to_domain(), lot_size=10)], DAY)["NSE:INFY"]
    assert WORDS.capitalize() in text_of(signed_in(alice).get("/watchlist/"))
    browser, place = signed_in(bob), f"/operator/instruments/{row.pk}/"
    assert WORDS.capitalize() in text_of(browser.get("/operator/"))
    sent = {"reason": "the circular says so", "seen": WORDS, "confirmation": "INFY"}

    assert "exactly" in text_of(browser.post(place, {**sent, "confirmation": "TCS"}))
    assert "something else" in text_of(browser.post(place, {**sent, "seen": "lot size was 1, the list says 11"}))
    assert InstrumentRow.objects.get().lot_size == 1
    page = text_of(browser.post(place, sent, follow=True))

    assert "may be entered again" in page
    assert InstrumentRow.objects.get().lot_size == 10
    assert browser.get(place).status_code == 404
    assert WORDS.capitalize() not in text_of(browser.get("/operator/"))
