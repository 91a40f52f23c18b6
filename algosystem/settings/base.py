"""Paths, apps, database, Redis, templates, static files and the venue."""

from pathlib import Path

from redis.backoff import NoBackoff
from redis.retry import Retry

from algosystem import env
from algosystem.databases import database
from algosystem.keys import kept_keys

BASE_DIR = Path(__file__).resolve().parents[2]
STATE_DIR = Path(env.text("ALGO_STATE_DIR", str(BASE_DIR / "var"))).absolute()
LOCK_DIR = Path(env.text("ALGO_LOCK_DIR", str(STATE_DIR / "engine"))).absolute()
"""Lock files and exit journals of the accounts: on the machine's own disk, shared by strategy and sentinel."""
PRODUCTION = env.choice("ALGO_ENV", "development", ("development", "production")) == "production"
DEBUG = env.flag("DEBUG", default=False)

_needed = "in production no secret is made up; `manage.py make_keys` prints a pair"
_kept = {} if PRODUCTION else kept_keys(STATE_DIR)
SECRET_KEY = env.required("SECRET_KEY", why=_needed) if PRODUCTION else env.text("SECRET_KEY", _kept["SECRET_KEY"])
if PRODUCTION:
    env.required("FIELD_KEYS", why=_needed)
FIELD_KEYS = env.words("FIELD_KEYS", [_kept["FIELD_KEYS"]] if _kept else [])

# The venue: what is traded. A control address exists only beside a simulated exchange.
ALGO_VENUE = env.choice("ALGO_VENUE", "live", ("live", "demo", "paper"))
IS_DEMO = ALGO_VENUE == "demo"
IS_PAPER = ALGO_VENUE == "paper"
ALGO_RELEASE_NOW = env.flag("ALGO_RELEASE_NOW", default=False)
ALGO_CONTROL_URL = env.url("ALGO_CONTROL_URL", "", schemes=("http",))
KITE_ROOT = env.url("KITE_ROOT", "https://api.kite.trade", schemes=("https", "http"))
KITE_WS_ROOT = env.url("KITE_WS_ROOT", "wss://ws.kite.trade", schemes=("wss", "ws"))
KITE_LOGIN_ROOT = env.url("KITE_LOGIN_ROOT", "https://kite.zerodha.com/connect/login", schemes=("https", "http"))
"""The whole login address, as `KiteConnect._default_login_uri` has it."""

# The paper exchange (run_exchange --live). It is on this machine or nowhere: no paper order can leave it.
PAPER_ROOT = env.loopback_url("PAPER_ROOT", schemes=("http",))
PAPER_WS_ROOT = env.loopback_url("PAPER_WS_ROOT", schemes=("ws",))
PAPER_LOGIN_ROOT = env.loopback_url("PAPER_LOGIN_ROOT", schemes=("http",))
PAPER_CONTROL_URL = env.loopback_url("PAPER_CONTROL_URL", schemes=("http",))

PORT = env.integer("PORT", 8000, low=1, high=65535)
if PRODUCTION:
    _hosts = env.required("ALLOWED_HOSTS", why="in production the host names are named, without *")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "trading",  # before staticfiles: its runserver serves ASGI
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "allauth",
    "allauth.account",
    "django_celery_beat",
    "tailwind",
    "theme",
]
TAILWIND_APP_NAME = "theme"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trading.web.codes.HashedCodes",
    "trading.web.middleware.PrivatePages",
]
ROOT_URLCONF = "algosystem.urls"
ASGI_APPLICATION = "algosystem.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trading.web.context.frame",
            ],
        },
    },
]

DATABASES = {"default": database(env.text("DATABASE_URL", None), state_dir=STATE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if PRODUCTION:
    env.required("REDIS_URL", why="in production Redis is your own server; the embedded one belongs to run_stack")
REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        # Seconds, and one more try at once: a pooled connection may be dead without anybody having said so.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": Retry(NoBackoff(), 1)},
    },
}
CHANNEL_LAYERS = {
    "default": {
        # The pub/sub layer survives a Redis restart; the core layer forgets its groups.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "layer"},
    },
}

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", None)
# The built assets are committed, so they are served from where they lie; nothing has to be collected first.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
