"""Hides secrets in log lines, whoever wrote the line and whatever library made the exception."""

import logging
import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
DEMO_MAIL_LOGGER = "trading.demo_mail"
"""The one logger whose lines keep one-time codes: the demo's mailbox in the log."""

_NAMES_OF_SECRETS = (
    r"(?:access|request|refresh|public|enc|feed|csrf|csrfmiddleware|jwt|auth|bearer)[_-]?token|enctoken|token"
    r"|api[_-]?secret|client[_-]?secret|secret[_-]?key|secret|field[_-]?keys?|pass(?:word|wd|code)?|pwd|pin"
    r"|totp(?:[_-]?secret)?|otp|twofa[_-]?value|one[_-]?time[_-]?code|checksum|authorization|cookie|set-cookie"
    r"|sessionid|session[_-]?key|x-privatekey"
)
# name=value, "name": "value", name: value; a bare `token` of digits only is an instrument.
_ASSIGNED = re.compile(
    rf"""(?P<name>(?<![A-Za-z0-9])(?:[\w-]*?[_-])?(?:{_NAMES_OF_SECRETS})(?:["']?))(?P<sep>\s*(?:=|:)\s*)"""
    r"""(?P<scheme>(?:token|bearer|basic)\s+)?(?P<value>"[^"]*"|'[^']*'|[^\s,;&"'<>)\]}]+)""",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\b(?P<scheme>bearer|basic|token)\s+(?P<value>[A-Za-z0-9._~+/=-]{4,}:?[A-Za-z0-9._~+/=-]{8,})", re.I
)
_URL_PASSWORD = re.compile(r"(?P<start>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE)
_FERNET = re.compile(r"gAAAA[A-Za-z0-9_-]{20,}={0,2}")
_ONE_TIME_CODE = re.compile(r"(?<![\d-])\d{4}-\d{4}(?![\d-])")


def redact(text: str, *, keep_codes: bool = False) -> str:
    """Replace what is secret by its look: named values, credentials in URLs, ciphertexts, one-time codes."""
    text = _URL_PASSWORD.sub(rf"\g<start>{HIDDEN}@", text)
    text = _ASSIGNED.sub(_hide_value, text)
    text = _HEADER.sub(rf"\g<scheme> {HIDDEN}", text)
    text = _FERNET.sub(HIDDEN, text)
    return text if keep_codes else _ONE_TIME_CODE.sub(HIDDEN, text)


def _hide_value(found: re.Match[str]) -> str:
    name, value = found["name"].strip("\"'").lower(), found["value"].strip("\"'")
    if not value or value in ("None", "null", HIDDEN) or (name.endswith("token") and value.isdecimal()):
        return found[0]
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['name']}{found['sep']}{quote}{HIDDEN}{quote}"


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and then hides secrets in the whole text.

    `known` are this installation's own secrets, hidden wherever they appear; very short ones are not looked for.
    """

    def __init__(self, *args: str, known: Iterable[str] = (), show_demo_codes: bool = False, **kwargs: str) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._known = tuple(secret for secret in known if len(secret) >= 8)
        self._show_demo_codes = show_demo_codes

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return redact(text, keep_codes=self._show_demo_codes and record.name == DEMO_MAIL_LOGGER)
