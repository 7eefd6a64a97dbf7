"""Stratified folds of the training images, for held-out tags."""

import hashlib

import numpy as np

# Fewer images than this, and a tenth of them is too few to say anything: all are asked for, in short trainings.
SMALL = 320


def folds(ids: list[str], tags: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Deal images into folds so that each has its share of every class, rare classes first.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD
    2011), with the order of classes fixed at the start.

    Args:
        ids: of the images.
        tags: [N, K], 1 where the class is tagged.
        count: number of folds, at least 2.
        seed: another seed, other folds.

    Returns:
        int64[N], the fold of each image. It depends on ids, tags, count and seed, and on no order of the images.
    """
    ranks = [hashlib.sha256(f"{seed} {image_id}".encode()).digest() for image_id in ids]
    order = sorted(range(len(ids)), key=ranks.__getitem__)
    tagged = np.asarray(tags) > 0
    fold = np.full(len(ids), -1)
    total = np.zeros(count, np.int64)
    of_class = np.zeros((tagged.shape[1], count), np.int64)

    def deal(image: int, held: np.ndarray) -> None:
        # The fold that has least of the class, of these the one with the fewest images.
        chosen = np.lexsort((np.arange(count), total, held))[0]
        fold[image] = chosen
        total[chosen] += 1
        of_class[tagged[image], chosen] += 1

    for label in np.argsort(tagged.sum(0), kind="stable"):
        for image in order:
            if tagged[image, label] and fold[image] < 0:
                deal(image, of_class[label])
    for image in order:
        if fold[image] < 0:
            deal(image, total)
    return fold
