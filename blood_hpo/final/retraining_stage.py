"""Retraining: each planned model with each seed, tested at the end of its own trial.

Training, export and test are one trial, so that a model and its test are told together or not at
all. A trial that has ended is never run again, hence no model is tested twice.
"""

import io
import platform
from hashlib import sha256
from importlib import import_module
from itertools import groupby
from typing import Any

import numpy as np

from blood_hpo.dashboard.trial_pictures import pictures_of_model
from blood_hpo.data.bloodmnist import DataSource, Split, class_counts, load_split
from blood_hpo.data.facts import CLASSES
from blood_hpo.database.artefacts import listing
from blood_hpo.database.record import TrialRecord
from blood_hpo.final.confirmation_stage import ConfirmStage
from blood_hpo.final.evaluate import Tested, medmnist_result, test
from blood_hpo.final.export import export
from blood_hpo.final.plan import plan
from blood_hpo.final.planned_stage import PlannedStage
from blood_hpo.final.retraining import Retraining
from blood_hpo.final.stage_study import Training
from blood_hpo.report.read.final_stage import DATA
from blood_hpo.report.read.uncertainty import interval
from blood_hpo.stages import FINAL
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.pieces import link
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.studies import SharedStudy
from blood_hpo.text import rendered
from blood_hpo.version import __version__
from blood_hpo.worker.claims import Finished, Found
from blood_hpo.worker.stage import OpenTest, Run, configuration_of


class RetrainStage(PlannedStage):
    """Trials of the retraining on one worker."""

    name = FINAL

    def __init__(self, confirm: ConfirmStage) -> None:
        """Open or create the stage after a confirmation; a DataError where the data do not load."""
        super().__init__(confirm.search, confirm.source, confirm.worker)
        self._confirm = confirm
        self._train = load_split(self.source, "train")
        self._validation = load_split(self.source, "validation")
        storage, study_id = self.study.storage, self.study.study_id
        if any(one.name == DATA for one in listing(storage.engine, self.study.name)):
            return
        digest = storage.store(study_id, _data_file(self._train, self.source))
        with storage.engine.begin() as connection:
            link(connection, study_id, None, DATA, digest)

    def claim(self, stop: Waiting) -> Found:
        """Take the next model and seed; where there is none, see that all intervals are stored."""
        found = super().claim(stop)
        if isinstance(found, Finished):
            patiently(self._conclude, "concluding the test", stop)
        return found

    def _conclude(self) -> None:
        """Store the interval of each configuration's accuracy; every worker computes the same."""
        storage, study_id = self.study.storage, self.study.study_id
        models = storage.ask("test_mistakes", study=self.study.name)
        for digest, own in groupby(models, key=lambda one: one.config_hash):
            correct = np.stack([~np.isin(range(one.test_images), one.wrong) for one in own])
            _, low, high = interval(correct)
            row = {"config_hash": digest, "seeds": len(correct), "low": low, "high": high}
            storage.tell("write_test_interval", study_id=study_id, **row)

    def trainings(self) -> list[Training]:
        """Each winner of the confirmation, which is concluded first, with each seed."""
        self._confirm.conclude()
        winners = self.found("winners", study_id=self._confirm.study.study_id)
        return plan(self.search.spec, winners)

    def start(self, claim: TrialRecord) -> Retraining:
        """Begin to train one model with one seed."""
        return Retraining(claim, self._train, self._validation, self.search.spec.objective)

    def end(self, claim: TrialRecord, run: Run, open_test: OpenTest) -> Ending:
        """Export the model, test the file, and gather what is known about it."""
        assert isinstance(run, Retraining)
        configuration, synthetic = configuration_of(claim), self.source.synthetic
        kept = (run.fit.preparation, run.fit.best_weights)
        content = export(configuration, *kept, synthetic=synthetic)
        open_test()
        average = self.final.average_symmetries
        tested = test(content, run, self._validation, self.source, average=average)
        name = f"{self.search.name}-{claim.family}-{claim.replicate}"
        model, result_file = _model(name, content, run, tested)
        results = Results(run.results(), run.seconds, run.parameter_count, tested=model)
        card = _card(self.search, claim, results, tested)
        title = f"{claim.family} ({claim.recipe}), seed {claim.replicate}"
        artefacts = {
            **pictures_of_model(title, results.folds[0], model["confusion"]),
            "model.md": card.encode(),
            "model.keras": content,
            "predictions.npz": tested.arrays(),
            "medmnist.csv": result_file,
        }
        return Ending(run.score, results, artefacts)


def _model(
    name: str, content: bytes, run: Retraining, tested: Tested
) -> tuple[dict[str, Any], bytes]:
    """What is known about an exported model, and medmnist's result file."""
    judged, result_file = medmnist_result(tested.test, name)
    model = dict(
        file=f"{name}.keras",
        sha256=sha256(content).hexdigest(),
        bytes=len(content),
        loading_difference=tested.loading_difference,
        non_trainable_count=tested.non_trainable,
        scaling_mean=run.fit.preparation.mean.tolist(),
        scaling_deviation=run.fit.preparation.deviation.tolist(),
        class_weights=run.fit.preparation.class_weights.tolist(),
        architecture=tested.layers,
        versions=versions(),
        mistakes=tested.mistakes(),
        **tested.figures(),
        **judged,
    )
    return model, result_file


def _card(search: SharedStudy, claim: TrialRecord, results: Results, tested: Tested) -> str:
    """A page in Markdown: what the model is, how it came about, what it may not be used for."""
    filters = {"figure": _figure, "quoted": repr}
    facts = {"study": search.name, "data": search.data, "claim": claim, "results": results}
    facts |= {"summaries": tested.summaries, "classes": CLASSES}
    return rendered(__package__, "card.md", filters, **facts)


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    packages = ("tensorflow", "keras", "numpy", "optuna")
    return {
        "blood_hpo": __version__,
        "python": platform.python_version(),
        **{name: str(import_module(name).__version__) for name in packages},
    }


def _data_file(train: Split, source: DataSource) -> bytes:
    """What a report shows of the data set: an image of each class, and how many there are."""
    counts = class_counts(source)
    first = np.array([np.argmax(train.labels == one) for one in range(len(CLASSES))])
    file = io.BytesIO()
    np.savez(
        file,
        sample_images=train.images[first],
        counts=np.array([counts[name] for name in ("train", "validation", "test")]),
    )
    return file.getvalue()
