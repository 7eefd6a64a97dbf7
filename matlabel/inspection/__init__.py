"""Commands that look at a config or at results and compute nothing: `matlabel.cli` adds them to the stages'."""

from matlabel.inspection.commands import COMMANDS

__all__ = ["COMMANDS"]
