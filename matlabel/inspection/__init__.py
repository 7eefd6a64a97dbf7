"""Commands that look at a config or at results and compute nothing: `matlabel.cli` adds them to the stages'."""

from matlabel.inspection.commands import COMMANDS
from matlabel.inspection.options import FILE, FOLDER

__all__ = ["COMMANDS", "FILE", "FOLDER"]
