"""Issuers of bearer tokens on the command line: whose tokens are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.keys import LIFE_S, distrust_issuer, trust_issuer
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.access import list_issuers

issuers = typer.Typer(no_args_is_help=True, help="Issuers of bearer tokens: whose are believed, and which roles they give.")
Name = Annotated[str, typer.Argument(metavar="ISSUER", help="The issuer, to the letter as its tokens have it (`iss`).")]
COLUMNS = ("issuer", "audience", "claim", "roles", "life_s_max", "actor_prefix")


@issuers.command("trust")
def issuers_trust(
    issuer: Name,
    audience: Annotated[str, typer.Option(metavar="NAME", help="Whom the tokens must be meant for (`aud`), and for nobody else.")],
    jwks: Annotated[Path, typer.Option("--jwks", metavar="FILE", help="Its public keys: a JWK set.")],
    claim: Annotated[str, typer.Option(metavar="CLAIM", help="The claim that roles come from: groups, or realm_access.roles.")],
    role: Annotated[list[str], typer.Option(metavar="VALUE=ROLE", help="Which value gives which role; may be repeated.")],
    actor: Actor,
    life: Annotated[int, typer.Option("--life", metavar="SECONDS", help="How long a token may live at most.")] = LIFE_S,
    prefix: Annotated[str, typer.Option("--prefix", metavar="TEXT", help="Put before each name (`sub`), such as `partner:`.")] = "",
    command_id: CommandId = "",
) -> None:
    """Believe the tokens of an issuer from now on, or otherwise than before.

    Tokens are signed (RS, PS, ES, EdDSA), name one of these keys, and say issuer, audience, and when they begin and end.

    Example: o2c issuers trust https://login.example.org --audience o2c --jwks keys.json --claim groups --role care-desk=agent --actor ann
    """
    pairs = [each.rpartition("=") for each in role]
    if [value for value, _, _ in pairs if not value]:
        raise Refused("--role is a value of the claim and a role, such as care-desk=agent")
    told = {value: given for value, _, given in pairs}
    text = jwks.read_text(encoding="utf-8")
    with opened() as session:
        context = Context(actor, command_id=command_id)
        done = trust_issuer(
            session.app, context, issuer, audience=audience, jwks=text, claim=claim, roles=told, life_s_max=life, actor_prefix=prefix
        )
        err.print(f"{issuer} is trusted{' already' if done.unchanged else ''}")


@issuers.command("distrust")
def issuers_distrust(
    issuer: Name,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Believe no token of an issuer any more, within five seconds.

    Example: o2c issuers distrust https://login.example.org --reason "its keys were stolen" --actor ann
    """
    with opened() as session:
        done = distrust_issuer(session.app, Context(actor, command_id=command_id), issuer, note=reason)
        err.print(f"{issuer} is trusted no more{', and was not before' if done.unchanged else ''}")


@issuers.command("list")
def issuers_list(output: Output = Format.table) -> None:
    """List the issuers whose tokens are believed; their keys are there with -o json.

    Example: o2c issuers list -o json
    """
    with looking() as session:
        show_rows(list_issuers(session.app), output, empty="no issuer is trusted", columns=COLUMNS if output is Format.table else ())
