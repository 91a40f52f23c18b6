"""The real ways out: a mail server on a socket, and a program with one line of JSON."""

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.fakes.channels import FakeChannel
from tests.fakes.mail_server import MailServer
from trading.models import Channel
from trading.services.alarms import channels
from trading.services.alarms.channels import ChannelFailed, Sending, run_program, send_mail
from trading.services.alarms.message import Message

MESSAGE = Message(
    "NOT_FLAT",
    "25 NSE:INFY are open\nBcc: everybody@example.com",
    "alice@example.com",
    12,
    datetime(2026, 11, 23, 5, 32, tzinfo=UTC),
    datetime(2026, 11, 23, 5, 35, 9, tzinfo=UTC),
)


def program(tmp_path: Path, body: str) -> str:
    """Write a small program and give its command line."""
    script = tmp_path / "tell me.py"
    script.write_text(body)
    return shlex.join([sys.executable, str(script), "--desk"])


def test_a_mail_leaves_by_the_mail_server(settings: Settings) -> None:
    with MailServer() as server:
        settings.IS_DEMO = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False

        send_mail("bob@example.com", MESSAGE)

    assert [str(mail["To"]) for mail in server.kept] == ["bob@example.com"]
    assert "12 times since 11:02, last at 11:05:09." in server.texts_to("bob@example.com")[0]


def test_a_mail_server_that_refuses_is_an_error_and_not_a_delivery(settings: Settings) -> None:
    settings.IS_DEMO = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with pytest.raises(OSError, match="refused"):
        send_mail("bob@example.com", MESSAGE)


def test_the_program_gets_one_line_of_json_and_no_secret_of_the_environment(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-the-environment")
    answer = tmp_path / "answer.json"
    settings.ALARM_PROGRAM = program(
        tmp_path,
        f"import json, os, sys\nlines = sys.stdin.readlines()\n"
        f"open({str(answer)!r}, 'w').write(json.dumps([sys.argv[1:], lines, dict(os.environ)]))",
    )

    run_program("program", MESSAGE)

    arguments, lines, environment = json.loads(answer.read_text())
    assert arguments == ["--desk"]
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["code"], told["severity"], told["client"], told["count"]) == (
        "NOT_FLAT",
        "critical",
        "alice@example.com",
        12,
    )
    assert told["since"] == "2026-11-23T11:02:00+05:30"
    assert "canary-of-the-environment" not in json.dumps(environment)
    assert "PATH" in environment


def test_a_program_that_fails_says_why(settings: Settings, tmp_path: Path) -> None:
    settings.ALARM_PROGRAM = program(tmp_path, "import sys\nsys.exit('no route to the gateway')")

    with pytest.raises(ChannelFailed, match="ended with 1: no route to the gateway"):
        run_program("program", MESSAGE)


def test_a_program_that_hangs_is_ended_with_its_children(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "SENDS_WITHIN_S", 0.5)
    settings.ALARM_PROGRAM = "sh -c 'sleep 30 & sleep 30'"

    with pytest.raises(ChannelFailed, match="did not end"):
        run_program("program", MESSAGE)


def test_a_program_that_is_not_there_is_an_error(settings: Settings) -> None:
    settings.ALARM_PROGRAM = "/nowhere/tell-me"

    with pytest.raises(FileNotFoundError):
        run_program("program", MESSAGE)


def test_messages_that_hang_fill_their_own_channel_only() -> None:
    slow, quick = FakeChannel(), FakeChannel()
    slow.hangs = True
    hanging = [Sending(Channel.MAIL, slow, "bob", MESSAGE) for _ in range(channels.MOST_AT_ONCE + 1)]
    other = Sending(Channel.PROGRAM, quick, "program", MESSAGE)

    assert other.wait(10)
    assert other.error is None
    assert hanging[-1].error == "8 messages hang in this channel"
    assert not hanging[0].is_over
    slow.let_go()
    assert all(one.wait(10) for one in hanging)
