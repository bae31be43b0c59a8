"""The machine that numbers come from."""

import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return the processor, its number of cores, the memory in GiB, and the operating system.

    The memory is None where the system does not tell it.
    """
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _memory_gib() -> int | None:
    pages, size = "SC_PHYS_PAGES", "SC_PAGE_SIZE"
    # Windows has no sysconf at all, and some systems no such names in it.
    if not hasattr(os, "sysconf") or not {pages, size} <= os.sysconf_names.keys():
        return None
    return round(os.sysconf(pages) * os.sysconf(size) / 2**30)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
