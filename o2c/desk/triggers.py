"""The desk for triggers: which are in force, and which no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.messages.templates import flaws_of_text
from o2c.triggers import rules
from o2c.triggers.definition import Definition, read
from o2c.triggers.effects import Notify, Task, Webhook
from o2c.triggers.events import STREAM
from o2c.triggers.state import TriggersState
from o2c.views.hooks import hook_states

FIRED = "trigger.fired"


def set_triggers(app: Engine, context: Context, *, definitions: str) -> Written:
    """Put triggers in force (the text of a TOML file): of each name the next version, which holds of what comes after it in the log. What
    the file does not name stays as it is; set again unchanged, it does nothing.

    Raises Refused (usage) with the first thing that is wrong: an event, field, queue or hook that there is not, a field that is personal,
    triggers that would set off one another without end. Then nothing of it is in force.
    """
    told = read(definitions)
    for name, definition in told.items():
        if flaw := next(_flaws(app, definition), ""):
            raise Refused(f"trigger {name}: {flaw}")

    def rule(state: TriggersState, at: datetime) -> Decision:
        return rules.set_triggers(state, told)

    return act(app, context, "triggers.set", Deed(STREAM, (rule,), ["set", definitions]))


def _flaws(app: Engine, definition: Definition) -> Iterator[str]:
    """What a trigger names that there is not, or that cannot do what it wants."""
    match definition.then:
        case Task(queue=queue) if queue not in app.codes().queues:
            yield f"there is no queue {queue[:40]}; use one of {', '.join(app.codes().queues)}"
        case Webhook(hook=hook):
            yield from _of_hook(app, hook)
        case Notify(words=words):
            yield from _of_words({language: (text.subject, text.text) for language, text in words.items()})


def _of_hook(app: Engine, hook: str) -> Iterator[str]:
    state = hook_states(app).get(hook.removeprefix("hook-"))
    if state is None or not state.standing:
        yield f"there is no hook {hook[:60]}; see `o2c hooks list`"
    elif (
        state.format != "native" or state.customer or state.captured_by or (state.types and not {FIRED, "trigger.*", "*"} & {*state.types})
    ):
        yield f"hook {hook[:60]} is not told of {FIRED}; subscribe one that is, with `--type {FIRED}`"


def _of_words(words: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for language, texts in words.items():
        if len(language) != 2 or not language.isascii() or not language.islower():
            yield f"{language[:20]!r} is no language of two letters"
        if "\n" in texts[0]:
            yield f"{language}: a subject is one line"
        yield from (f"{language}: {flaw}" for text in texts for flaw in flaws_of_text(text))


def retire_trigger(app: Engine, context: Context, trigger: str) -> Written:
    """Let a trigger do nothing more; what it set off before stays. Raises Refused (missing)."""

    def rule(state: TriggersState, at: datetime) -> Decision:
        return rules.retire(state, trigger)

    return act(app, context, "triggers.retire", Deed(STREAM, (rule,), ["retire", trigger]))
