"""Access in Python: keys, issuers of tokens, and who was shown what is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from o2c.desk.act import Context, Written
from o2c.desk.keys import DAYS, LIFE_S, Issued, distrust_issuer, issue_key, revoke_key, trust_issuer
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.access import list_issuers, list_keys, list_records
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.desk.credentials import Credentials
    from o2c.running.session import Session


class Access:
    """The part of `OrderToCash` that is about who may what."""

    _session: Session

    @cached_property
    def _credentials(self) -> Credentials:
        from o2c.desk.credentials import (
            Credentials,  # the libraries of signatures, which a service without callers of its own does not need
        )

        return Credentials(self._session.app)

    @answered
    def who(self, authorization: str | None, *, channel: str = "api", command_id: str = "") -> Context:
        """Who asks, by the value of an `Authorization` header: a token or a key. Raises Refused (unauthenticated). See
        `desk.credentials`."""
        return self._credentials.context(authorization, channel=channel, command_id=command_id)

    @answered
    def ask(self, operation: str, context: Context, *arguments: Any, why: str = "", **options: Any) -> Any:
        """Call a verb or view by its name for somebody with roles, who may not see or do everything. `arguments` and `options` are those of
        its function without the store and the context. Raises Refused: forbidden, missing. See `entrypoints.verbs_and_views`.
        """
        from o2c.entrypoints.verbs_and_views import named

        all_seen(self._session.app)
        found = named(operation)
        return found.ask(context, *found.opened_on(self._session.app, self._session.home), *arguments, why=why, **options)

    @answered
    def issue_key(
        self, context: Context, *, acts_as: str, roles: Sequence[str], days: int = DAYS, operations: Sequence[str] | None = None
    ) -> Issued:
        """Issue a key for a program; its secret is in this answer and nowhere else. See `desk.keys.issue_key`."""
        return issue_key(self._session.app, context, acts_as=acts_as, roles=roles, days=days, operations=operations)

    @answered
    def revoke_key(self, prefix: str, context: Context, *, note: str) -> Written:
        """Revoke a key for ever. See `desk.keys.revoke_key`."""
        return revoke_key(self._session.app, context, prefix, note=note)

    @answered
    def issued_keys(self) -> list[shown.KeyShown]:
        """The keys, how each stands and when it was last used; nothing of a secret. See `views.access.list_keys`."""
        return list_keys(self._session.app)

    @answered
    def trust_issuer(
        self,
        issuer: str,
        context: Context,
        *,
        audience: str,
        jwks: str,
        claim: str,
        roles: Mapping[str, str],
        life_s_max: int = LIFE_S,
        actor_prefix: str = "",
    ) -> Written:
        """Believe the tokens of an issuer, signed with the public keys of a JWK set. See `desk.keys.trust_issuer`."""
        told: Any = {"audience": audience, "jwks": jwks, "claim": claim, "roles": roles, "life_s_max": life_s_max}
        return trust_issuer(self._session.app, context, issuer, actor_prefix=actor_prefix, **told)

    @answered
    def distrust_issuer(self, issuer: str, context: Context, *, note: str) -> Written:
        """Believe no token of an issuer any more. See `desk.keys.distrust_issuer`."""
        return distrust_issuer(self._session.app, context, issuer, note=note)

    @answered
    def issuers(self) -> list[shown.IssuerShown]:
        """The issuers whose tokens are believed. See `views.access.list_issuers`."""
        return list_issuers(self._session.app)

    @answered
    def access_records(
        self, *, customer: str = "", actor: str = "", since: datetime | None = None, personal: bool = False, limit: int | None = None
    ) -> list[shown.AccessRecordShown]:
        """Who was shown personal data, when, by which operation and of which customer, the last first. See `views.access.list_records`."""
        return list_records(self._session.app, customer=customer, actor=actor, since=since, personal=personal, limit=limit)
