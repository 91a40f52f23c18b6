"""Celery: JSON only, market time zone, two queues, no results, and mail."""

import ssl

from algosystem import env
from algosystem.settings.base import IS_DEMO, REDIS_URL, TIME_ZONE

CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("rediss://"):
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}  # kombu alone would take any certificate
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # seconds; longer than the longest task
    # A connection that a firewall or a dead machine left half-open would hang a publish, and with it Beat, for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"trading.tasks.send_mail": {"queue": "notify"}}
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"default": {}, "notify": {}}
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # our handler hides secrets; Celery's own would not
CELERY_BEAT_SCHEDULER = "trading.beat:MarketScheduler"
CELERY_IMPORTS = ("trading.beat",)  # its signal tells Beat, out of the worker, that a task ended

DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "AlgoSystem <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_HOST = env.text("MAIL_HOST", "localhost")
EMAIL_PORT = env.integer("MAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("MAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("MAIL_PASSWORD", "")
EMAIL_USE_TLS = env.flag("MAIL_TLS", default=True)
EMAIL_TIMEOUT = 20  # seconds
EMAIL_BACKEND = f"django.core.mail.backends.{'dummy' if IS_DEMO else 'smtp'}.EmailBackend"

# Alarms leave by the page, by mail to those whom they concern, and to these; see docs/alarms.md.
ALARM_MAIL_TO = env.words("ALARM_MAIL_TO", [])
ALARM_PROGRAM = env.text("ALARM_PROGRAM", "")
ALARM_PING_URL = env.url("ALARM_PING_URL", "", schemes=("https", "http"))
