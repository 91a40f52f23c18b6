"""Whether this machine can send from the address that an account has registered with its broker."""

import socket

from trading.ports import AccountRef


def egress_problem(ref: AccountRef) -> str:
    """Say why orders of an account cannot leave by its registered address; empty when they can.

    Brokers take orders from registered addresses only (static IP rule, NSE/INVG/67858). Binding tells whether the
    address is this machine's; it sends nothing and takes microseconds, so that it is asked before every entry.
    """
    if not ref.egress_ip:
        return ""
    kind = socket.AF_INET6 if ":" in ref.egress_ip else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ref.egress_ip, 0))
        except OSError as error:
            why = error.strerror or str(error)
            return f"{ref.key} is registered with {ref.egress_ip}, which is no address of this machine: {why}"
    return ""
