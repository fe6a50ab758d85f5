"""One photograph that scikit-image ships, and a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_sv_versioning.demo.labels import Label
from airflow_sv_versioning.exceptions import ConfigurationError

Drawn = Callable[[Path], Iterator[Label]]


@dataclass(frozen=True)
class Photograph:
    """One picture with all that is known about it.

    :param name: its name in the project.
    :param file: its name in scikit-image.
    :param rights: who made it and what may be done with it.
    :param labels: drawn by hand.
    :param drawn: makes more labels out of the picture's pixels.
    """

    name: str
    file: str
    rights: str
    tags: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[Label] = ()
    drawn: Drawn | None = None

    def path(self) -> Path:
        """The picture's file.

        :raises ConfigurationError: the installed scikit-image does not have it.
        """
        import skimage

        path = Path(skimage.__file__).parent / "data" / self.file
        if not path.is_file():
            raise ConfigurationError(
                f"scikit-image {version('scikit-image')} does not ship {self.file}; "
                "install another version, such as 0.26, beside this package.",
                file=self.file,
            )
        return path

    def all_labels(self) -> list[Label]:
        """What was drawn by hand, and what is made out of the pixels."""
        return [*self.labels, *(self.drawn(self.path()) if self.drawn else ())]


@dataclass(frozen=True)
class Folder:
    """One dataset.

    :param parent: name of the dataset that it is nested in.
    """

    name: str
    photographs: Sequence[Photograph]
    parent: str | None = None
    description: str = ""
    custom_data: Mapping[str, Any] = field(default_factory=dict)
