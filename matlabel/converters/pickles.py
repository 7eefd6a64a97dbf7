"""A reader of pickles that runs nothing of them: a stack machine for their opcodes, protocols 0 to 5.

A pickle is a program. The usual reader imports what it names and calls it, so that a file can do anything. This one
knows plain values (None, booleans, numbers, text, bytes, lists, tuples, dictionaries) and a closed table of names, each
of which stands for a function of ours; any other name is refused before it is looked up anywhere.

Opcodes as in the standard library's pickletools, which describes each.
"""

import codecs
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from matlabel.converters.vocabulary import Budget, Known, Vocabulary

_LONGEST_NUMBER = 256  # bytes
_LONGEST_KEY = 1024
# Text beyond this is binary data of old protocols, which has one byte a character; other text would take four.
_LONG_TEXT = 1 << 16
_WIDE_UTF8 = re.compile(rb"[\xc4-\xff]")
_WIDE_ESCAPE = re.compile(rb"\\U|\\u(?!00)")


class Machine:
    """Reads one pickle after the other from some bytes.

    Args:
        content: the bytes.
        vocabulary: what they may hold.
        budget: shared by all that belongs to one file.
        persistent: what an object kept outside of the pickle is; None: there is none.
        start: where the first one begins.
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

    def load(self) -> Any:
        """The value of the next pickle; `position` is behind it then.

        Raises:
            ValueError: damaged, or with anything but what is known here.
        """
        self.stack, self.marked, self.memo = [], [], {}
        try:
            while (code := self.content[self.position]) != ord("."):
                self.position += 1
                self.budget.operation()
                act = _OPERATIONS[code]
                if act is None:
                    raise ValueError(f"the pickle makes objects that are not read here (operation {code:#04x})")
                act(self)
            self.position += 1
            return self.stack.pop()
        except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
            # The stack or the memo does not hold what is asked for, or the bytes end or are no text.
            raise ValueError("the pickle is damaged, or cut short") from error

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
        """What is left of this line."""
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
        """What a name stands for.

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


def _mark(m: Machine) -> None:
    m.marked.append(m.stack)
    m.stack = []


def _line_integer(m: Machine) -> None:
    text = m.line()
    m.push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))


def _long(m: Machine, count: int) -> None:
    if count > _LONGEST_NUMBER:
        raise ValueError(f"a number of {count} bytes")
    m.push(int.from_bytes(m.take(count), "little", signed=True))


def _utf8(m: Machine, count: int) -> None:
    data = m.take(count)
    if count > _LONG_TEXT and _WIDE_UTF8.search(data):
        raise ValueError(f"a text of {count} bytes")
    m.push(data.decode("utf-8", "surrogatepass"))


def _line_text(m: Machine) -> None:
    data = m.line()
    if len(data) > _LONG_TEXT and _WIDE_ESCAPE.search(data):
        raise ValueError(f"a text of {len(data)} bytes")
    m.push(codecs.raw_unicode_escape_decode(data)[0])


def _quoted(m: Machine) -> None:
    """Text of Python 2, which had no other bytes: a letter for each."""
    data = m.line().strip()
    if len(data) < 2 or data[:1] not in (b"'", b'"') or data[-1:] != data[:1]:
        raise ValueError("the pickle is damaged: a text without quotes")
    m.push(codecs.escape_decode(data[1:-1])[0].decode("latin-1"))


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def act(m: Machine) -> None:
        if len(m.stack) < count:
            raise IndexError(count)
        m.stack[-count:] = [tuple(m.stack[-count:])]

    return act


def _list_at_top(m: Machine) -> list:
    if type(m.stack[-1]) is not list:
        raise ValueError("the pickle is damaged: it appends to what is no list")
    return m.stack[-1]


def _append(m: Machine) -> None:
    value = m.stack.pop()
    _list_at_top(m).append(value)


def _appends(m: Machine) -> None:
    values = m.since_mark()
    _list_at_top(m).extend(values)


def _set_items(m: Machine, flat: list[Any]) -> None:
    target = m.stack[-1]
    if type(target) is not dict or len(flat) % 2:
        raise ValueError("the pickle is damaged: it sets items of what is no dictionary")
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        # Such keys cannot be made slow to look up, as tuples of tuples can, or long numbers.
        if not (key is None or isinstance(key, (str, bytes, int, float, np.generic))):
            raise ValueError(f"a dictionary with a key that is a {type(key).__name__}")
        if isinstance(key, (str, bytes)) and len(key) > _LONGEST_KEY:
            raise ValueError(f"a dictionary with a key of {len(key)} letters")
        # Of longer ones any number can have the same hash.
        if isinstance(key, int) and not -(2**63) <= key < 2**64:
            raise ValueError(f"a dictionary with a key of {key.bit_length()} bits")
        target[key] = value


def _set_item(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _set_items(m, [key, value])


def _dict(m: Machine) -> None:
    flat = m.since_mark()
    m.push({})
    _set_items(m, flat)


def _put(m: Machine, place: int) -> None:
    m.memo[place] = m.stack[-1]


def _line_place(m: Machine) -> int:
    text = m.line()
    if not text.isdigit() or len(text) > 20:
        raise ValueError("the pickle is damaged: a place in its memo that is no number")
    return int(text)


def _global(m: Machine) -> None:
    module = m.line().decode("utf-8")
    m.push(m.known(module, m.line().decode("utf-8")))


def _instance(m: Machine) -> None:
    _global(m)
    raise ValueError(f"the pickle makes a {m.stack[-1].name}, which is not read here")


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.push(m.known(module, name))


def _reduce(m: Machine) -> None:
    arguments, function = m.stack.pop(), m.stack.pop()
    if not isinstance(function, Known) or function.make is None or type(arguments) is not tuple:
        name = function.name if isinstance(function, Known) else "a value"
        raise ValueError(f"the pickle calls {name}, which is not read here")
    m.push(function.make(arguments, m.budget))


def _build(m: Machine) -> None:
    state = m.stack.pop()
    give = m.vocabulary.states.get(type(m.stack[-1]))
    if give is None:
        raise ValueError("the pickle makes objects that are not read here (their state is set)")
    give(m.stack[-1], state, m.budget)


def _persistent(m: Machine) -> None:
    if m.persistent is None:
        raise ValueError("the pickle names objects outside of it")
    m.push(m.persistent(m.stack.pop()))


def _protocol(m: Machine) -> None:
    version = m.number("<B")
    if version > 5:
        raise ValueError(f"pickle protocol {version}; up to 5 are read")


_ACTS: dict[str, Callable[[Machine], None]] = {
    "\x80": _protocol,
    "\x95": lambda m: m.take(8) and None,  # a frame's length, for reading ahead
    # Stack and memo
    "(": _mark,
    "0": lambda m: m.stack.pop() and None,
    "1": lambda m: m.since_mark() and None,
    "2": lambda m: m.push(m.stack[-1]),
    "p": lambda m: _put(m, _line_place(m)),
    "q": lambda m: _put(m, m.number("<B")),
    "r": lambda m: _put(m, m.number("<I")),
    "\x94": lambda m: _put(m, len(m.memo)),
    "g": lambda m: m.push(m.memo[_line_place(m)]),
    "h": lambda m: m.push(m.memo[m.number("<B")]),
    "j": lambda m: m.push(m.memo[m.number("<I")]),
    # Numbers
    "N": lambda m: m.push(None),
    "\x88": lambda m: m.push(True),
    "\x89": lambda m: m.push(False),
    "I": _line_integer,
    "L": lambda m: m.push(int(m.line().rstrip(b"L"))),
    "J": lambda m: m.push(m.number("<i")),
    "K": lambda m: m.push(m.number("<B")),
    "M": lambda m: m.push(m.number("<H")),
    "\x8a": lambda m: _long(m, m.number("<B")),
    "\x8b": lambda m: _long(m, m.number("<I")),
    "F": lambda m: m.push(float(m.line())),
    "G": lambda m: m.push(m.number(">d")),
    # Text and bytes
    "S": _quoted,
    "T": lambda m: m.push(m.take(m.number("<i")).decode("latin-1")),
    "U": lambda m: m.push(m.take(m.number("<B")).decode("latin-1")),
    "V": _line_text,
    "X": lambda m: _utf8(m, m.number("<I")),
    "\x8c": lambda m: _utf8(m, m.number("<B")),
    "\x8d": lambda m: _utf8(m, m.number("<Q")),
    "B": lambda m: m.push(m.take(m.number("<I"))),
    "C": lambda m: m.push(m.take(m.number("<B"))),
    "\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    "\x96": lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    # Lists, tuples, dictionaries
    "]": lambda m: m.push([]),
    "l": lambda m: m.push(m.since_mark()),
    "a": _append,
    "e": _appends,
    ")": lambda m: m.push(()),
    "t": lambda m: m.push(tuple(m.since_mark())),
    "\x85": _tuple_of(1),
    "\x86": _tuple_of(2),
    "\x87": _tuple_of(3),
    "}": lambda m: m.push({}),
    "d": _dict,
    "s": _set_item,
    "u": lambda m: _set_items(m, m.since_mark()),
    # Names, and what they make
    "c": _global,
    "\x93": _stack_global,
    "R": _reduce,
    "b": _build,
    "Q": _persistent,
    "i": _instance,
}
_OPERATIONS = [_ACTS.get(chr(code)) for code in range(256)]
