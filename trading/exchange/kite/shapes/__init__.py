"""The venue's things in Kite's JSON shapes (field names and types as in Zerodha's mock responses)."""
