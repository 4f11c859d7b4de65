"""What a job settles for the jobs that follow, kept as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Self

from netinfer.errors import RunError
from netinfer.io.tables import write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
else:
    DataclassInstance = object


class StoredPlan(DataclassInstance):
    """Base of the dataclasses that hold a plan; every field is of JSON's own types."""

    def write(self, path: str | Path) -> None:
        """Write the plan."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a plan back.

        Raises
        ------
        RunError
            If the file is missing or damaged.
        """
        try:
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{path}: missing or damaged ({type(error).__name__}): delete it and run again") from error
