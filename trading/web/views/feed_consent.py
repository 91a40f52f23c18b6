"""Settings: whose prices everybody sees, and whether the holder has agreed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trading.domain.errors import RiskDenied
from trading.models import FeedAccount
from trading.services import consent, wiring
from trading.web.access import needs_step_up, the_user


@needs_step_up
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the consents; the holder gives or withdraws, an operator may withdraw. Nobody else finds this page."""
    feed = consent.active_feed()
    user = the_user(request)
    is_holder = feed is not None and feed.account.owner_id == user.pk
    if not (user.is_operator or is_holder):
        raise Http404("this person has nothing to do with the feed")
    if request.method == "POST":
        if feed is None:
            raise Http404("there is no feed")
        _act(request, feed)
        return redirect("settings-feed")
    context = {
        "section": "feed",
        "feed": feed,
        "is_holder": is_holder,
        "standing": consent.standing_consent(feed) if feed else None,
        "history": feed.consents.select_related("given_by").order_by("-given_at") if feed else (),
        "text": consent.CONSENT_TEXT,
    }
    return render(request, "settings/feed.html", context)


def _act(request: HttpRequest, feed: FeedAccount) -> None:
    by, clock = the_user(request), wiring.clock()
    if request.POST.get("action") == "withdraw":
        try:
            consent.withdraw(feed, by=by, clock=clock)
        except RiskDenied as denied:
            messages.warning(request, f"Nothing was changed: {denied}.")
        else:
            messages.success(request, "Withdrawn. Only the holder's own instruments are asked for from now on.")
    elif request.POST.get("action") == "give" and request.POST.get("agree") == "yes":
        consent.give(feed, by=by, clock=clock)
        messages.success(request, "Recorded. The clients of this installation see these prices.")
    elif request.POST.get("action") == "give":
        messages.error(request, "Not recorded: tick that you agree.")
    else:
        raise PermissionDenied("give or withdraw")
