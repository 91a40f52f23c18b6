"""Every page says when no real money moves, and never says so when it does."""

import re
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import make_account, make_watch_item
from tests.web.conftest import text_of
from tests.web.test_checklist import SignedIn, all_but_paper
from trading.checks import PAPER_ADDRESSES, venue_agrees
from trading.models import Client
from trading.services import people

pytestmark = pytest.mark.django_db
PAGES = ("/dashboard/", "/positions/", "/orders/", "/watchlist/", "/settings/", "/status/")


def be(settings: Any, venue: str) -> None:
    """Make this installation one of that venue."""
    settings.ALGO_VENUE, settings.IS_DEMO, settings.IS_PAPER = venue, venue == "demo", venue == "paper"


def tags(page: str) -> list[str]:
    """Give the words of the marks beside the brand."""
    return re.findall(r'data-testid="paper">(\w+)<', page)


@pytest.mark.parametrize("path", PAGES)
def test_on_paper_every_page_of_the_desk_says_so(settings: Any, alice: Client, signed_in: SignedIn, path: str) -> None:
    make_watch_item(make_account(alice))
    for venue, said in (("paper", ["Paper"]), ("live", [])):
        be(settings, venue)
        reply = signed_in(alice).get(path)

        assert reply.status_code == 200
        assert tags(reply.content.decode()) == said


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_so_do_the_pages_before_the_sign_in(settings: Any, browser: Browser, path: str) -> None:
    be(settings, "paper")
    page = text_of(browser.get(path))
    assert "Paper: real prices, simulated exchange, no real money." in page

    be(settings, "live")
    page = text_of(browser.get(path))
    assert "Paper" not in page
    assert "on paper" not in page


def test_the_last_step_says_whether_real_money_moves(settings: Any, alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    all_but_paper(alice, browser)
    for venue, mode, words in (("live", "live", "Real money moves"), ("paper", "paper", "no real money")):
        be(settings, venue)
        assert words in people.onboarding(alice).steps[-1].text
        Client.objects.filter(pk=alice.pk).update(onboarded_at=None)
        assert browser.post("/onboarding/start/").status_code == 302
        alice.refresh_from_db()
        assert alice.mode == mode


def test_paper_users_are_listed_on_paper_and_nothing_of_the_demo(settings: Any, browser: Browser) -> None:
    be(settings, "paper")
    assert "Paper broker users" in text_of(browser.get("/demo/brokers/"))
    assert browser.get("/demo/mail/").status_code == 404
    be(settings, "live")
    assert browser.get("/demo/brokers/").status_code == 404


def test_one_address_for_broker_and_paper_exchange_is_found_at_the_start(settings: Any) -> None:
    be(settings, "paper")
    for name in PAPER_ADDRESSES:
        setattr(settings, name, "http://127.0.0.1:8901/")
    settings.KITE_ROOT = "http://127.0.0.1:8901"

    assert [found.id for found in venue_agrees(None)] == ["trading.E008"]
    settings.KITE_ROOT = "https://api.kite.trade"
    assert venue_agrees(None) == []
    settings.PAPER_CONTROL_URL = ""
    assert [found.id for found in venue_agrees(None)] == ["trading.E009"]
