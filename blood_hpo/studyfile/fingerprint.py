"""What must match for the results of two studies to compare.

Hyperparameters that are not searched count with their value, whether a file or a default gave it.
In the fingerprint whatever is at its default is left out, as in a configuration's hash: a key that
is added later leaves the fingerprints of older studies as they are. A default may never change.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from blood_hpo.models.hyperparameters import canonical_json
from blood_hpo.studyfile.schema import StudySpec

_INCOMPARABLE: Mapping[str, Any] = {
    **dict.fromkeys(("name", "description", "final"), True),
    "data": {"synthetic_fallback"},  # the data set is recorded beside the file
    "families": {"__all__": {"budget", "fixed_from"}},
}
"""What may differ."""


def fingerprint(spec: StudySpec) -> str:
    """16 hexadecimal digits, equal exactly for studies whose results compare.

    The order of tables does not count, the order of arrays does.
    """
    essence = _plain(_essence(spec, exclude_defaults=True))
    return hashlib.sha256(canonical_json(essence).encode("ascii")).hexdigest()[:16]


def differences(stored: StudySpec, given: StudySpec) -> list[str]:
    """What would change in the results, one line a key: ``training.epochs: 50 -> 60``."""
    return list(_compare(_essence(stored), _essence(given), ()))


def _essence(spec: StudySpec, *, exclude_defaults: bool = False) -> dict[str, Any]:
    document = spec.model_dump(
        mode="json", exclude=_INCOMPARABLE, exclude_defaults=exclude_defaults
    )
    if not document.get("data", True):
        del document["data"]
    for name, family in document["families"].items():
        family["fixed"] = spec.held(name, exclude_defaults=exclude_defaults)
    return document


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything JSON can hold
    """One spelling per number: 1.0 becomes 1."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _compare(stored: Any, given: Any, key: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401
    if stored == given:
        return
    is_parameter = key[-2:-1] == ("space",)
    if isinstance(stored, dict) and isinstance(given, dict) and not is_parameter:
        for name in stored | given:
            yield from _compare(stored.get(name, _ABSENT), given.get(name, _ABSENT), (*key, name))
        return
    yield f"{'.'.join(key)}: {_shown(stored)} -> {_shown(given)}"


_ABSENT = object()


def _shown(value: Any) -> str:  # noqa: ANN401
    if value is _ABSENT:
        return "absent"
    if isinstance(value, Mapping) and "low" not in value:
        return "present"
    return json.dumps(value)
