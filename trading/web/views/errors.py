"""The page for a fault of ours: what it means for the money, and a reference that stands in the log too."""

import logging
import secrets

from django.http import HttpRequest, HttpResponseServerError
from django.template import loader

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Say what happened. Nothing is asked of the database, the session or the clock: one of them may be the fault."""
    reference = secrets.token_hex(4)
    logger.error("a page could not be made: reference=%s path=%s", reference, request.path)
    return HttpResponseServerError(loader.get_template("500.html").render({"reference": reference}))
