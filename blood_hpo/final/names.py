"""Names of the studies that hold a study's stages; light enough for every command."""

CONFIRM, FINAL = "confirm", "final"


def stage_name(study: str, stage: str) -> str:
    """Name of the study that holds a stage of another one."""
    return f"{study}-{stage}"


def stage_names(study: str) -> tuple[str, str]:
    """Names of the studies that hold the stages of another one, in their order."""
    return stage_name(study, CONFIRM), stage_name(study, FINAL)
