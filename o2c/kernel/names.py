"""The form in which names of people, firms and streets are compared."""

from __future__ import annotations

import re
import unicodedata

_MARK = re.compile("[\u0300-\u036f]")
_DROPPED = re.compile("['.\u2018\u2019\u02bc`\u00b4]")
_IN_WORDS = "LMN"
"""The first letters of the Unicode categories of which words are made: letters, marks, numbers."""
# Letters of the Latin script that are one character with their stroke or ligature, so that Unicode takes no mark off them.
_LETTERS = str.maketrans(
    {"\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u00f0": "d", "\u0131": "i", "\u00e6": "ae", "\u0153": "oe", "\u00fe": "th"}
)


def folded(text: str) -> str:
    """Give a text in the one form that its spellings share: without case, marks of letters and punctuation, words apart by one blank.

    Apostrophes and full stops fall away within a word (O'Neil is Oneil, Ltd. is Ltd); other punctuation parts words. Only the marks of the
    Latin, Greek and Cyrillic scripts fall away: those of others are letters. Never shown, and never stored in clear.

    Source: Unicode Standard Annex 15 (NFKD); Unicode Standard, section 5.18 (case folding).
    """
    apart = unicodedata.normalize("NFKD", _DROPPED.sub("", text).casefold())
    plain = _MARK.sub("", unicodedata.normalize("NFKD", apart.casefold())).translate(_LETTERS)
    return " ".join("".join(each if unicodedata.category(each)[0] in _IN_WORDS else " " for each in plain).split())
