"""How every method of the SDK is called once with sense, and what the exchange said on the wire."""

import json
from collections.abc import Awaitable, Callable
from datetime import time
from typing import Any

import requests
from kiteconnect import KiteConnect

from tests.exchange.fakes import DAY, INFY, FakeMarket, quote_of
from tests.exchange.kite.served import Served

ORDER: dict[str, Any] = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "quantity": 10,
    "product": "MIS",
    "order_type": "LIMIT",
    "price": 1500,
}
MARKET = ORDER | {"order_type": "MARKET", "price": None, "market_protection": -1}
RESTING = ORDER | {"price": 1490, "tag": "RESTS"}
GTT = {
    "trigger_type": "two-leg",
    "tradingsymbol": "INFY",
    "exchange": "NSE",
    "trigger_values": [1480, 1530],
    "last_price": 1500,
    "orders": [
        {"transaction_type": "SELL", "quantity": 5, "order_type": "LIMIT", "product": "CNC", "price": price}
        for price in (1479, 1530.5)
    ],
}
ALERT = {
    "name": "INFY is dear",
    "type": "simple",
    "lhs_exchange": "NSE",
    "lhs_tradingsymbol": "INFY",
    "lhs_attribute": "LastTradedPrice",
    "operator": ">=",
    "rhs_type": "constant",
    "rhs_constant": "1520.5",
}
BASKET: dict[str, Any] = {
    "name": "dear",
    "type": "alert",
    "tags": [],
    "items": [
        {
            "type": "insert",
            "tradingsymbol": "INFY",
            "exchange": "NSE",
            "weight": 10000,
            "params": {
                "transaction_type": "SELL",
                "product": "CNC",
                "order_type": "LIMIT",
                "validity": "DAY",
                "validity_ttl": 0,
                "quantity": 5,
                "price": 1520.5,
                "trigger_price": 0,
                "disclosed_quantity": 0,
                "last_price": 1500,
                "variety": "regular",
                "tags": ["DEAR"],
                "squareoff": 0,
                "stoploss": 0,
                "trailing_stoploss": 0,
                "iceberg_legs": 0,
                "market_protection": 0,
                "gtt": {"target": 0, "stoploss": 0},
            },
        }
    ],
}
FUND = "INF0SIM01GR1"
ASKED_MARGIN = {name: ORDER[name] for name in ORDER if name != "price"} | {"price": 1500, "trigger_price": 0}
CHARGED = {name: ASKED_MARGIN[name] for name in ASKED_MARGIN if name not in ("price", "trigger_price")} | {
    "order_id": "1",
    "average_price": 1500,
}


class World:
    """One exchange, one user's SDK, and the last bytes that came back to it."""

    def __init__(self, served: Served, user_id: str = "AB1001") -> None:
        self.served = served
        self.kite = served.kite(user_id)
        self.answers: list[requests.Response] = []
        self.kite.reqsession.hooks["response"].append(lambda reply, **_: self.answers.append(reply))

    async def do(self, method: Callable[..., Any], *arguments: Any, **words: Any) -> Any:
        """Call a method of the SDK."""
        return await self.served.call(method, *arguments, **words)

    async def raw(self, method: str, path: str, **more: Any) -> Any:
        """Make a call that no SDK method makes."""
        headers = {"Authorization": f"token {self.kite.api_key}:{self.kite.access_token}", "X-Kite-Version": "3"}
        url = f"{self.served.rest}{path}"
        reply = await self.do(self.kite.reqsession.request, method, url, headers=headers, timeout=30, **more)
        return reply.json()["data"]

    def wire(self) -> Any:
        """Give the `data` of the last answer as it came over the wire."""
        return json.loads(self.answers[-1].text)["data"]

    def tick(self, price: str | int) -> None:
        """Move INFY."""
        self.served.tick(quote_of(INFY, price))

    async def request_token(self) -> str:
        """Sign the user in as the login page does."""
        venue = self.served.desk.venue
        user = venue.users["AB1001"]
        token = venue.access.request_token(user.user_id, user.password, venue.access.totp_hint(), user.api_key)
        assert token is not None
        return token

    @property
    def secret(self) -> str:
        """The app's secret."""
        return self.served.desk.venue.users["AB1001"].api_secret

    def next_day(self) -> None:
        """Open the next market day, with a new login."""
        desk, day = self.served.desk, DAY.replace(day=DAY.day + 1)
        desk.times.go_to(time(9, 30), day)
        desk.market = FakeMarket(day)
        desk.venue.begin_day(desk.market)
        self.kite.set_access_token(desk.venue.issue_token("AB1001"))

    async def sip(self) -> str:
        """Register a SIP."""
        placed = await self.do(self.kite.place_mf_sip, FUND, 1000, 12, "monthly", instalment_day=5, tag="COIN")
        return str(placed["sip_id"])

    async def busy_day(self) -> str:
        """Have orders in every state of the book, and give the id of the first, which filled."""
        filled = await self.do(self.kite.place_order, **ORDER | {"tag": "FIRST"})
        await self.do(self.kite.place_order, **RESTING)
        gone = await self.do(self.kite.place_order, **RESTING)
        await self.do(self.kite.cancel_order, "regular", gone)
        await self.do(self.kite.place_order, **ORDER | {"quantity": 9000})
        return str(filled)


Method = Callable[..., Any]
Sample = Callable[[World, Method], Awaitable[Any]]


def plain(*arguments: Any, **words: Any) -> Sample:
    """Call with these arguments and nothing before it."""

    async def call(world: World, method: Method) -> Any:
        return await world.do(method, *arguments, **words)

    return call


async def of_a_resting_order(world: World, method: Method) -> Any:
    order_id = await world.do(world.kite.place_order, **RESTING)
    more = {"price": 1485} if method.__name__ == "modify_order" else {}
    return await world.do(method, "regular", order_id, **more)


async def after_a_busy_day(world: World, method: Method) -> Any:
    await world.busy_day()
    return await world.do(method)


async def of_the_filled_order(world: World, method: Method) -> Any:
    return await world.do(method, await world.busy_day())


async def of_a_trigger(world: World, method: Method) -> Any:
    trigger_id = (await world.do(world.kite.place_gtt, **GTT))["trigger_id"]
    if method.__name__ == "modify_gtt":
        return await world.do(method, trigger_id, **GTT | {"trigger_values": [1470, 1540]})
    if method.__name__ == "get_gtt":
        world.tick(1531)
    return await world.do(method, trigger_id)


async def of_two_triggers(world: World, method: Method) -> Any:
    await world.do(world.kite.place_gtt, **GTT)
    world.tick(1531)
    await world.do(world.kite.place_gtt, **GTT | {"last_price": 1531, "trigger_values": [1480, 1560]})
    return await world.do(method)


async def sign_in(world: World, method: Method) -> Any:
    return await world.do(method, await world.request_token(), world.secret)


async def convert(world: World, method: Method) -> Any:
    await world.do(world.kite.place_order, **ORDER | {"quantity": 5})
    return await world.do(method, "NSE", "INFY", "BUY", "day", 5, "MIS", "CNC")


async def renew(world: World, method: Method) -> Any:
    return await world.do(method, "no-refresh-token", world.secret)


async def fund_order(world: World, method: Method) -> Any:
    await world.do(world.kite.place_mf_order, FUND, "BUY", amount=5000, tag="COIN")
    world.next_day()
    await world.do(world.kite.place_mf_order, FUND, "BUY", amount=5000)
    return await world.do(method)


async def of_a_fund_order(world: World, method: Method) -> Any:
    order_id = (await world.do(world.kite.place_mf_order, FUND, "BUY", amount=5000))["order_id"]
    return await world.do(method, order_id)


async def of_a_sip(world: World, method: Method) -> Any:
    sip_id = await world.sip()
    more = {"amount": 2000} if method.__name__ == "modify_mf_sip" else {}
    return await world.do(method, sip_id, **more)


async def a_sip(world: World, method: Method) -> Any:
    await world.sip()
    return await world.do(method)


async def slices(world: World, method: Method) -> Any:
    return await world.do(method, **ORDER | {"quantity": 250_000, "price": 1490})


CALLS: dict[str, Sample] = {
    "basket_order_margins": plain([ASKED_MARGIN, ASKED_MARGIN | {"quantity": 20}]),
    "cancel_mf_order": of_a_fund_order,
    "cancel_mf_sip": of_a_sip,
    "cancel_order": of_a_resting_order,
    "convert_position": convert,
    "delete_gtt": of_a_trigger,
    "exit_order": of_a_resting_order,
    "generate_session": sign_in,
    "get_auction_instruments": plain(),
    "get_gtt": of_a_trigger,
    "get_gtts": of_two_triggers,
    "get_virtual_contract_note": plain([CHARGED, CHARGED | {"product": "CNC"}]),
    "historical_data": plain(INFY.token, f"{DAY} 09:15:00", f"{DAY} 09:20:00", "minute"),
    "holdings": plain(),
    "instruments": plain(),
    "invalidate_access_token": plain(),
    "ltp": plain("NSE:INFY"),
    "margins": plain(),
    "mf_holdings": plain(),
    "mf_instruments": plain(),
    "mf_orders": fund_order,
    "mf_sips": a_sip,
    "modify_gtt": of_a_trigger,
    "modify_mf_sip": of_a_sip,
    "modify_order": of_a_resting_order,
    "ohlc": plain("NSE:INFY"),
    "order_history": of_the_filled_order,
    "order_margins": plain([ASKED_MARGIN]),
    "order_trades": of_the_filled_order,
    "orders": after_a_busy_day,
    "place_autoslice_order": slices,
    "place_gtt": plain(**GTT),
    "place_mf_order": plain(FUND, "BUY", amount=5000, tag="COIN"),
    "place_mf_sip": plain(FUND, 1000, 12, "monthly", instalment_day=5),
    "place_order": plain(**ORDER),
    "positions": after_a_busy_day,
    "profile": plain(),
    "quote": plain("NSE:INFY", "NSE:NIFTY 50"),
    "trades": after_a_busy_day,
    "trigger_range": plain("BUY", "NSE:INFY"),
}
"""Every method that the exchange answers with data: how it is called."""

REFUSED: dict[str, Sample] = {
    "invalidate_refresh_token": plain("no-refresh-token"),
    "renew_access_token": renew,
}
"""Methods that an individual's app can only be refused: nobody here has a refresh token (kite.md, section 2)."""

LOCAL: dict[str, Callable[[KiteConnect], Any]] = {
    "login_url": lambda kite: kite.login_url(),
    "set_access_token": lambda kite: kite.set_access_token("token"),
    "set_session_expiry_hook": lambda kite: kite.set_session_expiry_hook(print),
}
"""Methods that send nothing."""
