import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.settings.training import TrainingSettings
from matlabel.training.crops import crop_generator, random_crop


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 200), st.integers(3, 200), st.integers(0, 99))
def test_the_image_and_its_label_are_cut_alike_whatever_the_size(height, width, epoch):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = 255
    label = (image[..., 0] > 0).astype(np.uint8)
    options = TrainingSettings(crop=64, resize=(48, 120), jitter=0)
    crop, cut = random_crop(image, options, crop_generator(0, epoch, "a"), {"label": (label, 255, False)})
    assert crop.shape == (64, 64, 3)
    inside = cut["label"] != 255
    assert inside.any()
    # Bilinear and nearest differ on the one edge there is, nowhere else.
    sure = inside & ((crop[..., 0] < 20) | (crop[..., 0] > 235))
    # In a picture a few pixels wide that edge may be all there is.
    if sure.sum() > 200:
        assert (cut["label"][sure] == (crop[..., 0] > 127)[sure]).mean() > 0.9


def test_a_crop_depends_on_seed_epoch_and_image_alone():
    image = np.random.default_rng(0).integers(0, 255, (80, 90, 3), dtype=np.uint8)
    options = TrainingSettings(crop=48, resize=(60, 120))

    def cut(*key):
        return random_crop(image, options, crop_generator(*key))[0]

    np.testing.assert_array_equal(cut(0, 3, "a"), cut(0, 3, "a"))
    for other in ((1, 3, "a"), (0, 4, "a"), (0, 3, "b")):
        assert (cut(0, 3, "a") != cut(*other)).any()
