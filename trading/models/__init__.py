"""The tables, a file an aggregate. Trading rules are in `domain`; nothing here decides."""

from trading.models.accounts import AccountControl, BrokerAccount, BrokerName, FeedAccount, FeedConsent
from trading.models.audit import EventChain, EventLog
from trading.models.calendar import OperatorDay, OperatorSession, OperatorYear
from trading.models.engine import CommandRow, LadderState, LadderStop, Lease
from trading.models.house import House, Venue
from trading.models.instruments import DayRange, InstrumentDump, InstrumentRow, OpeningRange
from trading.models.mail import OutgoingMail
from trading.models.orders import Fill, OrderIntentRow
from trading.models.people import Client, ClientMode, User
from trading.models.results import Alarm, DayReport, PnlPoint
from trading.models.secret import Secret, SecretField, SecretRefused
from trading.models.strategies import AccountStrategy, Strategy, StrategyKind
from trading.models.watchlist import QuantityMode, WatchItem

__all__ = [
    "AccountControl",
    "AccountStrategy",
    "Alarm",
    "BrokerAccount",
    "BrokerName",
    "Client",
    "ClientMode",
    "CommandRow",
    "DayRange",
    "DayReport",
    "EventChain",
    "EventLog",
    "FeedAccount",
    "FeedConsent",
    "Fill",
    "House",
    "InstrumentDump",
    "InstrumentRow",
    "LadderState",
    "LadderStop",
    "Lease",
    "OpeningRange",
    "OperatorDay",
    "OperatorSession",
    "OperatorYear",
    "OrderIntentRow",
    "OutgoingMail",
    "PnlPoint",
    "QuantityMode",
    "Secret",
    "SecretField",
    "SecretRefused",
    "Strategy",
    "StrategyKind",
    "User",
    "Venue",
    "WatchItem",
]
