"""Folds of the log into tables that answer questions. The log is the truth; everything here can be thrown away and rebuilt."""
