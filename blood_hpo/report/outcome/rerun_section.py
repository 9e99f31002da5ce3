"""How to run it again: commands, and what decides that the same comes of them."""

from blood_hpo.report.page.cells import Cell, code, plain
from blood_hpo.report.page.document import Block, Command, Section, Table, Text, one_group
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.study_text import STUDIES, study_files


def section(found: Findings) -> Section:
    """The section."""
    name = found.study.name
    files = " ".join(f"{STUDIES}/{one}.toml" for one in study_files(found))
    blocks: list[Block] = [
        Command(
            f"blood-hpo run {files}",
            "All of it from the beginning, in this page's folder, where the database has no studies"
            " of these names. The files hold what the studies were created with, budgets included;"
            " a study that was created around another one holds the configuration it found there.",
        ),
        Text(_data(found)),
    ]
    trials = [one.trial.number for one in found.winners.values()]
    if trials:
        replays = "\n".join(f"blood-hpo trial replay {name} {number}" for number in trials)
        blocks.append(
            Command(
                replays,
                "The best trials again, where the study's database is, held against their scores.",
            )
        )
    return Section("again", "How to run it again", (*blocks, _identity(found)))


def _data(found: Findings) -> str:
    data, workers = found.study.data, len({one.worker for one in found.study.trials if one.worker})
    source = (
        "The images are drawn anew where no data set is found."
        if found.study.synthetic
        else f"Give it the same data set with --data: SHA-256 {data['sha256'][:12]}…"
    )
    return (
        f"{source} The search was the work of {workers} {'worker' if workers == 1 else 'workers'}."
        " Every trial gives the same result again, anywhere; which configurations are proposed"
        " depends, with several workers, on the order in which trials end."
    )


def _identity(found: Findings) -> Table:
    study = found.study
    rows: list[list[Cell]] = [
        [plain("study"), plain(study.name)],
        [plain("seed"), plain(study.spec["seed"])],
        [plain("fingerprint"), code(study.fingerprint)],
        [plain("created by"), plain(f"blood_hpo {study.program_version}")],
        [plain("data set"), plain(study.data["label"])],
        [plain("its file is the official one"), plain("yes" if study.data["official"] else "no")],
        [plain("SHA-256 of it"), code(study.data["sha256"])],
        *_versions(found),
    ]
    note = (
        "Studies with the same fingerprint have scores that can be compared. The versions are those"
        " that the models were trained with; their checksums lie beside them in models/."
    )
    caption = "The study, its data and its software"
    return Table("identity", caption, ("what", "value"), one_group(rows), note, folded=True)


def _versions(found: Findings) -> list[list[Cell]]:
    each = [one.versions for one in (found.final.models if found.final else ())]
    names = sorted({name for one in each for name in one})
    used = {name: sorted({str(one.get(name)) for one in each}) for name in names}
    return [[plain(name), plain(", ".join(values))] for name, values in used.items()]
