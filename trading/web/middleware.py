"""Headers of pages that only their owner may see, and of those that ask to wait."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

TOO_MANY_REQUESTS, RETRY_AFTER_S = 429, "60"


class PrivatePages:
    """Forbids browsers and proxies to keep pages of a signed-in person, and all pages around signing in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated or request.path.startswith("/accounts/"):
            response["Cache-Control"] = "no-store, private"
        if response.status_code == TOO_MANY_REQUESTS:
            response.setdefault("Retry-After", RETRY_AFTER_S)
        return response
