"""Durations, sizes and counts as people write them, in estimates and in reports alike."""


def duration(seconds: float) -> str:
    """Return a time in the units that a person would use."""
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    for unit, length in (("years", 365.25 * 86400), ("days", 86400)):
        if seconds >= 2 * length:
            return f"{_rounded(seconds / length)} {unit}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(amount: float) -> str:
    """Return bytes in the largest unit that fits, at least 1 MB."""
    for unit, length in (("PB", 10**15), ("TB", 10**12), ("GB", 10**9)):
        if amount >= length:
            return f"{_rounded(min(amount, 10**300) / length)} {unit}"
    return f"{max(1, round(amount / 10**6))} MB"


def count(number: int) -> str:
    """Return a number with commas, or as a power of ten where it is beyond reading."""
    return f"{number:,}" if number < 10**15 else f"{float(min(number, 10**300)):.1e}"


def _rounded(number: float) -> str:
    return f"{number:.1e}" if number >= 10**6 else f"{float(f'{number:.2g}'):,g}"
