"""What every part of a spec is made of: strict fields, and files that it may rest on."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

IMPORT_PATH = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
# No control characters, no line separators, and none that turn the direction of what follows.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=PRINTABLE)]
# Whole numbers up to here are exact wherever they go; the seeds of searches begin at it.
MAX_COUNT = 10**12

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Share = Annotated[float, Field(gt=0, lt=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BaseSpec(BaseModel):
    """Base of every part of a spec: frozen, exact types, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class UserFileSpec(BaseSpec):
    """A part that may rest on a file of the user's own, known by what it holds.

    `content` is the file's SHA-256, filled in where a study is read; one that is written by hand
    must match. The folder in which the file was found is no part of the study: it is neither
    written out nor in a digest.
    """

    content: Sha256 | None = None
    _folder: str | None = PrivateAttr(default=None)

    @property
    def folder(self) -> str | None:
        """The folder in which the file was found."""
        return self._folder

    def with_file(self, *, folder: str, content: str) -> Self:
        """Give the same part, its file found."""
        part = self.model_copy(update={"content": content})
        part._folder = folder
        return part
