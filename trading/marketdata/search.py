"""Finding an instrument by what people type: an index in Redis, rebuilt from the dump's file at any time.

Three sorted sets (cash and indices, futures, options) hold members `word NUL rank NUL key` with score 0,
so that a lexical range finds every word with a prefix, in the order of rank; a hash holds the instruments
by key. All four carry the version in their names and are switched to at once by one pointer.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Final

import msgspec
import redis

from trading.domain.instruments import Instrument, InstrumentType

MOST_HITS: Final = 25
CANDIDATES: Final = 200
"""How many members of the rarest word are looked through for the other words."""
CHUNK: Final = 500
"""Members a command: the server is never busy for more than a few milliseconds with one."""
BUILD_TTL_S: Final = 900
"""A build that was broken off vanishes by itself."""
LAST_BYTE: Final = b"\xff"
SEPARATOR: Final = "\x00"

FILTER_WORDS: Final = frozenset(
    {"ce", "pe", "fut", "eq", "index", "nse", "bse", "nfo", "bfo", "mcx", "cds", "bcd", "nco"}
)
"""Type and exchange: they narrow down what other words found, but nothing is looked up by them."""

_WORDS = re.compile(r"[a-z0-9]+")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Instrument)


class IndexMissing(Exception):
    """There is no index for this broker: build it from the day's file."""


class InstrumentIndex:
    """The search index of one broker. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: "redis.Redis[bytes]", broker: str) -> None:
        self._redis = client
        self._pointer = f"instruments:{broker}:current"
        self._broker = broker

    # -- building ------------------------------------------------------------------------------------

    def version(self) -> str | None:
        """Name the version in use, None when there is none."""
        current = self._redis.get(self._pointer)
        return None if current is None else current.decode()

    def build(self, instruments: Sequence[Instrument], version: str) -> None:
        """Build a version beside the one in use and switch to it. Safe to run twice, and to be broken off."""
        before = self.version()
        if before == version:
            return
        names = _Names(self._broker, version)
        self._redis.unlink(*names.all())
        for chunk in _chunks(instruments, CHUNK):
            self._add(names, chunk)
        pipe = self._redis.pipeline(transaction=True)
        for name in names.all():
            pipe.persist(name)
        pipe.set(self._pointer, version)
        if before is not None:
            pipe.unlink(*_Names(self._broker, before).all())
        pipe.execute()

    def _add(self, names: "_Names", instruments: Sequence[Instrument]) -> None:
        members: dict[str, dict[str | bytes, bytes | float | int | str]] = {name: {} for name in names.words}
        for one in instruments:
            members[names.words[_tier(one)]].update(dict.fromkeys(_members(one), 0))
        pipe = self._redis.pipeline(transaction=False)
        pipe.hset(names.rows, mapping={one.key: _encoder.encode(one) for one in instruments})
        for name, mapping in members.items():
            if mapping:
                pipe.zadd(name, mapping)
        for name in names.all():
            pipe.expire(name, BUILD_TTL_S)
        pipe.execute()

    # -- asking --------------------------------------------------------------------------------------

    def get(self, keys: Sequence[str]) -> dict[str, Instrument]:
        """Give instruments by key `NSE:INFY`; unknown ones are absent. Raises IndexMissing."""
        if not keys:
            return {}
        found = self._redis.hmget(self._names().rows, list(keys))
        return {key: _decoder.decode(row) for key, row in zip(keys, found, strict=True) if row is not None}

    def search(self, text: str, *, limit: int = MOST_HITS) -> list[Instrument]:
        """Find instruments of which every typed word begins a word, or is part of the symbol.

        Best first: the exact symbol, symbols that begin so, then cash before futures before options,
        near expiries before far ones. Raises IndexMissing.
        """
        words = _WORDS.findall(text.lower())
        names = self._names()
        if not words:
            return []
        keys = self._candidates(names, words, limit)
        rows = self._redis.hmget(names.rows, keys) if keys else []
        hits = [one for one in (_decoder.decode(row) for row in rows if row is not None) if _has_all(one, words)]
        joined = "".join(words)
        return sorted(hits, key=lambda one: _closeness(one, joined, words))[:limit]

    def _names(self) -> "_Names":
        version = self.version()
        if version is None:
            raise IndexMissing(f"no instrument index for {self._broker}")
        return _Names(self._broker, version)

    def _candidates(self, names: "_Names", words: Sequence[str], limit: int) -> list[bytes]:
        """Give keys from each tier: the members of its rarest word, and of neighbours typed apart (bank nifty)."""
        sought = [word for word in words if word not in FILTER_WORDS] or words
        pairs = [first + second for first, second in pairwise(sought)]
        counts = self._counts(names, sought)
        most = limit if len(words) == 1 else CANDIDATES
        pipe = self._redis.pipeline(transaction=False)
        for name, found in zip(names.words, counts, strict=True):
            present = [(count, word) for word, count in zip(sought, found, strict=True) if count]
            rarest = min(present)[1] if present else ""
            for word in filter(None, (rarest, *pairs)):
                pipe.zrangebylex(name, *_range(word), start=0, num=most)
        members = (member for found in pipe.execute() for member in found)
        return list(dict.fromkeys(member.rpartition(b"\x00")[2] for member in members))

    def _counts(self, names: "_Names", words: Sequence[str]) -> list[list[int]]:
        """Count, for each tier, the members that begin with each word."""
        pipe = self._redis.pipeline(transaction=False)
        for name in names.words:
            for word in words:
                pipe.zlexcount(name, *_range(word))
        counts: list[int] = pipe.execute()
        return [counts[place : place + len(words)] for place in range(0, len(counts), len(words))]


class _Names:
    """The Redis keys of one version."""

    def __init__(self, broker: str, version: str) -> None:
        prefix = f"instruments:{broker}:{version}"
        self.rows = f"{prefix}:rows"
        self.words = (f"{prefix}:cash", f"{prefix}:futures", f"{prefix}:options")

    def all(self) -> tuple[str, ...]:
        return (self.rows, *self.words)


def _tier(one: Instrument) -> int:
    if one.instrument_type in (InstrumentType.EQ, InstrumentType.INDEX):
        return 0
    return 1 if one.instrument_type is InstrumentType.FUT else 2


def _members(one: Instrument) -> Iterable[bytes]:
    rank = _rank(one)
    return (f"{word}{SEPARATOR}{rank}{SEPARATOR}{one.key}".encode() for word in _indexed_words(one))


def _indexed_words(one: Instrument) -> set[str]:
    """Give the words under which a row is found: its whole symbol, and its parts, name and strike."""
    words = {"".join(_WORDS.findall(one.tradingsymbol.lower()))}
    words.update(_WORDS.findall(one.name.lower()))
    if _tier(one) == 0:
        # A part that mixes letters and digits (a bond's series) is nothing that people type.
        parts = _WORDS.findall(one.tradingsymbol.lower())
        words.update(part for part in parts if part.isalpha() or part.isdigit())
    elif one.strike:
        words.add(f"{one.strike.normalize():f}".replace(".", ""))
    return words


def _rank(one: Instrument) -> str:
    """Order rows of one word: NSE before BSE, near expiries first, then by strike."""
    place = 0 if one.exchange in ("NSE", "NFO") else 1
    expiry = f"{one.expiry:%y%m%d}" if one.expiry is not None else ""
    return f"{expiry}{place}{int(one.strike):07d}"


def _range(word: str) -> tuple[bytes, bytes]:
    low = word.encode()
    return b"[" + low, b"[" + low + LAST_BYTE


def _has_all(one: Instrument, words: Sequence[str]) -> bool:
    """Say whether each typed word stands in the row's symbol or begins one of its other words."""
    symbol = one.tradingsymbol.lower()
    text = f" {one.name.lower()} {one.exchange.lower()} {one.instrument_type.value.lower()} {one.strike}"
    return all(word in symbol or f" {word}" in text for word in words)


def _closeness(one: Instrument, joined: str, words: Sequence[str]) -> tuple[object, ...]:
    """Order hits: exact symbol, symbol that begins so, a name that begins so, the rest; then tier and rank."""
    symbol = "".join(_WORDS.findall(one.tradingsymbol.lower()))
    if symbol == joined:
        near = 0
    elif symbol.startswith(joined):
        near = 1
    else:
        near = 2 if one.name.lower().startswith(words[0]) else 3
    is_exact_or_cash = (0, 0) if near == 0 else (1, _tier(one))
    return (*is_exact_or_cash, near, len(symbol) if _tier(one) == 0 else 0, _rank(one), one.key)


def _chunks(instruments: Iterable[Instrument], size: int) -> Iterable[list[Instrument]]:
    source = iter(instruments)
    while chunk := list(islice(source, size)):
        yield chunk
