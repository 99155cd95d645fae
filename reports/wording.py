"""Numbers and names as people say them. Pure."""


def duration(seconds: float) -> str:
    """A duration as people say it: `0.42 s`, `42 s`, `7 min 03 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def size(bytes_: float | None) -> str:
    """Bytes as people say them, in binary units; a dash for an unknown number."""
    if bytes_ is None:
        return "—"
    value, unit = float(bytes_), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def number(value: float) -> str:
    """A number of no unit that is known here, with three digits that say something: `0.0123`, `4.5`, `1234`."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def words(name: str) -> str:
    """An identifier as words: `known_deviation` becomes `known deviation`."""
    return str(name).replace("_", " ")


def many(count: int, noun: str) -> str:
    """A count with its noun: `1 test`, `2 tests`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent, never rounded up to all of it: `99.7 %`; a dash for a part of nothing."""
    if not whole:
        return "—"
    percent = int(1000 * part / whole) / 10
    return f"{percent:.0f} %" if percent == int(percent) else f"{percent:.1f} %"


def ratio(before: float, now: float) -> str:
    """How much larger or smaller something became: `×1.50`; a dash where it was nothing."""
    return f"×{now / before:.2f}" if before else "—"
