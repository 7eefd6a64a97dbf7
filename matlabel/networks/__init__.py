"""The networks: backbones, the CAM classifier and the segmenter."""

import os

# No job ever downloads weights: `matlabel fetch` does, before. Read by the hub's client when it is first imported.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
