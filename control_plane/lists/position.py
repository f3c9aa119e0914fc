"""Where an item sorts: values of any JSON type, made so that plain tuples compare as pods sort.

A merge compares positions more often than it does anything else, so nothing here is an object with
a comparison of its own: what sorts downward is written such that it sorts the right way by itself.
"""

import unicodedata
from typing import Any

#: Two entries a key: the rank of the value's type, and the value.
Position = tuple[Any, ...]

_NULL, _NUMBER, _TEXT, _OTHER = range(4)
_INVERTED = bytes(range(255, -1, -1))
#: Two zeros, inverted.
_END = b"\xff\xff"


def ascending(value: Any) -> Position:
    """Make values of any JSON type comparable: null is lowest, text is compared as pods do it."""
    if isinstance(value, str):
        return (_TEXT, folded(value))
    if value is None:
        return (_NULL, 0)
    if isinstance(value, int | float):
        return (_NUMBER, value)
    return (_OTHER, str(value))


def descending(value: Any) -> Position:
    """Make the same values compare the other way round."""
    if isinstance(value, str):
        # Nearly all values, thousands a list.
        return (-_TEXT, _inverted(folded(value)))
    rank, comparable = ascending(value)
    if isinstance(comparable, str):
        return (-rank, _inverted(comparable))
    return (-rank, -comparable)


def folded(text: str) -> str:
    """Fold a text as the pods' databases compare it: without case and without accents.

    That is the order of MariaDB and MySQL under OpenStack (utf8_general_ci): by large letters, so
    that `_` comes behind them.
    """
    if text.isascii():
        return text.upper()
    plain = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).upper()


def _inverted(text: str) -> bytes:
    """Turn the order of texts round: UTF-8 sorts as code points do, and so does its complement.

    The end is written too, since a text sorts behind those it begins; zeros are escaped to differ
    from it.
    """
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        octets = text.encode(errors="surrogatepass")
    return octets.replace(b"\0", b"\0\xff").translate(_INVERTED) + _END
