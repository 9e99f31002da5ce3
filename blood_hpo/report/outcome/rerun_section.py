"""How to run it again: commands, and what decides that the same comes of them."""

from blood_hpo.report.page.cells import Cell, code, counted, plain
from blood_hpo.report.page.document import Block, Command, Section, Table
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.study_text import STUDIES, study_files


def section(found: Findings) -> Section:
    """The section."""
    files = " ".join(f"{STUDIES}/{one}.toml" for one in study_files(found))
    blocks: list[Block] = [
        Command(
            f"blood-hpo run {files}",
            "All of it from the beginning, in this page's folder, where the database has no studies"
            " of these names. The files hold what the studies were created with, budgets included;"
            " a study that was created around another one holds the configuration it found there.",
        ),
        _data(found),
    ]
    name, trials = found.study.name, [one.trial.number for one in found.winners.values()]
    if trials:
        replays = "\n".join(f"blood-hpo trial replay {name} {number}" for number in trials)
        said = "The best trials again, where the study's database is, held against their scores."
        blocks.append(Command(replays, said))
    return Section("again", "How to run it again", [*blocks, _identity(found)])


def _data(found: Findings) -> str:
    source = (
        "The images are drawn anew where no data set is found."
        if found.study.synthetic
        else f"Give it the same data set with --data: SHA-256 {found.study.data['sha256'][:12]}…"
    )
    return (
        f"{source} The search was the work of {counted(found.study.workers, 'worker')}."
        " Every trial gives the same result again, anywhere; which configurations are proposed"
        " depends, with several workers, on the order in which trials end."
    )


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
    note = (
        "Studies with the same fingerprint have scores that can be compared. The versions are those"
        " that the models were trained with; their checksums lie beside them in models/."
    )
    caption = "The study, its data and its software"
    return Table("identity", caption, {"": rows}, note, folded=True)


def _versions(found: Findings) -> dict[str, Cell]:
    each = [one.versions for one in (found.final.models if found.final else ())]
    names = sorted({name for one in each for name in one})
    return {name: plain(", ".join(sorted({str(one.get(name)) for one in each}))) for name in names}
