"""How the broker's own square-off reaches a client: book, positions and socket."""

import asyncio
from datetime import time

from tests.exchange.fakes import Desk, Times, limit, order
from tests.exchange.kite.served import serving
from tests.exchange.kite.test_ticker import ticker
from trading.domain.orders import Side


async def test_a_client_hears_of_it_on_the_socket_and_finds_it_in_its_book_as_the_brokers() -> None:
    async with serving(Desk(times=Times(time(15, 14)))) as served, ticker(served) as client:
        await client.next("connected")
        desk, kite = served.desk, served.kite()
        desk.trade(order(Side.BUY, 10, tag="IN"))
        desk.trade(limit(Side.SELL, 10, 1600, tag="TARGET"))
        bought = await client.next("order")
        desk.times.go_to(time(15, 14, 30))
        desk.venue.on_quotes([])
        await asyncio.sleep(0)
        desk.venue.match_pending()
        ended, closed = [await client.next("order") for _ in range(2)]
        rows = {row["order_id"]: row for row in await served.call(kite.orders)}
        positions = await served.call(kite.positions)

    assert [one["tag"] for one in (bought, ended, closed)] == ["IN", "TARGET", None]
    assert [one["status"] for one in (ended, closed)] == ["CANCELLED", "COMPLETE"]
    assert (closed["placed_by"], closed["transaction_type"], closed["filled_quantity"]) == ("RMS", "SELL", 10)
    assert (ended["placed_by"], ended["status_message"]) == (
        "AB1001",
        "Intraday orders are cancelled by the broker before it squares positions off.",
    )
    assert rows[closed["order_id"]]["placed_by"] == "RMS"
    assert rows[closed["order_id"]]["variety"] == "regular"
    assert [row["quantity"] for row in positions["net"]] == [0]
