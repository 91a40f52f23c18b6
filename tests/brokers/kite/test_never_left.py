"""No connection came about: a dead name, a closed port, a certificate that expired. What is known of an order then?"""

from pathlib import Path

import pytest

from tests.brokers.kite.certificates import Authority
from tests.brokers.kite.conftest import ACCESS_TOKEN, API_KEY, HastyClock
from tests.brokers.kite.fake_kite import FakeKite, data, fake_kite, resets
from trading.brokers.kite.client import KiteBroker
from trading.domain.errors import BrokerUnavailable, OrderOutcomeUnknown
from trading.domain.orders import OrderChange, OrderIntent, OrderType
from trading.stack.ports import free_port


def broker_at(root: str) -> KiteBroker:
    names = {"account": "kite:AB1001", "api_key": API_KEY, "access_token": ACCESS_TOKEN}
    return KiteBroker(**names, root=root, ws_root="ws://127.0.0.1:1", clock=HastyClock(), call_deadline_s=4.0)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Give an authority that this process trusts as it trusts the world's."""
    made = Authority(tmp_path)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", made.trusting)
    return made


@pytest.mark.proves("F55", "I3", database="none")
@pytest.mark.parametrize(
    "root", ["http://broker.invalid", f"http://127.0.0.1:{free_port()}"], ids=["dead name", "port"]
)
async def test_an_order_to_a_dead_name_or_a_closed_port_never_left(root: str, intent: OrderIntent) -> None:
    broker = broker_at(root)

    with pytest.raises(BrokerUnavailable, match=f"order {intent.tag}: no connection"):
        await broker.place(intent)

    await broker.close()


@pytest.mark.proves("F55", "I3", database="none")
async def test_an_order_to_a_broker_whose_certificate_expired_never_left(
    authority: Authority, intent: OrderIntent
) -> None:
    async with fake_kite(authority.serving(is_expired=True)) as kite:
        kite.will(data({"order_id": "1"}))
        broker = broker_at(kite.root)
        with pytest.raises(BrokerUnavailable, match="CertificateError"):
            await broker.place(intent)
        with pytest.raises(BrokerUnavailable):
            await broker.cancel("1")
        await broker.close()
        assert kite.heard == []

    async with fake_kite(authority.serving(is_expired=False)) as kite:
        kite.will(data({"order_id": "1"}))
        broker = broker_at(kite.root)
        assert await broker.place(intent) == "1", "it was the date alone"
        await broker.close()


@pytest.mark.proves("F55", "I3", database="none")
async def test_what_was_sent_before_the_line_broke_is_in_doubt_and_so_is_a_change(
    kite: FakeKite, intent: OrderIntent
) -> None:
    broker = broker_at(kite.root)
    kite.will(data({"order_id": "1"}), resets)
    await broker.place(intent)

    with pytest.raises(OrderOutcomeUnknown):
        await broker.place(intent)
    await broker.close()

    broker = broker_at("http://broker.invalid")
    with pytest.raises(OrderOutcomeUnknown):  # a PUT goes out twice where the first line broke
        await broker.modify("1", OrderChange(OrderType.LIMIT, quantity=5))
    await broker.close()
