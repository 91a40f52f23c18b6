"""The day as a person wants to read it: orders, profit and loss, charges. Asked of the broker, not remembered."""

import json
from dataclasses import dataclass
from typing import Any

from kiteconnect import KiteConnect

NOTED = ("order_id", "exchange", "tradingsymbol", "transaction_type", "variety", "product", "order_type", "quantity",
         "average_price")  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What GET /orders, /portfolio/positions, /charges/orders and /user/margins said after the last order."""

    orders: list[dict[str, Any]]
    positions: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    cash: float
    doubts: list[str]

    @classmethod
    def of(cls, kite: KiteConnect, *, doubts: list[str]) -> "Report":
        """Ask the broker. An order's charges are those of a contract note over what was filled."""
        orders = kite.orders()
        executed = [
            {name: order[name] for name in NOTED} | {"quantity": order["filled_quantity"]}
            for order in orders
            if order["filled_quantity"]
        ]
        return cls(
            orders=orders,
            positions=kite.positions()["net"],
            charges=kite.get_virtual_contract_note(executed) if executed else [],
            cash=kite.margins("equity")["net"],
            doubts=doubts,
        )

    @property
    def pnl(self) -> float:
        """Rupees before charges."""
        return float(sum(row["pnl"] for row in self.positions))

    @property
    def cost(self) -> float:
        """Rupees of brokerage, taxes and fees."""
        return float(sum(note["charges"]["total"] for note in self.charges))

    def text(self) -> str:
        """Lay the day out in lines."""
        lines = ["", "Orders"]
        for row in self.orders:
            ended = row["exchange_update_timestamp"] or str(
                row["order_timestamp"]
            )  # the second is the last request's time
            done = f"{row['filled_quantity']}/{row['quantity']}"
            lines.append(
                f"  {ended[-8:]}  {row['transaction_type']:4} {row['tradingsymbol']:9} "
                f"{row['order_type']:6} {done:>9} at {row['average_price']:9.2f}  {row['status']}"
            )
        lines += ["", "Positions"]
        for row in self.positions:
            lines.append(f"  {row['tradingsymbol']:9} {row['quantity']:5} open  {row['pnl']:10.2f}")
        lines += ["", f"  before charges {self.pnl:10.2f}", f"  charges        {self.cost:10.2f}"]
        lines += [f"  after charges  {self.pnl - self.cost:10.2f}", f"  margin free    {self.cash:10.2f}", ""]
        lines += [f"Answer lost and found again in the order book: {doubt}" for doubt in self.doubts]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Give the same for a program."""
        body = {"pnl": self.pnl, "charges": self.cost, "doubts": self.doubts, "orders": self.orders}
        return json.dumps(body | {"positions": self.positions}, default=str)
