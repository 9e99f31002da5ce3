"""Retraining: each planned model with each seed, tested at the end of its own trial.

Training, export and test are one trial, so that a model and its test are told together or not at
all. A trial that has ended is never run again, hence no model is tested twice.
"""

import io
import platform
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version

import numpy as np
from optuna.distributions import CategoricalDistribution, IntDistribution

from blood_hpo import __version__
from blood_hpo.data.bloodmnist import DataSource, class_counts
from blood_hpo.final.card import model_card
from blood_hpo.final.cells import REPLICATE, Cell, claim_cell
from blood_hpo.final.evaluate import Tested, medmnist_result, test
from blood_hpo.final.export import architecture, export, load
from blood_hpo.final.names import FINAL
from blood_hpo.final.plan import PlannedModel, budgets
from blood_hpo.final.retraining import FinalData, Retraining
from blood_hpo.final.stage_study import final_spec, open_stage
from blood_hpo.models.hyperparameters import canonical_json
from blood_hpo.models.registry import FAMILIES
from blood_hpo.models.registry import family as registered
from blood_hpo.search.space import MODEL
from blood_hpo.service.budget import Busy, Claim, Finished, Paused
from blood_hpo.service.outage import Waiting
from blood_hpo.service.stage import Ending, Note, Run
from blood_hpo.service.studies import SharedStudy
from blood_hpo.service.trial_pictures import pictures_of_model
from blood_hpo.training.seeds import derive

PLAN = "plan"
"""Attribute of the stage's study that names the models that are wanted now."""

OPENINGS = "test_openings"
DATA_FILE = "data.npz"


class RetrainStage:
    """Trials of the retraining on one worker."""

    def __init__(
        self,
        search: SharedStudy,
        planned: Sequence[PlannedModel],
        data: FinalData,
        source: DataSource,
        worker: str,
    ) -> None:
        """Open or create the stage.

        Raises:
            StudyError: Models of the study were trained under other rules.
        """
        self.worker = worker
        self._search = search
        self._data = data
        self._source = source
        self._cells = _cells(search, planned)
        self.study = open_stage(search, FINAL, search.fingerprint, budgets(planned))
        storage, study_id = self.study.storage, self.study.study_id
        storage.set_study_user_attr(study_id, PLAN, [one.document() for one in planned])
        storage.keep(study_id, DATA_FILE, _data_file(data, source))

    def claim(self, stop: Waiting) -> Claim | Paused | Busy | Finished:
        """Take the next model and seed, the largest networks first."""
        return claim_cell(self.study, self.worker, self._cells, stop)

    def start(self, claim: Claim) -> Retraining:
        """Begin to train one model with one seed."""
        return Retraining(claim, self._data, self._search.spec.objective)

    def should_prune(self, _claim: Claim, _run: Run) -> bool:
        """Never."""
        return False

    def end(self, claim: Claim, run: Run, note: Note) -> Ending:
        """Export the model, test the file, and gather what is known about it."""
        assert isinstance(run, Retraining)
        content = _exported(claim, run, self._source)
        tested = self._tested(claim, run, note, content)
        name = f"{self._search.name}-{claim.family}-{claim.attributes[REPLICATE]}"
        figures, result_file = medmnist_result(tested.labels, tested.probabilities, name)
        attributes = {
            **run.attributes(),
            **tested.attributes(),
            "medmnist": figures,
            **_model(f"{name}.keras", content, tested),
        }
        artefacts = {
            **self._described(claim, f"{name}.keras", attributes),
            "model.keras": content,
            "predictions.npz": tested.arrays(),
            "medmnist.csv": result_file,
        }
        return Ending(run.score, attributes, artefacts)

    def _tested(self, claim: Claim, run: Retraining, note: Note, content: bytes) -> Tested:
        """Test a model's file, after a note that the test split is opened for it."""
        openings = claim.attributes.get(OPENINGS, 0)
        assert isinstance(openings, int)
        note({OPENINGS: openings + 1})
        trained, validation = run.validation_probabilities(), self._data.validation
        average = final_spec(self._search.spec).average_symmetries
        return test(content, trained, run.parameter_count, validation, self._source, average)

    def _described(
        self, claim: Claim, file: str, attributes: Mapping[str, object]
    ) -> dict[str, bytes]:
        """Pictures and card of a model."""
        facts = {**claim.attributes, **attributes, "data": self.study.data}
        title = f"{claim.family} ({claim.attributes['recipe']}), seed {claim.attributes[REPLICATE]}"
        return {
            **pictures_of_model(title, attributes),
            "model.md": model_card(file, facts).encode(),
        }


def _exported(claim: Claim, run: Retraining, source: DataSource) -> bytes:
    config = registered(claim.family).hyperparameters.model_validate(claim.config)
    return export(claim.family, config, run.preparation, run.weights, synthetic=source.synthetic)


def _model(file: str, content: bytes, tested: Tested) -> dict[str, object]:
    """What is known about an exported model beside its scores."""
    return {
        "model": {
            "file": file,
            "sha256": sha256(content).hexdigest(),
            "bytes": len(content),
            "loading_difference": tested.loading_difference,
        },
        "architecture": architecture(load(content)),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    packages = ("tensorflow", "keras", "numpy", "optuna")
    return {
        "blood_hpo": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _cells(search: SharedStudy, planned: Sequence[PlannedModel]) -> list[Cell]:
    # The ResNets take longest: begun last, they would keep everybody waiting.
    return [
        _cell(search, one, seed) for one in reversed(planned) for seed in range(1, one.seeds + 1)
    ]


def _cell(search: SharedStudy, one: PlannedModel, number: int) -> Cell:
    document = one.document()
    rules = document["rules"]
    return Cell(
        family=one.family,
        config=one.config,
        config_hash=one.config_hash,
        replicate=number,
        # Under other rules it is another training, beside the one that is there.
        seed=derive(search.spec.seed, "final", one.config_hash, canonical_json(rules), number),
        params={MODEL: one.family, "seed": number},
        distributions={
            MODEL: CategoricalDistribution(tuple(FAMILIES)),
            "seed": IntDistribution(1, 20),
        },
        attributes={
            name: document[name] for name in ("recipe", "source_study", "source_trial", "rules")
        },
    )


def _data_file(data: FinalData, source: DataSource) -> bytes:
    """What a report shows of the data set: an image of each class, and how many there are."""
    counts = class_counts(source)
    first = np.array([np.argmax(data.train.labels == one) for one in range(8)])
    file = io.BytesIO()
    np.savez(
        file,
        sample_images=data.train.images[first],
        sample_indices=first.astype(np.int64),
        counts=np.array([counts[name] for name in ("train", "validation", "test")]),
    )
    return file.getvalue()
