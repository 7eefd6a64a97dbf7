"""Configs of any bytes, and of any values under every key."""

import json
import types
import typing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from fuzzing import fuzz
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.yaml_files import parse_yaml, read_yaml
from matlabel.runs.chain import add_chain
from matlabel.settings.base import Settings
from matlabel.settings.config import Config, load_config

ROOT = Path(__file__).parents[2]
SEEDS = [
    (ROOT / "config.yaml").read_bytes(),
    *(path.read_bytes() for path in sorted((ROOT / "workflow/presets").glob("*.yaml"))),
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: {<<: {d: 1}, e: 2001-01-01, f: !!binary aGk=, g: 0x1F, h: 1:30}\n",
    json.dumps({"cam": {"lr": 1e-3}, "seeds": [0], "report": {"title": "\u2028é"}}, indent="\t").encode(),
]
ABSURD = (1e300, -1, -1e300, float("inf"), float("nan"), 10**30, True, "1e999", "nan", [], [[]], {"a": 1}, "")


def planned(raw: dict[str, Any]) -> None:
    """As far as a config goes before the data are looked at: settings, keys, settings.yaml."""
    config, variants = load_config(raw)
    nodes: dict = {}
    for variant, found in variants.items():
        earlier = {"segmenter": "0" * 8}
        add_chain(nodes, variant, config.seeds[0], found, ["a"], earlier)
    for node in nodes.values():
        node.settings_text(["a"]).encode()


def refusal(raw: dict[str, Any]) -> str:
    """What is said of a config; "" where it is taken."""
    try:
        planned(raw)
    except UserError as error:
        return str(error)
    return ""


def leaves(model: type[Settings], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """(names, annotation) of every setting that is no block."""
    found = []
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            found += leaves(field.annotation, here)
        else:
            found.append((here, field.annotation))
    return found


def numeric(annotation: Any) -> bool:
    """Whether a setting takes a number or several."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, list, tuple, dict, typing.Annotated):
        return any(numeric(part) for part in typing.get_args(annotation))
    return annotation in (int, float)


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} of ("a", "b")."""
    for name in reversed(path):
        value = {name: value}
    return value


NUMBERS = [path for path, annotation in leaves(Config) if numeric(annotation)]


def test_damaged_configs_are_read_or_refused(tmp_path):
    def read(data: bytes) -> None:
        (tmp_path / "my.yaml").write_bytes(data)
        planned(read_yaml(tmp_path / "my.yaml"))

    assert fuzz(read, SEEDS, examples=100) >= 100


def test_any_value_under_any_key_is_taken_or_refused():
    keys = [path for path, _ in leaves(Config)] + [("cam",), ("variants", "a"), ("variants", "a", "cam", "lr")]

    def make(seeds: list[bytes], random: Random) -> bytes:
        raw: dict[str, Any] = {}
        for _ in range(random.choice((1, 1, 2, 4))):
            raw.update(nested(random.choice(keys), _value(random)))
        return yaml.safe_dump(raw).encode()

    def read(data: bytes) -> None:
        planned(parse_yaml(data.decode(), "fuzz"))

    assert fuzz(read, [b"{}"], make=make) >= 200


@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
def test_absurd_numbers_are_refused_in_lines_that_name_the_key(path):
    for value in (*ABSURD[:10], [10**30], [True], [float("nan")], {"train": -1}, {"train": 10**30}):
        said = refusal(nested(path, value))
        # The one that is in range; and at most so many images of a split is harmless however many.
        if (path, value) in ((("activations", "margin"), -1), (("dataset", "subset"), {"train": 10**30})):
            continue
        assert said, value
        assert all(".".join(path) in line for line in said.splitlines())


@given(st.integers(1, 400), st.sampled_from(["a", "é", "9", "[", "{a: ", "- ", "? ", "&a "]))
@settings(max_examples=50, deadline=None)
def test_what_is_long_or_deep_is_cut_in_the_message(length, piece):
    said = refusal({"cam": {"lr": piece * 100 * length}, piece * length: 1})
    assert said
    assert all(len(line) < 1000 for line in said.splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cam: {lr: 1}\ntrimaps: {}\ncam: {lr: 2}\n", r"line 3: 'cam' is there already, in line 1"),
        ('{"cam": {"lr": 1,\n"lr": 2}}', r"line 2: 'lr' is there already, in line 1"),
        ("a: &a [*a]\n", "holds itself"),
        ("cam: " + "{a: " * 3000 + "1" + "}" * 3000, "nested more than 50 deep"),
        ("".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9 if n else ['x'] * 9)}]\n" for n in range(9)), "aliases"),
        ("cam: {lr: 2001-99-99}\n", "is no timestamp"),
        ("seeds: [" + "9" * 5000 + "]\n", "is no int"),
        ("[a]: 1\n", "a key must be text"),
        ("- cam\n", "must hold keys"),
        ("", "must hold keys with values .*, not nothing"),
        ("cam: {lr: .inf}\n", r"cam\.lr: .*finite"),
        ('report: {title: "\\ud800"}\n', "line 1: .* no text"),
    ],
)
def test_configs_that_are_none_are_refused_by_name(tmp_path, text, message):
    (tmp_path / "my.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as error:
        planned(read_yaml(tmp_path / "my.yaml"))
    assert len(str(error.value)) < 600


def test_merged_keys_may_be_overridden_and_json_may_be_indented_with_tabs(tmp_path):
    (tmp_path / "my.yaml").write_text("base: &base {lr: 1, epochs: 3}\ncam: {<<: *base, lr: 2}\n")
    assert read_yaml(tmp_path / "my.yaml")["cam"] == {"lr": 2, "epochs": 3}
    (tmp_path / "my.json").write_text('{\n\t"cam": {\n\t\t"lr": 1e-3}}')
    assert read_yaml(tmp_path / "my.json") == {"cam": {"lr": 1e-3}}


def test_variants_that_are_one_folder_on_some_disks_are_refused():
    with pytest.raises(UserError, match="variants Plain and plain differ by case alone"):
        planned({"variants": {"Plain": {}, "plain": {}}})
    with pytest.raises(UserError, match="64 at most"):
        planned({"variants": {"a" * 65: {}}})
    planned({"variants": {"a" * 64: {}}})


def _value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(8 if depth < 3 else 6)
    if kind < 2:
        return random.choice(ABSURD)
    if kind == 2:
        return random.choice(("auto", "cam", "segmenter:a", "files:x", "off", "{1", "[1, 2", "~", "a\nb", "\u2028"))
    if kind == 3:
        return random.choice((0, 1, 2, 0.5, 16, 448, "0.5", "3", None, False))
    if kind == 4:
        return "".join(chr(random.choice((random.randrange(32, 127), random.randrange(0xD7FF)))) for _ in range(9))
    if kind == 5:
        return random.choice((2**31, 2**32, 2**63, 2**64, -(2**63), 1e-300, 5e-324))
    if kind == 6:
        return [_value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(("lr", "a", "train", "spread", 3, True, "")): _value(random, depth + 1) for _ in range(3)}
