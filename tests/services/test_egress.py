"""The registered address is this machine's, or no entry leaves (F32)."""

import pytest

from trading.ports import AccountRef
from trading.services.egress import egress_problem


def ref(address: str) -> AccountRef:
    return AccountRef(1, "kite:AB1001", 1, "kite", egress_ip=address)


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_an_address_of_this_machine_is_no_problem(address: str) -> None:
    assert egress_problem(ref(address)) == ""


@pytest.mark.proves("F32", database="none")
@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7"])
def test_an_address_of_another_machine_is_named(address: str) -> None:
    assert f"kite:AB1001 is registered with {address}, which is no address of this machine" in egress_problem(
        ref(address)
    )
