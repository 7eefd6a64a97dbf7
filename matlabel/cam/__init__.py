"""Stage cam: the D2CAM classifier, trained on image-level tags."""
