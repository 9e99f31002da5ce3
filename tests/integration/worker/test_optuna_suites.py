"""Optuna's own tests of storages and samplers, on those of this program."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase
from optuna.testing.pytest_storages import StorageTestCase
from sqlalchemy import Engine, text

from blood_hpo.search.optuna_private import CompleteTPESampler
from blood_hpo.store.storage import StudyStorage

from ..conftest import copy_of


@pytest.fixture(scope="module")
def shared_url(server: Engine, migrated: str) -> Iterator[str]:
    with copy_of(migrated, server) as url:
        yield url


@pytest.fixture
def storage(shared_url: str) -> Iterator[StudyStorage]:
    """On a database that is emptied after each test: to make a new one takes longer."""
    found = StudyStorage(shared_url, "test")
    yield found
    with found.engine.begin() as connection:
        connection.execute(text("TRUNCATE studies CASCADE"))
    found.engine.dispose()


class TestStorage(StorageTestCase):
    """The fixture `storage` is a `StudyStorage` without a study."""


class TestSampler(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return partial(CompleteTPESampler, n_startup_trials=0)
