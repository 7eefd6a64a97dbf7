"""One row of the robustness benchmark, in a process of its own: prints it as JSON."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path


def main(asked: dict) -> dict:
    """Run a cell's variant with a seed, and take its row from check.json and scores.json."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(asked["threads"])
    import chain
    import torch
    import yaml
    from robustness_cells import CELLS, FAILING, config_of, data_folder

    from matlabel.artifacts.errors import UserError

    cell = next(cell for cell in [*CELLS, *FAILING] if cell.name == asked["cell"])
    cell = replace(cell, backbone=asked["backbone"])
    work = Path(asked["work"])
    data = data_folder(cell, work) if cell.source else None
    config = config_of(cell, asked["variant"], asked["seed"], data, asked["weights"][cell.backbone], asked["threads"])
    folder = work / f"{data_folder(cell, work).name}-{asked['variant']}-{asked['seed']}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    device = asked["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    named = {"cell": cell.name, "backbone": cell.backbone, "variant": asked["variant"], "seed": asked["seed"]}
    begin = time.monotonic()
    try:
        run, seconds = chain.run(config, folder, device, workers=0, matting=1)
    except UserError as error:
        return {**named, "warnings": f"refused: {error}"}
    scores = json.loads((run / "evaluation/scores.json").read_text())
    check = scores["check"] or {}
    percent = lambda value: None if value is None else round(100 * value, 1)  # noqa: E731
    labels = scores["labels"]["all"]
    return {
        **named,
        "images": sum(cell.images.values()),
        "scored": scores["images"]["with_masks"],
        "labels": percent(labels["miou"]),
        "boundary": percent(labels["boundary_iou"]),
        "winner": percent(scores["winner"]["miou"]),
        "seed_miou": percent(scores["seed"]["scoring"]["miou"]),
        "enforced": percent(scores["without_masks"]["enforced"]["share"]),
        "cover": percent(scores["without_masks"]["cover"]),
        "mean_ap": percent(check.get("mean_ap")),
        "shuffled": percent(check.get("mean_ap_shuffled")),
        "held_out_loss": check.get("loss"),
        "look_loss": (check.get("look") or {}).get("loss"),
        "began": check.get("began"),
        "held_back": check.get("held_back"),
        "model": "plain" if check.get("plain") or asked["variant"] == "plain" else "d2cam",
        "warnings": " | ".join(text.split(":")[0] for text in scores["warnings"]),
        "steps": check.get("steps"),
        "cam_seconds": round(seconds["cam"]),
        "seconds": round(time.monotonic() - begin),
        "device": torch.cuda.get_device_name() if device == "cuda" else f"cpu, {asked['threads']} threads",
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent / "gpu"))
    print(json.dumps(main(json.loads(sys.argv[1]))))
