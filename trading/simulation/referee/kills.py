"""The kill switch: I7."""

from trading.domain.orders import OrderIntent
from trading.exchange.venue.orders import Order, Status
from trading.simulation.referee.case import Case, Judge, Who
from trading.simulation.requests import Request

ON_THE_WIRE_S = 5.0
"""An order that was claimed before a kill may arrive so much later, wire seconds."""


class Kill(Judge):
    """Looks at entries after a kill, and at what was working when it was pressed."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._looked: set[tuple[str, Who]] = set()

    def claimed(self, intent: OrderIntent, epoch: int) -> None:
        """No entry is claimed once a kill is committed."""
        if intent.key.purpose.is_exit:
            return
        for who in self.case.whom(intent.key.account):
            if who in self.case.killed:
                words = f"{intent.key.text()} was claimed {self._since(self.case.killed[who]):.2f} s after a kill"
                self.case.check("I7", holds=False, otherwise=words)

    def asked(self, process: str, name: str, account: str, subject: object) -> None:
        """No entry is sent once a kill file is there."""
        if name != "place" or not isinstance(subject, OrderIntent) or subject.key.purpose.is_exit:
            return
        for who in self.case.whom(account):
            if who in self.case.killed_by_file:
                late = self._since(self.case.killed_by_file[who])
                words = f"{subject.key.text()} was sent {late:.2f} s after the kill file was there"
                self.case.check("I7", holds=False, otherwise=words)

    def arrives(self, account: str, request: Request) -> None:
        """Nor does one arrive long after a kill."""
        stored = self.case.store.intents.get(request.form.get("tag", ""))
        if request.method != "POST" or stored is None or stored.intent.key.purpose.is_exit:
            return
        for who in self.case.whom(account):
            if who in self.case.killed:
                late = self._since(self.case.killed[who])
                words = f"{stored.intent.key.text()} arrived {late:.2f} s after the kill"
                self.case.check("I7", holds=late <= ON_THE_WIRE_S, otherwise=words)

    def stepped(self) -> None:
        """Working entries are gone, or asked to go, 5 s after a kill that nothing hindered."""
        presses = [("row", self.case.killed), ("file", self.case.killed_by_file)]
        for kind, pressed in presses:
            for who, at in pressed.items():
                late = self._since(at)
                if (kind, who) in self._looked or late < ON_THE_WIRE_S:
                    continue
                self._looked.add((kind, who))
                self.case.look("I7")
                if self.case.is_calm(late + 2.0):
                    self._working(who, at)

    def _working(self, who: Who, at: float) -> None:
        case = self.case
        places = [
            (account, key) for account in case.store.accounts for key in case.instruments if who in case.whom(account)
        ]
        for order in (order for place in places for order in case.orders_of(*place)):
            if not case.is_ours(order) or self._is_exit(order) or case.arrived[order.tag] > at:
                continue
            ends = not order.is_live or order.wants_cancel or order.status is Status.OPEN_PENDING  # F27: beyond reach
            case.check("I7", holds=ends, otherwise=f"{order.tag} still works {ON_THE_WIRE_S} s after a kill")

    def _is_exit(self, order: Order) -> bool:
        return self.case.sent[order.tag].intent.key.purpose.is_exit

    def _since(self, moment: float) -> float:
        return self.case.now() - moment
