"""The config as pydantic models, one file a stage."""
