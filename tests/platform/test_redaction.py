"""No token, password or one-time code reaches the log."""

import logging
import sys

import pytest

from algosystem.redaction import DEMO_MAIL_LOGGER, HIDDEN, RedactingFormatter, redact


@pytest.mark.parametrize(
    "line",
    [
        "callback /broker/kite/callback/?status=success&request_token=S3CR3TVALUE&action=login",
        "headers {'Authorization': 'token kitekey:S3CR3TVALUE'}",
        "Authorization: Bearer S3CR3TVALUE",
        '{"access_token": "S3CR3TVALUE", "user_id": "AB1001"}',
        "api_secret=S3CR3TVALUE",
        "password: S3CR3TVALUE",
        "totp=S3CR3TVALUE",
        "connected to redis://:S3CR3TVALUE@127.0.0.1:6379/0",
        "connected to postgresql://algo:S3CR3TVALUE@db/algo",
        "wss://ws.example/?api_key=k&access_token=S3CR3TVALUE",
        "Cookie: sessionid=S3CR3TVALUE; csrftoken=S3CR3TVALUE",
        "stored gAAAAABmS3CR3TVALUES3CR3TVALUES3CR3TVALUE==",
        "checksum=S3CR3TVALUE",
        "sent with token kitekey:S3CR3TVALUE to the broker",
        "sent with Bearer S3CR3TVALUES3CR3TVALUE",
        "KITE_API_SECRET=S3CR3TVALUE",
    ],
)
def test_a_secret_is_hidden_by_its_look(line: str) -> None:
    shown = redact(line)

    assert "S3CR3TVALUE" not in shown
    assert HIDDEN in shown


def test_a_one_time_code_is_hidden() -> None:
    assert redact("your code is 1234-5678.") == f"your code is {HIDDEN}."


@pytest.mark.parametrize(
    "line",
    [
        "instruments day=2026-11-23 count=98214",
        "client=3 account=kite:AB1001 tag=ABCDEFGHJKLMNP order_id=260523000000001",
        "tick token=738561 ltp=1487.35",
        "denied code=DAILY_LOSS limit=25000",
        "exchange-3f2a at http://127.0.0.1:9001",
        "token=None",
    ],
)
def test_what_a_trader_needs_stays_readable(line: str) -> None:
    assert redact(line) == line


def record(name: str, text: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.INFO, __file__, 1, text, args, info)


def test_arguments_and_tracebacks_are_redacted_too() -> None:
    formatter = RedactingFormatter("%(message)s", known=["the-very-secret-key"])

    try:
        raise ValueError("refused access_token=S3CR3TVALUE and the-very-secret-key")
    except ValueError:
        failed = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "with %s", ("password=S3CR3TVALUE",), sys.exc_info()
        )
    shown = formatter.format(failed)

    assert "Traceback" in shown
    assert "S3CR3TVALUE" not in shown
    assert "the-very-secret-key" not in shown


def test_only_the_demos_mailbox_shows_codes_and_only_in_the_demo() -> None:
    demo = RedactingFormatter("%(message)s", show_demo_codes=True)
    live = RedactingFormatter("%(message)s", show_demo_codes=False)

    assert "1234-5678" in demo.format(record(DEMO_MAIL_LOGGER, "code %s", "1234-5678"))
    assert "1234-5678" not in demo.format(record("trading.web", "code %s", "1234-5678"))
    assert "1234-5678" not in live.format(record(DEMO_MAIL_LOGGER, "code %s", "1234-5678"))
