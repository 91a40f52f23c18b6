"""Ours beside the broker's: the client's own accounts, or for an operator everybody's; adopting with one click."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from trading.domain.timezone import ist_day
from trading.models import BrokerAccount, Client
from trading.services import control, wiring
from trading.services.views.reconciliation import account_pictures, adoption_lines
from trading.services.views.snapshot import market_now
from trading.web.access import own_client, the_user

PART = "reconciliation"


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Compare every account of the visitor; an operator without an account sees the house's. `?part=` redraws it."""
    client = _whose(request)
    part = request.GET.get("part", "")
    if part not in ("", PART):
        raise Http404("no such part")
    market = market_now()
    context = {
        "accounts": None if market is None else account_pictures(client, ist_day(market.now), wiring.clock().wall()),
        "adoptions": [] if market is None else adoption_lines(client, ist_day(market.now)),
        "is_house": client is None,
    }
    return render(request, "reconciliation/parts/accounts.html" if part else "reconciliation/show.html", context)


@login_required
@require_POST
def adopt(request: HttpRequest) -> HttpResponse:
    """Ask the engine to believe the broker's word for one position, as this page showed it. Strangers get a 404."""
    user = the_user(request)
    account = get_object_or_404(
        BrokerAccount.objects.exclude(key="").select_related("owner__client"),
        key=request.POST.get("account", ""),
        owner__client__isnull=False,
    )
    try:
        control.adopt_position(
            account.owner.client,
            account,
            request.POST.get("instrument", "")[:80],
            request.POST.get("product", "")[:10],
            _units(request.POST.get("shown", "")),
            by=user,
            clock=wiring.clock(),
        )
    except PermissionDenied:
        raise Http404("no such account") from None
    messages.success(request, "The engine looks twice, and adopts it if the broker still shows the same.")
    return redirect("reconciliation")


def _whose(request: HttpRequest) -> Client | None:
    user = the_user(request)
    if user.is_operator and not Client.objects.filter(user=user).exists():
        return None
    return own_client(request)


def _units(text: str) -> int:
    try:
        return int(text[:12])
    except ValueError:
        raise Http404("not a number of units") from None
