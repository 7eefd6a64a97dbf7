"""What Snakemake is asked for besides a run, of which it tells a Snakefile nothing but `-n`.

Known by the full names of its options: not where they are shortened, or stand in a profile.
"""

from collections.abc import Sequence
from pathlib import Path

# What shows something and runs nothing.
_SHOWN = {
    *("--summary", "-S", "--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--lint"),
    *("--list-rules", "--list", "-l", "--list-target-rules", "--lt", "--list-changes", "--lc"),
    *("--list-input-changes", "--li", "--list-params-changes", "--lp", "--list-untracked", "--lu"),
    "--print-compilation",
}


def unlocks(words: Sequence[str]) -> bool:
    """Whether a command line only takes Snakemake's lock away."""
    return "--unlock" in _options(words)


def shows(words: Sequence[str]) -> bool:
    """Whether a command line only shows something."""
    return not _SHOWN.isdisjoint(_options(words))


def report(words: Sequence[str]) -> Path | None:
    """The file that a command line wants Snakemake's own report in, and nothing else; None where it does not."""
    options = _options(words)
    if "--report" not in options or "--report-after-run" in options:
        return None
    word = next(word for word in words if word.partition("=")[0] == "--report")
    _, given, value = word.partition("=")
    if not given:
        value = next(iter(words[words.index(word) + 1 :]), "-")
    return Path("report.html" if value.startswith("-") else value)


def _options(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words[: words.index("--") if "--" in words else None]}
