"""Replacing the generated section of a Markdown file, between two marker lines."""

from pathlib import Path

from matlabel.artifacts.errors import UserError

BEGIN, END = "<!-- ablation -->", "<!-- /ablation -->"


def with_section(text: str, section: str, file: Path) -> str:
    """`text` with the part between the markers replaced; the rest and the markers stay as they are.

    Args:
        file: named in the message.

    Raises:
        UserError: the markers are not there once each, in their order, on lines of their own.
    """
    lines = text.splitlines(keepends=True)
    begins, ends = ([place for place, line in enumerate(lines) if line.strip() == mark] for mark in (BEGIN, END))
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise UserError(
            f"{file}: the lines {BEGIN} and {END} must stand in it once each, in this order; what is between them is "
            f"replaced (found {len(begins)} and {len(ends)})"
        )
    return "".join([*lines[: begins[0] + 1], "\n", section.strip(), "\n\n", *lines[ends[0] :]])
