"""Settings of the stage dataset."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from matlabel.settings.base import Settings, free
from matlabel.settings.limits import MAX_PIXELS
from matlabel.settings.paths import PathText


class ShapesSettings(Settings):
    """The built-in demo set: generated, seeded, with true masks."""

    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the generator: another seed, other pictures.")
    size: int = Field(128, ge=48, le=1024, description="Long side of the pictures, in pixels.")
    splits: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")], Annotated[int, Field(ge=1, le=1_000_000)]
    ] = Field({"train": 320, "val": 64}, min_length=1, description="Number of pictures of each split.")


class DatasetSettings(Settings):
    """Which photographs, with which tags."""

    format: Literal["shapes", "folder"] = Field(
        "shapes", description="shapes: the generated demo. folder: images/, labels.csv, classes.txt, perhaps masks/."
    )
    path: PathText | None = Field(None, description="The data folder (format folder).")
    shard_size: int = Field(
        1024, ge=1, le=1_000_000, description="Images to a shard: one job reads one shard, writes one file."
    )
    subset: dict[str, Annotated[int, Field(ge=0)]] = Field(
        {}, description="At most so many images of a split, chosen by the hash of their ids; others stay out."
    )
    untagged: Literal["refuse", "reject", "background"] = Field(
        "refuse", description="Images without tags: stop, leave them out, or take them as showing no class at all."
    )
    unknown_class: Literal["refuse", "reject"] = Field(
        "refuse", description="Images with a tag that is not in classes.txt: stop, or leave them out and list them."
    )
    unreadable: Literal["refuse", "reject"] = Field(
        "refuse", description="Images that cannot be opened: stop, or leave them out and list them."
    )
    max_pixels: int = Field(
        MAX_PIXELS,
        ge=1,
        le=10_000_000_000,
        description="Photographs of more pixels count as unreadable: most are mistakes, or bombs.",
    )
    masks: Literal["refuse", "note"] = free(
        "refuse",
        description="Masks that cannot be used, or that contradict the tags throughout: stop, or say so and leave "
        "those that cannot be used out of the scores.",
    )
    shapes: ShapesSettings = Field(ShapesSettings(), description="The demo's generator (format shapes).")

    @model_validator(mode="after")
    def _has_a_path(self) -> "DatasetSettings":
        if self.format == "folder" and not self.path:
            raise ValueError("format folder needs dataset.path: the folder with images/, labels.csv and classes.txt")
        if self.format == "shapes" and self.path:
            raise ValueError("dataset.path needs dataset.format: folder")
        return self
