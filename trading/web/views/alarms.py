"""Alarms: what waits for a person, the history, acknowledging, and the channels."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from trading.domain.timezone import ist_day
from trading.models import Client
from trading.services import wiring
from trading.services.alarms.trial import send_test_alarm
from trading.services.events import market_now
from trading.services.views import alarms as view
from trading.stores import alarms
from trading.web.access import the_user
from trading.web.forms import AlarmForm


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What waits, and the alarms of one market day (`?day=`). A client sees their own, an operator everybody's."""
    user, clock = the_user(request), wiring.clock()
    day = _day(request.GET.get("day", "")) or ist_day(market_now(clock))
    context = {
        "waiting": view.waiting_lines(user, clock.wall()),
        "history": view.history(user, day),
        "day": day,
        "days": view.days_with_alarms(user),
    }
    return render(request, "alarms/list.html", context)


@login_required
@require_safe
def bar(request: HttpRequest) -> HttpResponse:
    """The bar of critical alarms alone, drawn anew for a page that is open."""
    return _bar(request)


@login_required
@require_POST
def acknowledge(request: HttpRequest, alarm: int) -> HttpResponse:
    """Say that one alarm was read. Somebody else's is a 404."""
    if not alarms.acknowledge(the_user(request).pk, alarm, wiring.clock().wall()):
        raise Http404("no such alarm")
    return _bar(request) if request.headers.get("HX-Request") else redirect("alarms")


@login_required
@require_POST
def acknowledge_all(request: HttpRequest) -> HttpResponse:
    """Say that everything that waits was read."""
    user, wall = the_user(request), wiring.clock().wall()
    for line in view.waiting_lines(user, wall):
        alarms.acknowledge(user.pk, line.alarm.pk, wall)
    return redirect("alarms")


@login_required
def channels(request: HttpRequest) -> HttpResponse:
    """Settings: how alarms reach this person, and how each way is."""
    user = the_user(request)
    form = AlarmForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "That is how alarms reach you from now on.")
        return redirect("settings-alarms")
    context = {"section": "alarms", "form": form, "channels": view.channel_views(user)}
    return render(request, "settings/alarms.html", context)


@login_required
@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Send a test alarm to this person by every channel."""
    user = the_user(request)
    client = Client.objects.filter(user=user).first()
    send_test_alarm(client, user, wiring.clock())
    messages.success(request, "A test alarm is on its way: on this page, by mail, and by the program if one is named.")
    return redirect("settings-alarms")


def _bar(request: HttpRequest) -> HttpResponse:
    found = view.alarm_bar(the_user(request), wiring.clock().wall())
    return render(request, "partials/alarm_bar.html", {"alarm_bar": found})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
