"""Whoever a kill switch or a raise concerns gets a mail: who, whom, how, and what came of it."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.factories import make_account
from tests.fakes.channels import Channels
from tests.fakes.wire import WireClock
from tests.services.alarms.conftest import Sending
from trading.domain.control import KillPath
from trading.models import BrokerAccount, Client, CommandRow, User
from trading.services import control
from trading.stores import commands

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

ALICE, BOB, CHARLIE = "alice@example.com", "bob@example.com", "charlie@example.com"
FLAT = {"gate_ms": 1, "last_entry_ms": 0, "cancels_ms": 20, "flat_ms": 812, "left_open": {}, "unconfirmed": []}
OPEN = FLAT | {"flat_ms": None, "left_open": {"NSE:INFY": 25}}
Mailed = Callable[..., list[str]]


@pytest.fixture
def mailed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, sending: Sending, channels: Channels
) -> Mailed:
    """Do something, let the outbox send, and give the first line of each mail that one recipient got of it."""

    def of(recipient: str, act: Callable[[], Any]) -> list[str]:
        before = len(channels.mail.to(recipient))
        with django_capture_on_commit_callbacks(execute=True):
            act()
        sending.go()
        return [message.text for message in channels.mail.to(recipient)[before:]]

    return of


@pytest.fixture
def account(alice: Client) -> BrokerAccount:
    return BrokerAccount.objects.filter(owner=alice.user).first() or make_account(alice)


def finish(result: dict[str, Any], clock: WireClock) -> None:
    commands.finish(CommandRow.objects.latest("pk").pk, result, at=clock.now(), wall=clock.wall())


def test_a_clients_press_its_result_and_the_raise_are_mailed_to_that_client_and_the_operators(
    alice: Client, bob: User, mailed: Mailed, clock: WireClock, channels: Channels
) -> None:
    User.objects.update(mails_warnings=False)
    label = alice.label

    pressed = mailed(ALICE, lambda: control.press_kill(alice, alice.user, clock=clock, path=KillPath.PAGE))
    again = mailed(ALICE, lambda: control.press_kill(alice, alice.user, clock=clock, path=KillPath.PAGE))
    done = mailed(ALICE, lambda: finish(OPEN, clock))
    raised = mailed(ALICE, lambda: control.raise_state(alice, bob, "looked at it", clock=clock))

    assert pressed == [f"{label} was stopped by {ALICE}, on the page: no new entries, positions are squared off"]
    assert again == []
    assert done == [
        f"the stop of {label}: no entry left after the press, cancels done after 20 ms; "
        "positions were left open: +25 NSE:INFY"
    ]
    assert raised == [f"{label} trades again: {BOB} said so, because: looked at it"]
    assert [message.text for message in channels.mail.to(BOB)] == [*pressed, *done, *raised]
    assert channels.mail.to(CHARLIE) == []


def test_a_stop_of_the_house_is_mailed_to_every_client_without_anybodys_positions(
    bob: User, mailed: Mailed, clock: WireClock, channels: Channels
) -> None:
    pressed = mailed(CHARLIE, lambda: control.press_kill(None, None, clock=clock, path=KillPath.COMMAND))
    done = mailed(CHARLIE, lambda: finish(OPEN, clock))
    raised = mailed(CHARLIE, lambda: control.raise_state(None, bob, "the feed is back", clock=clock))

    assert pressed == ["the house was stopped by command line: no new entries, positions as each client chose"]
    assert done == [
        "the stop of the house: no entry left after the press, cancels done after 20 ms; "
        "not everything was closed or could be seen: look at your positions"
    ]
    assert raised == [f"the house trades again: {BOB} said so, because: the feed is back"]
    assert [message.text for message in channels.mail.to(ALICE)] == [*pressed, *done, *raised]


def test_an_accounts_stop_and_raise_name_the_account(
    alice: Client, account: BrokerAccount, mailed: Mailed, clock: WireClock
) -> None:
    key = account.key
    stop = mailed(ALICE, lambda: control.press_kill(alice, alice.user, account=account, clock=clock, path=KillPath.API))
    done = mailed(ALICE, lambda: finish(FLAT, clock))
    again = mailed(ALICE, lambda: finish(OPEN, clock))
    raised = mailed(ALICE, lambda: control.raise_state(alice, alice.user, "all is well", clock=clock, account=account))

    assert stop == [f"{key} was stopped by {ALICE}, by the API: no new entries, positions are squared off"]
    assert done == [
        f"the stop of {key}: no entry left after the press, cancels done after 20 ms, "
        "flat after 812 ms, confirmed by the broker"
    ]
    assert again == []
    assert raised == [f"{key} trades again: {ALICE} said so, because: all is well"]
