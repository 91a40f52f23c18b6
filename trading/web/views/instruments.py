"""The operator's page of one instrument of which the broker's list says something else than is known here."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trading.domain.errors import RiskDenied
from trading.domain.instrument_facts import change_words
from trading.models import InstrumentRow
from trading.services import wiring
from trading.services.instrument_facts import lines_out_of_lot, take_facts
from trading.web.access import needs_step_up, row_id, the_operator
from trading.web.raise_forms import RaiseForm


@needs_step_up
def take(request: HttpRequest, instrument: int) -> HttpResponse:
    """Take over what the list says, with a reason and the symbol typed."""
    by = the_operator(request)
    row = InstrumentRow.objects.filter(pk=row_id(str(instrument))).first()
    if row is None or not row.changes or request.method not in ("GET", "POST"):
        raise Http404("nothing of this instrument waits for anybody")
    form = RaiseForm(request.POST or None, expected=row.tradingsymbol)
    if request.method == "POST" and form.is_valid():
        try:
            row = take_facts(
                row.pk, form.cleaned_data["reason"], seen=form.cleaned_data["seen"], by=by, clock=wiring.clock()
            )
        except RiskDenied as denied:
            text = str(denied)
            form.add_error(None, f"{text[:1].upper()}{text[1:]}.")
        else:
            messages.success(request, _outcome(row))
            return redirect("operator")
    context = {"form": form, "row": row, "words": change_words(row.changes)}
    return render(request, "operator/instrument.html", context)


def _outcome(row: InstrumentRow) -> str:
    odd = lines_out_of_lot(row)
    more = f" The quantity of {odd} of its lines is no multiple of the lot of {row.lot_size}: change it." if odd else ""
    return f"{row.key} may be entered again.{more}"
