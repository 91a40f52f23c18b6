"""How orders may leave: I1, I2, I3, I13, I14, I15, I16, I19, I27."""

from collections import Counter, defaultdict, deque
from decimal import Decimal

from trading.domain.money import from_scaled
from trading.domain.orders import IntentState, OrderIntent, OrderStatus, Purpose
from trading.simulation.referee.case import Case, Judge, Place, Sent
from trading.simulation.requests import Request

MOST_A_SECOND, MOST_A_MINUTE = 8, 300
MOST_CHANGES = 25
MOST_SENDS = 5
"""Orders of one purpose in a row without a person being called (I27)."""
OWED_S = 3.0
"""Wire seconds after its last refusal in which the database may still lack what is owed to it."""
PROVES_EXIT_S = 5.0
"""Wire seconds from the first to the last clean read of the book before an exit leaves anew: 10 as the engine asks
them. The first may come to the broker 5 later: behind another read, each 2 late (F55), when the budget has room."""
UNDECIDED = frozenset({IntentState.SENDING, IntentState.IN_DOUBT})


class Sending(Judge):
    """Looks at every order when an engine gives it to its adapter."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._changes: Counter[str] = Counter()
        self._epoch = 0
        self._entries: defaultdict[int, set[str]] = defaultdict(set)

    def asked(self, process: str, name: str, account: str, subject: object) -> None:
        """Judge one call that changes something."""
        if name not in ("place", "modify", "cancel"):
            return
        self._writer(process, name, account)
        self._rate(account)
        if isinstance(subject, OrderIntent):
            self._resent(subject)
            self._gated(subject)
            self._effort(subject)
            if not subject.key.purpose.is_exit:
                self._entry(process, subject)

    def _writer(self, process: str, name: str, account: str) -> None:
        """One speaker an account: who holds the lease, or still the account's lock, without which no other begins."""
        lease, owner = self.case.store.leases.get("main"), self.case.owner_of(account)
        holds = owner == process or (owner == "" and lease is not None and lease.holder.endswith(process))
        told = f"the lease is {lease.holder if lease else 'nobody'}'s, the account's lock {owner or 'nobody'}'s"
        self.case.check("I14", holds=holds, otherwise=f"{process} sends {name} for {account}: {told}")

    def claimed(self, intent: OrderIntent, epoch: int) -> None:
        """No claim is committed under another epoch than the lease's own."""
        lease = self.case.store.leases.get("main")
        holds = lease is not None and lease.epoch == epoch and epoch >= self._epoch
        self._epoch = max(self._epoch, epoch)
        words = f"{intent.key.text()} was claimed under epoch {epoch}, the lease has {lease.epoch if lease else None}"
        self.case.check("I14", holds=holds, otherwise=words)

    def _rate(self, account: str) -> None:
        calls, now = self._calls[account], self.case.now()
        while calls and calls[0] <= now - 60.0:
            calls.popleft()
        calls.append(now)
        second = sum(1 for moment in calls if moment > now - 1.0 + 1e-6)
        words = f"{account} made {second} order calls in a second and {len(calls)} in a minute"
        self.case.check("I13", holds=second <= MOST_A_SECOND and len(calls) <= MOST_A_MINUTE, otherwise=words)

    def _resent(self, intent: OrderIntent) -> None:
        """No blind resend: an earlier order of the same want is decided, or proved absent by reads."""
        key = intent.key
        for tag, before in self.case.sent.items():
            other = before.intent.key
            if tag == intent.tag or (other.account, other.instrument) != (key.account, key.instrument):
                continue
            is_same_kind = other.purpose.is_exit == key.purpose.is_exit
            if is_same_kind:
                self._decided(intent, before)
            is_entered = not key.purpose.is_exit and not other.purpose.is_exit and other.position == key.position
            if is_entered and key.slice <= other.slice:  # its slices go out one after the other
                self.case.found("I3", f"{key.text()} enters again what {other.text()} entered")

    def _decided(self, intent: OrderIntent, before: Sent) -> None:
        case, state = self.case, self.case.state_of(before.intent)
        stored = self.case.store.intents.get(before.intent.tag)
        is_known = stored is not None and stored.order is not None
        named = f"{intent.key.text()} after {before.intent.key.text()}"
        # While the database is away what became of an order is owed to it: then the ledger's word counts, or the reads.
        is_over = any(o.tag == before.intent.tag and not o.is_live for o in case.orders_of(*_place(intent)))
        is_away = case.now() - case.store_troubled_at < OWED_S
        is_owed = state is IntentState.IN_DOUBT and is_away and not (is_known or is_over)
        # The database was not told yet that it is in doubt, or was refused: that its call is over is all that is known.
        is_untold = state is IntentState.SENDING and is_away and before.ended is not None
        holds = state not in UNDECIDED or is_known or is_over or is_owed or is_untold
        case.check("I3", holds=holds, otherwise=f"{named}, which is {state}")
        if state is not IntentState.ABSENT and not is_owed:
            return
        ended = before.ended if before.ended is not None else before.began
        reads = [read for read in case.reads if read.account == intent.key.account and read.began >= ended]
        clean = [read.began for read in reads if read.path == "/orders" and before.intent.tag not in read.tags]
        proved = bool(clean) and any(read.path == "/portfolio/positions" for read in reads)
        case.check("I3", holds=proved, otherwise=f"{named}: its absence was not read")
        over_s = max(clean, default=0.0) - min(clean, default=0.0)
        lasted = over_s >= PROVES_EXIT_S or not intent.key.purpose.is_exit
        case.check("I3", holds=lasted, otherwise=f"{named}: its absence was read over {over_s:.1f} s only")

    def _gated(self, intent: OrderIntent) -> None:
        exit_ = self.case.journaled(intent.key.account, intent.tag)
        verdicts = exit_.verdicts if exit_ else self.case.store.verdicts.get(intent.tag, ())
        holds = bool(verdicts) and all(verdict.get("ok") for verdict in verdicts)
        self.case.check("I19", holds=holds, otherwise=f"{intent.key.text()} left with the verdicts {verdicts}")

    def _effort(self, intent: OrderIntent) -> None:
        key = intent.key
        if not key.purpose.is_exit:
            return
        alike = [
            sent
            for sent in self.case.sent.values()
            if (sent.intent.key.account, sent.intent.key.instrument, sent.intent.key.position, sent.intent.key.purpose)
            == (key.account, key.instrument, key.position, key.purpose)
            and (key.purpose is not Purpose.TARGET or sent.intent.key.round % 100 == key.round % 100)
            and not self._gave_way(sent.intent)
        ]
        self.case.look("I27")
        if len(alike) < MOST_SENDS:
            return
        since = alike[-MOST_SENDS].alarms
        if not any(key.instrument in told.text for told in self.case.told[since:]):
            self.case.found("I27", f"{key.text()} is try {len(alike) + 1}, and nobody was called")

    def _gave_way(self, intent: OrderIntent) -> bool:
        """Say whether it is a stop that stood at the exchange and was taken away: not a try that came to nothing."""
        stored = self.case.store.intents.get(intent.tag)
        heard = stored.order if stored is not None else None
        return (
            intent.key.purpose is Purpose.DISASTER_STOP and heard is not None and heard.status is OrderStatus.CANCELLED
        )

    def _entry(self, process: str, intent: OrderIntent) -> None:
        case, key = self.case, intent.key
        known = (process, key.account) in case.reconciled
        case.check("I16", holds=known, otherwise=f"{key.text()} left before {process} had reconciled")
        policy = case.store.policies[case.client_of(key.account)]
        price = from_scaled(case.house.venue.market.quote(case.instruments[key.instrument].token).ltp)
        most = policy.max_order_value
        # The gate saw the price of a moment ago.
        fits = most is None or intent.quantity * price <= most * Decimal("1.3")
        case.check("I13", holds=fits, otherwise=f"{key.text()}: {intent.quantity} at {price} are more than {most}")
        mine = self._entries[policy.client_id]
        if not key.slice:
            mine.add(intent.tag)
        trades = policy.max_trades_per_day
        words = f"{key.text()} is entry {len(mine)} of at most {trades}"
        case.check("I13", holds=trades is None or len(mine) <= trades, otherwise=words)

    def arrives(self, account: str, request: Request) -> None:
        """Judge an order at the moment at which the broker receives it."""
        if request.method == "PUT":
            self._changes[request.path] += 1
            words = f"{request.path} of {account} is changed for the {self._changes[request.path]}th time"
            self.case.check("I13", holds=self._changes[request.path] <= MOST_CHANGES, otherwise=words)
        if request.method != "POST":
            return
        case, tag = self.case, request.form.get("tag", "")
        before = case.arrived.get(tag)
        case.check("I1", holds=before is None, otherwise=f"{tag} came twice, {case.now() - (before or 0):.2f} s apart")
        stored, exit_ = case.store.intents.get(tag), case.journaled(account, tag)
        found = exit_ or stored
        if found is None:
            case.check("I2", holds=False, otherwise=f"an order {tag} of {account} was sent that is not written down")
            return
        intent, key = found.intent, found.intent.key
        is_journaled = exit_ is not None and key.purpose.is_exit
        is_claimed = tag in case.epochs or case.came_home(tag)
        written = is_journaled or (found.state not in (IntentState.NEW, IntentState.DENIED) and is_claimed)
        case.check("I2", holds=written, otherwise=f"{key.text()} was sent while it was {found.state}")
        same = (
            request.form["transaction_type"] == intent.side
            and int(request.form["quantity"]) == intent.quantity
            and f"{request.form['exchange']}:{request.form['tradingsymbol']}" == key.instrument
        )
        case.check("I1", holds=same, otherwise=f"{key.text()} was sent as {dict(request.form)}")
        case.check("I15", holds=key.account == account, otherwise=f"{key.text()} went out by {account}")


def _place(intent: OrderIntent) -> Place:
    return intent.key.account, intent.key.instrument
