"""`/api/kill`: press the kill switch of the house, a client or an account, and see the states and what was measured."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse

from trading.api.answers import Refused, api_view, body_of
from trading.api.throttle import Throttle
from trading.domain.control import KillPath
from trading.domain.timezone import ist_day
from trading.models import ApiToken, BrokerAccount, Client, User
from trading.services import control, glance, wiring
from trading.services.events import market_now
from trading.services.tokens import Scope
from trading.services.views.kills import kill_row, kill_rows, kills_of
from trading.services.views.snapshot import account_rows

KILLS = Throttle(60, 60.0)
"""Presses a minute and token. Far above ten: a kill must not be lost to a limit."""
READS = Throttle(120, 60.0)
LONGEST_KEY = 200
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "house": bool,
    "client": str,
    "account": str,
    "leave_positions": (bool, type(None)),
}

Whom = tuple[Client | None, BrokerAccount | None]


def press(request: HttpRequest, token: ApiToken) -> JsonResponse:
    """Press. `{}` is the token owner's own client; `account`, `client` and `house` choose another level.

    The same `Idempotency-Key` again gives the same kill, until a person raised the state.
    """
    body = body_of(request, FIELDS)
    client, account = _whom(token.user, body)
    command = control.press_kill(
        client,
        token.user,
        clock=wiring.clock(),
        account=account,
        leave_positions=body.get("leave_positions"),
        path=KillPath.API,
        press=request.headers.get("Idempotency-Key", "")[:LONGEST_KEY],
        publisher=wiring.live_publisher(),
    )
    told = {**kill_row(command), "states": _states(token.user), "url": f"/api/kill/{command.pk}"}
    return JsonResponse(told, status=202)


def look(request: HttpRequest, token: ApiToken) -> JsonResponse:
    """Give the states that this person may see, and the newest kills with what was measured."""
    return JsonResponse({"states": _states(token.user), "kills": kill_rows(_own(token.user))})


def look_at(request: HttpRequest, token: ApiToken, command: int) -> JsonResponse:
    """Give one kill: whether it is done, and the measured milliseconds with the broker's confirmation."""
    row = kills_of(_own(token.user)).filter(pk=command).first()
    if row is None:
        raise Refused(404, "UNKNOWN", "there is no such kill")
    return JsonResponse({**kill_row(row), "states": _states(token.user)})


def _own(user: User) -> Client | None:
    """Give whose kills a person sees: an operator everybody's. Raises Refused for somebody who is neither."""
    if user.is_operator:
        return None
    client = Client.objects.filter(user=user).first()
    if client is None:
        raise Refused(403, "NO_CLIENT", "this person has no client to stop")
    return client


def _whom(user: User, body: dict[str, Any]) -> Whom:
    chosen = [name for name in ("house", "client", "account") if body.get(name)]
    if len(chosen) > 1:
        raise Refused(400, "ONE_LEVEL", f"name one of house, client and account, not {' and '.join(chosen)}")
    if body.get("house"):
        if not user.is_operator:
            raise Refused(403, "OPERATORS_ONLY", "only an operator stops the house; without a body you stop yourself")
        return None, None
    if account_key := body.get("account"):
        accounts = BrokerAccount.objects.select_related("owner__client__user").filter(owner__client__isnull=False)
        account = _visible(accounts.filter(key=account_key), user, "owner", f"no account {account_key!r}")
        return account.owner.client, account
    if email := body.get("client"):
        clients = Client.objects.select_related("user").filter(user__email__iexact=email)
        return _visible(clients, user, "user", f"no client {email!r}"), None
    client = Client.objects.select_related("user").filter(user=user).first()
    if client is None:
        raise Refused(400, "WHOM", 'name whom: {"house": true}, {"client": ADDRESS} or {"account": KEY}')
    return client, None


def _visible(rows: Any, user: User, owner: str, words: str) -> Any:
    """Give the one row, if this person may see it: somebody else's does not exist here."""
    found = rows.first() if user.is_operator else rows.filter(**{owner: user}).first()
    if found is None:
        raise Refused(404, "UNKNOWN", f"there is {words}; nothing was stopped")
    return found


def _states(user: User) -> dict[str, Any]:
    day = ist_day(market_now(wiring.clock()))
    own = _own(user)
    clients = [own] if own else Client.objects.filter(user__is_operator=False).select_related("user").order_by("pk")
    return {
        "house": _state(glance.house_state(day)),
        "clients": [
            {
                "client": client.label,
                **_state(glance.client_state(client, day)),
                "accounts": [
                    {"account": row["key"], "state": row["state"], "reason": row["reason"]}
                    for row in account_rows(client, day)
                ],
            }
            for client in clients
        ],
    }


def _state(view: glance.StateView) -> dict[str, str]:
    return {"state": view.state.value, "reason": view.reason}


kill = api_view(Scope.KILL, post=KILLS, get=READS)({"POST": press, "GET": look})
one_kill = api_view(Scope.KILL, get=READS)({"GET": look_at})
