"""``blood-hpo final``: from a finished search to tested models, on this machine."""

from blood_hpo.cli.logs import say
from blood_hpo.cli.output import FormatOption, OutputFormat
from blood_hpo.cli.session import DataOption, StudyArgument, WorkersOption
from blood_hpo.errors import StudyError


def final(
    study: StudyArgument,
    workers: WorkersOption = None,
    data: DataOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Confirm the best configurations, retrain the winners and the ResNet, test each model once.

    As the final table of the study file says, or by default. What is left of the search is
    done first, and what is done already is not done again: then the results are printed and the
    report is written to report/STUDY, and no model is tested twice.

    Example: blood-hpo final quickstart --workers 2

    Example: blood-hpo final paper --format json
    """
    from blood_hpo.cli.session import engine, storage
    from blood_hpo.cli.shortfall import shortfalls
    from blood_hpo.cli.supervision import processes, work_on, write_page
    from blood_hpo.cli.views.tables import print_answer, print_final, say_data

    count, opened = processes(workers), storage()
    from blood_hpo.store.studies import open_study

    found = open_study(opened, study)
    say_data(found.data)
    with engine() as connected:
        work_on(found, count, data, connected, final=True)
        if output is OutputFormat.TABLE:
            print_final(connected, found.name, found.data)
        else:
            print_answer(connected, "models", output, study=found.name)
        say("report: %s", write_page(connected, found.name))
        lacking = shortfalls(connected, found.name, final=True)
    if lacking:
        raise StudyError("; ".join(lacking))
