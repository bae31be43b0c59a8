"""Names that would be code to a reader of the report: they show, and do nothing."""

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from finetune.data.reading import ColumnReading, TableReading
from finetune.data.summary import DataSummary, SplitCount
from finetune.models.summary import LayerSummary, NetworkSummary
from finetune.report.notebook import notebook_html
from finetune.report.render import write_report
from finetune.report.sections.provenance import provenance
from finetune.report.sections.reproduction import reproduction
from finetune.report.sections.setup import setup
from finetune.spec.study_file import parse_spec
from finetune.store.manifest import Manifest
from tests.made_study import CLAIM_VARIANTS, Study, make_study
from tests.report.html.made_page import Elements
from tests.report.made_report import made_manifest

_SCRIPT = "<script>alert(1)</script>"
HOSTILE = [
    f"{_SCRIPT}]]> --> -- <!-- &amp; \"'",
    "=cmd|' /C calc'!A0 ![x](http://evil/x.png) [y](javascript:z)",
    r"$\frac{1}{0}$ $ \$x$ \\ <img src=x onerror=alert(1)>" " \ufdd0\uffff",
    "`` ``` ~~~ # * _ | <http://evil> www.evil.example &#x3c;b> :smile: @user #1",
]
# What matplotlib itself draws with.
_SVG_TAGS = {
    "Agent",
    "RDF",
    "Work",
    "clipPath",
    "creator",
    "defs",
    "format",
    "g",
    "image",
    "metadata",
    "path",
    "rect",
    "style",
    "svg",
    "title",
    "type",
    "use",
}
_TAGS = {"details", "/details", "summary", "/summary", "br", "span", "/span"}


def hostile_study() -> Study:
    variants = [v | {"name": n} for v, n in zip(CLAIM_VARIANTS, HOSTILE, strict=True)]
    arms = {"treatment": HOSTILE[2], "control": HOSTILE[3]}
    claims = [
        {"kind": "underfits", **arms},
        {"kind": "better", "name": HOSTILE[1][:80], "metric": "test_loss", **arms},
    ]
    return make_study(seeds=9, variants=variants, claims=claims, failed=((HOSTILE[0], 1),))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Any:
    """The report of such a study, drawn and written."""
    study, folder = hostile_study(), tmp_path_factory.mktemp("hostile")
    manifest = made_manifest(
        spec=study.spec,
        command=f"finetune run '{_SCRIPT}'\n```\n\u202e\x9b31m {_SCRIPT}",
        versions={f"<b>{_SCRIPT}": "1 | 2 `x`"},
        machine={"processor": _SCRIPT},
        notes=(_SCRIPT, "[a](javascript:b)"),
        digest="`|<i>",
        name=f"{_SCRIPT} \x1b[31m\u202e",
    )
    write_report(folder, study.analysis(), manifest)
    return folder


def rendered(text: str) -> list[Any]:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return [*tokens, *(child for token in tokens for child in token.children or ())]


def test_markdown_has_no_element_that_a_name_made(made):
    tokens = rendered((made / "report.md").read_text(encoding="utf-8"))
    html = " ".join(t.content for t in tokens if t.type in ("html_block", "html_inline"))
    assert {tag.split()[0] for tag in re.findall(r"<(/?[^<>]+?)/?>", html)} <= _TAGS
    targets = [t.attrs.get("href") or t.attrs.get("src") for t in tokens if t.attrs]
    assert [to for to in targets if isinstance(to, str) and "evil" in to] == []
    assert [to for to in targets if isinstance(to, str) and "javascript" in to] == []
    shown = "".join(t.content for t in tokens if t.type == "text")
    assert _SCRIPT in shown


def test_markdown_has_no_character_that_acts(made):
    text = (made / "report.md").read_text(encoding="utf-8")
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text) == []


def test_the_page_has_no_element_that_a_name_made(made):
    elements = Elements((made / "report.html").read_bytes())
    frame = {"html", "head", "meta", "link", "title", "style", "body", "main", "nav", "script"}
    text = {"h1", "h2", "h3", "p", "ul", "li", "a", "img", "div", "pre", "code", "strong", "em"}
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    allowed = frame | text | tables | {tag for tag in _TAGS if "/" not in tag}
    assert {tag for tag, _ in elements.found} <= allowed
    assert elements.named("script") == [{}]
    for tag, attributes in elements.found:
        assert not any(name.startswith("on") for name in attributes), tag
        assert str(attributes.get("href", "#"))[0] == "#" or tag == "link"
        assert str(attributes.get("src", "data:")).startswith("data:")
    assert _SCRIPT in elements.text


def test_svg_is_xml_in_which_names_are_no_elements(made):
    files = sorted((made / "figures").glob("*.svg"))
    assert len(files) >= 5
    for file in files:
        for element in ElementTree.fromstring(file.read_bytes()).iter():
            assert element.tag.rpartition("}")[2] in _SVG_TAGS, file.name
            assert not any(name.startswith("on") for name in element.attrib)
            assert "evil" not in " ".join(element.attrib.values())
            assert "script" not in " ".join(element.attrib.values())


def test_no_field_of_a_table_is_a_formula(made):
    found = 0
    for file in sorted((made / "tables").glob("*.csv")):
        table = pd.read_csv(file, keep_default_na=False, dtype=str)
        for text in [*table.columns, *table.to_numpy().ravel()]:
            number = re.fullmatch(r"-?[\d.]+(e[+-]\d+)?|-inf", text)
            assert number or not text.startswith(("=", "+", "-", "@", "\t", "\r")), file.name
            found += text.startswith("'=cmd")
    assert found


def test_a_notebook_shows_names_as_text(made):
    html = notebook_html(made, title=f"a {_SCRIPT}", verdicts=[f"b {_SCRIPT}"])
    html = re.sub(r'src="data:[^"]*"', "", html)
    tags = {tag.split()[0] for tag in re.findall(r"<([a-z][^<>]*)>", html)}
    assert tags <= {"h3", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "img", "code"}
    assert "<td" in html
    assert "=cmd" in html
    assert "&#x27;=cmd" not in html


def test_a_command_cannot_leave_its_block():
    body = reproduction(made_manifest(command="a\n```\n# b\n~~~\n<b>"))
    kinds = [token.type for token in MarkdownIt().parse(body)]
    assert kinds == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert "html" not in str(MarkdownIt().parse(provenance(made_manifest(digest="<b>"))))


def test_data_and_optimizer_of_a_study_show_as_text():
    data = {"source": "a<b>`.csv", "target": "<i>|`", "drop": ["=x|<u>"], "categorical": ["`<s>"]}
    optimizer = {"name": "<adam>", "args": {"<k>|": "\u202e`</code><b>"}}
    tree = {"name": "m", "data": data, "training": {"optimizer": optimizer, "loss": "<l>"}}
    spec = parse_spec(tree | {"variants": [{"name": "<v>"}], "model": {"activation": "<a>"}})
    tokens = rendered(setup(spec))
    assert [t.content for t in tokens if t.type.startswith("html")] == []
    assert "\u202e" not in setup(spec)


def hostile_manifest() -> Manifest:
    """Make a stranger's manifest, whose columns, classes and layers would act as code."""
    script = f"{_SCRIPT}`|\n# [a](javascript:b) \u202e"
    column = ColumnReading(script, "number", script, 1, {script: 1}, features=1, remark=script)
    classes = ColumnReading(script, "category", script, 1, {script: 1}, 2, 2, script)
    # Counts that fit nothing, too.
    splits = (SplitCount(script, 3, (1, 2)), SplitCount("test", 4, (1, 2)))
    reading = TableReading(classes, (column, classes), script)
    data = DataSummary("binary", script, (script, "no"), splits, reading)
    network = NetworkSummary((LayerSummary(script, script, (3,), 1),), 1, 0, penalised=False)
    return made_manifest(data=data, network=network)


def test_columns_classes_and_layers_of_a_stranger_show_as_text():
    body = setup(make_study(seeds=1).spec, hostile_manifest())
    tokens = rendered(body)
    html = " ".join(t.content for t in tokens if t.type in ("html_block", "html_inline"))
    assert {tag.split()[0] for tag in re.findall(r"<(/?[^<>]+?)/?>", html)} <= _TAGS
    assert [t for t in tokens if t.type in ("heading_open", "link_open", "image")] == []
    assert "\u202e" not in body


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_counts_of_a_stranger_that_do_not_fit_break_nothing(count):
    manifest = hostile_manifest()
    classes = tuple(map(str, range(count)))
    body = setup(
        make_study(seeds=1).spec, manifest.updated(data=replace(manifest.data, classes=classes))
    )
    assert "Columns as they were read" in body
