"""Day reports for the pages: who may see which, and the same as CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from trading.models import Client, DayReport, User

COLUMNS = ("day", "client", "instrument", "fills", "bought", "sold", "open_quantity", "realised_pnl")
DAYS_SHOWN = 260
"""About a year of sessions."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def visible_reports(user: User) -> list[DayReport]:
    """Give what a person may see, newest first: an operator all clients', a client their own."""
    return list(_visible(user).order_by("-day", "client__user__email")[:DAYS_SHOWN])


def reports_of_day(user: User, day: date, client_id: int | None = None) -> list[DayReport]:
    """Give a day's reports that a person may see; empty when there are none or they are somebody else's."""
    found = _visible(user).filter(day=day).order_by("client__user__email")
    return list(found if client_id is None else found.filter(client_id=client_id))


def as_csv(reports: Iterable[DayReport]) -> str:
    """Give one line an instrument; money in rupees before charges, quantities in units.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for report in reports:
        for line in report.data["instruments"]:
            known = {"day": report.day.isoformat(), "client": _plain(report.data["client"]), **line}
            known["instrument"] = _plain(line["instrument"])
            writer.writerow([known[column] for column in COLUMNS])
    return out.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _visible(user: User) -> "QuerySet[DayReport]":
    reports = DayReport.objects.select_related("client__user")
    return reports if user.is_operator else reports.filter(client__in=Client.objects.filter(user=user))
