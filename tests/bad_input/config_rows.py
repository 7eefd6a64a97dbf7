"""Rows on configs, weights and single settings."""

import copy
from pathlib import Path

import numpy as np
import torch
import yaml
from rows import CONFIG, Row, config

from matlabel.artifacts.state_dict import save_state


def text(content: str | bytes):
    """config.yaml holds this."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / "config.yaml").write_bytes(data)


def added(lines: str):
    """config.yaml with more lines at its end."""
    return text(yaml.safe_dump(CONFIG) + lines)


def variants(**blocks: dict):
    changed = {**copy.deepcopy(CONFIG), "variants": blocks}
    return text(yaml.safe_dump(changed))


def weights(content, name: str = "own.pt"):
    """cam.weights names a file of this content: bytes, or what torch saves."""

    def spoil(folder: Path) -> None:
        config(cam={"weights": name})(folder)
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif isinstance(content, dict):
            save_state(folder / name, content)
        else:
            torch.save(content, folder / name)

    return spoil


def not_finite(folder: Path) -> None:
    from torchvision.models import resnet18

    state = resnet18().state_dict()
    state["bn1.weight"][3] = float("nan")
    weights(state)(folder)


def bomb() -> str:
    lines = ["a0: &a0 [" + ", ".join(["x"] * 10) + "]"]
    return "\n".join(lines + [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 10)]) + "\n"


FILES = (
    Row("YAML that is a list", text("[1, 2]")),
    Row("an empty config", text("")),
    Row("no UTF-8", text("dataset: {path: k\xe4se}".encode("latin-1"))),
    Row("nested 3,000 deep", text("a: " + "[" * 3000 + "]" * 3000)),
    Row("aliases of aliases", text(bomb())),
    Row("an alias of itself", text("a: &a [*a]")),
    Row("a value of 25 MB", text("a: " + "x" * 25_000_000)),
    Row("a key that is there twice", added("cam:\n  epochs: 3\n")),
    Row("a date that is none", text("a: 2001-99-99")),
    Row("a number of 5,000 digits", text("a: " + "9" * 5000)),
    Row("a tab", text("a:\n\tb: 1\n")),
    Row("an unknown key", config(cam={"epoch": 3})),
    Row("a block that is a number", config(cam=3)),
    Row("a backbone that timm does not have", config(cam={"backbone": "resnt18"}, segmenter={"weights": "none"})),
    Row("a value of 3,000 letters", config(cam={"backbone": "x" * 3000})),
)
SETTINGS = (
    Row("`cam.crop` 10⁹", config(cam={"crop": 10**9})),
    Row("`mattes.epsilon` infinite", config(mattes={"epsilon": float("inf")})),
    Row("a random seed of 2⁶⁴", config(seeds=[2**64])),
    Row("`cam.threads` 10⁶", config(cam={"threads": 10**6})),
    Row("`true` for a number", config(cam={"epochs": True})),
    Row("`dataset.subset` −1", config(dataset={"subset": {"train": -1}})),
    Row("a batch that devices cannot share", config(cam={"devices": 3})),
    Row("a warm-up longer than the training", config(cam={"epochs": 1, "steps": 0, "batch_size": 4, "warmup": 100})),
    Row("a batch larger than the data", config(cam={"batch_size": 64})),
    Row("views of 9,600 pixels", config(activations={"size": 4800, "scales": [1.0, 2.0]})),
    Row("a variant's name of 70 letters", variants(**{"a" * 70: {}})),
    Row("variants that differ by case alone", variants(plain={}, Plain={})),
    Row("a split that is not there", config(evaluation={"splits": ["test"]})),
    Row("`~` in a path", config(dataset={"path": "~/pictures"})),
    Row("a matting method without its network", config(mattes={"method": "vitmatte"})),
    Row("a mistyped folder of a network", config(mattes={"method": "vitmatte", "weights": "./vit"})),
)
WEIGHTS = (
    Row("no such weights", config(cam={"weights": "own.pt"})),
    Row("an empty file", weights(b"")),
    Row("noise", weights(b"\x80\x02" + bytes(range(200)))),
    Row("a pickled model", weights(torch.nn.Linear(2, 2))),
    Row("a list", weights([torch.zeros(2)])),
    Row("damaged safetensors", weights(bytes(8) + b"{", "own.safetensors")),
    Row("the weights of another backbone", config(cam={"weights": "convnext_tiny.fb_in22k_ft_in1k"})),
    Row("a package that there is not", config(cam={"weights": "package"})),
    Row("NaN", not_finite),
    Row("weights of another network", weights({"stem.weight": torch.from_numpy(np.zeros((4, 4), np.float32))})),
    Row("a name with braces", weights({"a": torch.zeros(1)}, "w {1}.pt")),
)
