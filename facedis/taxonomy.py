"""Expression vocabularies and the spellings that map to them.

Labels are always stored together with their class names: the same number means different expressions
in different datasets.
"""

from collections.abc import Iterable

from facedis.errors import InputError

#: The eight expressions in the order of AffectNet's ids, the order used throughout facedis.
EIGHT = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
#: The eight without contempt.
SEVEN = EIGHT[:7]
#: The six basic expressions, without neutral and contempt.
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
#: Expression name by known spelling, in lower case.
ALIASES = {word: name for name, words in _SPELLINGS.items() for word in words.split()}


def parse_expression(spelling: str, where: str = "") -> str:
    """Return the expression name for `spelling`.

    Args:
        spelling: Any key of `ALIASES`; case and surrounding blanks are ignored.
        where: Place of the spelling, for the error message.

    Raises:
        InputError: The spelling is unknown.
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
    """Return the smallest of `SIX`, `SEVEN` and `EIGHT` that contains all `names`."""
    used = set(names)
    return next(words for words in (SIX, SEVEN, EIGHT) if used <= set(words))
