"""The one shape of answers and errors: `{"code", "message", "extra"}`, and who may ask."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from trading.api.throttle import Throttle
from trading.domain.errors import RiskDenied
from trading.models import ApiToken
from trading.services import wiring
from trading.services.tokens import Scope, find_token

logger = logging.getLogger(__name__)

LONGEST_BODY = 4096
BEARER = "Bearer "
STRANGERS = Throttle(20, 60.0)
"""Requests without a valid token a minute and address; one with a valid token never counts here."""

View = Callable[..., JsonResponse]
"""Takes the request, the token, and what the address holds."""


class Refused(Exception):
    """A request that cannot be answered as asked. `extra` names what was wrong."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.extra = status, code, extra


def api_view(scope: Scope, **throttles: Throttle) -> Callable[[Mapping[str, View]], Callable[..., JsonResponse]]:
    """Make a Django view of one function a method: token, scope and rate first, every error as JSON.

    `throttles` holds a limit for each method, by its name in lower case; a token has each of its own.
    """

    def make(methods: Mapping[str, View]) -> Callable[..., JsonResponse]:
        @csrf_exempt  # no cookie counts here, only the token
        def view(request: HttpRequest, **parts: Any) -> JsonResponse:
            try:
                token, method = _token(request), request.method or ""
                if method not in methods:
                    raise Refused(405, "METHOD", f"{method} is not answered here", allowed=sorted(methods))
                if scope.value not in token.scopes:
                    raise Refused(403, "SCOPE", f"this token lacks the scope {scope.value}", scopes=token.scopes)
                throttle = throttles.get(method.lower())
                if throttle is not None and (wait_s := throttle.wait_s(str(token.pk), _monotonic())):
                    raise Refused(429, "RATE", f"too many requests; wait {wait_s} s", retry_after_s=wait_s)
                return methods[method](request, token, **parts)
            except Refused as refused:
                return _refusal(refused)
            except RiskDenied as denied:
                return _refusal(Refused(409, denied.code, str(denied)))
            except DatabaseError:
                logger.exception("the API had no database")
                text = "the database did not answer and nothing was done; a kill file works without it"
                return _refusal(Refused(503, "DATABASE", text, kill_file=str(wiring.kill_files().folder / "house")))

        return view

    return make


def body_of(request: HttpRequest, allowed: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """Read the JSON object of a request; nothing at all is an empty one. Raises Refused for what is not allowed."""
    raw = request.body
    if len(raw) > LONGEST_BODY:
        raise Refused(413, "BODY_TOO_LARGE", f"a body has at most {LONGEST_BODY} bytes, this had {len(raw)}")
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise Refused(400, "BODY_NOT_JSON", f"the body must be JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused(400, "BODY_NOT_OBJECT", "the body must be a JSON object")
    for name, value in body.items():
        if name not in allowed:
            raise Refused(400, "UNKNOWN_FIELD", f"there is no field {name!r}", allowed=sorted(allowed))
        if not isinstance(value, allowed[name]):
            raise Refused(400, "WRONG_TYPE", f"the field {name!r} was {value!r}", field=name)
    return body


def _token(request: HttpRequest) -> ApiToken:
    given = request.headers.get("Authorization", "")
    token = find_token(given.removeprefix(BEARER).strip(), clock=wiring.clock()) if given.startswith(BEARER) else None
    if token is None:
        wait_s = STRANGERS.wait_s(request.META.get("REMOTE_ADDR", ""), _monotonic())
        if wait_s:
            raise Refused(
                429, "RATE", f"too many requests without a valid token; wait {wait_s} s", retry_after_s=wait_s
            )
        raise Refused(401, "TOKEN", "a valid token is needed: Authorization: Bearer algo_...")
    return token


def _refusal(refused: Refused) -> JsonResponse:
    told = {"code": refused.code, "message": str(refused), "extra": refused.extra}
    response = JsonResponse(told, status=refused.status)
    response["Cache-Control"] = "no-store, private"
    if refused.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="AlgoSystem"'
    if refused.status == 405:
        response["Allow"] = ", ".join(refused.extra["allowed"])
    if "retry_after_s" in refused.extra:
        response["Retry-After"] = str(refused.extra["retry_after_s"])
    return response


def _monotonic() -> float:
    return wiring.clock().monotonic()
