"""Warnings about the labels by tags alone: each names the stage and the remedy."""

from typing import Any

from matlabel.artifacts.scores import score

# Held-out tags must be predicted better than shuffled ones by this share of what is possible ...
LEAST_SKILL = 0.15
# ... and by so many of the deviations of shuffled ones.
DEVIATIONS = 3
# A loss that is this near to that of the tags' frequencies alone.
NOTHING_LEARNT = 0.95
# Share of the tags without a sure region of their own. Tiny objects alone have none: the tags must be hardly predicted,
# or the maps know tags of other images as well.
ENFORCED = 0.5
HARDLY_LEARNT = 0.7
LEAST_COVER = 0.005
MOST_COVER = 0.9


def warnings(scores: dict[str, Any]) -> list[str]:
    """Reasons to distrust the labels, one sentence each.

    Args:
        scores: scores.json with the sections `check` and `without_masks`.
    """
    found = []
    check = scores.get("check")
    if check:
        found += _of_classifier(check)
        share, loss = score(scores, "without_masks", "enforced", "share") or 0.0, check["loss"]
        own, other = (score(check, "look", name) or 0.0 for name in ("without_region", "without_region_shuffled"))
        if share >= ENFORCED and (loss > HARDLY_LEARNT or own >= other):
            found.append(
                f"trimaps: {100 * share:.0f} % of the tags have no sure region of their own, and tags that were held "
                f"out are predicted with {100 * loss:.0f} % of the loss of their frequencies alone: many labels are "
                "guesses; start from cam.weights of ImageNet, or add photographs, above all such that show the classes "
                "without each other"
            )
    cover, trimaps = (score(scores, "without_masks", name) for name in ("cover", "enforced"))
    if trimaps is not None and cover is not None and not LEAST_COVER <= cover <= MOST_COVER:
        found.append(
            f"labels: objects cover {100 * cover:.1f} % of the tagged images; look at the trimaps, and set "
            f"trimaps.{'foreground' if cover < LEAST_COVER else 'background'} lower"
        )
    return found


def _of_classifier(check: dict[str, Any]) -> list[str]:
    found = []
    mean, shuffled, deviation = (check[name] for name in ("mean_ap", "mean_ap_shuffled", "mean_ap_deviation"))
    skill = (mean - shuffled) / max(1 - shuffled, 1e-6)
    # Of a few tags shuffled ones can be right by chance: then half of what is possible is enough.
    least = shuffled + min(DEVIATIONS * deviation, 0.5 * (1 - shuffled))
    if not check["classes"]:
        found.append(
            "cam: no class is in some of the images that were held out and not in others: nothing can be said of the "
            "classifier; add photographs without the classes, and set dataset.untagged: background"
        )
    elif skill < LEAST_SKILL or mean < least:
        found.append(
            f"cam: tags of images that were held out are predicted with a mean average precision of {mean:.2f}, "
            f"shuffled tags with {shuffled:.2f}: the classifier does not know the classes; see whether the tags are "
            "right and the photographs show what they say, start from cam.weights of ImageNet, lower cam.lr, or add "
            "photographs"
        )
    elif check["look"] and check["look"]["loss"] >= NOTHING_LEARNT:
        found.append(
            f"cam: tags are predicted with {100 * check['look']['loss']:.0f} % of the loss of their frequencies alone: "
            "the classifier has learnt next to nothing; raise cam.steps, or lower cam.lr"
        )
    if check["objection"]:
        remedy = "a plain classifier was taken" if check["plain"] else "set cam.fallback: auto"
        found.append(f"cam: {check['objection']}; {remedy}; set cam.warmup: auto, or lower the weights of the terms")
    return found
