"""How to run it again: commands, and what decides that the same comes of them."""

from blood_hpo.report.page.cells import Cell, code, counted, plain
from blood_hpo.report.page.document import Block, Command, Section, Table
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.findings import STUDIES, Findings


def section(found: Findings) -> Section:
    """The section."""
    again = " ".join(["blood-hpo run", *(f"{STUDIES}/{one}.toml" for one in found.study_files)])
    if found.final and not found.study.spec["final"]:
        again += f"\nblood-hpo final {found.study.name}"
    blocks: list[Block] = [
        Command(again, said("run-again")),
        said("reproduced", source=_source(found), workers=counted(found.study.workers, "worker")),
    ]
    name, trials = found.study.name, [one.trial.number for one in found.winners.values()]
    if trials:
        replays = "\n".join(f"blood-hpo trial replay {name} {number}" for number in trials)
        blocks.append(Command(replays, said("replay")))
    return Section("again", [*blocks, _identity(found)])


def _source(found: Findings) -> str:
    if found.study.synthetic:
        return "The images are drawn anew where no data set is found."
    return f"Give it the same data set with --data: SHA-256 {found.study.data['sha256'][:12]}…"


def _identity(found: Findings) -> Table:
    study = found.study
    facts = {
        "study": plain(study.name),
        "seed": plain(study.spec["seed"]),
        "fingerprint": code(study.fingerprint),
        "created by": plain(f"blood_hpo {study.program_version}"),
        "data set": plain(study.data["label"]),
        "its file is the official one": plain("yes" if study.data["official"] else "no"),
        "SHA-256 of it": code(study.data["sha256"]),
        **_versions(found),
    }
    rows = [{"what": plain(what), "value": value} for what, value in facts.items()]
    return table("identity", rows)


def _versions(found: Findings) -> dict[str, Cell]:
    each = [one.versions for one in (found.final.models if found.final else ())]
    names = sorted({name for one in each for name in one})
    return {name: plain(", ".join(sorted({str(one.get(name)) for one in each}))) for name in names}
