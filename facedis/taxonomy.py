"""The named expression vocabularies, and the many ways in which datasets spell them.

A label is only ever stored together with its list of names: digits mean different expressions in
different datasets, and mapping them by position is the field's favourite silent error.
"""

from collections.abc import Iterable

from facedis.errors import InputError

#: The order of AffectNet's ids, which facedis uses everywhere.
EIGHT = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
SEVEN = EIGHT[:7]
#: The six basic expressions: no neutral, no contempt.
SIX = EIGHT[1:7]

_SPELLINGS = {
    "neutral": "neutral neutrality ne normal calm",
    "happiness": "happiness happy joy joyful ha smile",
    "sadness": "sadness sad sa unhappy",
    "surprise": "surprise surprised su astonished",
    "fear": "fear fearful afraid scared fe",
    "disgust": "disgust disgusted di",
    "anger": "anger angry an mad",
    "contempt": "contempt contemptuous co",
}
#: Every known spelling, in lower case, and the name that facedis uses.
ALIASES = {word: name for name, words in _SPELLINGS.items() for word in words.split()}


def parse_expression(spelling: str, where: str = "") -> str:
    """The expression that a dataset's `spelling` means.

    Raises:
        InputError: The spelling is not in `ALIASES`; a class is never guessed from its position.
    """
    name = ALIASES.get(spelling.strip().lower())
    if name is None:
        place = f" in {where}" if where else ""
        raise InputError(
            f"'{spelling}' is not the name of a known expression{place}",
            f"rename it to one of: {', '.join(EIGHT)}",
        )
    return name


def smallest_vocabulary(names: Iterable[str]) -> tuple[str, ...]:
    """The smallest of the six-, seven- and eight-class vocabularies that holds all `names`."""
    seen = set(names)
    return next(words for words in (SIX, SEVEN, EIGHT) if seen <= set(words))
