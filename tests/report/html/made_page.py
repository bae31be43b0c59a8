"""What pages are made from in tests, and what is found in one."""

from html.parser import HTMLParser
from pathlib import Path

GOLDEN = (Path(__file__).parents[1] / "golden" / "report.md").read_text(encoding="utf-8")
DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="30pt"></svg>'


class Elements(HTMLParser):
    """Collects the elements of a page, with their attributes, and its text."""

    def __init__(self, content: bytes):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


# Reports of a stranger's.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<span onclick=alert(1)>a</span>",
    "<style>*{display:none}</style>",
    "<!-- --><iframe src=https://evil.example></iframe>",
    "[a](javascript:alert(1)) [b](data:text/html,x)",
    "![a](https://evil.example/x.svg) ![b](../secret.svg) ![c](figures/../../secret.svg)",
    '![" onerror="alert(1)](figures/a.svg)',
    "</main></body><script>alert(1)</script>",
)
