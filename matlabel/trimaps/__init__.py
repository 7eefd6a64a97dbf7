"""Stage trimaps: sure object, sure background, unknown."""
