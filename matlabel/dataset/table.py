"""Reading labels.csv as people and spreadsheets write it, or refusing it with the fix."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.artifacts.reading import read_bytes

COLUMNS = ("id", "split", "classes")
_DELIMITERS = (",", ";", "\t")
# What others call a column.
_SYNONYMS = {
    "id": ("image", "image_id", "imageid", "file", "filename", "file_name", "name", "path"),
    "split": ("subset", "set", "fold", "partition", "phase", "splits"),
    "classes": ("class", "tags", "tag", "labels", "label", "categories", "category"),
}
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Row:
    """A line of labels.csv.

    Attributes:
        line: its number, from 1; of one that goes over several lines the last.
        id, split: without blanks around them.
        tags: each once, in the order written.
    """

    line: int
    id: str
    split: str
    tags: tuple[str, ...]


def read_table(path: Path) -> list[Row]:
    """The rows of a table with the columns id and classes, and perhaps split, in file order.

    Columns are separated by commas, semicolons or tabs, tags by semicolons. Names of columns count without regard to
    case. Without a split, everything is `train`. Lines without an id are left out.

    Raises:
        UserError: no such table; the message names the line and what to change.
    """
    rows = _cells(path)
    if not rows:
        raise UserError(f"{path}: empty; the header is id,split,classes")
    line, header = rows[0]
    columns = _columns(path, line, header)
    found = []
    for line, cells in rows[1:]:
        if len(cells) > len(header):
            raise UserError(
                f"{path}, line {line}: more columns than the header; join tags with ; and, where that separates "
                'columns as well, put them in quotes: "cat;dog"'
            )
        cells = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
        if stray := next((cell for place, cell in enumerate(cells) if cell and place not in columns.values()), None):
            raise UserError(
                f'{path}, line {line}: "{stray:.40}" stands in a column without a name; name the column, take it out, '
                'or put tags in quotes: "cat;dog"'
            )
        if not cells[columns["id"]]:
            if any(cells):
                raise UserError(f"{path}, line {line}: no id")
            continue
        tags = tuple(dict.fromkeys(tag.strip() for tag in cells[columns["classes"]].split(";") if tag.strip()))
        found.append(Row(line, cells[columns["id"]], cells[columns["split"]] if "split" in columns else "", tags))
    if not found:
        raise UserError(f"{path}: lists no image")
    return _with_splits(path, found)


def read_lines(path: Path) -> list[str]:
    """The lines of a text in UTF-8, or in UTF-16 with a byte order mark, without their ends.

    Raises:
        UserError: it cannot be read, or is in another encoding.
    """
    return _text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _text(path: Path) -> str:
    data = read_bytes(path)
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if "\0" in text:
        raise UserError(f"{path}: holds a NUL character, as UTF-16 without a byte order mark does; save it as UTF-8")
    return text


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; the header decides what separates them."""
    text = _text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    known = {*COLUMNS, *(name for names in _SYNONYMS.values() for name in names)}
    names = {mark: {cell.strip(' "').casefold() for cell in first.split(mark)} for mark in _DELIMITERS}
    wanted = max(_DELIMITERS, key=lambda mark: len(names[mark] & known))
    # Strict: else a quote that is never closed would swallow the rest of the table without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=wanted, strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; is a quote not closed?") from error


def _columns(path: Path, line: int, header: list[str]) -> dict[str, int]:
    """Name of a column -> its place."""
    where, found = f"{path}, line {line}", {}
    known = {*COLUMNS, *(name for names in _SYNONYMS.values() for name in names)}
    if not any(cell.strip().casefold() in known for cell in header):
        raise UserError(f"{where}: no header; the first line is id,split,classes")
    for place, written in enumerate(header):
        name = written.strip().casefold()
        if name in found:
            raise UserError(f"{where}: two columns {name}")
        if name in COLUMNS:
            found[name] = place
        elif name:
            meant = next((column for column, others in _SYNONYMS.items() if name in others), None)
            hint = f"; is it {meant}? rename it so" if meant else did_you_mean(name, list(COLUMNS)) or "; take it out"
            raise UserError(
                f"{where}: no column {written.strip()!r:.60} is known{hint}. The header is id,split,classes"
            )
    missing = [name for name in ("classes", "id") if name not in found]
    if missing:
        raise UserError(f"{where}: no column {', '.join(missing)}; the header is id,split,classes")
    return found


def _with_splits(path: Path, rows: list[Row]) -> list[Row]:
    spelled: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        spelled[row.split.casefold()].setdefault(row.split, row.line)
    if set(spelled) == {""}:
        return [Row(row.line, row.id, "train", row.tags) for row in rows]
    if "" in spelled:
        others = ", ".join(next(iter(spellings)) for name, spellings in spelled.items() if name)
        raise UserError(f"{path}, line {spelled[''][next(iter(spelled['']))]}: no split, where others have {others}")
    for spellings in spelled.values():
        if len(spellings) > 1:
            (one, _), (other, line) = list(spellings.items())[:2]
            raise UserError(f'{path}, line {line}: split "{other}", elsewhere "{one}"; write both in one way')
    return rows
