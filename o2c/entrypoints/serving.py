"""What the command that serves and the service itself both know."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""The names of this machine for itself."""
ACTOR = "SERVING_ACTOR"
"""The variable of the environment that names who everybody is at a port that only this machine reaches; unset, every caller says who he
is."""
RATE = "SERVING_RATE_PER_S"
"""The variable that says how many requests a second one caller may send to each process, over time."""
RATE_PER_S = 200
"""That rate where nobody gave one."""
