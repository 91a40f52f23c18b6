"""Cookies, headers and the content security policy."""

from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from algosystem import env
from algosystem.settings.base import KITE_LOGIN_ROOT, PAPER_LOGIN_ROOT, PRODUCTION

SESSION_ENGINE = "django.contrib.sessions.backends.db"  # the kill switch must answer while Redis is away
SESSION_COOKIE_AGE = 12 * 3600  # one trading day, then sign in again
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = "Lax"  # the broker's login page sends the client back by a link
SESSION_COOKIE_NAME = "__Host-sessionid" if PRODUCTION else "sessionid"
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrftoken" if PRODUCTION else "csrftoken"
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
if env.flag("BEHIND_PROXY", default=False):
    # Only when the proxy in front always sets these two itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

_logins = [urlsplit(root) for root in (KITE_LOGIN_ROOT, PAPER_LOGIN_ROOT) if root]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # A form that is answered by a redirect to the broker's login page needs its origin here.
        "form-action": [SELF, *(f"{login.scheme}://{login.netloc}" for login in _logins)],
    },
}
