"""The compose file, as it is written: what it lets in, what it may do, and its defaults."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "docker-compose.yml", *sorted(ROOT.glob("docker/*.yml"))]
SERVICES = yaml.safe_load(FILES[0].read_text(encoding="utf-8"))["services"]


def test_only_this_machine_reaches_what_is_published() -> None:
    published = [one for service in SERVICES.values() for one in service.get("ports", ())]
    assert len(published) == 2
    assert all(one.startswith("127.0.0.1:") for one in published)


def test_no_service_has_privileges_or_all_of_the_machine() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}, name
        assert name == "db" or service["user"].startswith("${BLOOD_HPO_USER:?"), name


def test_the_database_reaches_nothing_outside() -> None:
    networks = yaml.safe_load(FILES[0].read_text(encoding="utf-8"))["networks"]
    assert networks["backend"] == {"internal": True}
    assert SERVICES["db"]["networks"] == ["backend"]


def test_the_defaults_are_those_of_the_page() -> None:
    page = (ROOT / "docs/scaling.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[A-Z].*`) \| .* \| (.*) \|$", page, re.MULTILINE)
    told = {
        name: default.split(";")[0].strip(" `")
        for names, defaults in rows
        if defaults != "none"
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.split(","), strict=True)
    }
    known: dict[str, set[str]] = {}
    for file in FILES:
        for name, default in re.findall(r"\$\{(\w+):-([^}]+)\}", file.read_text(encoding="utf-8")):
            known.setdefault(name, set()).add(default)
    assert len(told) > 8
    assert {name: one for name, one in told.items() if one not in known.get(name, ())} == {}
