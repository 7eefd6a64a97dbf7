import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.artifacts.errors import UserError
from matlabel.settings.base import Settings
from matlabel.settings.config import Config, StageSettings, load_config


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cma": {}}, r'unknown key cma \(did you mean "cam"\?\)'),
        ({"cam": {"epoch": 3}}, r'unknown key cam\.epoch \(did you mean "epochs"\?\)'),
        ({"activations": {"spread": {"step": 3}}}, r"unknown key activations\.spread\.step"),
        ({"cam": {"lr": "fast"}}, r"cam\.lr: .*valid number.*'fast'"),
        ({"cam": 3}, r"cam must be a block of keys, not 3"),
        ({"trimaps": {"foreground": 1.5}}, r"trimaps\.foreground: .*less than or equal to 1, not 1\.5"),
        ({"mattes": {"scale": 3}}, r"mattes\.scale: "),
        ({"dataset": {"format": "folder"}}, r"dataset\.path"),
        ({"seeds": [1, 1]}, r"seeds: a seed is named twice"),
        ({"variants": {"a/b": {}}}, r"variant name 'a/b'"),
        ({"variants": {"a": {"dataset": {"shard_size": 3}}}}, r"dataset is shared by all variants"),
        ({"variants": {"a": {"cam": {"epoch": 3}}}}, r"variant a: unknown key cam\.epoch"),
        ({"cam": {"category": 0, "foreground": 0}}, r"set activations\.from: maps"),
        ({"activations": {"spread": {"layers": [5]}}}, r"activations\.spread\.layers"),
        ({"cam": {"splits": ["val"]}, "evaluation": {"splits": ["val"]}}, r"held-out means unseen"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(config, message):
    with pytest.raises(UserError, match=message) as error:
        load_config(config)
    assert "\n" not in str(error.value)


def test_numbers_lists_and_choices_may_come_as_text():
    typed = {"cam": {"lr": 0.001, "epochs": 3}, "activations": {"scales": [1.0, 2.0]}, "mattes": {"scale": 4}}
    spelled = {"cam": {"lr": "1e-3", "epochs": "3"}, "activations": {"scales": "[1, 2]"}, "mattes": {"scale": "4"}}
    assert load_config(typed)[1] == load_config(spelled)[1]


def test_variants_change_what_they_name_and_keep_the_rest():
    _, variants = load_config(
        {"cam": {"lr": 0.5, "epochs": 3}, "variants": {"a": None, "b": {"cam": {"epochs": 9}}}, "seeds": [1, 2]}
    )
    assert (variants["a"].cam.epochs, variants["b"].cam.epochs) == (3, 9)
    assert variants["a"].cam.lr == variants["b"].cam.lr == 0.5


def blocks(model: type[Settings]):
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield f"{name}", field.annotation
            yield from ((f"{name}.{inner}", block) for inner, block in blocks(field.annotation))


def test_every_setting_that_makes_results_is_keyed_and_no_other():
    for name, block in blocks(StageSettings):
        free = {key for key, field in block.model_fields.items() if (field.json_schema_extra or {}).get("free")}
        keyed = {field.alias or key for key, field in block.model_fields.items() if key not in free}
        assert set(block().keyed()) == keyed, name


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_keyed_settings_rebuild_the_settings_they_came_from(data):
    for _, block in blocks(StageSettings):
        changed = {}
        for name, field in block.model_fields.items():
            default = field.get_default(call_default_factory=True)
            if isinstance(default, float) and data.draw(st.booleans()):
                changed[field.alias or name] = default / 2
        made = block.model_validate(changed)
        assert block.model_validate(yaml.safe_load(yaml.safe_dump(made.keyed()))) == made


def test_every_key_says_what_it_is_for():
    bare = {"epochs", "optimizer", "backbone", "weight_decay", "title", "spread"}
    for name, block in blocks(Config):
        for key, field in block.model_fields.items():
            is_block = isinstance(field.annotation, type) and issubclass(field.annotation, Settings)
            assert field.description or is_block or key in bare, f"{name}.{key}"
