"""The page as HTML: its sections, in reading order."""

from collections.abc import Sequence

import numpy as np

from matlabel.artifacts.label_image import VOID, voc_palette
from matlabel.report import figures
from matlabel.report.captions import definitions, protocol
from matlabel.report.gallery import UNKNOWN_COLOUR
from matlabel.report.markup import Html, element, join
from matlabel.report.pictures import COLUMNS, Row
from matlabel.report.runs import Run, number
from matlabel.report.style import CSS
from matlabel.report.tables import (
    average,
    by_variant,
    check_table,
    class_table,
    percent,
    plain_table,
    scores_table,
    unmasked_table,
)
from matlabel.stages import TRAININGS

MOST_OPEN = 6
MOST_LISTED = 300


def page(title: str, sections: Sequence[tuple[str, str, Html]], header: Html) -> str:
    """The whole document.

    Args:
        sections: (anchor, heading, content); those without content are left out.
        header: what stands below the title.
    """
    sections = [section for section in sections if section[2]]
    links = element("nav", join(element("a", heading, href=f"#{anchor}") for anchor, heading, _ in sections))
    body = [element("section", element("h2", heading), content, id=anchor) for anchor, heading, content in sections]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(CSS)),
    )
    top = element("header", element("h1", title), header, links)
    html = element("html", head, element("body", element("main", top, *body)), lang="en")
    return f"<!DOCTYPE html>\n{html}\n"


def header(runs: Sequence[Run], classes: Sequence[str], images: int, rejected: int) -> Html:
    """Headline numbers of the variant with the best pseudo-labels among those trained on tags alone."""
    variants = {name: group for name, group in by_variant(runs).items() if not group[0].beyond_tags} or by_variant(runs)
    name, group = max(variants.items(), key=lambda item: average(item[1], ("labels", "miou")) or 0)
    numbers = [
        ("seed mIoU", ("seed", "scoring", "miou")),
        ("pseudo-labels mIoU", ("labels", "miou")),
        ("pseudo-labels boundary IoU", ("labels", "boundary_iou")),
        ("predictions mIoU", ("predictions", "miou")),
    ]
    if average(group, ("labels", "miou")) is None and average(group, ("predictions", "miou")) is None:
        numbers = [
            ("unknown in trimaps", ("without_masks", "unknown_share")),
            ("void in pseudo-labels", ("without_masks", "void_share")),
            ("mean margin of the winner", ("without_masks", "margin")),
        ]
    values = [(title, average(group, path)) for title, path in numbers]
    cards = [
        element("div", element("b", percent(value) + " %"), element("span", title))
        for title, value in values
        if value is not None
    ]
    cards += [
        element("div", element("b", f"{images:,}"), element("span", f"images, {rejected:,} of them rejected")),
        element("div", element("b", len(classes)), element("span", "classes" if len(classes) > 1 else "class")),
    ]
    several = f"Best of {len(variants)} variants by its pseudo-labels: " if len(variants) > 1 else "Variant "
    seeds = f", mean of {len(group)} seeds" if len(group) > 1 else ""
    about = element("p", several, element("b", name), seeds, ".", class_="note")
    return join([element("div", *cards, class_="headline"), about])


def warnings_section(runs: Sequence[Run]) -> Html:
    """Warnings about the labels by tags alone; a line a run and warning."""
    lines = [(_title(run, runs), text) for run in runs for text in run.value("warnings") or []]
    rows = [element("li", element("b", title), f": {text}") for title, text in dict.fromkeys(lines)]
    return element("ul", *rows, class_="warnings") if rows else Html("")


def check_section(runs: Sequence[Run]) -> Html:
    """Checks of the classifiers by tags alone, and the tags that they doubt; a table for all runs."""
    found = [run for run in _first_of(runs, "cam") if run.value("check")]
    if not found:
        return Html("")
    about = (
        "Tags of images that were held out against the classifier's predictions (of a small set all, in short plain "
        "trainings on folds): mean average precision, and what shuffled tags give on the same images. Tags "
        "without a region: of the tagged classes those that the class maps are sure of nowhere; beside it the same "
        "for tags of other images. Doubted tags are in wrong_tags.csv, images that need a look in per_image.csv."
    )
    return join([element("p", about, class_="note"), check_table(found)])


def scores_section(runs: Sequence[Run]) -> Html:
    """The table of all runs, and in words what each number is and what it was measured on."""
    masked = any(run.value("images", "with_masks") or run.value("images", "held_out_with_masks") for run in runs)
    if not masked:
        note = "There are no true masks, so nothing is scored; in percent of the pixels of all training images:"
        return join([element("p", note), unmasked_table(runs)])
    notes = element("ul", *(element("li", line) for line in [*protocol(runs), *definitions(runs)]))
    return join(
        [
            element("p", "All scores in percent.", class_="note"),
            scores_table(runs),
            element("div", notes, class_="note"),
        ]
    )


def classes_section(runs: Sequence[Run]) -> Html:
    """Scores by class, a table for each run; the first is open."""
    shown = [run for run in runs if any(any(list(row.values())[1:]) for row in run.classes)]
    return _folded([(_title(run, runs), class_table(run)) for run in shown])


def curves_section(runs: Sequence[Run]) -> Html:
    """The CAM seed's mIoU against its threshold, and the losses of both trainings."""
    curves = [
        (_title(run, runs), run.curves)
        for run in _first_of(runs, "activations")
        if len(run.curves) and not np.isnan(run.curves["scoring"]).all()
    ]
    parts, charts = [], []
    if curves:
        text = "Seed mIoU on the scoring half by background threshold. Dashed: before spreading."
        chart = figures.threshold_curves("thresholds", curves)
        parts.append(element("figure", chart, element("figcaption", text), class_="wide"))
    for stage in TRAININGS:
        for run in _first_of(runs, stage):
            if history := run.histories.get(stage):
                name, title = f"loss-{stage}-{run.keys[stage]}", f"{stage}: {_title(run, runs)}"
                charts.append(element("figure", figures.losses(name, title, history)))
    if charts:
        losses, few = element("div", *charts, class_="figures"), len(charts) <= MOST_OPEN
        heading = element("summary", element("b", "Losses of the trainings"))
        parts.append(element("details", heading, losses, open=few))
    return join(parts)


def differences_section(runs: Sequence[Run]) -> Html:
    """Where matting helped and where it hurt, image by image."""
    parts = []
    for place, run in enumerate(_first_of(runs, "labels")):
        pairs = [(number(row["labels"]), number(row["winner"])) for row in run.images]
        values = [labels - winner for labels, winner in pairs if labels is not None and winner is not None]
        if values:
            better, worse = sum(value > 0 for value in values), sum(value < 0 for value in values)
            text = f"Of {len(values):,} images {better:,} better, {worse:,} worse."
            chart = figures.differences(f"difference-{place}", _title(run, runs), np.array(values))
            parts.append(element("figure", chart, element("figcaption", text)))
    if not parts:
        return Html("")
    about = (
        "mIoU of the pseudo-label minus that of the activations' winner (no trimap, no matting), an image a bar, over "
        "all training images with masks. An image's mIoU averages over the classes in its truth or label."
    )
    return join([element("p", about, class_="note"), element("div", *parts, class_="figures")])


def gallery_section(groups: Sequence[tuple[str, str, Sequence[Row]]], classes: Sequence[str], side: int) -> Html:
    """Pictures of images, a block for each variant and kind of image.

    Args:
        groups: (variant, heading, rows).
        side: long side of a picture, in pixels.
    """
    groups = [group for group in groups if group[2]]
    if not groups:
        return Html("")
    colours = voc_palette()
    chips = [_chip(colours[value], name) for value, name in enumerate(["background", *classes])]
    chips += [_chip(np.array(UNKNOWN_COLOUR), "unknown (trimap)"), _chip(colours[VOID], "void (labels, truth)")]
    variants: dict[str, list[Html]] = {}
    for variant, heading, rows in groups:
        variants.setdefault(variant, []).append(
            join([element("h3", heading), _rows(rows, colours, list(classes), side)])
        )
    blocks = [(variant, join(parts)) for variant, parts in variants.items()]
    return join([element("div", *chips, class_="legend"), _folded(blocks)])


def rejected_section(rejected: Sequence[tuple[str, str, str]]) -> Html:
    """Rejected images: split, id and why."""
    return plain_table(["split", "image", "why"], rejected) if rejected else Html("")


def enforced_section(runs: Sequence[Run]) -> Html:
    """Images whose trimap was given an enforced known region of some label."""
    folds = []
    for run in _first_of(runs, "trimaps"):
        rows = [(row["id"], row["enforced"].replace(";", ", ")) for row in run.images if row["enforced"]]
        if rows:
            title = f"{_title(run, runs)}: {len(rows)} of {run.value('images', 'labels')} images"
            more = [(f"and {len(rows) - MOST_LISTED} more, in per_image.csv", "")] if len(rows) > MOST_LISTED else []
            table = plain_table(["image", "enforced for"], [*rows[:MOST_LISTED], *more])
            folds.append(element("details", element("summary", title), table))
    if not folds:
        return Html("")
    about = "The thresholds left too little sure of these classes, so their likeliest pixels were made sure."
    return join([element("p", about, class_="note"), *folds])


def settings_section(settings: Sequence[tuple[str, str, Sequence[str], str]]) -> Html:
    """Settings that differ from the defaults, one fold for each artifact folder.

    Args:
        settings: (stage, key, runs that use it, YAML of the settings that differ, empty if none do).
    """
    folds = []
    for stage, key, users, text in settings:
        note = "" if text else ", all defaults"
        summary = [element("b", stage), " ", element("code", key), element("small", f" {', '.join(users)}{note}")]
        folds.append(element("details", element("summary", *summary), element("pre", text or "all defaults")))
    return join(folds)


def _rows(rows: Sequence[Row], colours: np.ndarray, classes: list[str], side: int) -> Html:
    columns = [column for column in COLUMNS if any(column in row.pictures for row in rows)]
    cells = [element("div", column, class_="head") for column in columns]
    for row in rows:
        tags = [_chip(colours[classes.index(tag) + 1], tag) for tag in row.tags if tag in classes]
        why = [element("span", row.why, class_="why")] if row.why else []
        cells.append(element("div", element("b", row.id), *why, *tags, _score(row), class_="caption"))
        for column in columns:
            picture = row.pictures.get(column)
            shown = (
                element("img", src=picture, alt=f"{column} of {row.id}")
                if picture
                else element("span", "–", class_="none")
            )
            cells.append(element("div", shown))
    return element(
        "div", *cells, class_="gallery", style=f"grid-template-columns: repeat({len(columns)}, minmax(0, {side}px))"
    )


def _score(row: Row) -> Html:
    found = {name: number(row.scores.get(name)) for name in ("winner", "labels", "predictions")}
    titles = {"winner": "winner", "labels": "pseudo-label", "predictions": "prediction"}
    words = [f"{titles[name]} {percent(value)}" for name, value in found.items() if value is not None]
    return element("span", "mIoU: " + ", ".join(words) if words else "", class_="muted")


def _chip(colour: np.ndarray, name: str) -> Html:
    value = "#{:02x}{:02x}{:02x}".format(*map(int, colour))
    return element("span", element("i", style=f"background: {value}"), name, class_="chip")


def _title(run: Run, runs: Sequence[Run]) -> str:
    return run.name if len(by_variant(runs)[run.variant]) > 1 else run.variant


def _first_of(runs: Sequence[Run], stage: str) -> list[Run]:
    """The runs that have a stage, one for each of its keys."""
    found: dict[str, Run] = {}
    for run in runs:
        if stage in run.keys:
            found.setdefault(run.keys[stage], run)
    return list(found.values())


def _folded(blocks: Sequence[tuple[str, Html]]) -> Html:
    """Blocks in folds, the first open; a single block without a fold."""
    if len(blocks) == 1:
        return blocks[0][1]
    return join(
        element("details", element("summary", element("b", title)), content, open=place == 0)
        for place, (title, content) in enumerate(blocks)
    )
