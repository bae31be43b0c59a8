"""The engines by name. To add one, import it here and enter it in `_ENGINES`."""

from collections.abc import Mapping

from finetune.engines.base import Engine
from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# What trains where nothing else is wanted.
DEFAULT: Engine = PopulationEngine()

# What every other engine must reproduce, run by run; it trains every variant.
REFERENCE: Engine = KerasEngine()

# One object each for the whole process, with the graphs that it has traced.
_ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (DEFAULT, REFERENCE)}


def engine_names() -> list[str]:
    """Return the names of all engines, the default first."""
    return list(_ENGINES)


def get_engine(name: str) -> Engine:
    """Return the engine of that name, the same object at every call.

    Raises:
        SpecError: There is none.
    """
    if name not in _ENGINES:
        allowed = ", ".join(map(repr, engine_names()))
        raise SpecError(f"engine: received {name!r}; allowed are {allowed}; choose one of them")
    return _ENGINES[name]


def engine_for(variant: VariantSpec, spec: StudySpec, wanted: str) -> Engine:
    """Return the engine that trains a study's variant: the wanted one, else the reference engine.

    Raises:
        SpecError: There is no engine of the wanted name.
    """
    engine = get_engine(wanted)
    return REFERENCE if engine.why_not(variant, spec.resolve(variant)) else engine
