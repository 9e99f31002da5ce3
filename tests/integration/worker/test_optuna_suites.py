"""Optuna's own tests of storages and samplers, on those of this program."""

from collections.abc import Callable
from functools import partial

import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase
from optuna.testing.pytest_storages import StorageTestCase

from blood_hpo.search.proposer import CompleteTPESampler


class TestStorage(StorageTestCase):
    """The fixture `storage` is a `StudyStorage` on a database of its own."""


class TestSampler(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return partial(CompleteTPESampler, n_startup_trials=0)
