"""A chain of ten thousand lines: five kinds of edits, a hundred of each, all found, the right first line named."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.evidence.plugin import Tally
from tests.factories import TEN_O_CLOCK
from trading.domain.chains import BreakKind, ChainCheck, LogLine, canonical

NAME, LENGTH, TRIALS, STRIDE = "client:1", 10_000, 100, 250
KINDS = ("ENTRY", "GATE", "ORDER_ACKED", "FILL")


def chained(line: LogLine) -> LogLine:
    """Give the line with the hash that belongs to it."""
    return replace(line, hash=line.computed_hash(NAME))


def make_log(length: int) -> list[LogLine]:
    lines: list[LogLine] = []
    for seq in range(1, length + 1):
        at = TEN_O_CLOCK + timedelta(milliseconds=seq)
        body = canonical({"number": seq, "ltp": "1490.55", "text": "₹"})
        before = lines[-1].hash if lines else ""
        lines.append(
            chained(LogLine(seq, KINDS[seq % 4], at, at, "kite:AB1001", "NSE:INFY", f"TAG{seq}", body, before))
        )
    return lines


@pytest.fixture(scope="module")
def log() -> list[LogLine]:
    return make_log(LENGTH)


@pytest.fixture(scope="module")
def walked(log: list[LogLine]) -> dict[int, ChainCheck]:
    """The checker's own state at every STRIDE lines of the untouched log: a walk is a fold, it may begin there."""
    check, states = ChainCheck(NAME), {}
    for line in log:
        if (line.seq - 1) % STRIDE == 0:
            states[check.seq] = replace(check)
        assert check.take(line)
    assert check.end(last_seq=LENGTH, last_hash=log[-1].hash)
    return states


Edit = Callable[[random.Random, list[LogLine], int], tuple[list[LogLine], int, dict[int, str]]]
"""Changes a copy of the log at a place (an index), and gives it, the first bad line, and the anchors there were."""


def edited(rng: random.Random, lines: list[LogLine], at: int) -> tuple[list[LogLine], int, dict[int, str]]:
    line = lines[at]
    changed = [
        replace(line, body=line.body.replace("1490.55", "1490.56")),
        replace(line, kind="STOP"),
        replace(line, at=line.at + timedelta(microseconds=1)),
        replace(line, wall_at=line.wall_at - timedelta(seconds=1)),
        replace(line, tag="X"),
        replace(line, instrument="NSE:TCS"),
        replace(line, account_key="kite:XX9999"),
        replace(line, hash="0" * 64),
        replace(line, prev_hash="0" * 64),
        chained(replace(line, body="{}")),
    ]
    lines[at] = rng.choice(changed)
    return lines, at + 1, {}


def removed(rng: random.Random, lines: list[LogLine], at: int) -> tuple[list[LogLine], int, dict[int, str]]:
    at = min(at, len(lines) - 2)
    del lines[at]
    if rng.random() < 0.5:  # the gap closed up
        lines[at:] = [replace(line, seq=line.seq - 1) for line in lines[at:]]
    return lines, at + 1, {}


def swapped(rng: random.Random, lines: list[LogLine], at: int) -> tuple[list[LogLine], int, dict[int, str]]:
    other = rng.choice([index for index in (at + 1, at - 1, rng.randrange(len(lines))) if 0 <= index < len(lines)])
    other = other if other != at else (at + 1 if at + 1 < len(lines) else at - 1)
    one, two = lines[at], lines[other]
    lines[at], lines[other] = replace(two, seq=one.seq), replace(one, seq=two.seq)
    return lines, min(at, other) + 1, {}


def inserted(rng: random.Random, lines: list[LogLine], at: int) -> tuple[list[LogLine], int, dict[int, str]]:
    before = lines[at - 1].hash if at else ""
    forged = replace(lines[at], tag="FORGED", prev_hash=before)
    forged = rng.choice([forged, chained(forged), *([replace(lines[at - 1], seq=at + 1)] if at else [])])
    return [*lines[:at], forged, *(replace(line, seq=line.seq + 1) for line in lines[at:])], at + 1, {}


def cut(rng: random.Random, lines: list[LogLine], at: int) -> tuple[list[LogLine], int, dict[int, str]]:
    """Cut the end off. Where the head is put back as well, only an anchor beyond the cut can tell."""
    anchors = {LENGTH: lines[-1].hash} if rng.random() < 0.5 else {}
    return lines[:at], at + 1, anchors


@pytest.mark.proves("I21", database="none")
@pytest.mark.parametrize("edit", [edited, removed, swapped, inserted, cut])
def test_a_hundred_random_edits_of_each_kind_are_found_at_the_right_line(
    edit: Edit, log: list[LogLine], walked: dict[int, ChainCheck], tally: Tally
) -> None:
    rng = random.Random(edit.__name__)
    found = 0
    for _ in range(TRIALS):
        lines, first_bad, anchors = edit(rng, list(log), rng.randrange(LENGTH))
        known = (first_bad - 1) // STRIDE * STRIDE
        check = replace(walked[min(known, max(walked))], anchors=anchors)
        if all(check.take(line) for line in lines[check.seq :]):
            # Whoever could cut could put the head back, too: then the anchors alone know.
            head = lines[-1] if anchors and lines else log[-1]
            check.end(last_seq=head.seq if lines or not anchors else 0, last_hash=head.hash if lines else "")
        assert check.broken is not None
        assert check.broken.seq == first_bad, check.broken.text
        found += 1
    tally.count(tried=TRIALS, survived=found)


def test_a_chain_written_anew_from_a_line_on_is_found_by_the_next_anchor_alone(log: list[LogLine]) -> None:
    anew, before = log[:100], log[99].hash
    for line in log[100:200]:
        anew.append(chained(replace(line, body='{"text":"nothing happened"}', prev_hash=before)))
        before = anew[-1].hash

    blind, knowing = ChainCheck(NAME), ChainCheck(NAME, {50: log[49].hash, 150: log[149].hash})

    assert all(blind.take(line) for line in anew)
    assert blind.end(last_seq=200, last_hash=anew[-1].hash)
    assert not all(knowing.take(line) for line in anew)
    assert knowing.broken is not None
    assert (knowing.broken.seq, knowing.broken.kind) == (51, BreakKind.REWRITTEN)


def test_a_line_made_anew_together_with_the_link_to_it_is_found_at_the_line_behind_it(log: list[LogLine]) -> None:
    """The link is part of what is hashed: whoever changes a line has to make all behind it anew."""
    forged = log[:20]
    forged[9] = chained(replace(forged[9], body="{}"))
    forged[10] = replace(forged[10], prev_hash=forged[9].hash)
    check = ChainCheck(NAME)

    assert not all(check.take(line) for line in forged)
    assert check.broken is not None
    assert (check.broken.seq, check.broken.kind) == (11, BreakKind.EDITED)


def test_a_whole_chain_put_in_the_place_of_another_is_found(log: list[LogLine]) -> None:
    check = ChainCheck("client:2")

    assert not check.take(log[0])
    assert check.broken is not None
    assert (check.broken.seq, check.broken.kind) == (1, BreakKind.EDITED)


def test_lines_behind_the_head_are_found(log: list[LogLine]) -> None:
    check = ChainCheck(NAME)
    assert all(check.take(line) for line in log[:10])

    assert not check.end(last_seq=8, last_hash=log[7].hash)
    assert check.broken is not None
    assert (check.broken.seq, check.broken.kind) == (9, BreakKind.BEYOND_HEAD)


def test_an_empty_chain_is_whole() -> None:
    assert ChainCheck(NAME).end(last_seq=0, last_hash="")
