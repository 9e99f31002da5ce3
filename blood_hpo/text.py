"""Text from outside, which may hold what no database stores; pages from templates; and times."""

import math
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

LARGEST_BYTES = 1_000_000  # of a file that a person writes: a study file, an address
_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_STREAMS = ("/dev/stdin", "/dev/fd/")


def unprintable(text: str) -> str | None:
    r"""The first character that a database or a terminal may stumble over, by its number; or None.

    Those are control characters and line breaks, halves of surrogate pairs, and what turns the
    direction of the text around it (Unicode Standard Annex 9).

    >>> unprintable("Größe 👩‍🔬"), unprintable("a\0b")
    (None, 'U+0000')
    """
    for letter in text:
        wrong = unicodedata.category(letter) in _CATEGORIES
        if wrong or unicodedata.bidirectional(letter) in _DIRECTIONS:
            return f"U+{ord(letter):04X}"
    return None


def printable(text: str) -> str:
    r"""The text on one line, with every character escaped that is not for printing.

    >>> printable("a\nb\0")
    'a\\nb\\x00'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def cleaned(value: object) -> object:
    """The same value, with every text in it printable: for what another program may have stored."""
    if isinstance(value, str):
        return printable(value) if not value.isprintable() and unprintable(value) else value
    if isinstance(value, dict):
        return {cleaned(key): cleaned(one) for key, one in value.items()}
    return list(map(cleaned, value)) if isinstance(value, list) else value


def refuse_endless(path: Path) -> None:
    """Raise an OSError for what might never end: a pipe that nobody writes to, a device."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(0, "it is not a regular file")


def read_text(path: Path) -> str:
    """The text of a small file; a pipe only where it is open already, as from ``<(...)``.

    Raises:
        OSError: The file cannot be read, is too large or of a kind that might never end.
        UnicodeDecodeError: It is not UTF-8.
        ValueError: The path is none.
    """
    if not str(path).startswith(_STREAMS):
        refuse_endless(path)
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise OSError(0, "it is larger than 1 MB")
    return content.decode("utf-8-sig")


def rendered(
    package: str, template: str, filters: Mapping[str, Callable[..., str]], **facts: object
) -> str:
    """A page of plain text or Markdown, from a file in the folder ``templates`` of a package.

    The filters are the ways in which the template may spell a value, by name.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(  # noqa: S701 - no HTML
        loader=PackageLoader(package),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters |= filters
    return pages.get_template(template).render(facts)


def duration(seconds: object) -> str:
    """Seconds as 42 s, 3:07 min or 2:15 h; a dash where nothing is known."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours}:{left:02d} h" if hours else f"{minutes}:{rest:02d} min"
