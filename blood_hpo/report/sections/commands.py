"""What to run for what is still missing."""

from blood_hpo.report.findings import Findings


def finish(found: Findings) -> str:
    """The command that goes on with the study and its stages."""
    return f"blood-hpo worker {found.study.name}"


def has_final(found: Findings) -> bool:
    """Whether the study asks for confirmation, retraining and test."""
    return bool(found.study.spec.get("final"))
