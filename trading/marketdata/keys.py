"""The names under which market data lies in Redis. All of it is hot state: losing it changes no order."""

TICKS = "ticks"
"""Stream of tick batches; field `b` is the packed batch (codec.py)."""
TICKS_FIELD = b"b"
TICKS_KEPT = 20_000
"""Entries kept, about; enough to look back on, never the truth of anything."""

LAST_PRICES = "ltp"
"""Hash: token to its newest tick, packed."""

FEED_STATUS = "feed:status"
"""JSON of `status.FeedStatus`."""

FEED_HEALTH = "feed:health"
"""JSON of `engine/feed_health.py`: what of the feed the engine left out, and why."""
FEED_HEALTH_LASTS_S = 86_400

HEARTBEAT = "hb:ticker"
HEARTBEAT_LASTS_S = 10
"""The ticker's sign of life, JSON; it vanishes when the process does."""

LIVE = "live"
"""Pub/sub channel of what pages show: JSON {"c": client id or null, "t": kind, "d": data}."""
