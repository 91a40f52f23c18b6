"""The load that `make bench` puts on the exchange works: what it measures is for a machine that does nothing else."""

from scripts.bench_exchange import Case, run_case


def test_a_small_load_of_ticks_and_orders_is_carried_whole() -> None:
    rows = {name: (value, note) for name, value, _, note in run_case(Case("small", 2, 40, instruments=30), 2)}

    assert rows["small: packets"][0] > 0
    assert rows["small: orders"][0] > 0
    assert rows["small: orders"][1].startswith("0 refused")
