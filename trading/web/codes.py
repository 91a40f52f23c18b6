"""One-time codes are kept as keyed hashes only.

django-allauth puts a fresh code into the session as plain text. `HashedCodes` replaces it before the session
is stored, so that neither the database nor Redis ever holds a code that could be typed in.
"""

from collections.abc import Callable

from allauth.account.internal.flows.email_verification_by_code import EMAIL_VERIFICATION_CODE_SESSION_KEY
from allauth.account.internal.flows.password_reset_by_code import PASSWORD_RESET_VERIFICATION_SESSION_KEY
from allauth.core.internal.cryptokit import normalize_user_code
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

SESSION_KEYS = (EMAIL_VERIFICATION_CODE_SESSION_KEY, PASSWORD_RESET_VERIFICATION_SESSION_KEY)
MARK = "hmac:"


def hash_code(code: str) -> str:
    """Give what is stored in place of a code. Hyphens and blanks do not count."""
    return MARK + salted_hmac("trading.one-time-code", normalize_user_code(code), algorithm="sha256").hexdigest()


def is_code(typed: str, stored: str) -> bool:
    """Say whether a typed code is the stored one; false for anything that is no hash."""
    return stored.startswith(MARK) and constant_time_compare(hash_code(typed), stored)


class HashedCodes:
    """Middleware; must stand inside SessionMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for key in SESSION_KEYS:
            pending = request.session.get(key) if request.session.accessed else None
            if pending and pending.get("code") and not pending["code"].startswith(MARK):
                request.session[key] = {**pending, "code": hash_code(pending["code"])}
        return response
