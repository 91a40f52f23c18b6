"""Day reports: the list, one day, and that day as CSV."""

from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.models import DayReport, EventChain
from trading.services.log_export import export_lines
from trading.services.views.day_reports import as_csv, reports_of_day, visible_reports
from trading.web.access import row_id, the_user


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The days that have a report; an operator sees every client's."""
    user = the_user(request)
    return render(request, "reports/list.html", {"reports": visible_reports(user), "has_clients": user.is_operator})


@login_required
@require_safe
def of_day(request: HttpRequest, day: str) -> HttpResponse:
    """One day: what was traded, made and lost."""
    reports = _found(request, day)
    return render(request, "reports/day.html", {"day": reports[0].day, "reports": reports, "query": _query(request)})


@login_required
@require_safe
def csv_of_day(request: HttpRequest, day: str) -> HttpResponse:
    """The same day for a spreadsheet."""
    reports = _found(request, day)
    response = HttpResponse(as_csv(reports), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="algosystem-{reports[0].day.isoformat()}.csv"'
    return response


@login_required
@require_safe
def log_of_day(request: HttpRequest, day: str) -> HttpResponse:
    """One client's event log of the day as JSON lines, to be kept or checked elsewhere."""
    reports = _found(request, day)
    chain = EventChain.objects.filter(client_id=reports[0].client_id).first()
    if len(reports) != 1 or chain is None:
        raise Http404("no log of one client")
    at = reports[0].day
    text = "".join(export_lines(chain, first=at, last=at))
    response = HttpResponse(text, content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="event-log-{at.isoformat()}.jsonl"'
    return response


def _found(request: HttpRequest, day: str) -> list[DayReport]:
    """Give the reports asked for; a day or client that is none, or somebody else's, is a 404."""
    client = request.GET.get("client", "")
    try:
        reports = reports_of_day(the_user(request), date.fromisoformat(day), row_id(client) if client else None)
    except ValueError as error:
        raise Http404("no such day") from error
    if not reports:
        raise Http404("no report of that day")
    return reports


def _query(request: HttpRequest) -> str:
    client = request.GET.get("client", "")
    return f"?client={client}" if client else ""
