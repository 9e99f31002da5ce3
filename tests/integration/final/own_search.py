"""A search to whose stages the tests add trials by hand."""

from pathlib import Path

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec

SOURCE = DataSource(Path("s.npz"), "path", "a" * 64, "b" * 32, official=False, synthetic=True)


def search(url: str) -> SharedStudy:
    """A study of one family without any trial."""
    document = {"name": "own", "families": {"mlp": {"budget": 2, "space": {"units": [8, 16]}}}}
    return create_study(StudyStorage(url, "test"), StudySpec.parse(document, "test"), SOURCE)
