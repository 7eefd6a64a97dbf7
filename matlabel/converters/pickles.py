"""Reading pickles without executing anything in them: a stack machine for their opcodes, protocols 0 to 5.

A pickle is a program. The usual reader imports what it names and calls it, so that a file can do anything. This one
knows plain values (None, booleans, numbers, text, bytes, lists, tuples, dictionaries) and a closed table of names, each
of which stands for a function of ours; any other name is refused before it is looked up anywhere.
"""

import struct
from typing import Any

from matlabel.converters.pickle_operations import OPERATIONS
from matlabel.converters.pickle_stack import Stack


class Machine(Stack):
    """Reads one pickle after the other from some bytes."""

    def load(self) -> Any:
        """The value of the next pickle; leaves `position` behind it.

        Raises:
            ValueError: damaged, or with anything but what is known here.
        """
        self.stack, self.marked, self.memo = [], [], {}
        try:
            while (code := self.content[self.position]) != ord("."):
                self.position += 1
                self.budget.operation()
                act = OPERATIONS[code]
                if act is None:
                    raise ValueError(f"the pickle makes objects that are not read here (operation {code:#04x})")
                act(self)
            self.position += 1
            return self.stack.pop()
        except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
            # The stack or the memo does not hold what is asked for, or the bytes end or are no text.
            raise ValueError("the pickle is damaged, or cut short") from error
