"""Settings: API tokens are made, shown once and revoked by their owner alone."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from tests.web.conftest import text_of
from trading.models import ApiToken, Client

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]


def token_in(page: str) -> str:
    return page.partition('data-testid="token">')[2].partition("<")[0]


def test_a_token_is_shown_once_and_stops_its_owner(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)

    text = token_in(text_of(browser.post("/settings/tokens/", {"name": "phone button"})))

    assert text.startswith("algo_")
    again = text_of(browser.get("/settings/tokens/"))
    assert "phone button" in again
    assert text not in again
    reply = Browser().post("/api/kill", content_type="application/json", headers={"Authorization": f"Bearer {text}"})
    assert reply.status_code == 202
    alice.refresh_from_db()
    assert alice.state == "REDUCING"


def test_a_revoked_token_works_nowhere(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    text = token_in(text_of(browser.post("/settings/tokens/", {"name": "old laptop"})))

    page = browser.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke/", follow=True)

    assert "old laptop is revoked" in text_of(page)
    assert Browser().get("/api/kill", headers={"Authorization": f"Bearer {text}"}).status_code == 401


def test_somebody_elses_token_does_not_exist(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    signed_in(alice).post("/settings/tokens/", {"name": "hers"})
    browser = signed_in(charlie)

    assert browser.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert "hers" not in text_of(browser.get("/settings/tokens/"))
    assert ApiToken.objects.get().revoked_at is None


def test_there_are_at_most_ten(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    for number in range(10):
        browser.post("/settings/tokens/", {"name": f"number {number}"})

    assert "revoke one first" in text_of(browser.post("/settings/tokens/", {"name": "one more"}))
    assert ApiToken.objects.count() == 10
