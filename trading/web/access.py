"""Who may open a page: a signed-in person, a client, and somebody who was at the keyboard minutes ago."""

import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from trading.models import BrokerAccount, Client, User

PRESENT_AT = "present_at"
PRESS = re.compile(r"[A-Za-z0-9_-]{8,40}")
ID_DIGITS = 18
"""A database's whole numbers end at nineteen; a longer one breaks the query."""

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def the_user(request: HttpRequest) -> User:
    """Give who is signed in; the view stands behind `login_required`."""
    assert isinstance(request.user, User)  # noqa: S101 (a wrong decorator, not a wrong visitor)
    return request.user


def own_client(request: HttpRequest) -> Client:
    """Give the visitor's own client row; a person without one (an operator) sees a 404."""
    client = Client.objects.select_related("user").filter(user=the_user(request)).first()
    if client is None:
        raise Http404("this person is no client")
    return client


def the_operator(request: HttpRequest) -> User:
    """Give the visitor if that is an operator; everybody else sees a 404."""
    user = the_user(request)
    if not user.is_operator:
        raise Http404("this person is no operator")
    return user


def own_account(request: HttpRequest, account: UUID) -> BrokerAccount:
    """Give an account of the visitor's own that is known to its broker; everybody else's is a 404."""
    rows = BrokerAccount.objects.exclude(key="").select_related("owner__client")
    found = rows.filter(seal_id=account, owner=the_user(request), owner__client__isnull=False).first()
    if found is None:
        raise Http404("no account of this person")
    return found


def press_of(request: HttpRequest) -> str:
    """Give the name of one press of a kill switch, as the form had it; empty for what no form of ours had."""
    sent = request.POST.get("press", "")
    return sent if PRESS.fullmatch(sent) else ""


def row_id(text: str) -> int:
    """Read a row's id out of a query or a form. Raises Http404 for what no row can have."""
    if not (text.isascii() and text.isdecimal()) or len(text) > ID_DIGITS:
        raise Http404("no such row")
    return int(text)


def needs_step_up(view: View[P]) -> View[P]:
    """Ask for the password again when the last proof is older than five minutes (ASVS 7.5: step-up).

    What was posted is not kept, because it may hold a secret: the form comes again afterwards.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if was_seen_lately(request):
            return view(request, *args, **kwargs)
        where = request.get_full_path() if request.method == "GET" else reverse("settings")
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': where})}")

    return guarded


def note_presence(request: HttpRequest) -> None:
    """Remember in the session that a password or a mailed code was given just now."""
    request.session[PRESENT_AT] = time.time()


def was_seen_lately(request: HttpRequest) -> bool:
    """True when a password or code was given in this session within the step-up time."""
    records: list[dict[str, Any]] = get_authentication_records(request, request.user)
    newest: float = max([request.session.get(PRESENT_AT, 0.0), *(record["at"] for record in records)])
    return time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
