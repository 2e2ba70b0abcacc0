"""Vouchers: codes that take something off the prices of an order, each use of which is reserved, then redeemed or released."""
