"""The names of this machine for itself."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
