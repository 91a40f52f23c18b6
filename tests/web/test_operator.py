"""The operator's board and the slow way back to trading; a client gets neither the board nor another's state."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.domain.control import TradingState
from trading.domain.timezone import ist_day
from trading.models import Alarm, Client, CommandRow, EventLog, House, User
from trading.services import control, wiring

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
OWN = {"reason": "the feed is back", "confirmation": "TRADE AGAIN"}


def stop(client: Client | None, by: User) -> None:
    """Press the kill switch and let the engine have finished with it."""
    command = control.press_kill(client, by, clock=wiring.clock())
    CommandRow.objects.filter(pk=command.pk).update(finished_at=wiring.clock().wall())


def state_of(client: Client) -> str:
    client.refresh_from_db()
    return client.state


def forget_presence(browser: Browser) -> None:
    """Let five minutes have passed since the password was given."""
    session = browser.session
    session["present_at"] -= 301
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**record, "at": record["at"] - 301} for record in records]
    session.save()


def test_the_board_shows_every_client_with_state_and_last_action(
    alice: Client, charlie: Client, bob: User, signed_in: SignedIn
) -> None:
    stop(alice, alice.user)

    page = text_of(signed_in(bob).get("/operator/"))

    assert "alice@example.com" in page
    assert "charlie@example.com" in page
    assert "REDUCING" in page
    assert "kill switch pressed by alice@example.com" in page
    assert f'name="client" value="{charlie.pk}"' in page


def test_the_board_shows_the_alarms_of_today(alice: Client, bob: User, signed_in: SignedIn) -> None:
    now = wiring.clock().now()
    Alarm.objects.create(
        client=alice, code="NOT_FLAT", text="2 positions are open", day=ist_day(now), raised_at=now, last_at=now
    )

    assert "2 positions are open" in text_of(signed_in(bob).get("/operator/"))


@pytest.mark.parametrize("path", ["/operator/", "/operator/raise/"])
def test_a_client_does_not_find_the_operators_pages(charlie: Client, signed_in: SignedIn, path: str) -> None:
    assert signed_in(charlie).get(path).status_code == 404


def test_charlie_cannot_raise_alices_state(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    stop(alice, alice.user)
    browser = signed_in(charlie)

    reply = browser.post(f"/operator/raise/{alice.pk}/", {"reason": "let me in", "confirmation": "alice@example.com"})

    assert reply.status_code == 404
    assert state_of(alice) == TradingState.REDUCING


def test_a_client_raises_the_own_state_with_a_reason_and_a_typed_word(alice: Client, signed_in: SignedIn) -> None:
    stop(alice, alice.user)
    browser = signed_in(alice)
    assert "TRADE AGAIN" in text_of(browser.get("/trade-again/"))

    assert browser.post("/trade-again/", OWN).status_code == 302

    assert state_of(alice) == TradingState.ACTIVE
    assert EventLog.objects.get(kind="STATE_RAISED").data["reason"] == "the feed is back"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "required"),
        ({"reason": "  ok "}, "few words"),
        ({"confirmation": "trade again"}, "exactly"),
        ({"confirmation": ""}, "required"),
    ],
)
def test_without_reason_or_word_nothing_is_raised(
    alice: Client, signed_in: SignedIn, changes: dict[str, str], words: str
) -> None:
    stop(alice, alice.user)

    reply = signed_in(alice).post("/trade-again/", {**OWN, **changes})

    assert words in text_of(reply)
    assert state_of(alice) == TradingState.REDUCING


def test_raising_asks_for_the_password_again_after_five_minutes(alice: Client, signed_in: SignedIn) -> None:
    stop(alice, alice.user)
    browser = signed_in(alice)
    forget_presence(browser)

    reply = browser.post("/trade-again/", OWN)

    assert reply["Location"].startswith("/accounts/reauthenticate/")
    assert state_of(alice) == TradingState.REDUCING


def test_nothing_is_raised_while_the_kill_is_being_carried_out(alice: Client, signed_in: SignedIn) -> None:
    control.press_kill(alice, alice.user, clock=wiring.clock())

    reply = signed_in(alice).post("/trade-again/", OWN)

    assert "still being carried out" in text_of(reply)
    assert state_of(alice) == TradingState.REDUCING


def test_neither_a_client_nor_the_operator_lifts_the_latch_of_a_limit(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    alice.latched_day = ist_day(wiring.clock().now())
    alice.latched_state, alice.latched_reason = TradingState.HALTED, "the daily loss limit was reached"
    alice.save()

    assert "stays off until the next session" in text_of(signed_in(alice).post("/trade-again/", OWN))

    typed = {"reason": "limit was mistyped", "confirmation": "alice@example.com"}
    assert "stays off until the next session" in text_of(signed_in(bob).post(f"/operator/raise/{alice.pk}/", typed))
    alice.refresh_from_db()
    assert alice.latched_day is not None


def test_the_operator_types_the_clients_address(alice: Client, bob: User, signed_in: SignedIn) -> None:
    stop(alice, bob)
    browser = signed_in(bob)

    browser.post(f"/operator/raise/{alice.pk}/", {"reason": "all is well", "confirmation": "charlie@example.com"})
    assert state_of(alice) == TradingState.REDUCING

    browser.post(f"/operator/raise/{alice.pk}/", {"reason": "all is well", "confirmation": "alice@example.com"})
    assert state_of(alice) == TradingState.ACTIVE


def test_raising_the_house_leaves_clients_who_stopped_themselves_stopped(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    stop(alice, alice.user)
    stop(None, bob)
    browser = signed_in(bob)
    assert "Let the house trade again" in text_of(browser.get("/operator/"))

    browser.post("/operator/raise/", {"reason": "drill is over", "confirmation": "ALL CLIENTS"})

    assert House.objects.get().state == TradingState.ACTIVE
    assert state_of(alice) == TradingState.REDUCING


def test_raising_oneself_under_a_stopped_house_says_that_nothing_is_entered(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    stop(alice, alice.user)
    stop(None, bob)
    browser = signed_in(alice)

    browser.post("/trade-again/", OWN)

    assert "nothing is entered: the house" in text_of(browser.get("/settings/"))


def test_with_nothing_stopped_there_is_nothing_to_raise(alice: Client, signed_in: SignedIn) -> None:
    make_account(alice)

    assert "nothing to raise" in text_of(signed_in(alice).get("/trade-again/"))


def test_the_state_in_the_bar_leads_to_where_it_is_raised(alice: Client, bob: User, signed_in: SignedIn) -> None:
    assert '<a class="state-chip" href="/trade-again/"' in text_of(signed_in(alice).get("/settings/"))
    assert '<a class="state-chip" href="/operator/"' in text_of(signed_in(bob).get("/settings/"))


def emails_of(page: str) -> list[str]:
    return re.findall(r'data-testid="client" data-email="([^"]+)"', page)


def test_the_board_is_sorted_by_the_column_that_was_asked_for_and_the_unknown_stands_last(
    day: Client, charlie: Client, bob: User, signed_in: SignedIn, redis: Any
) -> None:
    browser = signed_in(bob)

    by_total = text_of(browser.get("/operator/", {"sort": "-total"}))
    by_name_down = text_of(browser.get("/operator/", {"sort": "-email"}))
    redis.flushall()
    unknown = [text_of(browser.get("/operator/", {"sort": way})) for way in ("total", "-total")]

    assert emails_of(by_total) == ["alice@example.com", "charlie@example.com"]
    assert 'aria-sort="descending"' in by_total
    assert emails_of(by_name_down) == ["charlie@example.com", "alice@example.com"]
    assert [emails_of(page)[-1] for page in unknown] == ["alice@example.com"] * 2


@pytest.mark.parametrize("part", ["tiles", "clients", "alarms", "events"])
def test_a_part_of_the_operators_board_comes_alone_and_to_operators_only(
    alice: Client, bob: User, signed_in: SignedIn, part: str
) -> None:
    own = text_of(signed_in(bob).get("/operator/", {"part": part}))

    assert f'data-part="{part}"' in own
    assert "<html" not in own
    assert signed_in(alice).get("/operator/", {"part": part}).status_code == 404
    assert signed_in(bob).get("/operator/", {"part": "../board"}).status_code == 404
