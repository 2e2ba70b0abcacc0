"""Collecting what is owed past its due day: notices, bars of lines, holds and promises."""
