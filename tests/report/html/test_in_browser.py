"""The page of a report in a browser: what a reader sees and can do there."""

from pathlib import Path

import pytest

from finetune.report.html.page import page
from finetune.report.markdown import table
from tests.browser import chromium
from tests.report.html.made_page import DRAWN, GOLDEN, HOSTILE

ROWS = [("b", "0.312 ± 0.011", "< 0.0001"), ("a", "-0.5 [-1, 0]", "-"), ("c", "1,200", "0.02")]
TABLE = table(ROWS, columns=["Name", "Mean", "p"])

# The least contrast of any text with what lies behind it, and that text.
# Source: Web Content Accessibility Guidelines 2.2, "contrast ratio".
CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const all = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("script, style")) continue;
    const pair = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    all.push([(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), element.outerHTML]);
  }
  return all.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def show(browser, tmp_path):
    """Show a report without a network; what the browser complains of, or asks for, is an error."""
    said: list[str] = []

    def open_page(text: str, *, width: int = 1300, scheme: str = "light"):
        file = tmp_path / "report.html"
        file.write_bytes(page(text, find_figure=lambda _: DRAWN))
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        opened = context.new_page()
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("dialog", lambda dialog: said.append(dialog.message))
        opened.on("request", lambda request: said.append(request.url))
        opened.goto(file.as_uri())
        assert said == [
            file.as_uri(),
            *(request for request in said if request.startswith("data:image/svg+xml")),
            *(request for request in said if request == "data:,"),
        ]
        said.clear()
        return opened

    yield open_page
    assert [one for one in said if not one.startswith("data:")] == []
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 1300])
def test_every_figure_has_a_size_and_nothing_is_wider_than_the_window(show, width):
    opened = show(GOLDEN, width=width)
    sizes = opened.evaluate("[...document.images].map((i) => [i.width, i.height, i.naturalWidth])")
    assert len(sizes) == GOLDEN.count("](figures/")
    assert all(min(size) > 0 for size in sizes)
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    # Tables that are wider scroll by themselves.
    wider = "[...document.querySelectorAll('.scroll')].filter((t) => t.scrollWidth > t.clientWidth)"
    assert width > 390 or opened.evaluate(f"{wider}.length") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_lies_behind_it(show, scheme):
    opened = show(GOLDEN + "\n> [quoted](#x)\n", scheme=scheme)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    ratio, element = opened.evaluate(CONTRAST)
    assert ratio >= 4.5, element
    dark = opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
    assert dark == (scheme == "dark")


def test_every_link_inside_leads_somewhere(show):
    opened = show(GOLDEN)
    links = opened.locator("a[href^='#']")
    assert links.count() >= GOLDEN.count("\n## ")
    for place in range(links.count()):
        target = links.nth(place).get_attribute("href")[1:]
        assert opened.locator(f"[id='{target}']").count() == 1, target
    links.last.click()
    last = opened.locator("h2").last
    assert opened.evaluate("location.hash") == "#" + last.get_attribute("id")
    assert last.bounding_box()["y"] < 800


def order(opened) -> str:
    return "".join(opened.locator("tbody tr td:first-child").all_text_contents())


def test_a_table_is_sorted_by_the_column_whose_head_is_clicked(show):
    opened = show(TABLE)
    heads = opened.locator("th button")
    assert order(opened) == "bac"
    for column, ascending, descending in ((0, "abc", "cba"), (1, "abc", "cba"), (2, "bca", "cba")):
        heads.nth(column).click()
        assert order(opened) == ascending
        assert heads.nth(column).locator("..").get_attribute("aria-sort") == "ascending"
        heads.nth(column).click()
        assert order(opened) == descending
        assert opened.locator("th[aria-sort]").count() == 1


def test_details_fold_and_are_all_there_on_paper(show):
    opened = show(GOLDEN)
    assert opened.locator("details").count() > 2
    assert opened.locator("details[open]").count() == 0
    opened.locator("summary").first.click()
    assert opened.locator("details[open]").count() == 1
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("details:not([open])").count() == 0
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.locator("details[open]").count() == 1
    opened.emulate_media(media="print")
    assert not opened.locator("nav").is_visible()
    assert opened.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_stranger_writes_acts(show, text):
    opened = show(f"# Study\n\n{text}\n\n<details>\n{text}\n</details>\n")
    assert opened.locator("h1").is_visible()
    assert opened.locator("script").count() == 1


def test_a_page_moves_alone(show, tmp_path):
    show(GOLDEN)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["report.html"]
