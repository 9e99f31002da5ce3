"""The manifests for Kubernetes fit its published schemas, one another, and those of compose."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUSTOMIZATION = yaml.safe_load((ROOT / "kustomization.yaml").read_text(encoding="utf-8"))
RESOURCES = [
    document
    for name in KUSTOMIZATION["resources"]
    for document in yaml.safe_load_all((ROOT / name).read_text(encoding="utf-8"))
]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def every(tree: Any, key: str) -> Iterator[Any]:
    """What stands under a key, anywhere in a document."""
    if isinstance(tree, dict):
        yield from ([tree[key]] if key in tree else [])
        for value in tree.values():
            yield from every(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from every(value, key)


@pytest.mark.parametrize(
    "one", RESOURCES, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_every_resource_fits_the_published_schema(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, "1.32", strict=True)


def test_the_schema_refuses_a_misspelt_key() -> None:
    wrong = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": {"prots": []},
    }
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.32", strict=True)


def test_every_secret_and_configuration_is_generated() -> None:
    generated = {one["name"] for one in KUSTOMIZATION["secretGenerator"]}
    assert set(every(RESOURCES, "secretName")) == generated
    files = {file for one in KUSTOMIZATION["secretGenerator"] for file in one["files"]}
    assert files == {one["file"] for one in COMPOSE["secrets"].values()}
    (study,) = KUSTOMIZATION["configMapGenerator"]
    assert [one["name"] for one in every(RESOURCES, "configMap")] == [study["name"]]
    assert all((ROOT / file.partition("=")[2]).is_file() for file in study["files"])


def test_every_pod_is_patched() -> None:
    (patch,) = KUSTOMIZATION["patches"]
    pods = {one["kind"] for one in RESOURCES if "template" in one.get("spec", {})}
    assert set(patch["target"]["kind"].split("|")) == pods
    added = {one["path"]: one["value"] for one in yaml.safe_load(patch["patch"])}
    assert {path.removeprefix("/spec/template/spec/"): value for path, value in added.items()} == {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext/seccompProfile": {"type": "RuntimeDefault"},
    }


def test_the_images_are_those_of_compose() -> None:
    images = set(every(RESOURCES, "image")) - {"postgres:17"}
    composed = {one.get("image", "").partition(":")[0] for one in COMPOSE["services"].values()}
    assert images < composed
    assert images == {one["name"] for one in KUSTOMIZATION["images"]}


def test_no_container_may_more_than_in_compose() -> None:
    containers = [
        one
        for key in ("containers", "initContainers")
        for found in every(RESOURCES, key)
        for one in found
    ]
    assert len(containers) == 9
    for one in containers:
        locked = one["securityContext"]
        assert locked["readOnlyRootFilesystem"], one["name"]
        assert not locked["allowPrivilegeEscalation"], one["name"]
        assert locked["capabilities"] == {"drop": ["ALL"]}, one["name"]
        assert "memory" in one["resources"]["limits"], one["name"]
