"""What pulls beside colours, activations and embedding: against oracles and at their extremes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import assert_alphas, scene

from matlabel.mattes.closed_form import closed_form, solve
from matlabel.mattes.data_terms import SHARPNESS, Pull, pull_of, towards_alike
from matlabel.mattes.downsample import any_of, area_mean
from matlabel.mattes.grid import coarse_problem
from matlabel.mattes.laplacian import matting_laplacian
from matlabel.mattes.methods import alphas_of
from matlabel.mattes.problem import Evidence, Problem
from matlabel.pixels import resample
from matlabel.settings.mattes import MattesSettings

SCALES = [1, 2, 4, "auto"]


def quarter(height, width, planes, seed=0):
    size = (planes, -(-height // 4), -(-width // 4))
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def test_without_weight_the_bytes_are_those_of_colours_alone():
    image, trimap = scene(40, 44)
    activations = quarter(40, 44, 3)
    plain = closed_form(image, trimap, [1, 2])
    assert closed_form(image, trimap, [1, 2], evidence=Evidence(activations, 0.0)).tobytes() == plain.tobytes()
    given = {"trimap": trimap, "activations": activations}
    off = MattesSettings(prior=0, contour=0, sampling=0, epsilon=1e-7)
    assert alphas_of(image, [1, 2], off, **given).tobytes() == plain.tobytes()


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(2, 40),
    count=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from(SCALES),
    prior=st.sampled_from([0, 1e-4, 30.0]),
    tie=st.sampled_from([0, 1e-4, 30.0]),
    contour=st.sampled_from([0, 0.02, 0.5]),
    sampling=st.sampled_from([0, 1e-4, 30.0]),
)
def test_alphas_sum_to_one_and_keep_what_is_sure(height, width, count, seed, scale, prior, tie, contour, sampling):
    labels = [3 * k + 2 for k in range(count)]
    image, trimap = scene(height, width, labels, seed)
    planes = quarter(height, width, count + 1, seed), quarter(height, width, 5, seed)
    evidence = Evidence(planes[0], prior, planes[1], tie, contour=contour, sampling=sampling)
    assert_alphas(closed_form(image, trimap, labels, scale=scale, evidence=evidence), trimap, labels)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_huge_prior_is_the_activations_where_nothing_is_sure(scale):
    image, trimap = scene(72, 80, unknown=0.97)
    activations = quarter(72, 80, 3, seed=1)
    problem = Problem.of(image, trimap, [1, 2], Evidence(activations, 1e9))
    grid, coarse = coarse_problem(problem, scale)
    raw = solve(area_mean(image, grid), coarse, [1, 2], pull_of(problem, grid))
    cells = resample.resize(activations.astype(float), *coarse.shape) ** SHARPNESS
    cells /= cells.sum(axis=0)
    assert grid == scale
    np.testing.assert_allclose(raw[:, coarse == 255], cells[1:, coarse == 255], atol=1e-6)


def test_the_system_of_a_pull_is_a_larger_graphs():
    image, trimap = scene(14, 17)
    random = np.random.default_rng(3)
    weight = random.random((14, 17)) * (random.random((14, 17)) < 0.7)
    targets = random.dirichlet([1, 1, 1], (14, 17)).transpose(2, 0, 1)
    found = solve(image, trimap, [0, 1, 2], Pull(weight, weight * targets))
    # One node more for each label, sure of itself: the energy of edges to it is that of the pull, and the whole is
    # again a graph Laplacian.
    pixels = weight.size
    extended = np.zeros((pixels + 3, pixels + 3))
    extended[:pixels, :pixels] = matting_laplacian(image).toarray()
    for label in range(3):
        edge = (weight * targets[label]).ravel()
        extended[np.arange(pixels), np.arange(pixels)] += edge
        extended[:pixels, pixels + label] = extended[pixels + label, :pixels] = -edge
        extended[pixels + label, pixels + label] = edge.sum()
    np.testing.assert_allclose(extended.sum(axis=1), 0, atol=1e-6)
    assert np.linalg.eigvalsh(extended).min() > -1e-9 * pixels
    known = np.concatenate([trimap.ravel() != 255, np.ones(3, bool)])
    sure = np.concatenate([[trimap.ravel() == value for value in range(3)], np.eye(3)], axis=1)[:, known]
    oracle = np.linalg.solve(extended[np.ix_(~known, ~known)], -extended[np.ix_(~known, known)] @ sure.T).T
    np.testing.assert_allclose(found.reshape(3, -1)[:, trimap.ravel() == 255], oracle, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)


def test_ties_are_edges_between_unknown_and_sure_pixels_of_one_graph():
    image, trimap = scene(12, 16)
    embedding = quarter(12, 16, 3)
    found = solve(image, trimap, [0, 1, 2], towards_alike(all_solved(image, trimap), embedding, 0.7, 1))
    # One embedding a cell of 4 x 4 pixels: an edge from each unknown pixel to each value that a cell is sure of.
    z = (embedding.reshape(3, -1) * (2 / 255) - 1).T
    cell = (np.arange(12)[:, None] // 4 * 4 + np.arange(16) // 4).ravel()
    held = [sorted(set(cell[trimap.ravel() == value].tolist())) for value in range(3)]
    pixels = trimap.size
    graph = matting_laplacian(image).toarray()
    for i in np.flatnonzero(trimap.ravel() == 255):
        nearest = np.argsort(((z - z[cell[i]]) ** 2).sum(1))
        nearest = [j for j in nearest if any(j in cells for cells in held)][:10]
        for j in nearest:
            values = [value for value in range(3) if j in held[value]]
            edge = 0.7 * np.exp(-((z[j] - z[cell[i]]) ** 2).sum() / 0.2) / len(nearest) / len(values)
            for value in values:
                k = np.flatnonzero((cell == j) & (trimap.ravel() == value))[0]
                graph[[i, k], [i, k]] += edge
                graph[[i, k], [k, i]] -= edge
    np.testing.assert_allclose(graph.sum(axis=1), 0, atol=1e-6)
    np.testing.assert_array_equal(graph, graph.T)
    assert np.linalg.eigvalsh(graph).min() > -1e-9 * pixels
    known = trimap.ravel() != 255
    sure = np.stack([trimap.ravel() == value for value in range(3)], axis=1).astype(float)
    oracle = np.linalg.solve(graph[np.ix_(~known, ~known)], -graph[np.ix_(~known, known)] @ sure[known]).T
    np.testing.assert_allclose(found.reshape(3, -1)[:, ~known], oracle, atol=1e-6)


def all_solved(image, trimap):
    """A problem whose pulls are those of all of its values: as if one more came first, which nothing resembles."""
    problem = Problem.of(image, trimap, [1, 2])
    return replace(problem, values=[254, *problem.values], seeded=[0, *(plane + 1 for plane in problem.seeded)])


@pytest.mark.parametrize("scale", SCALES)
def test_what_has_the_backgrounds_colour_goes_where_its_embedding_belongs(scale):
    random = np.random.default_rng(0)
    image = np.full((96, 96, 3), 0.3)
    image[:, :32] = 0.8  # the object's sure part; the unknown third has the colour of the background
    image += 0.02 * random.random(image.shape)
    trimap = np.zeros((96, 96), np.uint8)
    trimap[:, :32], trimap[:, 32:64] = 1, 255
    embedding = np.zeros((2, 24, 24), np.uint8)
    embedding[0, :, :16], embedding[1, :, 16:] = 200, 200
    evidence = Evidence(embedding=embedding, tie=2.0)
    by_colour, by_both = (closed_form(image, trimap, [1], scale=scale, evidence=given) for given in (None, evidence))
    # Right beside sure background of the same colour the two meet halfway.
    unknown = slice(34, 58)
    assert (by_colour[0, :, unknown] > 0.5).mean() > 0.98
    assert (by_both[1, :, unknown] > 0.5).mean() > 0.98


def test_a_grid_coarser_than_the_embedding_reads_its_mean():
    image, trimap = scene(66, 70)
    embedding = quarter(66, 70, 4)
    embedding[:] = 80
    problem = Problem.of(image, trimap, [1, 2])
    at_eight = towards_alike(problem, embedding, 2.0, 8)
    assert at_eight.weight.shape == (9, 9)
    np.testing.assert_allclose(at_eight.weight, 2.0 * any_of(trimap == 255, 8))


@pytest.mark.parametrize("embedding", [quarter(24, 29, 3), quarter(24, 28, 3) / 255, quarter(24, 28, 3)[0]])
def test_an_embedding_of_another_kind_is_refused(embedding):
    image, trimap = scene()
    with pytest.raises(ValueError, match="expected an embedding uint8"):
        pull_of(Problem.of(image, trimap, [1, 2], Evidence(embedding=embedding, tie=1.0)), 1)


@pytest.mark.parametrize("scale", SCALES)
def test_a_label_without_sure_pixels_is_not_pulled_to(scale):
    image, trimap = scene(36, 33)
    activations, embedding = quarter(36, 33, 4), quarter(36, 33, 8)
    evidence = Evidence(activations, 0.5, embedding, 0.5)
    alphas = closed_form(image, trimap, [1, 2, 9], scale=scale, evidence=evidence)
    fewer = replace(evidence, activations=activations[:3])
    without = closed_form(image, trimap, [1, 2], scale=scale, evidence=fewer)
    assert not alphas[3].any()
    np.testing.assert_allclose(alphas[:3], without, atol=1e-6)


def test_where_the_sure_labels_have_no_activation_colours_decide():
    image, trimap = scene(24, 28)
    activations = np.zeros((3, 6, 7), np.uint8)
    plain = closed_form(image, trimap, [1, 2], scale=1)
    np.testing.assert_allclose(
        closed_form(image, trimap, [1, 2], scale=1, evidence=Evidence(activations, 5.0)), plain, atol=1e-9
    )


@pytest.mark.parametrize("shape", [(1, 2), (2, 9), (9, 2)])
def test_sides_shorter_than_a_window_are_pulled_too(shape):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    activations = np.stack([np.zeros((1, 3)), np.ones((1, 3))])
    alphas = closed_form(image, trimap, [1], evidence=Evidence(activations, 1e6))
    assert (alphas[1][trimap == 255] > 0.999).all()


def halves(size=64, middle=32):
    """A picture and activations that both have an upright contour, at different places."""
    image = np.full((size, size, 3), 60, np.uint8)
    image[:, middle:] = 200
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    planes = np.zeros((2, size // 4, size // 4), np.uint8)
    planes[1, :, (middle - 4) // 4 :], planes[0, :, : (middle - 4) // 4] = 255, 255
    return image, planes


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_colours_decide_near_the_winners_contours_and_beyond_the_winner_stands(scale):
    image, planes = halves(96)
    # Another change of colour, far from the winner's contour.
    image[:, 58:] = 60
    trimap = np.full((96, 96), 255, np.uint8)
    trimap[:, :2], trimap[:, 46:50], trimap[:, 92:] = 0, 1, 0
    labels = {
        contour: closed_form(image, trimap, [1], scale=scale, evidence=Evidence(planes, 0.001, contour=contour))
        for contour in (0.0, 0.1)
    }
    # 14 pixels of the diagonal: the true contour, 4 pixels beside the winner's, is found either way.
    for alphas in labels.values():
        assert (alphas[1][:, 24:31] < 0.5).all()
        assert (alphas[1][:, 33:40] > 0.5).all()
    assert (labels[0.1][1][:, 60:76] > 0.5).all()
    assert (labels[0.0][1][:, 60:76] < 0.5).all()
    # What somebody painted unknown is free again, and what was enforced may grow where it does not win.
    drawn = np.zeros((96, 96), bool)
    drawn[:, 50:92] = True
    free = closed_form(image, trimap, [1], scale=scale, evidence=Evidence(planes, 0.001, drawn=drawn, contour=0.1))
    assert (free[1][:, 60:76] < 0.5).all()
    trimap[:, 66:70] = 0
    grown = closed_form(image, trimap, [1], scale=scale, evidence=Evidence(planes, 0.001, contour=0.1))
    assert (grown[1][:, 60:76] < 0.5).all()


def test_a_contour_that_reaches_everywhere_settles_nothing():
    image, planes = halves()
    trimap = np.full((64, 64), 255, np.uint8)
    trimap[:, :2], trimap[:, 62:] = 0, 1
    near, alike = (closed_form(image, trimap, [1], evidence=Evidence(planes, 0.3, contour=part)) for part in (0.5, 0))
    assert near.tobytes() == alike.tobytes()


def test_activations_of_other_labels_are_refused():
    image, trimap = scene()
    with pytest.raises(ValueError, match="with a plane 2"):
        pull_of(Problem.of(image, trimap, [1, 2], Evidence(quarter(24, 28, 2), 1.0)), 1)


def test_what_the_settings_read_must_be_there():
    image, trimap = scene()
    with pytest.raises(ValueError, match="probabilities, which is missing"):
        alphas_of(image, [1, 2], MattesSettings(prior=0.1), trimap=trimap)


def test_a_stroke_against_the_activations_prevails():
    image = np.full((32, 32, 3), 90, np.uint8) + np.random.default_rng(0).integers(0, 9, (32, 32, 3), dtype=np.uint8)
    planes = np.zeros((2, 8, 8), np.uint8)
    planes[1, :, 4:], planes[0, :, :4] = 255, 255
    trimap = np.full((32, 32), 255, np.uint8)
    trimap[:, :3], trimap[0, 20] = 0, 1
    drawn = np.zeros((32, 32), bool)
    trimap[8:30, 29:31], drawn[8:30, 29:31] = 0, True
    given = {"trimap": trimap, "activations": planes}
    chosen = MattesSettings(scale=1, epsilon=1e-5, prior=1)
    assert alphas_of(image, [1], chosen, **given)[1, 12:, 20:26].mean() > 0.9
    assert alphas_of(image, [1], chosen, **given, drawn=drawn)[1, 12:, 20:26].mean() < 0.1
