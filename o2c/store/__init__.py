"""The log on PostgreSQL: the only package that knows its SQL."""
