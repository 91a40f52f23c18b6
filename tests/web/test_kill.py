"""The kill switches of the pages: each level, one effect a press, and only for those it belongs to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.models import AccountControl, Client, CommandRow, EventLog, House, User
from trading.services import wiring

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
PRESS = {"press": "AbCdEfGh12345678"}


def finish_all(flat_ms: int | None = 41) -> None:
    """Let the engine have finished with everything that was asked."""
    result: dict[str, Any] = {"gate_ms": 3, "last_entry_ms": 0, "cancels_ms": 12, "flat_ms": flat_ms, "left_open": {}}
    for command in CommandRow.objects.filter(finished_at=None):
        command.finished_at, command.result = command.created_at, result
        command.save()


def account_state(client: Client) -> str:
    return AccountControl.objects.get(account__owner=client.user).state


def test_a_client_stops_one_account_and_the_desk_says_which(alice: Client, signed_in: SignedIn) -> None:
    account, browser = make_account(alice), signed_in(alice)
    assert "Stop this account" in text_of(browser.get("/settings/brokers/"))

    browser.post(f"/kill/{account.seal_id}/", PRESS)
    finish_all()

    alice.refresh_from_db()
    assert (alice.state, account_state(alice)) == ("ACTIVE", "REDUCING")
    command = CommandRow.objects.get()
    assert (command.client_id, command.path, command.arguments["account_key"]) == (alice.pk, "page", "kite:AB1001")
    desk = text_of(browser.get("/dashboard/"))
    assert "No new entries in Zerodha Kite AB1001" in desk
    assert "Kill switch of kite:AB1001" in desk
    assert "No entry left after the press, cancels done after 12 ms, flat after 41 ms, confirmed by the broker" in desk


def test_only_its_owner_stops_or_raises_an_account(
    alice: Client, charlie: Client, bob: User, signed_in: SignedIn
) -> None:
    account = make_account(alice)

    for who in (charlie, bob):
        browser = signed_in(who)
        assert browser.post(f"/kill/{account.seal_id}/", PRESS).status_code == 404
        assert browser.get(f"/trade-again/{account.seal_id}/").status_code == 404
    assert Browser().post(f"/kill/{account.seal_id}/", PRESS)["Location"].startswith("/accounts/login/")

    assert not CommandRow.objects.exists()
    assert not AccountControl.objects.exists()


def test_an_account_is_raised_apart_from_its_client(alice: Client, signed_in: SignedIn) -> None:
    account, browser = make_account(alice), signed_in(alice)
    browser.post(f"/kill/{account.seal_id}/", PRESS)
    browser.post("/kill/", PRESS)
    finish_all()

    typed = {"reason": "all is well again", "confirmation": "kite:AB1001"}
    reply = browser.post(f"/trade-again/{account.seal_id}/", typed, follow=True)

    assert account_state(alice) == "ACTIVE"
    alice.refresh_from_db()
    assert alice.state == "REDUCING"
    assert "kite:AB1001 is raised, but nothing is entered" in text_of(reply)
    line = EventLog.objects.get(kind="STATE_RAISED")
    assert (line.account_key, line.data["reason"]) == ("kite:AB1001", "all is well again")


def test_raising_the_house_raises_no_client(alice: Client, bob: User, signed_in: SignedIn) -> None:
    signed_in(alice).post("/kill/", PRESS)
    operator = signed_in(bob)
    operator.post("/operator/kill/", PRESS)
    finish_all()

    operator.post("/operator/raise/", {"reason": "the feed is back", "confirmation": "ALL CLIENTS"})

    alice.refresh_from_db()
    assert (House.objects.get().state, alice.state) == ("ACTIVE", "REDUCING")


def test_the_same_press_sent_again_later_has_no_second_effect(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    for _ in range(3):
        browser.post("/kill/", PRESS)
        finish_all()

    assert CommandRow.objects.count() == 1
    assert EventLog.objects.filter(kind="KILL_PRESSED").count() == 1


@pytest.mark.proves("I7")
def test_two_tabs_while_the_engine_works_are_one_command(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    browser.post("/kill/", {"press": "tab-one-12345"})
    browser.post("/kill/", {"press": "tab-two-12345"})

    assert CommandRow.objects.count() == 1


def test_a_press_after_the_state_was_raised_is_never_taken_for_an_old_one(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    browser.post("/kill/", PRESS)
    finish_all()
    browser.post("/trade-again/", {"reason": "all is well", "confirmation": "TRADE AGAIN"})

    browser.post("/kill/", PRESS)

    alice.refresh_from_db()
    assert alice.state == "REDUCING"
    assert CommandRow.objects.filter(finished_at=None).count() == 1


@pytest.mark.parametrize("press", ["", "x", "<script>", "a" * 500])
def test_a_press_without_a_name_of_ours_stops_all_the_same(alice: Client, signed_in: SignedIn, press: str) -> None:
    signed_in(alice).post("/kill/", {"press": press})

    alice.refresh_from_db()
    assert alice.state == "REDUCING"


def test_a_form_to_trade_again_that_is_sent_after_another_stop_raises_nothing(
    alice: Client, signed_in: SignedIn
) -> None:
    browser = signed_in(alice)
    browser.post("/kill/", PRESS)
    finish_all()
    page = text_of(browser.get("/trade-again/"))
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    form = {"reason": "all is well", "confirmation": "TRADE AGAIN", "seen": seen}
    browser.post("/trade-again/", form)
    browser.post("/kill/", {"press": "another-press"})
    finish_all()

    reply = browser.post("/trade-again/", form)

    assert "stopped again since this page was opened" in text_of(reply)
    alice.refresh_from_db()
    assert alice.state == "REDUCING"


def test_every_kill_form_names_its_press_anew(bob: User, alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(bob)

    presses = [text_of(browser.get("/operator/")).split('name="press" value="')[1:] for _ in range(2)]

    names = [press.partition('"')[0] for page in presses for press in page]
    assert len(names) == 4  # the house's and alice's, twice
    assert len(set(names)) == 4


def test_a_kill_file_is_seen_on_every_page_before_any_engine_wrote_it_down(
    alice: Client, charlie: Client, bob: User, signed_in: SignedIn, state_dir: Path
) -> None:
    wiring.kill_files().write("client:alice@example.com", "")

    assert "the kill file client:alice@example.com is there" in text_of(signed_in(alice).get("/dashboard/"))
    assert "the kill file" not in text_of(signed_in(charlie).get("/dashboard/"))
    board = text_of(signed_in(bob).get("/operator/"))
    assert board.count('data-state="REDUCING"') == 1


def test_raising_puts_the_kill_file_away_and_writes_it_down(
    alice: Client, signed_in: SignedIn, state_dir: Path
) -> None:
    wiring.kill_files().write("client:alice@example.com", "")
    wiring.kill_files().write("account:kite:AB1001", "")
    make_account(alice)

    signed_in(alice).post("/trade-again/", {"reason": "all is well", "confirmation": "TRADE AGAIN"})

    assert wiring.kill_files().names() == ("account:kite:AB1001",)
    assert len(list((state_dir / "kill-raised").iterdir())) == 1
    assert EventLog.objects.get(kind="STATE_RAISED").data["kill_files"] == "client:alice@example.com"


def test_a_kill_file_of_the_house_is_put_away_by_an_operator_only(
    alice: Client, bob: User, signed_in: SignedIn, state_dir: Path
) -> None:
    wiring.kill_files().write("house", "")

    reply = signed_in(alice).post(
        "/trade-again/", {"reason": "all is well", "confirmation": "TRADE AGAIN"}, follow=True
    )
    assert "the kill file house is there" in text_of(reply)
    assert wiring.kill_files().names() == ("house",)

    signed_in(bob).post("/operator/raise/", {"reason": "all is well", "confirmation": "ALL CLIENTS"})
    assert wiring.kill_files().names() == ()


def test_a_kill_file_that_cannot_be_moved_goes_on_stopping_and_the_page_says_so(
    alice: Client, signed_in: SignedIn, state_dir: Path
) -> None:
    wiring.kill_files().write("client:alice@example.com", "")
    (state_dir / "kill-raised").write_text("in the way")

    reply = signed_in(alice).post("/trade-again/", {"reason": "all is well", "confirmation": "TRADE AGAIN"})

    assert "stays and goes on stopping" in text_of(reply)
    assert wiring.kill_files().names() == ("client:alice@example.com",)


@pytest.mark.proves("I24")
def test_where_every_account_is_stopped_no_screen_says_active(
    alice: Client, bob: User, signed_in: SignedIn, state_dir: Path
) -> None:
    first = make_account(alice)
    browser = signed_in(alice)
    browser.post(f"/kill/{first.seal_id}/", PRESS)
    finish_all()

    assert 'data-state="ACTIVE"' not in text_of(browser.get("/dashboard/"))
    assert text_of(signed_in(bob).get("/operator/")).count('data-state="REDUCING"') == 1
    assert f"/trade-again/{first.seal_id}/" in text_of(browser.get("/trade-again/"))

    make_account(alice, "AB1002")
    assert 'data-state="ACTIVE"' in text_of(browser.get("/dashboard/"))


def test_the_operators_board_keeps_every_press_with_its_milliseconds(
    alice: Client, bob: User, signed_in: SignedIn, state_dir: Path
) -> None:
    signed_in(alice).post("/kill/", PRESS)
    browser = signed_in(bob)
    assert "being carried out" in text_of(browser.get("/operator/?part=kills"))

    finish_all()

    page = text_of(browser.get("/operator/?part=kills"))
    for words in ("alice@example.com", "41 ms", "12 ms", "none left", "3 ms", "page"):
        assert words in page
