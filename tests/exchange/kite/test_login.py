"""The login page, the way back to the app, and the token that comes of it."""

import re
from datetime import datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import requests
from kiteconnect import KiteConnect
from kiteconnect import exceptions as kite_errors

from tests.exchange.kite.served import Served, serving


class SimulatedKite(KiteConnect):  # type: ignore[misc]
    """The SDK with its login URL changed by the class attribute, as its documentation says."""


def sign_in(served: Served, *, extra: str = "", **more: str) -> requests.Response:
    """Go through the page as a person would: read the code from it, fill the form in."""
    SimulatedKite._default_login_uri = f"{served.rest}/connect/login"
    login_url = SimulatedKite("simkeyab1001", root=served.rest).login_url() + extra
    page = requests.get(login_url, timeout=30)
    hint = re.search(r'id="totp-hint">(\d{6})<', page.text)
    assert page.status_code == 200
    assert hint is not None
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None
    form = {"user_id": "ab1001", "password": "demo-ab1001", "totp": hint[1]} | more
    target = served.rest + action[1].replace("&amp;", "&")
    return requests.post(target, data=form, allow_redirects=False, timeout=30)


def answer(response: requests.Response) -> dict[str, str]:
    assert response.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


async def test_a_person_signs_in_and_the_app_gets_a_session() -> None:
    async with serving() as served:
        served.desk.venue.redirect_url = "https://app.example/back?x=1"
        extra = f"&redirect_params={quote('state=abc&next=/home')}"
        response = await served.call(sign_in, served, extra=extra)
        back = answer(response)
        kite = SimulatedKite("simkeyab1001", root=served.rest)
        secret = served.desk.venue.users["AB1001"].api_secret
        session = await served.call(kite.generate_session, back["request_token"], secret)
        profile = await served.call(kite.profile)

    assert response.headers["Location"].startswith("https://app.example/back?x=1&")
    assert (back["action"], back["type"], back["status"]) == ("login", "login", "success")
    assert (back["state"], back["next"], back["x"]) == ("abc", "/home", "1")
    assert session["user_id"] == profile["user_id"] == "AB1001"
    assert session["login_time"] == datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - naive IST is Kite's way
    assert session["refresh_token"] == ""


async def test_redirect_params_come_back_to_the_letter() -> None:
    state = "a=1&b=%26+c/d é"
    async with serving() as served:
        extra = f"&redirect_params={quote(urlencode({'state': state}))}"
        back = answer(await served.call(sign_in, served, extra=extra))

    assert back["state"] == state


async def test_redirect_params_cannot_forge_the_answer() -> None:
    async with serving() as served:
        extra = f"&redirect_params={quote('status=success&request_token=forged')}"

        back = answer(await served.call(sign_in, served, extra=extra, decision="cancel"))

    assert back["status"] == "cancelled"
    assert "request_token" not in back


async def test_a_wrong_password_shows_the_page_again() -> None:
    async with serving() as served:
        response = await served.call(sign_in, served, password="<b>")

    assert response.status_code == 403
    assert "Invalid user ID, password or code." in response.text


async def test_an_unknown_app_has_no_login_page_but_the_apis_error() -> None:
    async with serving() as served:
        page = await served.call(requests.get, f"{served.rest}/connect/login?api_key=nobody", timeout=30)

    assert page.status_code == 400
    assert page.json() == {
        "status": "error",
        "message": "Invalid `api_key`.",
        "data": None,
        "error_type": "InputException",
    }


async def test_a_form_that_is_no_text_is_refused() -> None:
    async with serving() as served:
        url = f"{served.rest}/connect/login?api_key=simkeyab1001"
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}
        page = await served.call(requests.post, url, data=b"user_id=x", headers=kind, timeout=30)

    assert (page.status_code, page.json()["error_type"]) == (400, "InputException")


async def test_a_dead_token_is_a_token_exception_and_calls_the_session_hook() -> None:
    async with serving() as served:
        kite = served.kite()
        called: list[int] = []
        kite.set_session_expiry_hook(lambda: called.append(1))
        served.desk.venue.invalidate_tokens("AB1001")

        with pytest.raises(kite_errors.TokenException, match="Incorrect `api_key` or `access_token`") as dead:
            await served.call(kite.profile)

    assert dead.value.code == 403
    assert called == [1]


async def test_logout_ends_the_session() -> None:
    async with serving() as served:
        kite = served.kite()

        assert await served.call(kite.invalidate_access_token) is True
        with pytest.raises(kite_errors.TokenException):
            await served.call(kite.orders)
