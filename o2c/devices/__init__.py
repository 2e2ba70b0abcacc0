"""Devices: stock by SKU, each piece by its IMEI, assignment, loss, what must not be used any more."""
