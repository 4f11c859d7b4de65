"""What the parts of a config are made of: a section that refuses unknown keys, and the types of its values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["Count", "FilePath", "Names", "Number", "Section", "one_or_more"]

NAME_LENGTH = 64
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


def _no_bool(value: Any) -> Any:
    """Keep YAML's true/false/yes/no from passing as the numbers 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "a number is needed, not true or false")
    return value


def _plain_path(value: str) -> str:
    """Refuse what Snakemake would take for a wildcard or a path variable."""
    if not value.strip():
        raise PydanticCustomError("path", "an empty path: leave the key out instead")
    if any(ord(c) < 32 or c in "{}<>" for c in value):
        raise PydanticCustomError("path", "a path must not hold control characters, braces or angle brackets")
    return value


def one_or_more(value: Any) -> Any:
    """Take one word for a list of one, and a sheet's comma-separated cell for the list it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


# YAML 1.1 reads `1e-3` as text (it wants `1.0e-3`): numbers written as text are taken as the numbers they are.
Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_no_bool)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(one_or_more)]
FilePath = Annotated[str, Field(max_length=4096), AfterValidator(_plain_path)]


class Section(BaseModel):
    """A part of a config: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
