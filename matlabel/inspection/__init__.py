"""Commands that inspect a config or results and compute nothing: `matlabel.cli` adds them to those of the stages."""

from matlabel.inspection.commands import COMMANDS

__all__ = ["COMMANDS"]
