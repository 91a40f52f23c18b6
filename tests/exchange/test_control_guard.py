"""The control port has no login: what a page of elsewhere could send through a browser is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.exchange.running import Running, running

AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as one:
        yield one


async def status_of(market: Running, method: str, path: str, headers: dict[str, str], data: str = "{}") -> int:
    url = f"{market.info['control']}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, data=data) as reply:
        return reply.status


def port_of(market: Running) -> int:
    return market.exchange.ports[2]


CALLS = (("GET", "/users"), ("POST", "/clock"), ("DELETE", "/faults"))
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


async def test_a_name_that_was_rebound_to_this_machine_is_refused(market: Running) -> None:
    port = port_of(market)
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "localhost:1", f"127.0.0.1:{port}."):
        for method, path in CALLS:
            assert await status_of(market, method, path, AS_JSON | {"Host": host}) == 421, host


async def test_a_page_of_another_origin_is_refused(market: Running) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"):
        for method, path in CALLS:
            assert await status_of(market, method, path, AS_JSON | {"Origin": origin}) == 403, origin


async def test_what_a_form_of_elsewhere_can_send_is_refused_and_changes_nothing(market: Running) -> None:
    before = await market.clock()

    for kind in FORMS:
        assert await status_of(market, "POST", "/clock", {"Content-Type": kind}, '{"speed": 3}') == 415, kind
        assert await status_of(market, "DELETE", "/faults", {"Content-Type": kind}) == 415, kind
    assert (await market.clock())["speed"] == before["speed"]


async def test_a_web_socket_of_another_origin_takes_no_part(market: Running) -> None:
    url = f"{market.info['control']}/participate?name=spy&role=engine"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url, origin="https://evil.example")

    assert refused.value.status == 403
    assert (await market.clock())["participants"] == []


async def test_its_own_pages_and_programs_without_an_origin_are_let_through(market: Running) -> None:
    for name in ("127.0.0.1", "localhost"):
        own = f"{name}:{port_of(market)}"
        assert await status_of(market, "POST", "/clock", AS_JSON | {"Host": own, "Origin": f"http://{own}"}) == 200
        assert await status_of(market, "POST", "/clock", AS_JSON | {"Host": own}) == 200
    assert await status_of(market, "POST", "/clock", {"Content-Type": "application/json; charset=utf-8"}) == 200
