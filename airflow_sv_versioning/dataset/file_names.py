"""Which file each item of a data set gets: its dataset's path and its own name, where a disk can hold that.

Elsewhere it is another name of the same suffix, with ``~`` and eight digits. It rests on the names of what is
exported alone, not on their order or on who asks:

* Unsafe is what leads elsewhere (``..``, an absolute path), what Linux, macOS, Windows or a bucket refuses
  or changes, what programs pass over (a leading dot), and a folder ``images``: trainers of YOLO find an
  image's labels by replacing the last one in its path.
* Two names clash where a disk that ignores case, or how an accent is written, takes them for one; also
  without their suffixes, for the labels of ``a.jpg`` and ``a.png`` would be one ``a.txt``. A file clashes
  with a folder, too. Of names that clash, the first in the order of their characters stays as it is.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Paths = Callable[[], Iterable[tuple[str, str]]]
"""Tells dataset path and name of each item, in one order, whenever it is called."""

MAX_NAME_BYTES = 255
# Source: S3 takes 1024 for a key, of which the folders above need some.
MAX_PATH_BYTES = 700
# Trainers of YOLO look for labels in a folder of another name, and by this suffix.
_IMAGES, _LABELS = "images", ".txt"
_DIGITS = 8
# What is left of a name that is unsafe, before the mark and the suffix.
_KEPT_BYTES = 100
# Source: "Naming Files, Paths, and Namespaces" of Windows.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_NO_CHARACTER = re.compile(r'[\x00-\x1f\x7f\\/<>:"|?*]')
# Controls, halves of characters, ends of lines and paragraphs.
_NO_CATEGORY = {"Cc", "Cs", "Zl", "Zp"}
_PLAIN = re.compile(r"[A-Za-z0-9_~-](?:[A-Za-z0-9 ._~+@()-]{0,120}[A-Za-z0-9_~()-])?")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,15}")


def find_renamed(paths: Paths) -> dict[int, str]:
    """Find the items whose files cannot be called as they are.

    :returns: place of such an item, from 0 -> path of its file, with ``/``; the file of another one is
        ``dataset path/name``.
    """
    given = _Given(paths)
    renamed: dict[int, str] = {}
    for path, place, folder, name in sorted(_doubtful(paths, given)):
        if _is_safe(name) and given.take(folder, name):
            file_name = f"{folder}{name}"
        else:
            file_name = given.take_another(folder, path, name)
        if file_name != path:
            renamed[place] = file_name
    return renamed


def _doubtful(paths: Paths, given: _Given) -> Iterator[tuple[str, int, str, str]]:
    """Yield path, place, folder and name of each item that may need another name."""
    for place, (dataset_path, name) in enumerate(paths()):
        folder, path = _folder(dataset_path), f"{dataset_path}/{name}"
        if f"{folder}{name}" != path or not _is_safe(name) or given.is_doubtful(place, folder, name):
            yield path, place, folder, name


class _Given:
    """The names that are given away, as 64 bits of each: what looks alike by chance gets another name."""

    def __init__(self, paths: Paths) -> None:
        import numpy as np

        keys, folders = array("Q"), set()
        for dataset_path, name in paths():
            folder = _folder(dataset_path)
            folders.add(folder)
            keys.append(_key(f"{folder}{_stem(name)}"))
        self._folders = {_folded(above) for folder in folders for above in _with_those_above(folder)}
        found, of_each, counts = np.unique(
            np.frombuffer(keys, np.uint64), return_inverse=True, return_counts=True
        )
        self._alone: np.ndarray[Any, Any] = found[counts == 1]
        self._asked_twice = set(np.flatnonzero(counts[of_each] > 1).tolist())
        self._taken: set[int] = set()

    def is_doubtful(self, place: int, folder: str, name: str) -> bool:
        """Say whether a safe name is asked for twice, or can be no file."""
        return place in self._asked_twice or not self._can_be(folder, name)

    def take(self, folder: str, name: str) -> bool:
        """Give a name to the item that has it; tells whether no other took it before."""
        key = _key(f"{folder}{_stem(name)}")
        if key in self._taken or not self._can_be(folder, name):
            return False
        self._taken.add(key)
        return True

    def take_another(self, folder: str, path: str, name: str) -> str:
        """Make a name that nobody has, and give it away; returns its path."""
        kept, suffix = _kept(_stem(name)), _suffix(name)
        if _size(folder) + MAX_NAME_BYTES > MAX_PATH_BYTES:
            folder = ""
        names = (f"{kept}~{_mark(path, number)}{suffix}" for number in count())
        free = (name for name in names if not self._is_asked_for(folder, name) and self.take(folder, name))
        return f"{folder}{next(free)}"

    def _is_asked_for(self, folder: str, name: str) -> bool:
        key = self._alone.dtype.type(_key(f"{folder}{_stem(name)}"))
        return bool((self._alone[self._alone.searchsorted(key) :][:1] == key).any())

    def _can_be(self, folder: str, name: str) -> bool:
        """Say whether a file, and its labels, may stand there."""
        path, labels = f"{folder}{name}", f"{folder}{_stem(name)}{_LABELS}"
        return _size(path) <= MAX_PATH_BYTES and self._folders.isdisjoint((_folded(path), _folded(labels)))


@lru_cache(maxsize=1000)
def _folder(dataset_path: str) -> str:
    """Tell the folder of a dataset, with a ``/`` at its end."""
    parts = dataset_path.split("/")
    return "".join(
        f"{part if _is_safe_folder(part) else _other_folder(parts[: number + 1])}/"
        for number, part in enumerate(parts)
    )


def _is_safe_folder(name: str) -> bool:
    return _is_safe(name) and name.casefold() != _IMAGES


def _other_folder(parts: list[str]) -> str:
    return f"{_kept(parts[-1])}~{_mark('/'.join(parts), 0)}"


def _with_those_above(folder: str) -> Iterator[str]:
    parts = folder.rstrip("/").split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts) + 1))


def _is_safe(name: str) -> bool:
    """Say whether a file or folder can have a name everywhere."""
    if _DEVICE.fullmatch(name):
        return False
    if _PLAIN.fullmatch(name):
        return True
    return (
        name == name.strip(" .") != ""
        and not _NO_CHARACTER.search(name)
        and (name.isascii() or not any(unicodedata.category(each) in _NO_CATEGORY for each in name))
        and _size(f"{_stem(name)}{max(_LABELS, name[len(_stem(name)) :], key=len)}") <= MAX_NAME_BYTES
    )


def _stem(name: str) -> str:
    """Leave the suffix out, as trainers do to find labels."""
    return name.rpartition(".")[0] or name


def _suffix(name: str) -> str:
    suffix = name[len(_stem(name)) :]
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def _kept(name: str) -> str:
    """Tell what is left of a name, of which parts are unsafe or too long."""
    safe = "".join("_" if _is_unsafe(character) else character for character in name)
    # Cut between characters, however many bytes each has.
    return safe.encode()[:_KEPT_BYTES].decode(errors="ignore").strip(" .") or "_"


def _is_unsafe(character: str) -> bool:
    return bool(_NO_CHARACTER.match(character)) or unicodedata.category(character) in _NO_CATEGORY


def _mark(path: str, number: int) -> str:
    return hashlib.sha256(f"{number}/{path}".encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def _key(path: str) -> int:
    """Make a number of a path, the same for all that some disk takes for one."""
    digest = hashlib.blake2b(_folded(path).encode(errors="surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    # Source: "canonical caseless matching" of the Unicode standard.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def _size(path: str) -> int:
    return len(path) if path.isascii() else len(path.encode(errors="surrogatepass"))
