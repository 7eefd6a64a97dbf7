"""The one exception that means: the user can fix this."""


class UserError(Exception):
    """A mistake in what the user handed in: the message names the file, the key and the fix, and is printed alone."""


def did_you_mean(word: str, known: list[str]) -> str:
    """' (did you mean "horse"?)' when a known word is close, else ''."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
