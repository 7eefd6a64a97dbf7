"""What the documents point to is there: links, headings, files of the repository, settings."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from matlabel.ablation.section import with_section
from matlabel.settings.reference import reference_text

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# These say what was; their files and settings may be gone.
HISTORY = {"CHANGELOG.md", "notebook.md"}
PRESENT = [document for document in DOCUMENTS if document.name not in HISTORY]

CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
FOLDERS = ("matlabel", "tests", "docs", "benchmarks", "workflow", "profiles", "envs")
INSIDE = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w")
SOURCE = re.compile(r"(?<![\w./-])[\w/-]+\.(?:py|smk)\b")
FILES = {"csv", "png", "py", "json", "txt", "h5", "html"}  # `labels.csv` is no setting
SETTING = re.compile(r"`([a-z]+(?:\.[a-z_]+)+)(?:: [^`]*)?`")
YOURS = "profiles/mine"  # the reader's copy of a profile


def ids(document):
    return str(document.relative_to(ROOT))


def text_of(document):
    return document.read_text(encoding="utf-8")


@cache
def anchors(document):
    """The names that a heading's link has on GitHub."""
    headings = HEADING.findall(CODE.sub(lambda code: code[0] if "\n" not in code[0] else "", text_of(document)))
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


@cache
def sources():
    return [path.as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ps]*")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_link_leads_to_a_file_and_a_heading(document):
    lost = []
    for link in LINK.findall(CODE.sub("", text_of(document))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("document", PRESENT, ids=ids)
def test_every_file_that_is_named_is_in_the_repository(document):
    lost = set()
    for code in CODE.findall(text_of(document)):
        lost |= {path for path in INSIDE.findall(code) if not (ROOT / path).exists() and not path.startswith(YOURS)}
        # Short names: networks/backbones.py for matlabel/networks/backbones.py.
        lost |= {name for name in SOURCE.findall(code) if not any(path.endswith(f"/{name}") for path in sources())}
    assert not lost


@pytest.mark.parametrize("document", PRESENT, ids=ids)
def test_every_setting_that_is_named_exists(document):
    known = settings()
    stages = {name.split(".")[0] for name in known}
    named = {name for name in SETTING.findall(text_of(document)) if name.rsplit(".", 1)[1] not in FILES}
    assert not {name for name in named if name.split(".")[0] in stages} - known


def test_the_results_have_a_place_for_the_table_of_an_ablation():
    file = ROOT / "docs/results.md"
    assert "\nnew rows\n" in with_section(text_of(file), "new rows", file)


@cache
def settings():
    """Every key of the config, and every block of keys."""
    text = reference_text()
    return {*re.findall(r"^\| `([^`]+)`", text, re.MULTILINE), *re.findall(r"^## (.+)", text, re.MULTILINE)}
