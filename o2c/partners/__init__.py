"""Systems outside: a simulator of each, which always gives the same answer to the same request, and real clients where there are any."""
