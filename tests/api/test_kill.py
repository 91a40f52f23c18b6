"""POST and GET /api/kill: who may, what is pressed, what is said, and that a kill is never lost to a limit."""

import json
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.factories import make_account, make_client, make_operator
from trading.api import answers, kill
from trading.models import AccountControl, ApiToken, Client, CommandRow, EventLog, House, User
from trading.services import tokens, wiring
from trading.services.tokens import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]


@pytest.fixture(autouse=True)
def _no_requests_of_another_test() -> None:
    for throttle in (answers.STRANGERS, kill.KILLS, kill.READS):
        throttle.clear()


@pytest.fixture
def alice() -> Client:
    return make_client("alice")


@pytest.fixture
def charlie() -> Client:
    return make_client("charlie")


@pytest.fixture
def bob() -> User:
    return make_operator()


class Caller:
    """Somebody with a token."""

    def __init__(self, user: User, scopes: list[Scope] | None = None) -> None:
        chosen = [Scope.KILL] if scopes is None else scopes
        self.row, self.text = tokens.make_token(user, "button", chosen, clock=wiring.clock())
        self._browser = Browser(enforce_csrf_checks=True)

    def post(self, body: Any = None, key: str = "", path: str = "/api/kill") -> tuple[int, Any]:
        data = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        headers = {"Authorization": f"Bearer {self.text}", **({"Idempotency-Key": key} if key else {})}
        reply = self._browser.post(path, data, content_type="application/json", headers=headers)
        return reply.status_code, reply.json()

    def get(self, path: str = "/api/kill") -> tuple[int, Any]:
        reply = self._browser.get(path, headers={"Authorization": f"Bearer {self.text}"})
        return reply.status_code, reply.json()


def state_of(client: Client) -> str:
    client.refresh_from_db()
    return client.state


def finish(command_id: int) -> None:
    result = {"gate_ms": 9, "last_entry_ms": 0, "cancels_ms": 12, "flat_ms": 41, "left_open": {}, "unconfirmed": []}
    CommandRow.objects.filter(pk=command_id).update(finished_at=wiring.clock().wall(), result=result)


def test_a_press_without_a_body_stops_the_owner_and_its_measurements_can_be_asked(alice: Client) -> None:
    caller = Caller(alice.user)

    status, told = caller.post()

    assert (status, told["level"], told["whom"], told["path"]) == (202, "client", "alice@example.com", "API")
    assert told["states"]["clients"][0]["state"] == state_of(alice) == "REDUCING"
    assert caller.get(told["url"])[1]["is_done"] is False
    finish(told["id"])
    done = caller.get(told["url"])[1]
    assert (done["is_done"], done["gate_ms"], done["cancels_ms"], done["flat_ms"]) == (True, 9, 12, 41)


def test_each_level_is_named_by_its_own_field(alice: Client, bob: User) -> None:
    make_account(alice)

    account = Caller(alice.user).post({"account": "kite:AB1001", "leave_positions": True})[1]
    house = Caller(bob).post({"house": True})[1]
    client = Caller(bob).post({"client": "ALICE@example.com"})[1]

    assert [(one["level"], one["whom"]) for one in (account, house, client)] == [
        ("account", "kite:AB1001"),
        ("house", "everybody"),
        ("client", "alice@example.com"),
    ]
    assert (AccountControl.objects.get().state, House.objects.get().state, state_of(alice)) == ("REDUCING",) * 3
    assert CommandRow.objects.get(pk=account["id"]).arguments["leave_positions"] is True


def test_charlie_can_neither_stop_nor_see_alice(alice: Client, charlie: Client, bob: User) -> None:
    make_account(alice)
    hers = Caller(alice.user).post()[1]
    House.objects.all().delete()
    caller = Caller(charlie.user)

    for body, status in (
        ({"client": "alice@example.com"}, 404),
        ({"account": "kite:AB1001"}, 404),
        ({"house": True}, 403),
    ):
        assert caller.post(body)[0] == status
    assert caller.get(hers["url"])[0] == 404
    assert "alice" not in json.dumps(caller.get()[1])
    assert CommandRow.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "BODY_NOT_JSON"),
        ([1], "BODY_NOT_OBJECT"),
        ({"hose": True}, "UNKNOWN_FIELD"),
        ({"leave_positions": "no"}, "WRONG_TYPE"),
        ({"house": 1}, "WRONG_TYPE"),
        ({"house": True, "client": "alice@example.com"}, "ONE_LEVEL"),
        ("x" * 5000, "BODY_TOO_LARGE"),
        ({"owner_id": 1, "is_staff": True}, "UNKNOWN_FIELD"),
    ],
)
def test_what_is_wrong_is_said_in_words_and_stops_nothing(alice: Client, bob: User, body: Any, code: str) -> None:
    status, told = Caller(bob).post(body)

    assert (status in (400, 413), told["code"]) == (True, code)
    assert told["message"]
    assert not CommandRow.objects.exists()


def test_an_operator_must_say_whom(bob: User) -> None:
    assert Caller(bob).post()[1]["code"] == "WHOM"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer algo_", "Basic YTpi", "Bearer algo_000000000000_x", "Token x", "\u0661"]
)
def test_without_a_valid_token_nothing_is_done_or_told(alice: Client, header: str) -> None:
    reply = Browser().post("/api/kill", headers={"Authorization": header} if header else {})

    assert (reply.status_code, reply.json()["code"]) == (401, "TOKEN")
    assert reply["WWW-Authenticate"].startswith("Bearer")
    assert state_of(alice) == "ACTIVE"


def test_a_token_dies_by_revocation_by_age_and_with_its_person(alice: Client, settings: Settings) -> None:
    revoked, old, orphan = (Caller(alice.user) for _ in range(3))
    tokens.revoke_token(alice.user, revoked.row.pk, clock=wiring.clock())
    ApiToken.objects.filter(pk=old.row.pk).update(expires_at=wiring.clock().wall())

    assert [caller.post()[0] for caller in (revoked, old, orphan)] == [401, 401, 202]
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    assert orphan.post()[0] == 401


def test_a_token_cut_short_or_changed_in_one_letter_is_none(alice: Client) -> None:
    caller = Caller(alice.user)
    good = caller.text
    wrong_end = "A" if good[-1] != "A" else "B"

    for text in (good[:-1], good[:-1] + wrong_end, good + "A", good.upper(), good.replace("algo_", "algp_")):
        caller.text = text
        assert caller.post()[0] == 401, text


def test_a_token_without_the_scope_may_nothing(alice: Client) -> None:
    status, told = Caller(alice.user, []).post()

    assert (status, told["code"], told["extra"]["scopes"]) == (403, "SCOPE", [])


def test_a_session_alone_presses_nothing(alice: Client) -> None:
    browser = Browser()
    browser.force_login(alice.user)

    assert browser.post("/api/kill").status_code == 401
    assert state_of(alice) == "ACTIVE"


def test_the_database_holds_no_token_that_could_be_used(alice: Client) -> None:
    caller = Caller(alice.user)

    kept = json.dumps(list(ApiToken.objects.values()), default=str)

    assert caller.text.rpartition("_")[2] not in kept
    assert EventLog.objects.get(kind="TOKEN_MADE").data["scopes"] == "kill"


def test_the_same_key_sent_again_is_one_kill(alice: Client) -> None:
    caller = Caller(alice.user)
    first = caller.post(key="retry-7")[1]
    finish(first["id"])

    assert [caller.post(key="retry-7")[1]["id"] for _ in range(3)] == [first["id"]] * 3
    assert CommandRow.objects.count() == 1


def test_a_kill_passes_ten_times_a_minute_beside_every_flood(alice: Client) -> None:
    caller = Caller(alice.user)
    for _ in range(25):
        Browser().post("/api/kill")
    flooded = Browser().post("/api/kill")
    while caller.get()[0] == 200:
        pass

    assert (flooded.status_code, flooded.json()["code"]) == (429, "RATE")
    assert int(flooded["Retry-After"]) >= 1
    assert [caller.post(key=f"press {number}")[0] for number in range(10)] == [202] * 10


def test_what_is_not_answered_says_what_is(alice: Client) -> None:
    caller = Caller(alice.user)

    reply = caller._browser.delete("/api/kill", headers={"Authorization": f"Bearer {caller.text}"})

    assert (reply.status_code, reply["Allow"]) == (405, "GET, POST")
