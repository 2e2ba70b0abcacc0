"""Reason codes as versioned data: the packaged table, an operator's over it, and what is wrong with a file."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.fallout.actions import ACTIONS
from o2c.fallout.codes import book_of, checked, misfits, packaged
from o2c.kernel import flow
from o2c.kernel.partner import Failed
from o2c.kernel.periods import local_date
from o2c.kernel.reasons import DEFECT, UNCLASSIFIED
from o2c.kernel.refusal import Refused
from o2c.plan import STEPS
from tests.given import MARKET, MONDAY, SEED, Story, item

HEAD = 'version = "ours-1"\nvalid_from = "2026-03-01"\n'
NAMES = frozenset(ACTIONS)
WHOLE = """[codes.NP-OURS]
meaning = "The donor wants a letter."
next = "send the letter"
queue = "porting"
fault_class = "business"
origin = "partner"
severity = 2
recoverability = "correctable"
retry = "after-correction"
waiting_for = "us"
actions = ["note", "retry"]
"""


def test_the_packaged_table_stands_its_own_check() -> None:
    """Every code has all its keys in words that are some, and both codes that rules know by name are in it."""
    rows = packaged().newest.reasons.values()
    for reason in rows:
        told = asdict(reason)
        lines = [f"{name} = {list(told[name]) if name == 'actions' else told[name]!r}" for name in told if name in _WRITTEN]
        text = "\n".join([HEAD, f"[codes.{reason.code}]", *lines])
        assert checked(packaged(), text, NAMES).reasons[reason.code].queue == reason.queue
    assert {DEFECT, UNCLASSIFIED} <= packaged().newest.reasons.keys()


_WRITTEN = frozenset({"meaning", "next", "queue", "fault_class", "origin", "severity", "recoverability", "retry", "waiting_for", "actions"})


def test_every_step_with_a_partner_has_its_codes() -> None:
    """None is missing, and there is none for a step that asks nobody."""
    assert set(packaged().newest.steps) == {name for name, step in STEPS.items() if step.ask}


def test_only_what_a_file_says_is_changed() -> None:
    """One code has another severity and version; all others are as they were, in the very version that they had."""
    codes = checked(packaged(), HEAD + "[codes.NP-CODE]\nseverity = 1\n", NAMES)

    assert (codes.reasons["NP-CODE"].severity, codes.reasons["NP-CODE"].version) == (1, "ours-1")
    before = packaged().newest.reasons
    assert {code: reason for code, reason in codes.reasons.items() if code != "NP-CODE"} == {
        code: reason for code, reason in before.items() if code != "NP-CODE"
    }


def test_a_code_of_ones_own_and_what_it_stands_for() -> None:
    """A new code in a known queue, and a partner's code that comes to it."""
    codes = checked(packaged(), HEAD + WHOLE + '[steps.porting]\ncodes = { LETTER = "NP-OURS" }\n', NAMES)

    assert codes.ours("porting", "LETTER") == "NP-OURS"
    assert (codes.ours("porting", "UNAVAILABLE"), codes.ours("porting", "0x7f")) == ("NP-CONFLICT", UNCLASSIFIED)
    assert codes.reasons["NP-OURS"].owner == packaged().newest.reasons["NP-CODE"].owner


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("version = ", "no TOML", id="no TOML"),
        pytest.param('version = "ours-1"\n', "Invalid isoformat string: ''", id="no day"),
        pytest.param(HEAD.replace("ours-1", packaged().newest.version), "not loaded before", id="a version that there is"),
        pytest.param(HEAD + "[policies]\n", "'policies', which is none of", id="a part that is none"),
        pytest.param(HEAD + "[codes.NP-CODE]\nsevere = 1\n", "NP-CODE has 'severe'", id="a key that is none"),
        pytest.param(HEAD + "[codes.NP-CODE]\nseverity = 9\n", "from 1 to 5", id="a severity that is none"),
        pytest.param(HEAD + '[codes.NP-CODE]\nretry = "twice"\n', "retry is one of", id="a retry class that is none"),
        pytest.param(HEAD + '[codes.NP-CODE]\nretry = "transient"\n', "tried again as transient", id="a retry that cannot help"),
        pytest.param(HEAD + '[codes.NP-CODE]\nqueue = "moon"\n', "no queue is called moon", id="a queue without an owner"),
        pytest.param(HEAD + '[codes.NP-CODE]\nactions = ["pray"]\n', "no action is called pray", id="an action that is none"),
        pytest.param(HEAD + '[codes.NP-NEW]\nqueue = "porting"\n', "NP-NEW lacks", id="half a code"),
        pytest.param(HEAD + '[steps.moon]\nsilence = "NET-TMO"\n', "no partner carries out", id="a step that is none"),
        pytest.param(HEAD + '[steps.porting]\ncodes = { A = "NP-NONE" }\n', "no reason is called NP-NONE", id="a code that is none"),
        pytest.param(HEAD + '[steps.porting]\nsilence = "NP-CODE"\n', "must be a transient one", id="a silence for good"),
        pytest.param(HEAD + "[retries.transient]\nfirst_m = 3\n", "first_m", id="a retry's key that is none"),
        pytest.param(
            HEAD + "[outages.moon]\ncalls_min = 3\n", "no partner is called moon; there are access-network", id="a partner that is none"
        ),
        pytest.param(HEAD + "[outages.network]\ncalls = 3\n", "outages of network has 'calls'", id="a figure of outages that is none"),
        pytest.param(
            HEAD + "[outages.usual]\nusual_percent = 100\n",
            "usual_percent is a whole number from 1 to 99",
            id="a partner that is never there",
        ),
        pytest.param(HEAD + '[outages.usual]\ncalls_min = "3"\n', "calls_min is a whole number", id="a figure that is text"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, told: str) -> None:
    """The first thing in it, in one line, and nothing of the file counts."""
    with pytest.raises(Refused) as refused:
        checked(packaged(), text, NAMES)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_outages_of_one_partner_and_of_all() -> None:
    """What one says stands over what is usual, and stays when the usual changes; every partner that is asked can be named."""
    assert {partner for step in STEPS.values() if (partner := step.partner)} | {"usual"} == packaged().newest.outages.keys()
    first = HEAD + "[outages.network]\nprobe_every_s = 60\n"
    second = (
        first.replace("ours-1", "ours-2").replace("network", "usual").replace("probe_every_s = 60", "probe_every_s = 30\nrate_per_min = 90")
    )

    rules = book_of((first, second)).newest

    told = {
        name: (rule.probe_every_s, rule.rate_per_min)
        for name in ("network", "clearing-house", "courier")
        if (rule := rules.outage_rule(name))
    }
    assert told == {"network": (60, 90), "clearing-house": (30, 30), "courier": (30, 90)}


@hypothesis.given(days=st.lists(st.dates(date(2021, 1, 1), date(2030, 1, 1)), min_size=1, max_size=5), ahead=st.integers(0, 4000))
def test_the_table_in_force_is_the_last_loaded_that_is_valid(days: list[date], ahead: int) -> None:
    """Whatever the order of the days: none of the future, and of those of the past the newest."""
    book = book_of(tuple(f'version = "v{n}"\nvalid_from = "{day}"\n' for n, day in enumerate(days)))
    moment = datetime(2020, 6, 1, tzinfo=UTC) + timedelta(days=ahead)

    valid = [f"v{n}" for n, day in enumerate(days) if day <= moment.date()]
    assert book.at(moment).version == (valid[-1] if valid else packaged().newest.version)


@hypothesis.given(minutes=st.integers(0, 60 * 24 * 10), attempt=st.integers(1, 6))
@hypothesis.example(minutes=0, attempt=1)
@hypothesis.example(minutes=60 * 24 * 10, attempt=1)
def test_no_retry_ends_after_the_day_promised(minutes: int, attempt: int) -> None:
    """A transient fallout has a retry that is normally done by the day promised, or says that it has none; when it has had them all, neither."""
    story = Story(item(characteristics={"simType": "physical"})).run(until="activation")
    work, step = story.work("1", "activation"), STEPS["activation"]
    at = MONDAY + timedelta(minutes=minutes)
    decided = flow.settle(step, replace(work, attempt=attempt), Failed("UNAVAILABLE"), at, seed=SEED).events
    names = [event.type_name for event in decided]

    if attempt > packaged().newest.retries.attempts_max:
        assert names == ["activation.fell-out"]
    elif names[1] == "retry.scheduled":
        due_at = decided[1].model_dump()["due_at"]
        assert local_date(step.expected(work, due_at), MARKET.zone).isoformat() <= work.promised_on
    else:
        assert names[1] == "retry.stopped"
        latest = at + timedelta(seconds=packaged().newest.retries.longest_s)
        assert local_date(step.expected(work, latest), MARKET.zone).isoformat() > work.promised_on


OLD = """
version = "ours-0"
valid_from = "2021-01-01"
[queues.letters]
owner = "letter desk"
colour = "blue"
[codes.NP-CODE]
severity = 1
queue = "faxes"
runbook = "fax.md"
[codes.NP-OURS]
meaning = "The donor wants a letter."
next = "send the letter"
queue = "faxes"
fault_class = "business"
origin = "partner"
severity = 2
recoverability = "correctable"
retry = "after-correction"
waiting_for = "us"
actions = ["note", "fax"]
[codes.NP-NAME]
severity = 2
actions = ["note", "fax"]
retry = "by-fax"
[steps.telegraph]
silence = "NET-TMO"
[steps.porting]
codes = { LETTER = "NP-OURS", NAME = "NP-NAME" }
[fax]
number = "4711"
[escalation]
3 = [1, 2, 3]
9 = [1, 2, 3]
[retries.transient]
attempts_max = 7
beats = 3
"""
"""A file of a day when there were a queue, a step, a part, actions, keys and words that this program does not have any more."""


def test_what_fits_of_an_old_file_stays_in_force() -> None:
    """The fold never stops: what this program still has is as the operator said, and what it has not is as the package says."""
    codes, before = book_of((OLD,)).newest, packaged().newest

    assert (codes.version, codes.retries.attempts_max, codes.escalation[3]) == ("ours-0", 7, (1, 2, 3))
    assert (codes.reasons["NP-CODE"].severity, codes.reasons["NP-CODE"].queue) == (1, before.reasons["NP-CODE"].queue)
    name = codes.reasons["NP-NAME"]
    assert (name.severity, name.actions, name.retry) == (2, ("note",), before.reasons["NP-NAME"].retry)
    assert "NP-OURS" not in codes.reasons
    assert (codes.ours("porting", "NAME"), codes.ours("porting", "LETTER")) == ("NP-NAME", UNCLASSIFIED)
    assert "telegraph" not in codes.steps


def test_each_thing_that_does_not_fit_is_named() -> None:
    """By file, entry and what is wrong; and it is answered once a later file says that entry anew."""
    found = misfits((OLD,))

    assert {version for version, _ in found} == {"ours-0"}
    assert {(misfit.entry, misfit.what.partition(";")[0].partition(", which")[0]) for _, misfit in found} == {
        ("fax", "the file has 'fax'"),
        ("queues.letters", "queue letters has 'colour'"),
        ("queues.letters", "queue letters lacks runbook"),
        ("codes.NP-CODE", "NP-CODE has 'runbook'"),
        ("codes.NP-CODE", "NP-CODE: no queue is called faxes"),
        ("codes.NP-OURS", "NP-OURS: no queue is called faxes"),
        ("codes.NP-OURS", "NP-OURS: no action is called fax"),
        ("codes.NP-OURS", "NP-OURS lacks queue"),
        ("codes.NP-NAME", "NP-NAME: no action is called fax"),
        ("codes.NP-NAME", "NP-NAME: retry is one of never, transient, scheduled, after-correction, not 'by-fax'"),
        ("steps.telegraph", "no partner carries out a step called telegraph"),
        ("steps.porting", "step porting: no reason is called NP-OURS"),
        ("escalation.9", "escalation of severity 9: say 3 whole numbers of hours for a severity from 1 to 5"),
        ("retries.transient", "retries.transient has 'beats'"),
    }
    later = HEAD + WHOLE + '[codes.NP-CODE]\nqueue = "porting"\n[steps.porting]\ncodes = { LETTER = "NP-OURS" }\n'
    assert {misfit.entry for _, misfit in misfits((OLD, later))} == {
        "queues.letters", "codes.NP-NAME", "steps.telegraph", "escalation.9", "retries.transient"
    }  # fmt: skip
    assert book_of((OLD, later)).newest.ours("porting", "LETTER") == "NP-OURS"


@pytest.mark.parametrize("text", ["version = ", 'valid_from = "2021-01-01"\n', ""])
def test_a_file_of_which_nothing_can_be_used_is_named_too(text: str) -> None:
    """The table is the package's then, and the next file stands over it."""
    assert book_of((text,)).newest == packaged().newest
    assert [misfit.entry for _, misfit in misfits((text,))] == ["file"]
    assert book_of((text, HEAD + "[codes.NP-CODE]\nseverity = 1\n")).newest.reasons["NP-CODE"].severity == 1
