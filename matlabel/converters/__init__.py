"""Converters of foreign files into matlabel's own: one file a format. None of them unpickles."""
