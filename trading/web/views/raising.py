"""Letting a client, or the house, trade again: by a person, with a reason, a typed word and a fresh password."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from trading.domain.control import TradingState
from trading.domain.errors import RiskDenied
from trading.domain.timezone import ist_day
from trading.marketdata.live import SyncLivePublisher
from trading.models import Client
from trading.services import control, glance, wiring
from trading.services.events import market_now
from trading.web.access import needs_step_up, own_client, the_operator, the_user
from trading.web.context import url_of
from trading.web.raise_forms import RaiseForm

OWN_WORD, HOUSE_WORD = "TRADE AGAIN", "ALL CLIENTS"


@needs_step_up
def own(request: HttpRequest) -> HttpResponse:
    """A client's own state."""
    client = own_client(request)
    return _raise(request, client, OWN_WORD, back=url_of("dashboard") or "settings")


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


def _raise(request: HttpRequest, client: Client | None, word: str, *, back: str) -> HttpResponse:
    if request.method not in ("GET", "POST"):
        raise Http404("only asked for or sent")
    form = RaiseForm(request.POST or None, expected=word)
    if request.method == "POST" and form.is_valid():
        try:
            control.raise_state(
                client,
                the_user(request),
                form.cleaned_data["reason"],
                clock=wiring.clock(),
                publisher=SyncLivePublisher(wiring.redis_client()),
            )
        except RiskDenied as denied:
            text = str(denied)
            form.add_error(None, f"{text[:1].upper()}{text[1:]}.")
        else:
            messages.success(request, _outcome(client))
            return redirect(back)
    day = ist_day(market_now(wiring.clock()))
    state = glance.client_state(client, day) if client else glance.house_state(day)
    context = {
        "form": form,
        "whom": client,
        "state": state,
        "is_active": state.state is TradingState.ACTIVE,
        "back": back,
    }
    return render(request, "operator/raise.html", context)


def _outcome(client: Client | None) -> str:
    """Say what counts now: a client's own word does not lift the house's."""
    if client is None:
        return "The house trades again. Clients who stopped by themselves stay stopped."
    client.refresh_from_db()
    state = glance.client_state(client, ist_day(market_now(wiring.clock())))
    if state.state is TradingState.ACTIVE:
        return f"{client.label} trades again."
    return f"{client.label} is raised, but nothing is entered: {state.reason}."
