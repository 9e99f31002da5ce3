"""What the stages of a finished study train and test, asked of the code that its workers run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blood_hpo.data.bloodmnist import DataSource, find, load_split
from blood_hpo.database.address import embedded_url
from blood_hpo.database.artefacts import load
from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.errors import BloodHpoError, DataError
from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study
from blood_hpo.worker.stage import configuration_of

from .conftest import House

if TYPE_CHECKING:
    from blood_hpo.final.retraining import Retraining  # which loads TensorFlow


@pytest.fixture(scope="module")
def searched(finished: House) -> Iterator[SharedStudy]:
    storage = StudyStorage(embedded_url(Settings(home=finished.folder / "home")), "test")
    yield open_study(storage, "whole")
    storage.engine.dispose()


@pytest.fixture(scope="module")
def source(finished: House) -> DataSource:
    return find(finished.data, settings=Settings())


def trials(study: SharedStudy, name: str) -> list[TrialRecord]:
    with study.storage.plain() as connection:
        return list(read_trials(connection, name))


def test_each_split_of_the_confirmation_has_folds_of_its_own(
    searched: SharedStudy, source: DataSource
) -> None:
    from blood_hpo.final.confirmation_stage import ConfirmStage
    from blood_hpo.search.dataset import search_data

    known = search_data(searched.spec, source).folds
    trained = {"search": {fold.train.tobytes() for fold in known}}
    stage = ConfirmStage(searched, source, "onlooker")
    for split, claim in {one.replicate: one for one in trials(searched, "whole-confirm")}.items():
        run = stage.start(claim)
        trained[f"split {split}"] = {fit.train.tobytes() for fit in run._fits}
        run.close()
    assert set(trained) == {"search", "split 1", "split 2"}
    assert len(set().union(*trained.values())) == 3 * searched.spec.training.folds


@pytest.fixture
def untrained(searched: SharedStudy, source: DataSource) -> Iterator["Retraining"]:
    """The retraining of the winner before its first epoch."""
    from blood_hpo.final.retraining import Retraining

    (claim,) = trials(searched, "whole-final")
    train, validation = load_split(source, "train"), load_split(source, "validation")
    run = Retraining(claim, train, validation, searched.spec.objective)
    yield run
    run.close()


def frozen(content: bytes, path: Path) -> bytes:
    """The same model, of which nothing can be trained any more."""
    from blood_hpo.final.export import load

    network = load(content)
    network.trainable = False
    network.save(path)
    return path.read_bytes()


def test_a_file_that_is_not_the_trained_network_is_refused_and_the_test_split_stays_closed(
    finished: House,
    searched: SharedStudy,
    source: DataSource,
    untrained: "Retraining",
    tmp_path: Path,
) -> None:
    from blood_hpo.final import evaluate
    from blood_hpo.final.export import export

    (claim,) = trials(searched, "whole-final")
    own = export(configuration_of(claim), untrained.fit.preparation, untrained.fit.best_weights)
    validation = load_split(source, "validation")
    closed = replace(source, path=tmp_path / "nothing.npz")  # opened, it would be a DataError
    for content, said in (
        (load(finished.database, "whole-final", "0/model.keras"), r"differ by (0\.|1)"),
        (frozen(own, tmp_path / "frozen.keras"), r"parameters are 0 and not \d+"),
    ):
        with pytest.raises(BloodHpoError, match=f"is not the trained one: .*{said}"):
            evaluate.test(content, untrained, validation, closed, average=False)
    with pytest.raises(DataError, match=r"nothing\.npz"):
        evaluate.test(own, untrained, validation, closed, average=False)
