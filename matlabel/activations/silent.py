"""Uninformative maps, constant or equal to another class's: tolerated in a few images, an error in most."""

from dataclasses import dataclass, field

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some

# Fewer may be so by chance.
_LEAST = 3


@dataclass
class SilentMaps:
    """Counts tags, and tags whose map is constant or equal to another tagged class's.

    Attributes:
        tags: how many tags there were.
        named: "<image> (<class>)" of those whose map says nothing.
    """

    tags: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, image_id: str, labels: list[int], silent: list[int], names: list[str]) -> None:
        """Count an image.

        Args:
            image_id: of the image.
            labels: label values of its tags.
            silent: those of them whose map says nothing.
            names: all class names.
        """
        self.tags += len(labels)
        self.named += [f"{image_id} ({names[label - 1]})" for label in silent]

    def text(self) -> str:
        """The counts in words; empty if every map is informative."""
        if not self.named:
            return ""
        return (
            f"the maps of {len(self.named)} of {self.tags} tags say nothing of where the class is, they are the same "
            f"everywhere or the map of another tagged class: {some(self.named)}"
        )

    def refuse(self, where: str) -> None:
        """Refuse when most maps are uninformative.

        Args:
            where: start of the message.

        Raises:
            UserError: more than half of the tags have such a map, and not only one or two.
        """
        if len(self.named) >= _LEAST and 2 * len(self.named) > self.tags:
            raise UserError(f"{where}: {self.text()}; see how the files were written")
