"""What each opcode of a pickle does, protocols 0 to 5, as the standard library's pickletools describes them."""

import codecs
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from matlabel.converters.pickle_stack import Stack
from matlabel.converters.vocabulary import Known

_LONGEST_NUMBER = 256  # bytes
_LONGEST_KEY = 1024
# Text beyond this is binary data of old protocols, which has one byte a character; other text would take four.
_LONG_TEXT = 1 << 16
_WIDE_UTF8 = re.compile(rb"[\xc4-\xff]")
_WIDE_ESCAPE = re.compile(rb"\\U|\\u(?!00)")


def _mark(m: Stack) -> None:
    m.marked.append(m.stack)
    m.stack = []


def _line_integer(m: Stack) -> None:
    text = m.line()
    m.push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))


def _long(m: Stack, count: int) -> None:
    if count > _LONGEST_NUMBER:
        raise ValueError(f"a number of {count} bytes")
    m.push(int.from_bytes(m.take(count), "little", signed=True))


def _utf8(m: Stack, count: int) -> None:
    data = m.take(count)
    if count > _LONG_TEXT and _WIDE_UTF8.search(data):
        raise ValueError(f"a text of {count} bytes")
    m.push(data.decode("utf-8", "surrogatepass"))


def _line_text(m: Stack) -> None:
    data = m.line()
    if len(data) > _LONG_TEXT and _WIDE_ESCAPE.search(data):
        raise ValueError(f"a text of {len(data)} bytes")
    m.push(codecs.raw_unicode_escape_decode(data)[0])


def _quoted(m: Stack) -> None:
    """A quoted Python 2 string, which may hold bytes: one letter for each byte (latin-1)."""
    data = m.line().strip()
    if len(data) < 2 or data[:1] not in (b"'", b'"') or data[-1:] != data[:1]:
        raise ValueError("the pickle is damaged: a text without quotes")
    m.push(codecs.escape_decode(data[1:-1])[0].decode("latin-1"))


def _tuple_of(count: int) -> Callable[[Stack], None]:
    def act(m: Stack) -> None:
        if len(m.stack) < count:
            raise IndexError(count)
        m.stack[-count:] = [tuple(m.stack[-count:])]

    return act


def _list_at_top(m: Stack) -> list:
    if type(m.stack[-1]) is not list:
        raise ValueError("the pickle is damaged: it appends to what is no list")
    return m.stack[-1]


def _append(m: Stack) -> None:
    value = m.stack.pop()
    _list_at_top(m).append(value)


def _appends(m: Stack) -> None:
    values = m.since_mark()
    _list_at_top(m).extend(values)


def _set_items(m: Stack, flat: list[Any]) -> None:
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


def _set_item(m: Stack) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _set_items(m, [key, value])


def _dict(m: Stack) -> None:
    flat = m.since_mark()
    m.push({})
    _set_items(m, flat)


def _put(m: Stack, place: int) -> None:
    m.memo[place] = m.stack[-1]


def _line_place(m: Stack) -> int:
    text = m.line()
    if not text.isdigit() or len(text) > 20:
        raise ValueError("the pickle is damaged: a place in its memo that is no number")
    return int(text)


def _global(m: Stack) -> None:
    module = m.line().decode("utf-8")
    m.push(m.known(module, m.line().decode("utf-8")))


def _instance(m: Stack) -> None:
    _global(m)
    raise ValueError(f"the pickle makes a {m.stack[-1].name}, which is not read here")


def _stack_global(m: Stack) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.push(m.known(module, name))


def _reduce(m: Stack) -> None:
    arguments, function = m.stack.pop(), m.stack.pop()
    if not isinstance(function, Known) or function.make is None or type(arguments) is not tuple:
        name = function.name if isinstance(function, Known) else "a value"
        raise ValueError(f"the pickle calls {name}, which is not read here")
    m.push(function.make(arguments, m.budget))


def _build(m: Stack) -> None:
    state = m.stack.pop()
    give = m.vocabulary.states.get(type(m.stack[-1]))
    if give is None:
        raise ValueError("the pickle makes objects that are not read here (their state is set)")
    give(m.stack[-1], state, m.budget)


def _persistent(m: Stack) -> None:
    if m.persistent is None:
        raise ValueError("the pickle names objects outside of it")
    m.push(m.persistent(m.stack.pop()))


def _protocol(m: Stack) -> None:
    version = m.number("<B")
    if version > 5:
        raise ValueError(f"pickle protocol {version}; up to 5 are read")


_ACTS: dict[str, Callable[[Stack], None]] = {
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
OPERATIONS = [_ACTS.get(chr(code)) for code in range(256)]
