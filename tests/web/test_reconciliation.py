"""The reconciliation page: a client's own accounts, an operator's all, adopting by one click, and nobody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import DAY, make_account
from tests.web.conftest import text_of
from tests.web.seed import NOW
from trading.models import AdoptionRow, BrokerAccount, Client, CommandRow, EventLog, Fill, ReconcileState, User
from trading.services import wiring
from trading.services.views.positions import position_rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market")]
SignedIn = Callable[..., Browser]


def picture(**changes: Any) -> dict[str, Any]:
    row = {
        "instrument": "NSE:INFY", "product": "MIS", "lot": 100, "external": 0, "ours": 100, "theirs": 40,
        "overnight": 0, "fills": [100, 0], "their_fills": [100, 60],
        "drift": {"cause": "hand_trade", "may_be_adopted": True}, "says": "the broker shows +40: by hand",
    }  # fmt: skip
    wall = wiring.clock().wall()
    read = {"good_at": NOW.isoformat(), "good_wall": (wall - timedelta(seconds=4)).isoformat(), "trouble": ""}
    return {
        "is_reconciled": False, "why_not": "positions do not agree", "has_session": True, "rows": [row], "orders": [],
        "wall": (wall - timedelta(seconds=2)).isoformat(),
        "reads": {"orders": read, "trades": read, "positions": {**read, "trouble": "the positions lack 1 row"}},
    } | changes  # fmt: skip


@pytest.fixture
def account(alice: Client) -> BrokerAccount:
    made = make_account(alice)
    ReconcileState.objects.create(account=made, day=DAY, picture=picture())
    return made


def adopt(browser: Browser, account: BrokerAccount, **changes: str) -> Any:
    wish = {"account": account.key, "instrument": "NSE:INFY", "product": "MIS", "shown": "40"}
    return browser.post("/reconciliation/adopt/", {**wish, **changes})


def test_a_client_sees_ours_beside_the_brokers_with_ages_and_the_cause(
    account: BrokerAccount, alice: Client, signed_in: SignedIn
) -> None:
    text = text_of(signed_in(alice).get("/reconciliation/"))

    for words in (account.key, "+100", "+40", "hand trade", "by hand", " s ago", "lack 1 row", "Adopt +40"):
        assert words in text


def test_a_click_writes_one_command_with_who_and_what_was_shown(
    account: BrokerAccount, alice: Client, signed_in: SignedIn
) -> None:
    browser = signed_in(alice)

    assert adopt(browser, account).status_code == 302
    assert adopt(browser, account).status_code == 302

    command = CommandRow.objects.get()
    assert (command.kind, command.client_id, command.requested_by) == ("ADOPT", alice.pk, alice.user)
    assert command.arguments == {
        "account_key": account.key, "instrument": "NSE:INFY", "product": "MIS", "shown": 40, "by": "alice@example.com",
    }  # fmt: skip
    assert EventLog.objects.get(kind="COMMAND_GIVEN").data["by"] == "alice@example.com"
    assert "is being adopted" in text_of(browser.get("/reconciliation/"))


def test_charlie_sees_nothing_of_alices_and_adopts_nothing(
    account: BrokerAccount, charlie: Client, signed_in: SignedIn
) -> None:
    browser = signed_in(charlie)

    assert account.key not in text_of(browser.get("/reconciliation/"))
    assert adopt(browser, account).status_code == 404
    assert not CommandRow.objects.exists()


def test_the_operator_sees_everybodys_and_may_adopt(account: BrokerAccount, bob: User, signed_in: SignedIn) -> None:
    browser = signed_in(bob)

    text = text_of(browser.get("/reconciliation/"))
    assert account.key in text
    assert "alice@example.com" in text
    adopt(browser, account)

    assert CommandRow.objects.get().arguments["by"] == "bob@example.com"


def test_what_settles_by_itself_and_what_no_row_shows_offers_no_button(
    account: BrokerAccount, alice: Client, signed_in: SignedIn
) -> None:
    row = {**picture()["rows"][0], "theirs": None, "their_fills": None}
    row["drift"] = {"cause": "row_lost", "may_be_adopted": False}
    ReconcileState.objects.update(picture=picture(rows=[row]))

    text = text_of(signed_in(alice).get("/reconciliation/"))

    assert "row lost" in text
    assert 'data-testid="adopt"' not in text


@pytest.mark.proves("I24")
def test_an_old_picture_says_that_it_is_old(account: BrokerAccount, alice: Client, signed_in: SignedIn) -> None:
    ReconcileState.objects.update(
        picture=picture(wall=(wiring.clock().wall() - timedelta(minutes=5)).isoformat(), is_reconciled=True)
    )

    text = text_of(signed_in(alice).get("/reconciliation/"))

    assert "how it was" in text
    assert ">agrees<" not in text


@pytest.mark.proves("I24")
def test_an_account_never_compared_is_unknown_and_not_flat(alice: Client, signed_in: SignedIn) -> None:
    make_account(alice)

    text = text_of(signed_in(alice).get("/reconciliation/"))

    assert "not compared yet today" in text.lower()
    assert ">unknown<" in text


def test_the_part_is_drawn_alone_and_visitors_must_sign_in(
    account: BrokerAccount, alice: Client, signed_in: SignedIn
) -> None:
    browser = signed_in(alice)

    assert "<html" not in text_of(browser.get("/reconciliation/?part=reconciliation"))
    assert browser.get("/reconciliation/?part=other").status_code == 404
    assert Browser().get("/reconciliation/").status_code == 302
    assert Browser().post("/reconciliation/adopt/").status_code == 302
    assert adopt(browser, account, shown="many").status_code == 404


def test_positions_by_hand_are_named_and_an_adoption_moves_them(alice: Client) -> None:
    account = make_account(alice)
    Fill.objects.create(
        account=account, client=alice, day=DAY, exchange="NSE", trade_id="1", order_id="hand", instrument="NSE:INFY",
        side="BUY", product="MIS", quantity=15, price="1500", filled_at=NOW,
    )  # fmt: skip
    (row,) = position_rows(alice, DAY, {})
    assert (row["open"], "traded by hand" in row["sentence"]) == (15, True)

    AdoptionRow.objects.create(
        account=account, day=DAY, key="command:1", instrument="NSE:INFY", product="MIS", net_quantity=0, price="1510",
        at=NOW + timedelta(seconds=5), cause="by hand", by="alice@example.com",
    )  # fmt: skip

    (row,) = position_rows(alice, DAY, {})
    assert (row["open"], row["realised"]) == (0, "150.00")
