"""Text from a study or a file of data, made safe to show: nothing in it acts on what shows it."""

import unicodedata

# Control characters, those of directions, surrogates, and separators of lines and paragraphs.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# These join letters and emoji, and no more.
_JOINERS = "\u200c\u200d"


def visible(text: object) -> str:
    """Give a text in one line, with each character that would act, not show, as its escape.

    A terminal obeys control characters, and a direction reverses what stands after it. What
    Unicode will never have as a character is escaped too, since XML forbids it.
    """
    return "".join(repr(c)[1:-1] if _acts(c) else c for c in str(text))


def _acts(character: str) -> bool:
    if unicodedata.category(character) in _ACTING:
        return character not in _JOINERS
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
