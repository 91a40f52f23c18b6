"""A browser that signs in through the real page, the fixed cast with confirmed addresses, and alice's morning."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.factories import PASSWORD
from tests.web.seed import ControlPort, seed_day, seed_feed, seed_prices
from trading.models import Client, OutgoingMail, User
from trading.services import people

CODE = re.compile(r"\b\d{4}-\d{4}\b")


@pytest.fixture(autouse=True)
def _no_rate_limit_of_another_test() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def browser() -> Browser:
    """Give a browser nobody has used yet."""
    return Browser()


@pytest.fixture
def alice(db: None) -> Client:
    """Give the client whose pages are tested; nothing of the checklist but the address is done."""
    return people.enrol("alice@example.com", PASSWORD).client


@pytest.fixture
def charlie(db: None) -> Client:
    """Give another client, who must never see anything of alice's."""
    return people.enrol("charlie@example.com", PASSWORD).client


@pytest.fixture
def bob(db: None) -> User:
    """Give the operator."""
    return people.enrol("bob@example.com", PASSWORD, is_operator=True)


@pytest.fixture
def market(settings: Settings) -> Iterator[ControlPort]:
    """Give the exchange's clock, standing at 10:42:07 of the seeded day."""
    port = ControlPort()
    settings.ALGO_CONTROL_URL = port.url
    yield port
    port.close()


@pytest.fixture
def day(alice: Client, bob: User, redis: Any, market: ControlPort) -> Client:
    """Give alice in the middle of her morning, prices known, the feed's holder agreeing."""
    seed_feed(bob)
    seed_day(alice)
    seed_prices(redis)
    return Client.objects.select_related("user").get(pk=alice.pk)


@pytest.fixture
def signed_in() -> Callable[..., Browser]:
    """Give a browser in which somebody has signed in by the form, as a person does."""

    def sign_in(who: Client | User) -> Browser:
        browser = Browser()
        email = who.user.email if isinstance(who, Client) else who.email
        reply = browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
        assert reply.status_code == 302, reply.content.decode()
        return browser

    return sign_in


def last_mail() -> OutgoingMail:
    """Give the newest mail of the outbox."""
    mail = OutgoingMail.objects.first()
    assert mail is not None, "no mail was queued"
    return mail


def last_code() -> str:
    """Give the one-time code of the newest mail."""
    found = CODE.search(last_mail().body.reveal())
    assert found is not None, "the mail had no code"
    return found[0]


def text_of(reply: Any) -> str:
    """Give a reply's text."""
    return str(reply.content.decode())
