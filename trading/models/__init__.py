"""The tables, a file an aggregate. Trading rules are in `domain`; nothing here decides."""

from trading.models.accounts import AccountControl, BrokerAccount, BrokerName, FeedAccount, FeedConsent
from trading.models.alarms import Alarm, AlarmDelivery, Channel, DeliveryState, Heartbeat
from trading.models.audit import EventChain, EventLog
from trading.models.calendar import OperatorDay, OperatorSession, OperatorYear
from trading.models.engine import CommandRow, LadderState, LadderStop, Lease
from trading.models.house import House, Venue
from trading.models.instruments import DayRange, InstrumentDump, InstrumentRow, OpeningRange
from trading.models.mail import OutgoingMail
from trading.models.orders import Fill, OrderIntentRow
from trading.models.people import Client, ClientMode, User
from trading.models.reconciliation import AdoptionRow, ReconcileState
from trading.models.results import DayReport, PnlPoint
from trading.models.secret import Secret, SecretField, SecretRefused
from trading.models.strategies import AccountStrategy, Strategy, StrategyKind
from trading.models.tokens import ApiToken
from trading.models.watchlist import QuantityMode, WatchItem

__all__ = [
    "AccountControl",
    "AccountStrategy",
    "AdoptionRow",
    "Alarm",
    "AlarmDelivery",
    "ApiToken",
    "BrokerAccount",
    "BrokerName",
    "Channel",
    "Client",
    "ClientMode",
    "CommandRow",
    "DayRange",
    "DayReport",
    "DeliveryState",
    "EventChain",
    "EventLog",
    "FeedAccount",
    "FeedConsent",
    "Fill",
    "Heartbeat",
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
    "ReconcileState",
    "Secret",
    "SecretField",
    "SecretRefused",
    "Strategy",
    "StrategyKind",
    "User",
    "Venue",
    "WatchItem",
]
