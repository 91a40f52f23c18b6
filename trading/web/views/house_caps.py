"""The operator's page of the house's caps."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trading.models import House
from trading.models.house import ONLY_ROW
from trading.services import wiring
from trading.services.caps import save_house_caps, stopped_ladders
from trading.services.limits import LimitsRefused
from trading.web.access import needs_step_up, the_operator
from trading.web.forms import HouseCapsForm


@needs_step_up
def show(request: HttpRequest) -> HttpResponse:
    """What no client's entry may exceed."""
    by = the_operator(request)
    form = HouseCapsForm(request.POST or None, instance=House.objects.filter(pk=ONLY_ROW).first() or House())
    if request.method == "POST" and form.is_valid():
        try:
            save_house_caps(form.cleaned_data, by=by, clock=wiring.clock())
        except LimitsRefused as refused:
            for name, problem in refused.problems.items():
                form.add_error(name, f"This {problem}.")
        else:
            messages.success(request, "The house's caps hold from now on.")
            return redirect("operator-caps")
    return render(request, "operator/caps.html", {"form": form, "stops": stopped_ladders(None)})
