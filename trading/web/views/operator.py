"""The operator's board: one row a client, the house's events and alarms."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.domain.timezone import ist_day
from trading.models import Alarm
from trading.services import wiring
from trading.services.events import market_now
from trading.services.views.house import house_snapshot
from trading.web.access import the_operator

ALARMS_SHOWN = 10


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """All clients with P&L, state, open positions and their last action."""
    the_operator(request)
    day = ist_day(market_now(wiring.clock()))
    alarms = Alarm.objects.filter(day=day).select_related("client__user").order_by("-last_at")[:ALARMS_SHOWN]
    return render(request, "operator/board.html", {"house": house_snapshot(), "alarms": alarms})
