"""Settings of the stage mattes."""

from typing import Literal

from pydantic import Field

from matlabel.settings.base import Settings, free
from matlabel.settings.paths import PathText

# These methods decide from the activations; all others from the trimap.
WITHOUT_TRIMAP = ("crf", "none")


class CrfSettings(Settings):
    """The dense CRF (Krähenbühl & Koltun 2011), for method crf."""

    iterations: int = Field(10, ge=0, le=1000, description="Mean field updates.")
    smooth_weight: float = Field(3.0, ge=0, le=10_000, description="Weight of the kernel over positions.")
    smooth_sigma: float = Field(3.0, ge=0.1, le=10_000, description="Its standard deviation, in pixels.")
    bilateral_weight: float = Field(
        10.0, ge=0, le=10_000, description="Weight of the kernel over positions and colours."
    )
    bilateral_sigma: float = Field(
        80.0, ge=0.1, le=10_000, description="Its standard deviation in position, in pixels ..."
    )
    colour_sigma: float = Field(13.0, ge=0.1, le=10_000, description="... and in colour, of 255.")


class MattesSettings(Settings):
    """How the unknown region is decided."""

    method: Literal["closed_form", "knn", "lbdm", "random_walk", "vitmatte", "crf", "none"] = Field(
        "closed_form",
        description="closed_form: Levin et al. 2008, all labels in one system. For comparison: knn, lbdm, random_walk, "
        "vitmatte (trained on alpha mattes: more than tags); crf and none take the activations and no trimap.",
    )
    scale: Literal["auto", 1, 2, 4] = Field(
        "auto", description="Solve on the image, its half or its quarter; not for crf and none."
    )
    epsilon: float = Field(
        1e-4,
        ge=1e-12,
        le=1,
        description="closed_form, lbdm: added to the colour covariance of a window; larger smooths.",
    )
    radius: int = Field(1, ge=1, le=5, description="closed_form, lbdm: windows are 2 radius + 1 pixels wide.")
    tolerance: float = Field(
        1e-4,
        ge=1e-12,
        lt=1,
        description="closed_form on a GPU stops at this relative residual; the CPU solves exactly ...",
    )
    iterations: int = Field(1000, ge=1, le=1_000_000, description="... or after this many steps.")
    prior: float = Field(
        0.05,
        ge=0,
        le=10_000,
        description="closed_form: weight that draws unknown pixels to the prior, their activations, beside colours, "
        "whose own weight is 5 to 8 a pixel of the solved grid; 0: colours alone.",
    )
    samples: float = Field(
        0.3,
        ge=0,
        le=10_000,
        description="closed_form: weight, on the same scale, that draws unknown pixels to what the known ones are that "
        "are most like them in colour and place; 0: none. With trimaps.contour: 0 set this to 0 as well: far from "
        "contours it does harm.",
    )
    crf: CrfSettings = CrfSettings()
    weights: PathText | None = Field(None, description="vitmatte: folder (or name on a hub) of the network to use.")
    device: Literal["auto", "cpu", "cuda"] = free(
        "auto", description="auto: as `device` says. cpu leaves the GPU to the networks."
    )
    workers: int = free(8, ge=1, le=1024, description="Most processes over a shard, one for each 128 images.")
    batch_size: int = free(
        64, ge=1, le=65_536, description="closed_form on a GPU: images to a batch, halved if too many."
    )
    compile: bool = free(
        False, description="closed_form on a GPU: fuse the solver's steps; every job compiles first, for long shards."
    )

    @property
    def reads_prior(self) -> bool:
        """Whether the activations decide beside the trimap, or in its place."""
        return self.method in WITHOUT_TRIMAP or (self.method == "closed_form" and self.prior > 0)

    @property
    def takes_trimap(self) -> bool:
        """Whether the method decides from a trimap, and not from the activations."""
        return self.method not in WITHOUT_TRIMAP
