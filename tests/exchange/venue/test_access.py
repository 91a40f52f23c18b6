"""Logins: who gets in, once, and for how long."""

from datetime import time
from hashlib import sha256

import pytest

from tests.exchange.fakes import DAY, Desk
from trading.exchange.venue.refusals import Refusal


def request_token(desk: Desk, user_id: str = "AB1001") -> str:
    user, access = desk.venue.users[user_id], desk.venue.access
    token = access.request_token(user_id, user.password, access.totp_hint(), user.api_key)
    assert token is not None
    return token


def exchange(desk: Desk, token: str, user_id: str = "AB1001", secret: str = "") -> str:
    user = desk.venue.users[user_id]
    checksum = sha256(f"{user.api_key}{token}{secret or user.api_secret}".encode()).hexdigest()
    return desk.venue.exchange_token(user.api_key, token, checksum).access_token


def is_valid(desk: Desk, token: str, user_id: str = "AB1001") -> bool:
    return desk.venue.access.find(desk.venue.users[user_id].api_key, token) is not None


@pytest.mark.parametrize(
    ("user_id", "password", "totp"),
    [
        ("AB1001", "wrong", None),
        ("AB1002", "demo-ab1001", None),
        ("NOBODY", "x", None),
        ("AB1001", "demo-ab1001", "000"),
    ],
)
def test_a_wrong_login_gives_no_request_token(user_id: str, password: str, totp: str | None) -> None:
    desk = Desk()
    access = desk.venue.access

    assert access.request_token(user_id, password, totp or access.totp_hint(), "simkeyab1001") is None


def test_a_request_token_works_once() -> None:
    desk = Desk()
    token = request_token(desk)

    assert is_valid(desk, exchange(desk, token))
    with pytest.raises(Refusal, match="Token is invalid or has expired"):
        exchange(desk, token)


def test_a_request_token_dies_after_five_minutes_of_wire_time() -> None:
    desk = Desk()
    old, young = request_token(desk), request_token(desk)
    desk.times.wire_s += 300
    assert exchange(desk, young)
    desk.times.wire_s += 0.1

    with pytest.raises(Refusal, match="Token is invalid or has expired") as refused:
        exchange(desk, old)

    assert (refused.value.status, refused.value.error_type) == (403, "TokenException")


def test_a_wrong_checksum_gives_no_session() -> None:
    desk = Desk()

    with pytest.raises(Refusal, match="Invalid `checksum`"):
        exchange(desk, request_token(desk), secret="not it")


def test_a_session_ends_at_six_the_next_morning_of_market_time() -> None:
    desk = Desk()
    token = exchange(desk, request_token(desk))

    desk.times.go_to(time(5, 59, 59), DAY.replace(day=24))
    before = is_valid(desk, token)
    desk.times.go_to(time(6, 0), DAY.replace(day=24))

    assert before
    assert not is_valid(desk, token)


def test_a_login_before_six_ends_the_same_morning() -> None:
    desk = Desk()
    desk.times.go_to(time(5, 0))
    token = exchange(desk, request_token(desk))

    desk.times.go_to(time(6, 0))

    assert not is_valid(desk, token)


def test_a_fresh_login_of_the_same_user_ends_the_earlier_one() -> None:
    desk = Desk()
    first = exchange(desk, request_token(desk))
    other = exchange(desk, request_token(desk, "AB1002"), "AB1002")

    second = exchange(desk, request_token(desk))

    assert not is_valid(desk, first)
    assert is_valid(desk, second)
    assert is_valid(desk, other, "AB1002")


def test_a_token_belongs_to_its_key() -> None:
    desk = Desk()
    token = exchange(desk, request_token(desk))

    assert not is_valid(desk, token, "AB1002")


def test_logout_and_invalidation_end_sessions() -> None:
    desk = Desk()
    token = desk.venue.issue_token("AB1001")

    assert desk.venue.logout("simkeyab1001", token)
    assert not desk.venue.logout("simkeyab1001", token)
    again = desk.venue.issue_token("AB1001")
    assert desk.venue.invalidate_tokens("AB1001") == 1
    assert not is_valid(desk, again)


def test_only_a_known_users_tokens_can_be_made_void() -> None:
    with pytest.raises(ValueError, match=r"user_id must be one of OP1000, AB1001, .*, was 'ZZ9999'"):
        Desk().venue.invalidate_tokens("ZZ9999")


def test_a_token_issued_twice_is_the_same_while_it_lives() -> None:
    desk = Desk()

    assert desk.venue.issue_token("AB1001") == desk.venue.issue_token("AB1001")
