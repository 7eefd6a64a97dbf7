"""The globals that a pickle may name, and limits on operations and memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# An object each, at most: half a gigabyte. A hundred thousand images with their labels take three million.
MOST_OPERATIONS = 4_000_000


class Budget:
    """The operations and bytes of arrays that reading a file may still use."""

    def __init__(self, length: int):
        self.operations = MOST_OPERATIONS
        # Old protocols hold an array's bytes as text, which becomes bytes, which become an array.
        self.bytes = 2 * length

    def operation(self) -> None:
        """Take one operation.

        Raises:
            ValueError: there are too many.
        """
        self.operations -= 1
        if self.operations < 0:
            raise ValueError(f"a pickle of more than {MOST_OPERATIONS} operations")

    def take(self, count: int) -> None:
        """Take bytes.

        Raises:
            ValueError: more than the file can hold: the same ones are used again and again.
        """
        self.bytes -= count
        if self.bytes < 0:
            raise ValueError("its arrays are larger than the file")


@dataclass(frozen=True)
class Known:
    """A global that a pickle may name.

    Attributes:
        name: for messages.
        make: arguments, budget -> the value; None: it is only named, as the type of something.
    """

    name: str
    make: Callable[[tuple, Budget], Any] | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The globals that a pickle may name.

    Attributes:
        names: (module, name) -> what it stands for.
        states: type -> what gives a value of it the state that a pickle has made apart: value, state, budget.
    """

    names: Mapping[tuple[str, str], Known]
    states: Mapping[type, Callable[[Any, Any, Budget], None]]
