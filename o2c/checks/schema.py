"""The checks of the schema: tables, indexes, triggers and functions are those of this program's migrations, and only append() may write.

What a migration makes is read from its text; functions are compared word for word, so that a changed `append()` is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from o2c.checks.server import Answer, Question, one
from o2c.store.connection import Connection
from o2c.store.database import migrations
from projections.engine.ownership import with_code

SHOWN_MAX = 3
_CURE = "restore it from a backup, or from the migration that makes it"

_STATEMENT = re.compile(
    r"""(?P<drop>DROP\ (?:FUNCTION|INDEX|TRIGGER|TABLE|VIEW)\ (?:IF\ EXISTS\ )?(?:o2c\.)?(?P<gone>\w+))
    | CREATE\ (?:UNLOGGED\ )?TABLE\ (?:IF\ NOT\ EXISTS\ )?(?:o2c\.)?(?P<table>\w+)
    | CREATE\ (?:OR\ REPLACE\ )?VIEW\ (?:o2c\.)?(?P<view>\w+)
    | CREATE\ (?P<unique>UNIQUE\ )?INDEX\ (?:IF\ NOT\ EXISTS\ )?(?P<index>\w+)\ ON\ (?:o2c\.)?(?P<on>\w+)\ (?:USING\ \w+\ )?\((?P<columns>(?:[^()]|\([^()]*\))*)\)
    | CREATE\ (?:OR\ REPLACE\ )?TRIGGER\ (?P<trigger>\w+)\ .*?\ ON\ (?:o2c\.)?(?P<watched>\w+)
    | CREATE\ (?:OR\ REPLACE\ )?FUNCTION\ (?:o2c\.)?(?P<function>\w+)\((?P<head>.*?)\$(?P<quote>\w*)\$(?P<body>.*?)\$(?P=quote)\$(?P<tail>[^;]*)""",
    re.VERBOSE | re.DOTALL,
)


class Function(NamedTuple):
    """A function's text and how it runs: a horizon that is not STABLE misses events, whatever its text."""

    body: str
    volatility: str
    as_owner: bool
    path: str


@dataclass(slots=True)
class Schema:
    """The parts of a schema by name: tables and views, indexes as (table, unique, columns), triggers as their table, functions."""

    tables: set[str] = field(default_factory=set)
    indexes: dict[str, tuple[str, bool, str]] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)


@cache
def declared() -> Schema:
    """The schema that the migrations of this program make, taken together."""
    made = Schema()
    made.tables.add("migration")
    for migration in migrations():
        for part in _STATEMENT.finditer(_without_comments(migration.sql)):
            if part["drop"]:
                made.tables.discard(part["gone"])
                for kind in (made.indexes, made.triggers, made.functions):
                    kind.pop(part["gone"], None)
            elif part["index"]:
                made.indexes[part["index"]] = (part["on"], bool(part["unique"]), _columns(part["columns"]))
            elif part["trigger"]:
                made.triggers[part["trigger"]] = part["watched"]
            elif part["function"]:
                made.functions[part["function"]] = Function(part["body"], *_manner(part["head"] + part["tail"]))
            else:
                made.tables.add(part["table"] or part["view"])
    return made


def _manner(clauses: str) -> tuple[str, bool, str]:
    """The volatility of a function, whether it runs as its owner, and its search path, from the clauses around its body."""
    words = set(re.findall(r"[A-Z]+", clauses))
    path = re.search(r"SET search_path = (\w+(?:, \w+)*)", clauses)
    volatility = "i" if "IMMUTABLE" in words else "s" if "STABLE" in words else "v"
    return volatility, "SECURITY DEFINER" in " ".join(clauses.split()), path[1] if path else ""


def _without_comments(sql: str) -> str:
    """The text without the comments between statements; those within functions belong to the text of the function."""
    parts = re.split(r"(\$\w*\$.*?\$\w*\$)", sql, flags=re.DOTALL)
    return "".join(part if number % 2 else re.sub(r"--[^\n]*", "", part) for number, part in enumerate(parts))


def _columns(text: str) -> str:
    """Columns and expressions of an index as one text, whether a migration or the server wrote it."""
    return ", ".join(part.strip().strip("()").strip() for part in text.replace("::text", "").replace('"', "").split(","))


_TABLES = """SELECT relname AS name, relkind::text AS kind, relpersistence = 'u' AS unlogged, relrowsecurity AS hidden,
        EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind = 'r') AS rewritten,
        EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') AS keyed
    FROM pg_class c WHERE relnamespace = 'o2c'::regnamespace AND relkind IN ('r', 'p', 'v')"""
"""Every table and view of the log, with what may be wrong with it."""

_INDEXES = """SELECT i.relname AS name, t.relname AS on, x.indisunique AS unique, x.indisvalid AND x.indisready AS valid,
        (SELECT string_agg(pg_get_indexdef(i.oid, n, true), ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) AS n) AS columns
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'o2c'::regnamespace"""
"""Every index of the log, with its table and columns, and whether it is unique and valid."""

_TRIGGERS = """SELECT tgname AS name, t.relname AS on, tgenabled IN ('O', 'A') AS enabled FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    WHERE t.relnamespace = 'o2c'::regnamespace AND NOT tgisinternal"""
"""Every trigger of the log, with its table, and whether it is enabled."""

_FUNCTIONS = """SELECT proname AS name, prosrc AS body, provolatile::text AS volatility, prosecdef AS as_owner,
        coalesce((SELECT substr(c, 13) FROM unnest(proconfig) c WHERE c LIKE 'search_path=%'), '') AS path
    FROM pg_proc WHERE pronamespace = 'o2c'::regnamespace"""
"""Every function of the log: its text, its volatility, whether it runs as its owner, and its search path."""

_MIGRATIONS = "SELECT number FROM o2c.migration ORDER BY number"
"""The numbers of the migrations that the store has, in order."""


def _version(conn: Connection) -> Answer:
    ours = [migration.number for migration in migrations()]
    applied = [row["number"] for row in conn.execute(_MIGRATIONS).fetchall()]
    text = f"the store is at migration {applied[-1] if applied else 0}, this program knows {ours[-1]}"
    return applied == ours, text if applied == ours else f"{text}; use the program that fits"


def _schema(conn: Connection) -> Answer:
    flaws = [*_table_flaws(conn), *_index_flaws(conn), *_trigger_flaws(conn), *_function_flaws(conn)]
    if not flaws:
        made = declared()
        counted = f"{len(made.tables)} tables and views, {len(made.indexes)} indexes, {len(made.triggers)} triggers, {len(made.functions)} functions"
        return True, f"{counted} as migrated"
    more = f" and {len(flaws) - SHOWN_MAX} more" if len(flaws) > SHOWN_MAX else ""
    return False, f"{'; '.join(flaws[:SHOWN_MAX])}{more}; {_CURE}"


def _table_flaws(conn: Connection) -> Iterator[str]:
    rows = {row["name"]: row for row in conn.execute(_TABLES.encode()).fetchall()}
    for name in sorted(declared().tables):
        row = rows.get(name)
        if row is None:
            yield f"{name} is missing"
            continue
        if row["unlogged"]:
            yield f"table {name} is unlogged: a crash empties it"
        if row["hidden"]:
            yield f"table {name} has row security: rows may be hidden"
        if row["rewritten"]:
            yield f"table {name} has a rule that rewrites what is done to it"
        if row["kind"] == "r" and not row["keyed"]:
            yield f"table {name} has lost its primary key"


def _index_flaws(conn: Connection) -> Iterator[str]:
    rows = {row["name"]: row for row in conn.execute(_INDEXES.encode()).fetchall()}
    for name, wanted in sorted(declared().indexes.items()):
        row = rows.get(name)
        if row is None:
            yield f"index {name} is missing"
        elif (row["on"], row["unique"], _columns(row["columns"])) != wanted:
            yield f"index {name} is another than it was made"
    yield from (f"index {name} is not valid" for name, row in sorted(rows.items()) if not row["valid"])


def _trigger_flaws(conn: Connection) -> Iterator[str]:
    rows = {row["name"]: row for row in conn.execute(_TRIGGERS.encode()).fetchall()}
    for name, table in sorted(declared().triggers.items()):
        if name not in rows or rows[name]["on"] != table:
            yield f"trigger {name} on {table} is missing: the log can be changed"
        elif not rows[name]["enabled"]:
            yield f"trigger {name} on {table} is disabled: the log can be changed"
    yield from (f"trigger {name} on {row['on']} is nobody's" for name, row in sorted(rows.items()) if name not in declared().triggers)


def _function_flaws(conn: Connection) -> Iterator[str]:
    actual: dict[str, list[Function]] = {}
    for row in conn.execute(_FUNCTIONS.encode()).fetchall():
        actual.setdefault(row["name"], []).append(Function(row["body"], row["volatility"], row["as_owner"], row["path"]))
    for name, function in sorted(declared().functions.items()):
        if name not in actual:
            yield f"function {name}() is missing"
        elif actual[name] != [function]:
            yield f"function {name}() is not that of the migration"
    yield from (f"function {name}() is nobody's" for name in sorted(actual.keys() - declared().functions.keys()))


_OTHERS = """WITH ours AS (SELECT nspowner AS owner FROM pg_namespace WHERE nspname = 'o2c')
    SELECT n.nspname || '.' || c.relname || ' belongs to ' || pg_get_userbyid(c.relowner) AS flaw FROM ours, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('o2c', 'projection') AND c.relkind IN ('r', 'v') AND c.relowner <> owner
    UNION ALL SELECT 'o2c.' || p.proname || '() belongs to ' || pg_get_userbyid(p.proowner) FROM ours, pg_proc p
    WHERE p.pronamespace = 'o2c'::regnamespace AND p.proowner <> owner
    UNION ALL SELECT 'function ' || p.oid::regprocedure || ' is nobody''s' FROM pg_proc p WHERE p.pronamespace = to_regnamespace('projection')
    UNION ALL SELECT 'everybody may ' || lower(a.privilege_type) || ' in schema ' || n.nspname FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a
    WHERE n.nspname IN ('o2c', 'analyst', 'projection', 'public') AND a.grantee = 0 AND a.privilege_type = 'CREATE'
    UNION ALL SELECT 'everybody may select ' || c.relname FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
    WHERE c.relnamespace = 'o2c'::regnamespace AND c.relkind = 'r' AND a.grantee = 0 AND a.privilege_type = 'SELECT'
    ORDER BY 1"""
"""What belongs to another than the owner of the log, what nobody of ours made, and what everybody may do, each as a sentence."""


def _others(conn: Connection) -> Answer:
    """Whether log and projections are the owner's alone, and nothing of anybody's runs in the sessions that write them."""
    flaws = [row["flaw"] for row in conn.execute(_OTHERS.encode()).fetchall()]
    flaws += [f"projection.{name} runs code that is not ours (trigger, rule, policy, default, check)" for name in sorted(with_code(conn))]
    if not flaws:
        return True, "log and projections are the owner's, and carry no code of anybody's"
    more = f" and {len(flaws) - SHOWN_MAX} more" if len(flaws) > SHOWN_MAX else ""
    return False, f"{'; '.join(flaws[:SHOWN_MAX])}{more}; take it away, see who put it there, then `o2c store roles`"


_WRITERS = """SELECT c.relname AS name, coalesce(r.rolname, 'everybody') AS who, string_agg(DISTINCT a.privilege_type, ', ') AS what
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = 'o2c'::regnamespace AND c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
        AND c.relname IN ('event', 'head', 'command', 'guard', 'series', 'agenda', 'pool', 'incarnation')
        AND (a.privilege_type IN ('INSERT', 'DELETE', 'TRUNCATE') OR a.privilege_type = 'UPDATE' AND c.relname <> 'agenda')
    GROUP BY 1, 2 ORDER BY 1, 2"""
"""The rights to write tables of the log that roles other than the owner have; a lease on the agenda is the one update outside append()."""

_CALLERS = """SELECT coalesce(bool_or(p.proacl IS NULL OR a.grantee = 0), false) AS everybody
    FROM pg_proc p LEFT JOIN LATERAL aclexplode(p.proacl) a ON a.privilege_type = 'EXECUTE'
    WHERE p.pronamespace = 'o2c'::regnamespace AND p.proname = 'append'"""
"""Whether every role may call append()."""


def _writers(conn: Connection) -> Answer:
    """Whether only the owner may write the log: a role that may insert can forge an event at a position that readers have passed
    already."""
    rows = conn.execute(_WRITERS.encode()).fetchall()
    flaws = [f"{row['who']} may {row['what']} on {row['name']}" for row in rows]
    if one(conn, _CALLERS)["everybody"]:
        flaws.append("everybody may call append()")
    return not flaws, f"{'; '.join(flaws[:SHOWN_MAX])}; REVOKE it" if flaws else "only the owner, and through append()"


ABOUT_SCHEMA: dict[str, Question] = {
    "the store fits the program": _version,
    "the schema is as migrated": _schema,
    "nobody writes past append()": _writers,
    "only what the owner made runs": _others,
}
