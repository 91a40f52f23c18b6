"""The kill switches of the pages: they work at the first press, without a question, also while Redis is away.

Every form names its press, so that a double click, a second tab or a POST sent again has one effect.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from trading.domain.control import KillPath
from trading.models import BrokerAccount, Client
from trading.services import control, wiring
from trading.web.access import own_account, own_client, press_of, row_id, the_user
from trading.web.context import url_of


@login_required
@require_POST
def own(request: HttpRequest) -> HttpResponse:
    """The client's own switch: all accounts."""
    _press(request, own_client(request))
    return redirect(url_of("dashboard") or "home")


@login_required
@require_POST
def of_account(request: HttpRequest, account: UUID) -> HttpResponse:
    """The switch of one of the client's accounts; the others go on."""
    row = own_account(request, account)
    _press(request, row.owner.client, row)
    messages.success(request, f"Kill switch pressed for {row.key}: no new entries there.")
    return redirect(url_of("dashboard") or "home")


@login_required
@require_POST
def by_operator(request: HttpRequest) -> HttpResponse:
    """The operator's switch: the whole house, or the one client that `client` names. Others get a 404."""
    if not the_user(request).is_operator:
        raise Http404("this person is no operator")
    chosen = request.POST.get("client", "")
    client = get_object_or_404(Client.objects.select_related("user"), pk=row_id(chosen)) if chosen else None
    _press(request, client)
    messages.success(request, f"Kill switch pressed for {client.label if client else 'everybody'}: no new entries.")
    return redirect(url_of("operator") or "home")


def _press(request: HttpRequest, client: Client | None, account: BrokerAccount | None = None) -> None:
    control.press_kill(
        client,
        the_user(request),
        account=account,
        clock=wiring.clock(),
        path=KillPath.PAGE,
        press=press_of(request),
        publisher=wiring.live_publisher(),
    )
