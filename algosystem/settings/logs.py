"""Logging: one line a record on standard output, secrets hidden."""

from urllib.parse import unquote, urlsplit

from algosystem import env
from algosystem.redaction import DEMO_MAIL_LOGGER
from algosystem.settings.base import DATABASES, FIELD_KEYS, IS_DEMO, REDIS_URL, SECRET_KEY

_level = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
_known = [
    SECRET_KEY,
    *FIELD_KEYS,
    str(DATABASES["default"].get("PASSWORD", "")),
    unquote(urlsplit(REDIS_URL).password or ""),
    env.text("MAIL_PASSWORD", ""),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "algosystem.redaction.RedactingFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%H:%M:%S",
            "known": _known,
            "show_demo_codes": IS_DEMO,
        },
    },
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {
        "django": {"level": _level},
        "celery": {"level": _level},
        "uvicorn": {"level": _level},
        "uvicorn.access": {"level": "WARNING"},
        "trading": {"level": _level},
        "algosystem": {"level": _level},
        DEMO_MAIL_LOGGER: {"level": "INFO"},
    },
}
