"""Day reports: the client's own, the operator's of everybody, and the CSV."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import DAY
from tests.web.conftest import text_of
from trading.models import Client, DayReport, User

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
LINE = {
    "instrument": "NSE:INFY",
    "fills": 4,
    "bought": "149000.00",
    "sold": "150234.50",
    "open_quantity": 0,
    "realised_pnl": "1234.50",
}


def report(owner: Client, **data: Any) -> DayReport:
    known = {
        "day": DAY.isoformat(),
        "client": owner.label,
        "realised_pnl": "1234.50",
        "orders": 3,
        "refused": 1,
        "instruments": [LINE],
        "is_flat": True,
    }
    return DayReport.objects.create(client=owner, day=DAY, data={**known, **data})


def rows_of(reply: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(reply))))


def test_a_client_reads_the_own_day(alice: Client, signed_in: SignedIn) -> None:
    report(alice)
    browser = signed_in(alice)

    assert "+₹1,234.50" in text_of(browser.get("/reports/"))
    page = text_of(browser.get("/reports/2026-11-23/"))
    assert "₹1,50,234.50" in page
    assert "everything closed" in page


def test_what_is_still_open_is_said_first(alice: Client, signed_in: SignedIn) -> None:
    report(alice, is_flat=False, instruments=[{**LINE, "open_quantity": -25}])

    page = text_of(signed_in(alice).get("/reports/2026-11-23/"))

    assert "not everything closed" in page
    assert "-25" in page


def test_charlie_gets_404_for_alices_day(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    report(alice)
    browser = signed_in(charlie)

    assert browser.get("/reports/2026-11-23/").status_code == 404
    assert browser.get(f"/reports/2026-11-23/?client={alice.pk}").status_code == 404
    assert browser.get("/reports/2026-11-23/report.csv").status_code == 404
    assert "alice" not in text_of(browser.get("/reports/"))


def test_charlie_with_a_report_of_the_same_day_sees_only_that(
    alice: Client, charlie: Client, signed_in: SignedIn
) -> None:
    report(alice)
    report(charlie)
    browser = signed_in(charlie)

    assert {row["client"] for row in rows_of(browser.get("/reports/2026-11-23/report.csv"))} == {charlie.label}
    assert "alice" not in text_of(browser.get("/reports/2026-11-23/"))


def test_the_operator_sees_all_clients_and_one_of_them(
    alice: Client, charlie: Client, bob: User, signed_in: SignedIn
) -> None:
    report(alice)
    report(charlie)
    browser = signed_in(bob)

    assert len(rows_of(browser.get("/reports/2026-11-23/report.csv"))) == 2
    assert [row["client"] for row in rows_of(browser.get(f"/reports/2026-11-23/report.csv?client={alice.pk}"))] == [
        alice.label
    ]
    assert alice.label in text_of(browser.get("/reports/"))


def test_the_csv_keeps_negative_figures_as_numbers_and_disarms_formulas(alice: Client, signed_in: SignedIn) -> None:
    report(alice, client="=HYPERLINK(1)", instruments=[{**LINE, "realised_pnl": "-12.05"}])

    reply = signed_in(alice).get("/reports/2026-11-23/report.csv")

    assert reply["Content-Type"].startswith("text/csv")
    assert "algosystem-2026-11-23.csv" in reply["Content-Disposition"]
    row = rows_of(reply)[0]
    assert row["realised_pnl"] == "-12.05"
    assert row["client"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("path", ["2026-11-99/", "yesterday/", "2026-11-23/?client=x"])
def test_a_day_that_is_none_is_not_found(alice: Client, signed_in: SignedIn, path: str) -> None:
    report(alice)

    assert signed_in(alice).get(f"/reports/{path}").status_code == 404


def test_without_reports_the_page_says_when_the_first_comes(alice: Client, signed_in: SignedIn) -> None:
    assert "After 15:40" in text_of(signed_in(alice).get("/reports/"))
