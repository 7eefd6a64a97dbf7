"""Stage trimaps: known object, known background, unknown."""
