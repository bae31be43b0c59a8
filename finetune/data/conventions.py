"""Conventions of writing numbers: decimal signs, signs between thousands, units and minus signs."""

import re
from dataclasses import dataclass
from functools import cached_property

_CURRENCIES = "$€£¥₹₽₩₺₫₪₴₦₱฿¢₡₲₵₸"
_WRITTEN = re.compile(
    rf"(?P<sign>[-+]?)\s?(?P<before>[{_CURRENCIES}]?)\s?(?P<inner>[-+]?)"
    rf"(?P<digits>[0-9.,' ]+(?:[eE][-+]?[0-9]+)?)\s?(?P<after>[{_CURRENCIES}%]?)"
)
# Spaces, apostrophes and minus signs of all kinds, as typographers set them.
_ALIKE = str.maketrans("\u00a0\u202f\u2009\u2019\u2212", "   '-")


@dataclass(frozen=True)
class Convention:
    """How numbers are written: the decimal sign, and the sign between thousands or none."""

    decimal: str
    thousands: str

    def __str__(self) -> str:
        thousands = f"{self.thousands!r} between thousands" if self.thousands else ""
        decimal = "a decimal comma" if self.decimal == "," else ""
        return " and ".join(filter(None, (thousands, decimal)))

    @property
    def key(self) -> str:
        """The line of a study file that chooses this convention."""
        if self.thousands:
            return f'data.thousands = "{self.thousands}"'
        return f'data.decimal = "{self.decimal}"'

    def plain(self, digits: str) -> str | None:
        """Return digits as Python writes them; None where they are written otherwise."""
        if not self._pattern.fullmatch(digits):
            return None
        digits = digits.replace(self.thousands, "") if self.thousands else digits
        return digits.replace(self.decimal, ".")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = "[0-9]+"
        if self.thousands:
            # India's groups of two, before the last of three, are written with commas.
            twos = "(?:,[0-9]{2,3})*" if self.thousands == "," else ""
            sign = re.escape(self.thousands)
            whole = rf"[1-9][0-9]{{0,2}}{twos}(?:{sign}[0-9]{{3}})+|{whole}"
        sign = re.escape(self.decimal)
        return re.compile(rf"(?:(?:{whole})(?:{sign}[0-9]*)?|{sign}[0-9]+)(?:[eE][-+]?[0-9]+)?")


PLAIN = Convention(".", "")
# Of those that read a column alike the first is the one that is named.
CONVENTIONS = tuple(
    Convention(decimal, thousands)
    for decimal, signs in ((".", ("", ",", " ", "'")), (",", ("", ".", " ", "'")))
    for thousands in signs
)


@dataclass(frozen=True)
class Written:
    """A number as it is written: its minus sign or none, its digits, and the sign of its unit."""

    minus: str
    digits: str
    unit: str

    def value(self, convention: Convention) -> str:
        """Return the number as Python writes it; empty where the convention cannot read it."""
        digits = convention.plain(self.digits)
        return self.minus + digits if digits else ""


def take_apart(word: str) -> Written | None:
    """Return the parts of a number with the signs beside its digits; None for other text.

    A currency's sign stands before or after, "%" after; a number in brackets is negative.
    """
    word = word.translate(_ALIKE)
    bracketed = word.startswith("(") and word.endswith(")")
    match = _WRITTEN.fullmatch(word[1:-1].strip() if bracketed else word)
    if not match or (match["before"] and match["after"]):
        return None
    signs = match["sign"] + match["inner"]
    if len(signs) + bracketed > 1:
        return None
    minus = "-" if bracketed or signs == "-" else ""
    return Written(minus, match["digits"].strip(), match["before"] or match["after"])
