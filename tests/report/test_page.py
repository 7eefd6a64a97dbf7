import csv
import json
import re
from html.parser import HTMLParser

import pytest
from results_tree import ResultsTree

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import provenance_path
from matlabel.report import stage
from matlabel.report.runs import beyond_tags

VOID_TAGS = {"img", "meta", "br", "path", "use", "rect"}
SECTIONS = ("scores", "check", "classes", "curves", "differences", "gallery", "enforced", "rejected", "settings")


class Nesting(HTMLParser):
    """Fails on a closing tag that does not match; collects ids, tags and text."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.tags, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if tag not in VOID_TAGS:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def make(tree, runs, name="report.html", **settings):
    out = tree.root / name
    stage.run(
        settings=tree.report_settings(runs, **settings),
        dataset=tree.dataset,
        masks=tree.mask_list if tree.masks else None,
        results=tree.results,
        out=out,
    )
    return out


def parsed(html):
    reader = Nesting()
    reader.feed(html)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A tree with two variants, one of them with two seeds, and the full-supervision reference."""
    tree = ResultsTree(tmp_path_factory.mktemp("several"))
    runs = [
        tree.chain("default", 0, noise=0.5),
        tree.chain("default", 1, noise=0.6),
        tree.chain("plain", 0, noise=0.9, trimaps=False),
        tree.chain("full", 0, noise=0.1, source="masks"),
        tree.chain("network", 0, noise=0.2, method="vitmatte"),
    ]
    return tree, runs, make(tree, runs, title="<i>Horses</i> & co").read_text()


def test_the_page_is_whole_and_has_every_section(several):
    _, _, html = several
    found = parsed(html)
    assert [name for name in SECTIONS if name in found.ids] == list(SECTIONS)
    assert len(found.ids) == len(set(found.ids))


def test_the_page_needs_nothing_from_outside(several):
    _, _, html = several
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)
    assert "http" not in without_namespaces
    assert "<script" not in html
    sources = re.findall(r'(?:src|href)="([^"]{0,5})', html)
    assert all(source.startswith(("data:", "#")) for source in sources)


def test_what_the_user_wrote_is_escaped(several):
    _, _, html = several
    found = parsed(html)
    assert not {"b", "i"} & set(re.findall(r"<(\w+)>star", html))
    assert "<i>Horses" not in html
    assert "not a <readable> image" in "".join(found.words)
    assert "<b>star</b> & co" in "".join(found.words)
    assert "<readable>" not in html


def test_several_seeds_are_averaged_and_true_masks_are_marked(several):
    _, _, html = several
    text = " ".join(parsed(html).words)
    assert text.count("trained on true masks: more than tags") == 1
    # In the table of scores and in that of the tags; a run from true masks has no classifier.
    assert text.count("ViTMatte was trained on alpha mattes: more than tags") == 2
    assert "2 seeds" in text
    assert " ± " in text


def test_it_says_what_every_number_was_measured_on(several):
    _, _, html = several
    text = " ".join(parsed(html).words)
    assert "scored on 3 of the 6 training images with masks (split train)" in text
    assert "the tuning half, chose the threshold" in text
    assert "4 held-out images with masks (split val)" in text
    assert "one that was predicted void is counted as wrong (evaluation.void: wrong)" in text


def test_a_missing_stage_leaves_its_column_out_of_the_gallery(several):
    _, _, html = several
    gallery = html[html.index('id="gallery"') : html.index('id="enforced"')]
    of = {
        name: gallery.split(f"<b>{name}</b></summary>")[1].split("<summary>")[0]
        for name in ("default", "plain", "full")
    }
    assert 'class="head">trimap<' in of["default"]
    assert 'class="head">trimap<' not in of["plain"]
    assert 'class="head">alphas<' in of["plain"]
    assert 'class="head">activations<' not in of["full"]
    assert all('class="head">prediction<' in part for part in of.values())


def test_enforced_trimaps_and_rejected_images_are_listed(several):
    _, _, html = several
    enforced = html[html.index('id="enforced"') : html.index('id="rejected"')]
    rejected = html[html.index('id="rejected"') : html.index('id="settings"')]
    assert "train_002" in enforced
    assert "train_001" not in enforced
    assert re.findall(r"(?:train|val)_999(?=<)", rejected) == ["train_999", "val_999"]


def test_equal_inputs_give_equal_bytes(several):
    tree, runs, html = several
    assert make(tree, runs, "again.html", title="<i>Horses</i> & co").read_text() == html
    assert provenance_path(tree.root / "again.html").exists()


def test_without_masks_the_page_says_so_and_shows_pictures(tmp_path):
    tree = ResultsTree(tmp_path, masks=False)
    html = make(tree, [tree.chain("default")]).read_text()
    found = parsed(html)
    assert "There are no true masks, so nothing is scored" in " ".join(found.words)
    assert found.tags.count("img") == 12 // 3 * 2 + 4 * 5 + 2 * 5
    assert "differences" not in found.ids


def test_a_gallery_of_no_images_is_left_out(tmp_path):
    tree = ResultsTree(tmp_path, images=2, held_out=0)
    found = parsed(make(tree, [tree.chain("default", predictions=False)], gallery=0).read_text())
    assert "gallery" not in found.ids
    assert "scores" in found.ids


def test_a_missing_evaluation_is_named(tmp_path):
    tree = ResultsTree(tmp_path, images=2, held_out=0)
    run = tree.chain("default")
    (tree.results / "evaluation" / run["keys"]["evaluation"] / "scores.json").unlink()
    with pytest.raises(UserError, match=r"scores\.json: missing; run the stage evaluation first"):
        make(tree, [run])


def test_later_rounds_carry_the_mark_of_the_first_and_need_no_classifier(tmp_path):
    tree = ResultsTree(tmp_path, images=2, held_out=2)
    runs = [tree.chain("tags"), tree.chain("full", source="masks"), tree.chain("own", reads="files:maps")]
    for name, before in (("tags2", "tags"), ("full2", "full"), ("full3", "full2"), ("own2", "own")):
        key = next(run["keys"]["segmenter"] for run in runs if run["variant"] == before)
        runs.append(tree.chain(name, reads=key))
    marks = {run["variant"]: beyond_tags(tree.results, run["keys"]["labels"]) for run in runs}
    masks, files = "trained on true masks: more than tags", "activations from files: what they were learned from is"
    assert marks["tags"] is marks["tags2"] is None
    assert marks["full2"] == marks["full3"] == f"an earlier round: {masks}"
    assert marks["own"].startswith(files)
    assert marks["own2"].startswith(f"an earlier round: {files}")
    html = make(tree, runs).read_text()
    assert " ".join(parsed(html).words).count(masks) == 3
    trained = {run["variant"] for run in runs if f"loss-cam-{run['keys'].get('cam')}" in html}
    assert trained == {"tags"}


def test_what_speaks_against_the_labels_stands_first(tmp_path):
    tree = ResultsTree(tmp_path)
    run = tree.chain("default")
    assert "warnings" not in parsed(make(tree, [run]).read_text()).ids
    path = tree.results / "cam" / run["keys"]["cam"] / "check.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "objection": "the terms did harm"}))
    tree.evaluate(run["keys"]["evaluation"], list(run["keys"]))
    found = parsed(make(tree, [run], name="warned.html").read_text())
    assert found.ids.index("warnings") < found.ids.index("scores")
    assert any("the terms did harm" in words for words in found.words)


def test_images_without_tags_are_no_examples_and_enforced_ones_are_counted_among_those_that_are_labelled(tmp_path):
    tree = ResultsTree(tmp_path, images=12)
    run = tree.chain("default")
    folder = tree.results / "evaluation" / run["keys"]["evaluation"]
    with (folder / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    best = max((row for row in rows if row["labels"]), key=lambda row: float(row["labels"]))
    text = (folder / "per_image.csv").read_text()
    (folder / "per_image.csv").write_text(text.replace(_line(text, best["id"]), _untagged(text, best)))
    provenance_path(folder / "per_image.csv").unlink()
    html = make(tree, [run], gallery=6).read_text()
    captions = re.findall(r"<b>(train_\d+)</b><span class=\"why\">(\w+)", html)
    assert captions
    assert best["id"] not in [image_id for image_id, _ in captions]
    assert "of 12 images" in html
    assert "of 16 images" not in html


def _line(text, image_id):
    return next(line for line in text.splitlines() if line.startswith(f"{image_id},"))


def _untagged(text, row):
    """The image's line as if it had no tags."""
    return _line(text, row["id"]).replace(f",{row['half']},{row['tags']},", f",{row['half']},,")
