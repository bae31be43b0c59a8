"""How data that cannot be split are refused."""

import pytest

from finetune.data.splits import load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec


def refused(spec: DataSpec) -> str:
    """Return the one line with which splitting is refused."""
    with pytest.raises(DataError) as caught:
        load_splits(spec, 0)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)
