"""Helpers of the demo: a mailbox and, on paper too, a list of simulated broker users. Elsewhere they do not exist."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.models import OutgoingMail
from trading.services import demo_brokers

MAILS_SHOWN = 30


def _only_in_the_demo() -> None:
    if not settings.IS_DEMO:
        raise Http404("there is no demo here")


@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """The mails that would have been sent, newest first."""
    _only_in_the_demo()
    return render(request, "people/demo_mail.html", {"mails": OutgoingMail.objects.all()[:MAILS_SHOWN]})


@require_safe
def broker_users(request: HttpRequest) -> HttpResponse:
    """The simulated exchange's users, with the keys that a person would have from the broker."""
    if not settings.IS_PAPER:
        _only_in_the_demo()
    try:
        users = demo_brokers.free_users()
    except OSError:
        users = None
    return render(request, "people/demo_brokers.html", {"users": users})
