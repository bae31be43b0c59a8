"""Fuzz one target until the time is over: `python -m tests.fuzz.fuzzer TARGET FOLDER SECONDS`."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["finetune"]):
    from tests.fuzz.seeds import seeds, words
    from tests.fuzz.targets import TARGETS


def main(target: str, folder: Path, seconds: int) -> None:
    """Fuzz, beginning with whole inputs; libFuzzer ends the process."""
    corpus, scratch = folder / "corpus", folder / "scratch"
    for directory in (corpus, scratch):
        directory.mkdir()
    for number, content in enumerate(seeds(target)):
        (corpus / str(number)).write_bytes(content)
    dictionary = folder / "words"
    dictionary.write_text("".join(f'"{_quoted(word)}"\n' for word in words()))
    options = {
        "max_total_time": seconds,
        "max_len": 6000,
        "timeout": 60,
        # A file may claim to hold more than there is memory; the system refuses it, which is fine.
        "malloc_limit_mb": 0,
        "rss_limit_mb": 4096,
        "dict": dictionary,
        "artifact_prefix": f"{folder}/",
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], lambda data: TARGETS[target](data, scratch))
    atheris.Fuzz()


def _quoted(word: str) -> str:
    """Escape a word for libFuzzer's dictionary: printable ASCII, the rest by its bytes."""
    shown = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode())
    return "".join(shown)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
