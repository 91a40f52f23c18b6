"""The course of one simulated day: its steps, its troubles at their moments, and the calm at its end."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from random import Random

from trading.domain.control import CommandKind
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import IntentState
from trading.exchange.faults.rules import parse_rule
from trading.simulation.fates import Fates
from trading.simulation.prices import Step, steps_of
from trading.simulation.referee.case import Who
from trading.simulation.troubles import Trouble
from trading.simulation.unheard import Unheard
from trading.simulation.weather import Weather
from trading.simulation.world import DAY, World

QUICK_STEP_S = 0.4
"""Wire seconds that a step of the quiet hours lasts."""
LONGEST_STEP_S = 30.0
SETTLES_S, PROVES_S = 15.0, 200.0
"""Wire seconds after the last step, with all troubles gone: an entry's absence takes 120 to prove."""
UNSETTLED = frozenset({IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT})
READS = frozenset({"load_book", "copy_book", "control", "observe"})
STEPS_ARE_OVER = 10_000
"""A step later than any of a day."""


class Course:
    """Plays one world's day under one weather. `struck` counts, by fault, how often it was really in the way."""

    def __init__(self, seed: int, world: World, weather: Weather) -> None:
        self._seed = seed
        self._world = world
        self._weather = weather
        self._rng = Random(f"{seed}:course")  # noqa: S311 - the same seed gives the same day
        self.struck: Counter[str] = Counter()
        self._fault_of_rule: dict[int, str] = {}
        self._strikes_seen = 0
        self._store: dict[str, str] = {}
        """How the database is in trouble now, by fault."""
        self._armed: list[Trouble] = []
        """Kills that wait for the next entry: they are pressed between its gate and its claim."""
        self._fates = Fates(world)
        self._is_unheard = False
        self._unheard = Unheard(world.store, world.clock, world.case.told)
        world.before_store = self._before_store
        world.at_claim = self._at_claim
        world.answers.note = self._note
        self._deeds: dict[str, Callable[[Trouble], None]] = {
            "crash": self._fates.crash,
            "freeze": self._fates.freeze,
            "kill": self._kill,
            "kill_file": self._kill_file,
            "commands": self._commands,
            "disable": self._disable,
            "config": self._config,
            "dead_token": self._dead_token,
            "wall_clock": self._wall_clock,
            "unanswered": world.answers.arm,
        }

    async def play(self) -> None:
        """Play the day to its end."""
        world = self._world
        self._put_rules_in_force()
        world.start_engine()
        if self._weather.shape.has_standby:
            world.start_engine(standby=True)
        await world.clock.sleep(1.0)
        before = world.clock.now()
        prices = Random(f"{self._seed}:prices")  # noqa: S311
        for number, step in enumerate(steps_of(DAY, prices, world.ranges)):
            self._begin_troubles(number)
            self._move(step)
            await world.clock.sleep(self._lasts_s(step, before))
            before = step.at
            self._note_strikes()
            world.referee.stepped()
            await self._fates.replace_the_dead(number)
        self._calm()
        await self._settle()
        world.referee.ended()
        for process in list(world.processes):
            await process.stop()

    def _lasts_s(self, step: Step, before: datetime) -> float:
        """Give the wire seconds of a step: around the square-off those of the market, while anything is open or due."""
        slow = step.is_slow and not self._is_at_rest()
        passed = (step.at - before).total_seconds() if slow else QUICK_STEP_S
        return min(max(passed, QUICK_STEP_S), LONGEST_STEP_S)

    def _is_at_rest(self) -> bool:
        """Say whether nothing is open, nothing can fill and nothing is undecided, anywhere."""
        world = self._world
        if any(world.case.held.values()) or any(books.live for books in world.house.venue.books.accounts.values()):
            return False
        return not any(stored.state in UNSETTLED for stored in world.store.intents.values())

    def _move(self, step: Step) -> None:
        world = self._world
        world.clock.set(step.at)
        for token, price in step.trades:
            world.market.stage(token, price, self._rng.randrange(1, 400), step.at)
        world.house.move()

    def _note_strikes(self) -> None:
        """Tell the referee when a rule of the exchange has struck since the last step."""
        struck = self._world.house.faults.journal.last_number
        if struck != self._strikes_seen:
            self._strikes_seen = struck
            self._world.note_trouble()

    async def _settle(self) -> None:
        """Let everything come to rest, with all troubles gone."""
        world = self._world
        for _ in range(2):
            await world.clock.sleep(SETTLES_S)
            await self._fates.replace_the_dead(STEPS_ARE_OVER)
        waited_s = 0.0
        while waited_s < PROVES_S and any(one.state in UNSETTLED for one in world.store.intents.values()):
            await world.clock.sleep(SETTLES_S)
            waited_s += SETTLES_S

    # -- troubles ------------------------------------------------------------------------------------------------

    def _put_rules_in_force(self) -> None:
        for trouble in self._weather.troubles:
            for rule in trouble.values.get("rules", ()):
                (number,) = self._world.house.faults.enforce([parse_rule(rule)])
                self._fault_of_rule[number] = trouble.fault

    def _begin_troubles(self, number: int) -> None:
        self._store = {}
        self._world.answers.unsure_by = ""
        self._is_unheard = False
        self._world.before_broker = {}
        self._heal_pulse()
        for trouble in self._weather.troubles:
            values = trouble.values
            if "from" in values and values["from"] <= number < values["until"]:
                self._during(trouble)
            if values.get("at") == number:
                self._do(trouble)
            if trouble.what == "dead_token" and values["until"] == number:
                self._sign_in(values["user"])
        self._note_outage()
        self.struck["F57"] += self._unheard.look(is_silent=self._is_unheard)

    def _note_outage(self) -> None:
        """Tell the referee since when nothing can be stored or read."""
        case, is_away = self._world.case, "down" in self._store.values()
        case.away_since = (case.away_since or case.now()) if is_away else None

    def _do(self, trouble: Trouble) -> None:
        if trouble.values.get("armed"):
            self._armed.append(trouble)
        else:
            self.struck[trouble.fault] += trouble.what != "unanswered"  # it strikes when its call comes
            self._deeds[trouble.what](trouble)

    def _at_claim(self, tag: str) -> None:
        if self._armed and not self._world.store.intents[tag].intent.key.purpose.is_exit:
            trouble = self._armed.pop(0)
            self.struck[trouble.fault] += 1
            self._deeds[trouble.what](trouble)

    def _during(self, trouble: Trouble) -> None:
        if trouble.what == "store":
            self._store[trouble.fault] = trouble.values["how"]
            if trouble.values["how"] == "unsure":
                self._world.answers.unsure_by = trouble.fault
        elif trouble.what == "channels":
            self._is_unheard = True
        elif trouble.what == "pulse":
            self._disturb_pulse(trouble)
        elif trouble.what == "poison":

            async def poison(name: str) -> None:
                self.struck[trouble.fault] += 1
                self._world.note_trouble()
                raise RuntimeError(f"poison in {name}")

            self._world.before_broker[trouble.values["user"]] = poison

    def _disturb_pulse(self, trouble: Trouble) -> None:
        """Let the file of the sign of life be none that can be stamped, or none that can be read."""
        machine, how = self._world.machine, trouble.values["how"]
        self.struck[trouble.fault] += 1
        machine.takes_beats, machine.shows_beats = how != "stuck", how != "unreadable"
        self._world.note_trouble()

    def _heal_pulse(self) -> None:
        machine = self._world.machine
        if not (machine.takes_beats and machine.shows_beats):
            self._world.case.pulse_troubled_at = self._world.clock.monotonic()
        machine.takes_beats = machine.shows_beats = True

    async def _before_store(self, name: str) -> None:
        if self._fates.store_is_held and name not in READS:
            self._note("F46")
            await asyncio.sleep(5.0)
            raise StoreUnavailable("the database is locked by a process that stands still")
        for fault, how in list(self._store.items()):
            if how == "slow":
                self._note(fault)
                await asyncio.sleep(2.0 * self._rng.random())
            elif how == "locked" and name not in READS:
                self._note(fault)
                await asyncio.sleep(5.0)
                raise StoreUnavailable("the database is locked")
            elif how == "uncopied" and name == "copy_book":
                self._note(fault)
                raise StoreUnavailable("the day is too big to be copied now")
            elif how == "down" or (how == "full" and name not in READS):
                self._note(fault)
                raise StoreUnavailable(f"the database is {how}")

    def _note(self, fault: str) -> None:
        self.struck[fault] += 1
        self._world.case.store_troubled_at = self._world.clock.monotonic()
        self._world.note_trouble()

    def _kill(self, trouble: Trouble) -> None:
        """Press: the house, a client, or one account by its key. A database that is away takes no press."""
        world, who = self._world, trouble.values["who"]
        if {"down", "full", "locked"} & set(self._store.values()):
            return
        client = world.case.client_of(who) if isinstance(who, str) else who
        leave = trouble.values["leave"] if client else None
        world.store.press_kill(client, account_key=who if isinstance(who, str) else "", leave_positions=leave)
        world.case.killed.setdefault(who, world.clock.monotonic())

    def _kill_file(self, trouble: Trouble) -> None:
        """Touch a file in the kill directory; the database may be away."""
        world, name = self._world, trouble.values["name"]
        world.kill_files.touch(name, trouble.values["text"])
        whom: dict[str, Who] = {"house": None, "client:1": 1, "client:2": 2}
        who = whom.get(name, name.removeprefix("account:"))
        world.case.killed_by_file.setdefault(who, world.clock.monotonic())

    def _wall_clock(self, trouble: Trouble) -> None:
        self._world.clock.wall_is_off_s += trouble.values["by_s"]

    def _commands(self, trouble: Trouble) -> None:
        for _ in range(trouble.values["copies"]):
            for client in self._world.store.policies:
                self._world.store.add_command(CommandKind.SQUARE_OFF, client, {"only_due": True}, day=DAY)

    def _disable(self, trouble: Trouble) -> None:
        account = f"kite:{trouble.values['user']}"
        self._world.store.disabled_accounts.add(account)
        self._reload(self._world.store.accounts[account].client_id)

    def _config(self, trouble: Trouble) -> None:
        store = self._world.store
        for number, plan in enumerate(store.plans):
            if plan.account_key == "kite:AB1002" and plan.quantity is not None:
                store.plans[number] = replace(plan, quantity=plan.quantity * trouble.values["factor"])
        store.policies[2] = replace(store.policies[2], max_order_value=Decimal(50_000))
        self._reload(2)

    def _reload(self, client: int) -> None:
        self._world.store.add_command(CommandKind.RELOAD, client, {}, day=DAY)

    def _dead_token(self, trouble: Trouble) -> None:
        self._world.house.venue.invalidate_tokens(trouble.values["user"])
        self._world.house.feed.cut(trouble.values["user"])
        self._world.note_trouble()

    def _sign_in(self, user_id: str) -> None:
        self._world.tokens[user_id] = self._world.house.venue.issue_token(user_id)

    def _calm(self) -> None:
        """End every trouble; count which rules really struck."""
        world, faults = self._world, self._world.house.faults
        for number, fault in self._fault_of_rule.items():
            self.struck[fault] += faults.rules[number].injected
        if world.shape.is_unknown:
            self.struck["F60"] += 1
        if world.shape.future_lots:
            self.struck["F21"] += sum(1 for sent in world.case.sent.values() if sent.intent.key.slice)
        faults.clear()
        self._store = {}
        world.answers.calm()
        self._heal_pulse()
        self._note_outage()
        world.before_broker = {}
        world.house.venue.by_hand.thaw("")
        for user_id in world.tokens:
            self._sign_in(user_id)
        self._fates.calm()

    def counts(self) -> Mapping[str, int]:
        """Give how often each fault of the weather was in the way."""
        return {fault: self.struck[fault] for fault in self._weather.faults}
