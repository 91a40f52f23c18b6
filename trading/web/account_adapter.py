"""Where django-allauth meets our house: mails go through the outbox, errors are said kindly."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from trading.models import User
from trading.services import mail, people
from trading.web.access import note_presence
from trading.web.context import url_of


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Queues mails instead of sending them in the request, and decides where people land."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail address and password do not fit together.",
        "incorrect_code": "That is not the code of the last mail.",
        "too_many_login_attempts": "Too many wrong tries. Sign in for a new code; if refused, wait five minutes.",
        "rate_limited": "That was asked for too often in a short time. Wait a minute and try again.",
        "unknown_email": "No account has this address.",
        "email_taken": "This address has an account already. Sign in, or ask for a new password.",
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render now, put into the outbox, let a worker send it. See services.mail."""
        message = self.render_mail(template_prefix, email, {"request": self.request, "email": email, **context})
        mail.queue_mail(recipient=email, subject=str(message.subject), body=str(message.body))

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in; whoever just did needs no further proof for a while (`access.needs_step_up`)."""
        super().login(request, user)
        note_presence(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """A client who has not begun lands on the checklist, everybody else on the desk."""
        return url_of(people.landing_name(request.user)) or reverse("settings")

    get_signup_redirect_url = get_login_redirect_url

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failed sign-ins by account and address together: nobody can lock a client out from elsewhere."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"
