"""What to run for what is still missing."""

from blood_hpo.report.findings import Findings
from blood_hpo.report.record import SPENT


def finish(found: Findings) -> str:
    """The command that goes on: with the search, or after it with the stages that follow."""
    study = found.study
    left = any(len(study.of(one, *SPENT)) < study.budget(one) for one in study.families)
    return f"blood-hpo {'worker' if left else 'final'} {study.name}"
