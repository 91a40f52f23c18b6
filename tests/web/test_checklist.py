"""The way from sign-up to the first paper day, step by step, and the settings behind it."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django_celery_beat.models import PeriodicTask

from tests.factories import make_account, make_watch_item
from tests.web.conftest import text_of
from trading.models import Client, CommandRow, User
from trading.services import people, schedule

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
LIMITS = {
    "daily_loss_limit": "25000",
    "daily_profit_limit": "",
    "max_order_value": "1000000",
    "max_trades_per_day": "20",
    "max_open_positions": "",
    "no_new_entry_after": "14:30",
    "square_off_at": "15:05",
    "squares_off_on_kill": "false",
}


def states(client: Client) -> dict[str, str]:
    return {step.key: step.state for step in people.onboarding(client).steps}


def all_but_paper(client: Client, browser: Browser) -> None:
    make_watch_item(make_account(client))
    browser.post("/settings/limits/", LIMITS)


def test_a_new_client_has_the_address_done_and_the_broker_next(alice: Client) -> None:
    assert states(alice) == {
        "verify": "done", "broker": "next", "limits": "later", "instruments": "later", "paper": "later",
    }  # fmt: skip


def test_an_account_that_never_signed_in_does_not_count_as_connected(alice: Client) -> None:
    make_account(alice, key="")

    assert states(alice)["broker"] == "next"


def test_starting_on_paper_is_refused_while_a_step_is_open(alice: Client, signed_in: SignedIn) -> None:
    reply = signed_in(alice).post("/onboarding/start/")

    assert reply.status_code == 403
    assert "Connect your broker" in text_of(reply)
    alice.refresh_from_db()
    assert alice.onboarded_at is None


def test_the_last_step_starts_the_client_on_paper_once(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    all_but_paper(alice, browser)
    assert not PeriodicTask.objects.get(name=schedule.entry_name(alice)).enabled

    assert browser.post("/onboarding/start/").status_code == 302

    alice.refresh_from_db()
    first = alice.onboarded_at
    assert first is not None
    assert alice.mode == "paper"
    assert PeriodicTask.objects.get(name=schedule.entry_name(alice)).enabled
    assert CommandRow.objects.filter(client=alice, kind="RELOAD").exists()
    browser.post("/onboarding/start/")
    alice.refresh_from_db()
    assert alice.onboarded_at == first


def test_limits_are_saved_with_the_choice_of_the_kill_switch(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)

    assert browser.post("/settings/limits/", LIMITS)["Location"] == "/onboarding/"

    alice.refresh_from_db()
    assert alice.daily_loss_limit == Decimal(25000)
    assert alice.daily_profit_limit is None
    assert (alice.no_new_entry_after, alice.square_off_at) == (time(14, 30), time(15, 5))
    assert alice.squares_off_on_kill is False
    assert 'value="false" checked' in text_of(browser.get("/settings/limits/"))
    assert PeriodicTask.objects.get(name=schedule.entry_name(alice)).crontab.minute == "5"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("daily_loss_limit", "", "required"),
        ("daily_loss_limit", "-1", "above zero"),
        ("max_order_value", "0", "above zero"),
        ("no_new_entry_after", "15:01", "15:00 or earlier"),
        ("square_off_at", "15:45", "must be"),
        ("squares_off_on_kill", "perhaps", "not one of"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_in_words(
    alice: Client, signed_in: SignedIn, field: str, value: str, words: str
) -> None:
    reply = signed_in(alice).post("/settings/limits/", {**LIMITS, field: value})

    assert reply.status_code == 200
    assert words in text_of(reply)
    alice.refresh_from_db()
    assert alice.limits_confirmed_at is None


def test_state_mode_and_ownership_cannot_be_posted_along_with_the_limits(
    alice: Client, charlie: Client, signed_in: SignedIn
) -> None:
    extra = {"state": "HALTED", "mode": "live", "user": str(charlie.user.pk), "onboarded_at": "2026-01-01"}

    signed_in(alice).post("/settings/limits/", {**LIMITS, **extra})

    alice.refresh_from_db()
    charlie.refresh_from_db()
    assert (alice.state, alice.mode, alice.user.email, alice.onboarded_at) == (
        "ACTIVE",
        "paper",
        "alice@example.com",
        None,
    )
    assert charlie.daily_loss_limit is None


def test_limits_ask_for_the_password_again_after_five_minutes(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    session = browser.session
    session["present_at"] -= 301
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**record, "at": record["at"] - 301} for record in records]
    session.save()

    reply = browser.post("/settings/limits/", LIMITS)

    assert reply.status_code == 302
    assert reply["Location"].startswith("/accounts/reauthenticate/")
    alice.refresh_from_db()
    assert alice.daily_loss_limit is None


def test_an_operator_has_no_checklist_and_no_limits(bob: User, signed_in: SignedIn) -> None:
    browser = signed_in(bob)

    assert browser.get("/onboarding/").status_code == 404
    assert browser.get("/settings/limits/").status_code == 404
    assert "operator" in text_of(browser.get("/settings/"))
