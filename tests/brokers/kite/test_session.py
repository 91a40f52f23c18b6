"""Signing in at the broker."""

import asyncio
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.brokers.kite.fake_kite import Behaviour, FakeKite, data, raw, refuses, resets
from trading.brokers.kite.session import KiteLogin
from trading.domain.errors import BrokerAuthError, BrokerUnavailable

GRANT = {"user_id": "AB1001", "access_token": "fresh-token", "login_time": "2026-11-23 08:59:00"}


@pytest.fixture
def login(kite: FakeKite) -> KiteLogin:
    """Give the sign-in half of alice's keys."""
    return KiteLogin(
        api_key="keyofalice",
        api_secret="secretofalice",
        root=kite.root,
        login_uri="https://broker.example/connect/login",
    )


def test_the_sign_in_page_is_the_brokers_and_carries_our_state(login: KiteLogin) -> None:
    address = urlsplit(login.login_url("a state/with&signs"))
    query = parse_qs(address.query)

    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://broker.example/connect/login"
    assert (query["api_key"], query["v"]) == (["keyofalice"], ["3"])
    assert parse_qs(query["redirect_params"][0]) == {"state": ["a state/with&signs"]}


async def test_a_request_token_is_traded_with_a_checksum_and_without_the_secret(
    login: KiteLogin, kite: FakeKite
) -> None:
    kite.will(data(GRANT))

    grant = await asyncio.to_thread(login.exchange, "request-token")

    assert (grant.user_id, grant.access_token) == ("AB1001", "fresh-token")
    assert "fresh-token" not in repr(grant)
    assert kite.heard[0].form == {
        "api_key": ["keyofalice"],
        "request_token": ["request-token"],
        "checksum": [sha256(b"keyofalicerequest-tokensecretofalice").hexdigest()],
    }


async def test_a_used_request_token_asks_for_another_sign_in(login: KiteLogin, kite: FakeKite) -> None:
    kite.will(refuses("403 Forbidden", "TokenException", "Token is invalid or has expired."))

    with pytest.raises(BrokerAuthError, match="invalid or has expired"):
        await asyncio.to_thread(login.exchange, "request-token")


@pytest.mark.parametrize(
    "answer",
    [
        resets,
        data({key: GRANT[key] for key in ("user_id", "access_token")}),
        data({"login_time": None, "access_token": "fresh-token"}),
        data(["fresh-token"]),
        raw("200 OK\r\nContent-Type: text/html", b"fresh-token"),
    ],
)
async def test_an_unusable_answer_is_unavailable_and_does_not_tell_the_token(
    login: KiteLogin, kite: FakeKite, answer: Behaviour
) -> None:
    kite.will(answer)

    with pytest.raises(BrokerUnavailable) as failure:
        await asyncio.to_thread(login.exchange, "request-token")

    assert "fresh-token" not in str(failure.value)
    assert failure.value.__cause__ is None


async def test_a_session_is_ended_and_a_failure_does_not_tell_the_token(login: KiteLogin, kite: FakeKite) -> None:
    kite.will(data(True), resets)

    await asyncio.to_thread(login.revoke, "old-token")
    with pytest.raises(BrokerUnavailable) as failure:
        await asyncio.to_thread(login.revoke, "old-token")

    assert (kite.heard[0].method, kite.heard[0].query["access_token"]) == ("DELETE", ["old-token"])
    assert "old-token" not in repr(failure.value) + repr(failure.value.__cause__)
