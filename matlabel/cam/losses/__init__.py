"""The loss terms of D2CAM, one file a term."""
