"""Closed-form matting of many images at once on a GPU; the same code runs on the CPU device."""
