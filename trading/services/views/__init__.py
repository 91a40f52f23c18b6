"""What the screens show, shaped from the database and Redis. Values are JSON-able: money as strings, moments in IST.

None always means unknown, never zero and never flat.
"""
