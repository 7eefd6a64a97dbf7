"""The stack, the memo and the bytes that a pickle's operations work on."""

import struct
from collections.abc import Callable
from typing import Any

from matlabel.converters.vocabulary import Budget, Known, Vocabulary


class Stack:
    """The state of a pickle that is being read.

    Args:
        content: the bytes.
        vocabulary: what they may hold.
        budget: shared by all that belongs to one file.
        persistent: what an object kept outside of the pickle is; None: there is none.
        start: where the pickle begins.
    """

    def __init__(
        self,
        content: bytes,
        vocabulary: Vocabulary,
        budget: Budget,
        persistent: Callable[[Any], Any] | None = None,
        start: int = 0,
    ):
        self.content, self.position = content, start
        self.vocabulary, self.budget, self.persistent = vocabulary, budget, persistent
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self.content[self.position : self.position + count]
        if count < 0 or len(found) < count:
            raise IndexError(count)
        self.position += count
        return found

    def number(self, layout: str) -> int:
        """The next bytes as a number of a layout of `struct`."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        """The bytes up to the end of the line."""
        end = self.content.find(b"\n", self.position)
        if end < 0:
            raise IndexError(end)
        found = self.content[self.position : end]
        self.position = end + 1
        return found

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """The values since the last mark, taken off."""
        found, self.stack = self.stack, self.marked.pop()
        return found

    def known(self, module: Any, name: Any) -> Known:
        """The known object of a global name.

        Raises:
            ValueError: nothing here.
        """
        if type(module) is not str or type(name) is not str:
            raise ValueError("the pickle is damaged: a name that is no text")
        found = self.vocabulary.names.get((module, name))
        if found is None:
            said = f"{module}.{name}"[:100]
            raise ValueError(f"names {said if said.isprintable() else ascii(said)}, which is no array: not read")
        return found
