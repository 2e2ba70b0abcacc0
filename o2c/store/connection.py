"""The connections that this program reads and writes with: every row comes as a dict by column."""

from __future__ import annotations

from typing import Any

import psycopg

Connection = psycopg.Connection[dict[str, Any]]
