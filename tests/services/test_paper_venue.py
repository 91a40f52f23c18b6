"""A paper order never reaches the real broker and a real one never the paper exchange, whatever is mixed up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any

import pytest
import responses
from django.db import IntegrityError, transaction

from tests.brokers.kite.fake_kite import data, fake_kite
from tests.factories import DAY, entry_intent, make_account, make_client, make_operator
from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.prices import KitePrices
from trading.brokers.kite.wire import ReadingWire
from trading.clock.live import LiveClock
from trading.domain.errors import BrokerAuthError, ConfigurationError
from trading.models import BrokerAccount, BrokerName, FeedAccount, FeedConsent
from trading.services import brokers, venues, wiring

REAL, PAPER = "https://api.real.example", "http://127.0.0.1:8901"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_paper(settings: Any) -> None:
    settings.ALGO_VENUE, settings.IS_DEMO, settings.IS_PAPER = "paper", False, True
    settings.KITE_ROOT, settings.KITE_WS_ROOT = REAL, "wss://ws.real.example"
    settings.PAPER_ROOT, settings.PAPER_WS_ROOT = PAPER, "ws://127.0.0.1:8902"
    settings.PAPER_LOGIN_ROOT = f"{PAPER}/connect/login"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """Both addresses take orders; what is called is written down."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for root in (REAL, PAPER):
            wire.post(f"{root}/orders/regular", json={"status": "success", "data": {"order_id": "1"}})
            wire.get(f"{root}/quote/ltp", json={"status": "success", "data": {}})
        yield wire


def paper_account() -> BrokerAccount:
    """Make alice's account at the paper exchange."""
    return make_account(make_client("alice"), broker=BrokerName.PAPER, key="paper:AB1001")


def real_account() -> BrokerAccount:
    """Make charlie's account at the real broker, as after a start with a live database."""
    return make_account(make_client("charlie"))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def ordered(broker: KiteBroker, account: str) -> str:
    try:
        return await broker.place(entry_intent(account))
    finally:
        await broker.close()


async def adapter_of(account: BrokerAccount) -> KiteBroker:
    return wiring.broker_of(account)


def test_a_paper_accounts_order_goes_to_the_paper_exchange(settings: Any) -> None:
    account = paper_account()

    async def scene() -> tuple[list[str], list[str]]:
        async with fake_kite() as paper, fake_kite() as real:
            for server in (paper, real):
                server.will(data({"order_id": "1"}))
            settings.PAPER_ROOT, settings.KITE_ROOT = paper.root, real.root
            await ordered(wiring.broker_of(account), account.key)
            return [one.path for one in paper.heard], [one.path for one in real.heard]

    assert run(scene()) == (["/orders/regular"], [])


def test_on_paper_a_real_account_gets_no_adapter_that_trades(wire: responses.RequestsMock) -> None:
    with pytest.raises(ConfigurationError, match="is a real account: on paper it feeds prices and never trades"):
        run(adapter_of(real_account()))
    assert len(wire.calls) == 0


@pytest.mark.parametrize("venue", ["live", "demo"])
def test_elsewhere_a_paper_account_gets_no_adapter_at_all(
    settings: Any, venue: str, wire: responses.RequestsMock
) -> None:
    settings.ALGO_VENUE, settings.IS_DEMO, settings.IS_PAPER = venue, venue == "demo", False
    account = paper_account()

    async def prices() -> KitePrices:
        return wiring.prices_of(account)

    for scene in (adapter_of(account), prices()):
        with pytest.raises(ConfigurationError, match="is a paper account"):
            run(scene)
    with pytest.raises(ConfigurationError, match="is a paper account"):
        wiring.kite_session(account)
    assert len(wire.calls) == 0


def test_a_paper_account_whose_exchange_is_not_named_trades_nowhere(
    settings: Any, wire: responses.RequestsMock
) -> None:
    settings.PAPER_ROOT = ""

    with pytest.raises(ConfigurationError, match="PAPER_ROOT"):
        run(adapter_of(paper_account()))
    assert len(wire.calls) == 0


def test_what_reads_the_real_brokers_prices_has_no_way_to_order(wire: responses.RequestsMock) -> None:
    account = real_account()

    async def scene() -> dict[str, Decimal]:
        prices = wiring.prices_of(account)
        try:
            return await prices.last_prices(["NSE:INFY"])
        finally:
            await prices.close()

    assert run(scene()) == {}
    assert [call.request.method for call in wire.calls] == ["GET"]
    assert not hasattr(KitePrices, "place")
    assert not hasattr(KitePrices, "cancel")


def test_its_wire_refuses_everything_but_reads_before_it_is_sent(wire: responses.RequestsMock) -> None:
    sdk: Any = ReadingWire("key", "token", root=REAL, timeout_s=1)

    calls: tuple[Callable[[], Any], ...] = (
        lambda: sdk.place_order("regular", "NSE", "INFY", "BUY", 1, "MIS", "LIMIT", price=1),
        lambda: sdk.modify_order("regular", "1", quantity=2),
        lambda: sdk.cancel_order("regular", "1"),
        lambda: sdk.place_gtt("single", "INFY", "NSE", [1], 2, []),
        lambda: sdk.convert_position("NSE", "INFY", "BUY", "day", 1, "MIS", "CNC"),
    )
    for call in calls:
        with pytest.raises((TypeError, AssertionError)):
            call()
    assert len(wire.calls) == 0


def test_clients_connect_paper_accounts_and_operators_the_real_one(settings: Any) -> None:
    keys: dict[str, Any] = {"api_key": "k", "api_secret": "s", "day": DAY}
    alice, bob = make_client("alice").user, make_operator()

    assert brokers.register(owner=alice, broker_user_id="AB1001", **keys).broker == BrokerName.PAPER
    assert brokers.register(owner=bob, broker_user_id="OP1000", **keys).broker == BrokerName.KITE
    settings.ALGO_VENUE, settings.IS_PAPER = "live", False
    assert brokers.register(owner=alice, broker_user_id="AB1001", **keys).broker == BrokerName.KITE


def test_an_account_cannot_bear_the_key_of_another_broker() -> None:
    account = paper_account()
    for changed in ({"broker": BrokerName.KITE}, {"key": "kite:AB1001"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BrokerAccount.objects.filter(pk=account.pk).update(**changed)


def test_sign_ins_go_to_where_the_account_is() -> None:
    assert wiring.kite_session(paper_account()).login_url("s").startswith(f"{PAPER}/connect/login?")
    assert wiring.kite_session(real_account()).login_url("s").startswith("https://kite.zerodha.com/connect/login?")


def test_a_paper_accounts_candles_are_the_feeds_once_its_holder_agreed() -> None:
    account, bob = paper_account(), make_operator()
    feeding = BrokerAccount.objects.create(owner=bob, broker="kite", broker_user_id="OP1000", key="kite:OP1000")
    feed = FeedAccount.objects.create(account=feeding)

    with pytest.raises(BrokerAuthError, match="has not agreed"):
        venues.history_account(account)
    FeedConsent.objects.create(feed=feed, given_by=bob, text="yes", given_at=LiveClock().wall())
    assert venues.history_account(account) == feeding
