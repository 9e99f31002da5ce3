"""What to run for what is still missing."""

from blood_hpo.report.findings import Findings


def finish(found: Findings) -> str:
    """The command that goes on: with the search, or after it with the stages that follow."""
    study = found.study
    return f"blood-hpo {'worker' if study.remaining else 'final'} {study.name}"
