"""Human-readable sizes and times."""


def size_text(size: float) -> str:
    """'3.4 MB' of a number of bytes, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.5 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seconds_text(seconds: float) -> str:
    """'4.2 s', '3 min 05 s' or '2 h 10 min'."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def time_text(iso: str) -> str:
    """'2026-07-14 09:05' of '2026-07-14T09:05:33+0200'."""
    return iso[:16].replace("T", " ")
