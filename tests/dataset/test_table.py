"""labels.csv as spreadsheets write it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matlabel.artifacts.errors import UserError
from matlabel.dataset.table import read_table

WORD = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters=";"), min_size=1).map(str.strip)
WORDS = WORD.filter(bool)
ROWS = st.lists(
    st.tuples(WORDS, st.sampled_from(["train", "val"]), st.lists(WORDS, max_size=3, unique=True)), min_size=1
)


@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.permutations(["id", "Split", " CLASSES "]),
)
def test_a_table_comes_back_however_it_was_written(tmp_path_factory, rows, delimiter, encoding, end, header):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    for image_id, split, tags in rows:
        cells = {"id": image_id, "Split": split, " CLASSES ": ";".join(tags)}
        writer.writerow([cells[name] for name in header])
    path = tmp_path_factory.mktemp("table") / "labels.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    assert [(row.id, row.split, list(row.tags)) for row in read_table(path)] == rows


def test_a_line_separator_inside_a_field_ends_no_line(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes('id,classes\na\u2028b,cat\n"c\u0085d",dog\n'.encode())
    assert [(row.line, row.id) for row in read_table(path)] == [(2, "a\u2028b"), (3, "c\u0085d")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "empty; the header is id,split,classes"),
        (b"id,split,classes\n", "lists no image"),
        (b"id,subset,classes\na,val,cat\n", r"line 1: no column 'subset' is known; is it split\? rename it so"),
        (b"file;tags\na;cat\n", r"line 1: no column 'file' is known; is it id\? rename it so"),
        (b"id,classes,width\na,cat,3\n", r"no column 'width' is known; take it out"),
        (b"id,clases\na,cat\n", r'no column \'clases\' is known \(did you mean "classes"\?\)'),
        (b"id,id,classes\na,b,cat\n", "line 1: two columns id"),
        (b"id,split,classes\na,train,cat\n\nb,,dog\n", "line 4: no split, where others have train"),
        (b"id,split,classes\na,train,cat\nb,Train,dog\n", 'line 3: split "Train", elsewhere "train"'),
        (b"id,split,classes\n,train,cat\n", "line 2: no id"),
        (b"id,classes,\na,cat,left over\n", 'line 2: "left over" stands in a column without a name'),
        (b"id,classes\na,cat,dog\n", "line 2: more columns than the header"),
        (b'id,classes\na,"cat\nb,dog\nc,cat\n', "is a quote not closed"),
        (b"id,classes\nh\xfcnd,dog\n", r"not UTF-8 text \(byte 12\); save it as UTF-8"),
        ("id,classes\na,dog\n".encode("utf-16-le"), "NUL character, as UTF-16 without"),
        (b"id,classes\na," + b"x" * 200_000 + b"\n", "field larger than field limit"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "labels.csv").write_bytes(text)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / "labels.csv")


def test_a_blank_split_column_is_none(tmp_path):
    (tmp_path / "labels.csv").write_text("id,split,classes,\na,,cat,\nb, ,dog;dog; ,\n")
    assert [(row.split, row.tags) for row in read_table(tmp_path / "labels.csv")] == [
        ("train", ("cat",)),
        ("train", ("dog",)),
    ]
