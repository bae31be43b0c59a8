"""What every section of a study is made of: strict fields, and a user's file it may depend on."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

IMPORT_PATH = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
# No control characters, no line separators, and none that turn the direction of what follows.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"

MAX_NAME = 80
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=PRINTABLE)]
# Integers up to here are exact in float64 too; the seeds of searches begin at it.
MAX_COUNT = 10**12

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Share = Annotated[float, Field(gt=0, lt=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BaseSpec(BaseModel):
    """Base of every section of a study: frozen, exact types, unknown keys are errors.

    The text below a field is its description in the study file's JSON Schema.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class UserFileSpec(BaseSpec):
    """A section of a study that may depend on one file of the user's, identified by its SHA-256.

    The folder in which the file was found does not belong to the study: it is neither serialised
    nor in any digest.
    """

    content: Sha256 | None = None
    """SHA-256 of the user's file: filled in when the study is loaded, checked where it is set."""
    _folder: str | None = PrivateAttr(default=None)

    @property
    def folder(self) -> str | None:
        """The folder in which the file was found."""
        return self._folder

    def with_file(self, *, folder: str, content: str) -> Self:
        """Return a copy that knows its file: the folder it lies in and its SHA-256."""
        section = self.model_copy(update={"content": content})
        section._folder = folder
        return section
