"""`stack check`: what it says about the broker and the clock, one plain sentence each."""

import socket

import pytest
import responses
from pytest_django.fixtures import Settings

from tests.web.seed import ControlPort
from trading.stack import checkup

KITE = "https://kite.example"


@pytest.fixture(autouse=True)
def _live(settings: Settings) -> None:
    settings.KITE_ROOT = KITE
    settings.ALGO_CONTROL_URL = ""


@responses.activate
def test_a_broker_that_answers_is_well_whatever_its_root_page_says() -> None:
    responses.get(KITE, status=404)

    assert checkup.broker() == checkup.Finding("broker", is_ok=True, detail=f"{KITE} answers")


@responses.activate
def test_a_broker_in_trouble_is_named_with_its_answer() -> None:
    responses.get(KITE, status=503)

    finding = checkup.broker()

    assert not finding.is_ok
    assert finding.detail == f"{KITE} is in trouble: it answered with HTTP 503"


def test_an_unreachable_broker_is_one_sentence_with_the_remedy(settings: Settings) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{nobody_listens.getsockname()[1]}"
        settings.KITE_ROOT = f"http://{host}"

        finding = checkup.broker()

    assert not finding.is_ok
    assert finding.detail == f"{host} could not be reached: check this machine's network and KITE_ROOT"


@responses.activate
def test_a_machine_whose_clock_is_wrong_is_told_to_set_up_ntp() -> None:
    responses.head(KITE, headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})

    finding = checkup.clock()

    assert not finding.is_ok
    assert "set up NTP" in finding.detail


def test_the_simulated_markets_time_is_told_in_india(settings: Settings) -> None:
    port = ControlPort()
    settings.ALGO_CONTROL_URL = port.url
    finding = checkup.clock()
    port.close()

    assert finding.is_ok
    assert finding.detail.endswith("2026-11-23 10:42:07 IST")


PAPER = "http://127.0.0.1:8903"


@responses.activate
@pytest.mark.parametrize(
    ("said", "is_ok", "detail"),
    [
        ({"live": True, "feed": {"connected": True, "instruments": 4, "newest": "T"}}, True, "fed, 4 instruments"),
        ({"live": True, "feed": {"connected": False, "instruments": 4, "newest": "T"}}, False, "no ticker feeds it"),
        ({"step": 4}, False, "it makes its own prices: start it with"),
    ],
)
def test_the_paper_exchange_says_whether_it_is_fed(
    settings: Settings, said: dict[str, object], is_ok: bool, detail: str
) -> None:
    settings.PAPER_CONTROL_URL = PAPER
    responses.get(f"{PAPER}/clock", json=said)

    finding = checkup.paper_exchange()

    assert (finding.is_ok, detail in finding.detail) == (is_ok, True), finding


@responses.activate
def test_a_paper_exchange_that_is_away_is_named(settings: Settings) -> None:
    settings.PAPER_CONTROL_URL = PAPER

    assert checkup.paper_exchange().detail == f"{PAPER} does not answer"
