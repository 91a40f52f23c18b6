"""Settings: the person's API tokens. A new one is shown once, on the answer that made it."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from trading.domain.errors import RiskDenied
from trading.models import ApiToken
from trading.services import tokens, wiring
from trading.services.tokens import Scope
from trading.web.access import needs_step_up, the_user


class TokenForm(forms.Form):
    """What a new token is called."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Where it is used, so that you know which one to revoke.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@needs_step_up
def settings_page(request: HttpRequest) -> HttpResponse:
    """List the valid tokens; a POST makes one and shows its text this once."""
    user, shown = the_user(request), None
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, text = tokens.make_token(user, form.cleaned_data["name"], [Scope.KILL], clock=wiring.clock())
        except RiskDenied as denied:
            form.add_error(None, f"{str(denied)[:1].upper()}{str(denied)[1:]}.")
        else:
            shown, form = {"name": made.name, "text": text}, TokenForm()
    context = {
        "section": "tokens",
        "form": form,
        "shown": shown,
        "tokens": tokens.valid_tokens(user, wiring.clock().wall()),
    }
    return render(request, "settings/tokens.html", context)


@needs_step_up
@require_POST
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    """End one of the person's own tokens. Somebody else's does not exist here: 404."""
    try:
        ended = tokens.revoke_token(the_user(request), token, clock=wiring.clock())
    except ApiToken.DoesNotExist as error:
        raise Http404("no such token") from error
    messages.success(request, f"The token {ended.name} is revoked: it works nowhere any more.")
    return redirect("settings-tokens")
