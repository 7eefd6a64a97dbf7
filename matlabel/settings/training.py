"""Settings that both trainings share."""

from math import ceil
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from matlabel.settings.base import Settings, free
from matlabel.settings.paths import PathText
from matlabel.settings.start_weights import weights_file

# Of a picture, in pixels.
LongSide = Annotated[int, Field(ge=32, le=8192)]
# Whether timm knows it is asked before a training starts: its import takes seconds.
BackboneName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


class TrainingSettings(Settings):
    """Optimisation, augmentation and hardware of a training."""

    splits: list[str] | None = Field(
        None, min_length=1, description="Splits to train on; not given: all except those of evaluation.splits."
    )
    weights: PathText = Field(
        "imagenet",
        description="Start of the backbone: imagenet (the literature's of a ResNet, timm's default of others), a full "
        "name of timm's with its tag (resnet50.a1_in1k), package (of tf_efficientnet_lite0, or of 1 and 2 by the extra "
        "lite), none, or a file: state_dict or safetensors.",
    )
    output_stride: Literal["auto", 8, 16, 32] = Field(
        "auto",
        description="Input pixels to one pixel of the last map; auto: 16, or what a backbone has that cannot be "
        "dilated.",
    )
    norm: Literal["auto", "frozen", "train"] = Field(
        "auto",
        description="The backbone's BatchNorm, statistics and affine part; auto: frozen with given weights, trained "
        "with weights none. Norms without statistics (LayerNorm) are trained in any case.",
    )
    frozen_stages: int = Field(
        0,
        ge=0,
        le=4,
        description="Parts that are not trained: 1 the stem, 2 also stage 1 of the backbone's four, 3 also stage 2, 4 "
        "also stage 3.",
    )
    epochs: int = Field(8, ge=1, le=10_000, description="Times that each image is seen ...")
    steps: int = Field(
        150,
        ge=0,
        le=10_000_000,
        description="... or more often, until there were so many steps: a small set needs them as well.",
    )
    batch_size: int = Field(
        16, ge=2, le=65_536, description="Images to a step, over all devices of all nodes together."
    )
    crop: int = Field(320, ge=32, le=4096, description="Side of the square training crop, in pixels.")
    resize: tuple[LongSide, LongSide] = Field(
        (320, 512), description="Range of the long side before cropping, in pixels."
    )
    jitter: float = Field(0.3, ge=0, le=1, description="Strength of the brightness, contrast and saturation changes.")
    lr: float = Field(
        0.01, gt=0, le=100, description="Learning rate of the backbone, decaying to 0 as (1 - progress)^0.9."
    )
    head_lr_factor: float = Field(10.0, gt=0, le=10_000, description="The new layers learn this much faster.")
    weight_decay: float = Field(1e-4, ge=0, le=10)
    optimizer: Literal["sgd", "adamw"] = "sgd"
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(
        "auto",
        description="auto: bf16-mixed where the hardware is faster in bfloat16 (CUDA, some CPUs), else 32-true.",
    )
    threads: int = Field(
        2, ge=1, le=1024, description="CPU threads of torch; part of the result, as sums depend on it."
    )
    deterministic: bool = Field(False, description="On CUDA: refuse kernels that give other bits each time.")
    devices: int = Field(1, ge=1, le=1024, description="GPUs (or CPU processes) of a node to train on.")
    nodes: int = Field(1, ge=1, le=1024, description="Machines to train on; more than one needs a cluster.")
    workers: int | None = free(
        None, ge=0, le=1024, description="Loading processes; not given: 0 on the CPU, 8 on a GPU."
    )

    def epochs_of(self, images: int) -> int:
        """How often a training sees each of its images: `epochs`, or more until `steps` are done."""
        return max(self.epochs, ceil(self.steps / max(1, images // self.batch_size)))

    @property
    def weights_file(self) -> str | None:
        """The file named by `weights`; None where it is no file."""
        # Either training has a `backbone`, which the segmenter calls its encoder.
        return weights_file(self.weights, self.backbone)

    @property
    def processes(self) -> int:
        """One for each device of each node."""
        return self.devices * self.nodes

    @field_validator("resize")
    @classmethod
    def _from_small_to_large(cls, resize: tuple[int, int]) -> tuple[int, int]:
        if resize[0] > resize[1]:
            raise ValueError("the smaller size comes first")
        return resize

    @model_validator(mode="after")
    def _each_process_has_as_many_images(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} must be a multiple of the {self.processes} processes (devices x nodes)"
            )
        return self
