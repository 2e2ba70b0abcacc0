"""The operator's key for looking customers up by personal data."""

from __future__ import annotations

from o2c.views.kept_key import KeptKey

KEY = KeptKey("O2C_LOOKUP_KEY", "lookup.key", "looking up by name or e-mail")
given_key, key_of, lacks_key = KEY.given, KEY.of, KEY.lacking
