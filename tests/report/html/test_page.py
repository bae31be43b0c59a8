"""The page of a report: one file that shows what the Markdown shows, and no foreign element."""

import re
from pathlib import Path

import pytest

from finetune.errors import StoreError
from finetune.report.html.page import page, read_figure, renew_page
from finetune.report.markdown import plain, table
from tests.report.html.made_page import DRAWN, GOLDEN, HOSTILE, Elements


def made(text: str, **figures: bytes) -> Elements:
    return Elements(page(text, find_figure=lambda path: figures.get(path, DRAWN)))


def test_it_has_every_heading_table_and_figure_of_the_report():
    elements = made(GOLDEN)
    lines = GOLDEN.splitlines()
    assert len(elements.named("h2")) == sum(line.startswith("## ") for line in lines)
    assert len(elements.named("table")) == sum(line.startswith("|:-") for line in lines)
    assert len(elements.named("details")) == lines.count("<details>")
    images = elements.named("img")
    assert [image["alt"] for image in images] == re.findall(r"!\[(.*)\]\(figures/", GOLDEN)
    assert all(str(image["src"]).startswith("data:image/svg+xml;base64,") for image in images)


def test_the_sections_are_linked_by_the_names_that_github_gives_them():
    elements = made("# T\n\n## Tuned fairly: each arm\n\na\n\n## `x` & y\n\nb\n")
    links = [attributes["href"] for attributes in elements.named("a")]
    assert links == ["#tuned-fairly-each-arm", "#x--y"]
    assert [attributes["id"] for attributes in elements.named("h2")] == [
        str(link)[1:] for link in links
    ]


def test_links_between_reports_lead_from_page_to_page():
    text = "[a](x/report.md) [b](report.md#c) [d](tables/runs.csv) [e](https://f.example/report.md)"
    links = [attributes["href"] for attributes in made(text).named("a")]
    assert links == [
        "x/report.html", "report.html#c", "tables/runs.csv", "https://f.example/report.md"
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stranger_s_report_makes_no_element_of_its_own(text):
    for shown in (
        text,
        f"a {text} b",
        f"<details>\n{text}\n</details>",
        f"| a |\n|:-|\n| {text} |",
    ):
        elements = Elements(page(shown, find_figure=lambda path: read_figure(Path(), path)))
        assert elements.named("script") == [{}]  # its own
        assert len(elements.named("style")) == 1
        assert elements.named("iframe") == elements.named("img") == []
        for tag, attributes in elements.found:
            assert not any(name.startswith("on") for name in attributes), tag
            assert not str(attributes.get("href", "")).startswith(("javascript", "data:text"))


def test_names_show_as_they_are():
    name = "<b>|`$a$`&amp; http://e.example {x}"
    text = "# Study: " + plain(name) + "\n\n" + table([(plain(name), "1")], columns=["A", "B"])
    elements = made(text)
    assert elements.text.count(name) == 3  # in the title too
    assert elements.named("b") == []


def test_a_figure_that_is_not_there_is_told_in_words():
    elements = Elements(page("![A plot](figures/none.svg)", find_figure=lambda _: None))
    assert "A plot" in elements.text
    assert elements.named("img") == []


def test_a_page_is_made_anew_of_what_lies_in_the_folder(tmp_path):
    with pytest.raises(StoreError, match=r"cannot read '.*report\.md'"):
        renew_page(tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.svg").write_bytes(DRAWN)
    (tmp_path / "secret.svg").write_bytes(b"secret")
    (tmp_path / "figures" / "b.svg").symlink_to(tmp_path / "secret.svg")
    (tmp_path / "report.md").write_text("# R\n\n![x](figures/a.svg)\n\n![y](figures/b.svg)\n")
    elements = Elements(renew_page(tmp_path).read_bytes())
    assert [image["alt"] for image in elements.named("img")] == ["x"]
    (tmp_path / "report.md").write_bytes(b"\xff")
    with pytest.raises(StoreError, match="not a text file in UTF-8"):
        renew_page(tmp_path)


def test_it_may_reach_for_nothing():
    (policy,) = [m["content"] for m in made("# T").named("meta") if "http-equiv" in m]
    assert str(policy).startswith("default-src 'none'; img-src data:;")
    assert "http" not in page("# T", find_figure=lambda _: None).decode().replace("http-equiv", "")
