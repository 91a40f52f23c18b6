"""Connecting a Kite account: keys, the broker's own sign-in page, and back."""

import logging
import secrets
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_POST, require_safe

from trading.domain.errors import BrokerAuthError, BrokerError, RiskDenied
from trading.domain.timezone import ist_day
from trading.models import BrokerAccount
from trading.services import brokers, wiring
from trading.services.events import market_now
from trading.web.access import needs_step_up, the_user
from trading.web.forms import BrokerKeysForm

logger = logging.getLogger(__name__)

SESSION_KEY = "kite_login"
STATE_LIVES_S = 300


@needs_step_up
def connect(request: HttpRequest) -> HttpResponse:
    """Take the keys, store them encrypted, and go on to the broker's sign-in page."""
    form = BrokerKeysForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            day = ist_day(market_now(wiring.clock()))
            account = brokers.register(owner=the_user(request), day=day, **form.cleaned_data)
        except RiskDenied as denied:
            form.add_error("broker_user_id", _sentence(denied))
        else:
            return _to_login_page(request, account)
    return render(request, "people/broker_connect.html", {"form": form})


@login_required
def login(request: HttpRequest) -> HttpResponse:
    """Name the account and the page that comes next (GET), then go there (POST)."""
    account = _own_account(request)
    if request.method == "POST":
        return _to_login_page(request, account)
    return render(request, "people/broker_login.html", {"account": account})


def _own_account(request: HttpRequest) -> BrokerAccount:
    """Give the account that was asked for, or the person's newest; somebody else's is a 404."""
    rows = BrokerAccount.objects.filter(owner=the_user(request), is_enabled=True)
    wanted = request.POST.get("account") or request.GET.get("account")
    try:
        return get_object_or_404(rows, seal_id=UUID(wanted)) if wanted else rows.latest("created_at")
    except (ValueError, BrokerAccount.DoesNotExist):
        return get_object_or_404(rows, pk=None)


def _to_login_page(request: HttpRequest, account: BrokerAccount) -> HttpResponse:
    """Bind a one-use state to this session and send the browser to the broker."""
    state = secrets.token_urlsafe(24)
    request.session[SESSION_KEY] = {
        "state": state,
        "account": str(account.seal_id),
        "at": wiring.clock().wall().timestamp(),
    }
    return redirect(wiring.kite_session(account).login_url(state))


@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Come back from the broker. 403 unless this session asked for exactly this, within five minutes, once."""
    account = _expected_account(request)
    if request.GET.get("status") != "success":
        messages.warning(request, "The broker's sign-in was not finished. Nothing was changed.")
        return redirect("settings-brokers")
    session = wiring.kite_session(account)
    try:
        token = request.GET.get("request_token", "")
        brokers.finish_login(account, session, token, by=the_user(request), clock=wiring.clock())
    except RiskDenied as denied:
        raise PermissionDenied(_sentence(denied)) from denied
    except BrokerError as error:
        logger.warning("sign-in failed account=%s code=%s", account.pk, error.code)
        messages.error(request, _login_error(error))
        return redirect("settings-brokers")
    messages.success(request, f"{account.broker_user_id} is connected until {account.token_expires_at:%H:%M} tomorrow.")
    return redirect("start")


def _expected_account(request: HttpRequest) -> BrokerAccount:
    """Take the pending sign-in out of the session and compare; whatever comes of it, it is used up."""
    pending = request.session.pop(SESSION_KEY, None)
    if pending is None or not request.user.is_authenticated:
        raise PermissionDenied("No broker sign-in was begun in this browser, or it was finished already.")
    if not constant_time_compare(pending["state"], request.GET.get("state", "")):
        raise PermissionDenied("The broker's answer belongs to another sign-in.")
    if wiring.clock().wall().timestamp() - pending["at"] > STATE_LIVES_S:
        raise PermissionDenied("The broker's sign-in took longer than five minutes.")
    return get_object_or_404(BrokerAccount, owner=the_user(request), seal_id=pending["account"], is_enabled=True)


@needs_step_up
@require_POST
def disconnect(request: HttpRequest, account: UUID) -> HttpResponse:
    """Part from an account; refused while something is open in it, unless `leave_open` says that it is to stay."""
    row = get_object_or_404(BrokerAccount, owner=the_user(request), seal_id=account, is_enabled=True)
    try:
        brokers.disconnect(
            row,
            wiring.kite_session(row),
            by=the_user(request),
            clock=wiring.clock(),
            leaves_open=request.POST.get("leave_open") == "1",
        )
    except RiskDenied as denied:
        messages.error(request, f"Not disconnected. {_sentence(denied)}")
    else:
        messages.success(request, f"{row.broker_user_id} is disconnected; its keys are deleted here.")
    return redirect("settings-brokers")


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _login_error(error: BrokerError) -> str:
    """Translate: consequence first, the broker's own words after it."""
    if isinstance(error, BrokerAuthError):
        return f"Not connected: the broker did not accept the keys or its own token. Check the API secret. ({error})"
    return f"Not connected: the broker did not answer as it should. Try again in a minute. ({error})"
