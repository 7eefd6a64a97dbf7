"""The training loop, its checkpoints and its launch, shared by cam and segmenter."""
