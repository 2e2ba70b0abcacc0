"""How each fallout stands at a time, in SQL: who has it, its state, its level and its next date. `views.fallout_state` says the same of one
row."""

from __future__ import annotations

CLOCK = """greatest(extract(epoch FROM coalesce(f.closed_at, %(now)s) - f.opened_at) - coalesce((
    SELECT sum(greatest(extract(epoch FROM least(coalesce((wait ->> 'to')::timestamptz, coalesce(f.closed_at, %(now)s)), coalesce(f.closed_at, %(now)s))
        - greatest((wait ->> 'from')::timestamptz, f.opened_at)), 0)) FROM jsonb_array_elements(r.waiting) AS wait), 0), 0)"""
"""How many seconds our own clock ran for a fallout `f` with the record `r`: until it closed, or until `now`, without the waits for
others."""

_QUEUE = "coalesce(nullif(r.queue, ''), f.queue)"
_OVER = "(f.state = 'closed' AND NOT coalesce(r.reopened, false))"
_HOLDER = "CASE WHEN r.claimed_until IS NULL OR r.claimed_until > %(now)s THEN nullif(r.owner, '') END"
_STATE = f"""CASE WHEN {_OVER} THEN 'closed' WHEN f.state = 'open' AND f.in_hand_by IS NOT NULL THEN 'inProgress'
    WHEN r.waits_for <> '' THEN CASE WHEN r.asked THEN 'awaitingInformation' ELSE 'onHold' END WHEN r.snoozed_until > %(now)s THEN 'onHold'
    WHEN h.holder IS NOT NULL THEN CASE WHEN r.claimed_until IS NULL THEN 'assigned' ELSE 'inProgress' END ELSE 'open' END"""
_NEXT = f"""CASE WHEN {_OVER} THEN NULL
    WHEN coalesce(r.waits_until, r.snoozed_until, f.retry_at) IS NOT NULL THEN greatest(coalesce(r.waits_until, r.snoozed_until, f.retry_at), %(now)s)
    WHEN l.level < cardinality(t.at_s) THEN greatest(%(now)s + make_interval(secs => t.at_s[l.level + 1] - c.ours_s), %(now)s)
    WHEN cardinality(t.at_s) > 0
        THEN %(now)s + make_interval(secs => greatest(floor(c.ours_s / t.at_s[cardinality(t.at_s)]) + 1, 1) * t.at_s[cardinality(t.at_s)] - c.ours_s) END"""

STANDING = f"""CROSS JOIN LATERAL (SELECT ({CLOCK})::float8 AS ours_s) AS c
CROSS JOIN LATERAL (SELECT {_HOLDER} AS holder) AS h
CROSS JOIN LATERAL (SELECT ARRAY(SELECT hours::float8 * 3600 FROM jsonb_array_elements_text(
    coalesce(%(levels)s::jsonb -> (CASE f.severity WHEN 0 THEN 3 ELSE f.severity END)::text, '[]')) AS hours) AS at_s) AS t
CROSS JOIN LATERAL (SELECT greatest(coalesce(r.level, 0), (SELECT count(*) FROM unnest(t.at_s) AS hour WHERE c.ours_s >= hour))::integer AS level) AS l
CROSS JOIN LATERAL (SELECT {_STATE} AS state, {_NEXT} AS next_at, coalesce(h.holder, %(teams)s::jsonb ->> {_QUEUE}, {_QUEUE}) AS owner) AS s"""
"""How a fallout `f` with the record `r` stands, as `s.state`, `s.next_at`, `s.owner` and `l.level`, each as the list shows it.

Parameters: `now`, `levels` (hours by severity), `teams` (the owners of queues).
"""
