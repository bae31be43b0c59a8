"""Where a search keeps its trials: any storage of Optuna's, and its errors in one line."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from sqlalchemy import NullPool, exc, make_url

from finetune.errors import SpecError, StoreError

_NETWORKED = ("postgresql", "mysql", "mariadb")
_ATTEMPTS = 10


class Storage:
    """An open storage of Optuna's; a context, which closes its connections.

    Args:
        url: A database as SQLAlchemy names it, `redis://HOST:PORT`, or the path of a journal file
            that ends in `.log`.

    Attributes:
        optuna: What Optuna takes as storage.
        shown: The URL without its password.

    Raises:
        SpecError: The scheme is unknown or its driver is missing.
        StoreError: Nothing answers there.
    """

    def __init__(self, url: str):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self.shown = shown_url(url)
        try:
            with self.errors():
                self.optuna = _open(url)
        except exc.ArgumentError as error:
            raise SpecError(
                f"--storage: received {self.shown!r}, whose scheme is unknown; allowed is a "
                "database URL, as sqlite:///search.db or postgresql+psycopg://user@host/name, "
                "redis://host:port, or a journal file ending in .log"
            ) from error
        except ImportError as error:
            raise SpecError(
                f"--storage: {self.shown!r} needs a package that is not installed "
                f"({str(error).splitlines()[0]}); install it, for PostgreSQL with "
                "pip install 'psycopg[binary]'"
            ) from error

    def __enter__(self) -> "Storage":
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(self.optuna, RDBStorage):
            self.optuna.remove_session()
            self.optuna.engine.dispose()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise errors of the storage as one line that names it.

        Raises:
            StoreError: The storage does not answer.
        """
        try:
            yield
        except Exception as error:
            if not _is_of_a_storage(error):
                raise
            raise StoreError(
                f"--storage: {self.shown!r} does not answer as it should: {_reason(error)}; what "
                "was trained is in the store; mend the storage or give another, and search again"
            ) from error


def without_password(text: str, url: str) -> str:
    """Return a text with a storage's URL in it as `shown_url` shows it."""
    return text.replace(url, shown_url(url))


def shown_url(url: str) -> str:
    """Return a storage's URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (exc.ArgumentError, ValueError):
        return url


def _open(url: str) -> BaseStorage:
    if url.startswith("redis"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return JournalStorage(JournalRedisBackend(url))
    if url.endswith(".log") and "://" not in url:
        return JournalStorage(JournalFileBackend(url))
    if make_url(url).database not in (None, "", ":memory:"):
        _make_tables(url)
    return RDBStorage(url, engine_kwargs=_engine_options(url))


def _make_tables(url: str) -> None:
    """Make Optuna's tables where there are none, though another controller may do so too."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            # Without a pool a failed attempt leaves no connection open.
            RDBStorage(url, engine_kwargs={**_engine_options(url), "poolclass": NullPool})
            return
        except (exc.IntegrityError, exc.ProgrammingError, exc.OperationalError) as error:
            at_once = isinstance(error, exc.IntegrityError) or "already exists" in str(error)
            if not at_once or not left:
                raise
            time.sleep(0.2)


def _engine_options(url: str) -> dict[str, Any]:
    """Return options that wait 10 s for a server, and connect anew where a connection broke."""
    networked = make_url(url).get_backend_name() in _NETWORKED
    timeout: dict[str, Any] = {"connect_timeout": 10} if networked else {}
    return {"pool_pre_ping": True, "connect_args": timeout}


def _is_of_a_storage(error: Exception) -> bool:
    if isinstance(error, exc.ArgumentError):  # a wrong URL, which has a message of its own
        return False
    kinds = (exc.SQLAlchemyError, optuna.exceptions.OptunaError, OSError)
    # The package redis need not be installed, so its errors are known by their module.
    return isinstance(error, kinds) or type(error).__module__.startswith("redis.")


def _reason(error: BaseException) -> str:
    """Return the first line of the error that lies at the root of another."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]
