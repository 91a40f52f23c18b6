"""Landing page, checklist, settings."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from trading.domain.errors import RiskDenied
from trading.domain.timezone import ist_day
from trading.models import Client
from trading.services import brokers, glance, people, wiring
from trading.services.caps import stopped_ladders
from trading.services.events import market_now
from trading.services.limits import LimitsRefused
from trading.web.access import needs_step_up, own_client, the_user
from trading.web.context import THEMES, url_of
from trading.web.forms import LimitsForm

YEAR_S = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What it is, a picture of the desk, and where to start."""
    return render(request, "pages/landing.html")


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Send a person where they belong: landing page, checklist, desk or operator's board."""
    return redirect(url_of(people.landing_name(request.user)) or "settings")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back to the page."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = redirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR_S, secure=settings.PRODUCTION, httponly=True, samesite="Lax")
    return response


@login_required
@require_safe
def onboarding(request: HttpRequest) -> HttpResponse:
    """The checklist with progress."""
    return render(request, "people/onboarding.html", {"onboarding": people.onboarding(own_client(request))})


@login_required
@require_POST
def onboarding_start(request: HttpRequest) -> HttpResponse:
    """Start trading; 403 while an earlier step is open."""
    client = own_client(request)
    try:
        people.start_trading(client, by=the_user(request), clock=wiring.clock())
    except RiskDenied as denied:
        raise PermissionDenied(str(denied)) from denied
    venue = "live" if settings.ALGO_VENUE == "live" else "on paper"
    messages.success(request, f"You are {venue}. The ladder looks at your instruments from the next tick on.")
    return redirect(url_of("dashboard") or "onboarding")


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Settings: account, theme, and what was chosen elsewhere."""
    return render(request, "settings/account.html", {"section": "account"})


@login_required
@require_safe
def broker_accounts(request: HttpRequest) -> HttpResponse:
    """Settings: the person's broker accounts, without their secrets."""
    now = market_now(wiring.clock())
    client = Client.objects.filter(user=the_user(request)).first()
    rows = [
        {
            "account": row,
            "is_signed_in": brokers.is_signed_in(row, market_now=now),
            "state": glance.account_state(row, client, ist_day(now)) if client and row.key else None,
            "open": brokers.open_instruments(row, ist_day(now)) if row.is_enabled else [],
        }
        for row in the_user(request).broker_accounts.order_by("created_at")
    ]
    return render(request, "settings/brokers.html", {"section": "brokers", "rows": rows})


@needs_step_up
def risk_limits(request: HttpRequest) -> HttpResponse:
    """Settings: limits, times, and what the kill switch does."""
    client = own_client(request)
    form = LimitsForm(request.POST or None, instance=client, today=ist_day(market_now(wiring.clock())))
    if request.method == "POST" and form.is_valid():
        try:
            saved = people.set_limits(client, form.cleaned_data, by=the_user(request), clock=wiring.clock())
        except LimitsRefused as refused:
            for name, problem in refused.problems.items():
                form.add_error(name, f"This {problem}.")
        else:
            messages.success(request, _how_they_hold(saved))
            return redirect("onboarding" if client.onboarded_at is None else "settings-limits")
    context = {"section": "limits", "form": form, "client": client, "stops": stopped_ladders(client)}
    return render(request, "settings/limits.html", context)


def _how_they_hold(client: Client) -> str:
    if not client.raises:
        return "Your limits hold from now on."
    return "Tighter limits hold from now on, wider ones from the next market day."
