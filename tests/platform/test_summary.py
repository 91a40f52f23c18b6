"""The figures of `stack summary`, from fills and last prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from tests.factories import DAY, make_account, make_client, make_instrument, make_operator
from trading.domain.control import TradingState
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.models import BrokerAccount, Client, CommandRow, Fill, House, OrderIntentRow
from trading.services.summary import ClientFigures, client_figures, house_figures

pytestmark = pytest.mark.django_db
TEN = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


def fill(account: BrokerAccount, side: str, quantity: int, price: str, symbol: str = "INFY") -> Fill:
    number = Fill.objects.count() + 1
    return Fill.objects.create(
        account=account,
        client=account.owner.client,
        day=DAY,
        exchange="NSE",
        trade_id=str(number),
        order_id=str(number),
        instrument=f"NSE:{symbol}",
        side=side,
        product="MIS",
        quantity=quantity,
        price=Decimal(price),
        filled_at=TEN + timedelta(seconds=number),
    )


def order(account: BrokerAccount, order_id: str) -> OrderIntentRow:
    number = OrderIntentRow.objects.count() + 1
    return OrderIntentRow.objects.create(
        purpose_key=f"key {number}",
        tag=f"TAG{number}",
        client=account.owner.client,
        account=account,
        day=DAY,
        instrument="NSE:INFY",
        position=1,
        purpose="ENTRY",
        side="BUY",
        quantity=10,
        order_type="MARKET",
        product="MIS",
        is_exit=False,
        decided_at=TEN,
        order_id=order_id,
    )


@pytest.fixture
def alice() -> Client:
    return make_client("alice")


@pytest.fixture
def account(alice: Client) -> BrokerAccount:
    make_instrument("INFY")
    return make_account(alice)


def test_realised_is_what_was_closed_and_unrealised_is_what_is_open_at_the_last_price(
    account: BrokerAccount, redis: "Redis[bytes]"
) -> None:
    fill(account, "BUY", 100, "1500.00")
    fill(account, "SELL", 40, "1510.05")
    ltp = to_scaled(Decimal("1490.50"))
    redis.hset("ltp", "408065", msgspec.msgpack.encode(Tick(408065, ltp, 0, ltp, ltp, ltp, ltp, 1)))
    order(account, "260523000000001")
    order(account, "")

    assert client_figures(DAY) == (
        ClientFigures("alice@example.com", TradingState.ACTIVE, 1, 1, Decimal("402.00"), Decimal("-570.00")),
    )


def test_without_redis_the_last_fills_price_stands_in(account: BrokerAccount) -> None:
    fill(account, "BUY", 10, "1500")
    fill(account, "BUY", 10, "1510")

    (figures,) = client_figures(DAY)

    assert figures.unrealised_pnl == Decimal("100.00")
    assert house_figures().feed_age_s is None


def test_positions_of_two_accounts_of_a_client_are_counted_apart(alice: Client, account: BrokerAccount) -> None:
    second = make_account(alice, "AB1009")
    fill(account, "BUY", 10, "1500")
    fill(second, "SELL", 10, "1500")

    (figures,) = client_figures(DAY)

    assert figures.open_positions == 2


def test_yesterday_does_not_count(account: BrokerAccount) -> None:
    fill(account, "BUY", 10, "1500")

    (figures,) = client_figures(DAY + timedelta(days=1))

    assert (figures.open_positions, figures.realised_pnl) == (0, Decimal("0.00"))


def test_the_operator_is_not_a_client_and_charlies_figures_are_his_own(account: BrokerAccount) -> None:
    make_operator("bob")
    make_client("charlie")
    fill(account, "BUY", 10, "1500")

    figures = client_figures(DAY)

    assert [(one.email, one.open_positions) for one in figures] == [
        ("alice@example.com", 1),
        ("charlie@example.com", 0),
    ]


def test_a_stopped_house_shows_in_every_clients_state(alice: Client) -> None:
    House.objects.create(state=TradingState.HALTED)

    (figures,) = client_figures(DAY)

    assert figures.state is TradingState.HALTED


def press(*words: str) -> str:
    out = StringIO()
    call_command("kill", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.usefixtures("state_dir")
def test_kill_lowers_one_client_and_asks_the_engine(alice: Client) -> None:
    make_client("charlie")

    said = press("--client", "ALICE@example.com")

    states = dict(Client.objects.values_list("user__email", "state"))
    assert states == {"alice@example.com": "REDUCING", "charlie@example.com": "ACTIVE"}
    command = CommandRow.objects.get()
    assert (command.kind, command.client, command.arguments["leave_positions"]) == ("KILL", alice, False)
    assert "no new entry" in said


@pytest.mark.usefixtures("state_dir")
def test_kill_can_leave_positions_and_can_stop_the_house(alice: Client) -> None:
    press("--all", "--leave-positions")

    assert House.objects.get().state == "REDUCING"
    command = CommandRow.objects.get()
    assert (command.client, command.arguments["leave_positions"]) == (None, True)


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize("words", [["--client", "nobody@example.com"], [], ["--all", "--client", "a@b"]])
def test_kill_needs_exactly_one_known_target(words: list[str]) -> None:
    with pytest.raises(CommandError):
        press(*words)

    assert not CommandRow.objects.exists()
