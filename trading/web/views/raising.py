"""Letting a client, or the house, trade again: by a person, with a reason, a typed word and a fresh password."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from trading.domain.control import TradingState
from trading.domain.errors import RiskDenied
from trading.domain.timezone import ist_day
from trading.marketdata.live import SyncLivePublisher
from trading.models import BrokerAccount, Client
from trading.services import caps, control, glance, wiring
from trading.services.events import market_now
from trading.services.views.snapshot import account_rows
from trading.web.access import needs_step_up, own_account, own_client, row_id, the_operator, the_user
from trading.web.context import url_of
from trading.web.raise_forms import RaiseForm

OWN_WORD, HOUSE_WORD = "TRADE AGAIN", "ALL CLIENTS"


@needs_step_up
def own(request: HttpRequest) -> HttpResponse:
    """A client's own state."""
    client = own_client(request)
    return _raise(request, client, OWN_WORD, back=url_of("dashboard") or "settings")


@needs_step_up
def of_account(request: HttpRequest, account: UUID) -> HttpResponse:
    """One account of the client; what stopped the client or the house goes on holding it."""
    row = own_account(request, account)
    return _raise(request, row.owner.client, row.key, back=url_of("dashboard") or "settings", account=row)


@needs_step_up
def of_client(request: HttpRequest, client: int) -> HttpResponse:
    """One client's state, raised by the operator, who types the client's address."""
    the_operator(request)
    row = get_object_or_404(Client.objects.select_related("user"), pk=client)
    return _raise(request, row, row.user.email, back="operator")


@needs_step_up
def of_house(request: HttpRequest) -> HttpResponse:
    """The house's state. Clients who stopped themselves stay stopped."""
    the_operator(request)
    return _raise(request, None, HOUSE_WORD, back="operator")


def _raise(
    request: HttpRequest, client: Client | None, word: str, *, back: str, account: BrokerAccount | None = None
) -> HttpResponse:
    if request.method not in ("GET", "POST"):
        raise Http404("only asked for or sent")
    form = RaiseForm(request.POST or None, expected=word)
    if request.method == "POST" and form.is_valid():
        try:
            control.raise_state(
                client,
                the_user(request),
                form.cleaned_data["reason"],
                account=account,
                seen=form.cleaned_data["seen"] or None,
                clock=wiring.clock(),
                publisher=SyncLivePublisher(wiring.redis_client()),
            )
        except RiskDenied as denied:
            text = str(denied)
            form.add_error(None, f"{text[:1].upper()}{text[1:]}.")
        else:
            messages.success(request, _outcome(client, account))
            return redirect(back)
    day = ist_day(market_now(wiring.clock()))
    state = _state(client, account, day)
    context = {
        "form": form,
        "stamp": control.stamp(client, account),
        "whom": client,
        "account": account,
        "stopped_accounts": _stopped_accounts(request, client, day),
        "state": state,
        "is_active": state.state is TradingState.ACTIVE,
        "back": back,
    }
    return render(request, "operator/raise.html", context)


def _stopped_accounts(request: HttpRequest, client: Client | None, day: date) -> list[dict[str, Any]]:
    """Give the client's own accounts that were stopped by themselves; to nobody else, who could not raise them."""
    if client is None or client.user_id != the_user(request).pk:
        return []
    return [row for row in account_rows(client, day) if row["own_state"] != TradingState.ACTIVE]


def _state(client: Client | None, account: BrokerAccount | None, day: date) -> glance.StateView:
    if client is None:
        return glance.house_state(day)
    return glance.client_state(client, day) if account is None else glance.account_state(account, client, day)


def _outcome(client: Client | None, account: BrokerAccount | None) -> str:
    """Say what counts now: a client's own word does not lift the house's."""
    if client is None:
        return "The house trades again. Clients who stopped by themselves stay stopped."
    client.refresh_from_db()
    state = _state(client, account, ist_day(market_now(wiring.clock())))
    whom = account.key if account else client.label
    if state.state is TradingState.ACTIVE:
        return f"{whom} trades again."
    return f"{whom} is raised, but nothing is entered: {state.reason}."


@needs_step_up
def ladder(request: HttpRequest, stop: int) -> HttpResponse:
    """A ladder that repeated itself: let it enter again, by its client or an operator, who types its symbol."""
    found = caps.find_stop(the_user(request), row_id(str(stop)))
    if found is None or request.method not in ("GET", "POST"):
        raise Http404("no ladder is stopped there")
    form = RaiseForm(request.POST or None, expected=found.instrument.partition(":")[2])
    is_own = found.account.owner_id == the_user(request).pk
    if request.method == "POST" and form.is_valid():
        caps.let_go_on(found, form.cleaned_data["reason"], by=the_user(request), clock=wiring.clock())
        messages.success(request, f"{found.instrument} may enter again.")
        return redirect("settings-limits" if is_own else "operator")
    return render(request, "settings/ladder_again.html", {"form": form, "stop": found, "is_own": is_own})
