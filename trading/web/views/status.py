"""The status page: what runs, what answers, and how old the prices are."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.services import status


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Every part with a word on how it is."""
    return render(request, "status/status.html", {"status": status.gather()})
