"""The numbers on the page are those of scikit-learn on the saved predictions."""

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from blood_hpo.data.facts import RECONSTRUCTED_SHA256
from blood_hpo.report.outcome import comparison_section as comparison
from blood_hpo.report.outcome import data_section as data
from blood_hpo.report.outcome import rerun_section as again
from blood_hpo.report.outcome import summary_section as summary
from blood_hpo.report.outcome import test_section as test
from blood_hpo.report.page.document import Card, Missing, Section, Table
from blood_hpo.report.process import confirmation_section as confirmation
from blood_hpo.report.process import cost_section as cost
from blood_hpo.report.process import effects_section as effects
from blood_hpo.report.process import training_section as training
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import original_scores, rows_of

from .conftest import staged_grid, study, totals


def table(section: Section, name: str) -> Table:
    return next(one for one in section.tables if one.name == name)


SECTIONS = [summary, data, effects, confirmation, training, test, comparison, cost, again]
Made = dict[ModuleType, Section]


@pytest.fixture(scope="module")
def made(finished: Findings) -> Made:
    """The sections of the finished study."""
    return {module: module.section(finished) for module in SECTIONS}


@pytest.fixture(scope="module")
def section(made: Made) -> Section:
    return made[test]


@pytest.mark.parametrize("family", ["mlp", "cnn", "resnet"])
def test_scores_are_means_over_seeds_of_scikit_learns(
    section: Section, finished: Findings, family: str
) -> None:
    assert finished.final
    each = [one.predictions for one in finished.final.families[family]]
    expected = np.mean([sk.accuracy_score(one.labels, one.probabilities.argmax(1)) for one in each])
    column = {"mlp": "MLP", "cnn": "CNN", "resnet": "ResNet"}[family]
    found = {row["score"]: row[column] for row in table(section, "test").records()}
    assert found["accuracy"] == pytest.approx(expected)
    low, high = found["95 % interval of the accuracy"]
    assert low < expected < high
    assert found["seeds"] == 2


def test_the_confusion_matrix_is_that_of_scikit_learn(section: Section, finished: Findings) -> None:
    assert finished.final
    first = finished.final.families["cnn"][0].predictions
    expected = sk.confusion_matrix(first.labels, first.probabilities.argmax(1))
    (facts,) = [
        one for one in section.facts["models"] if (one["family"], one["seed"]) == ("cnn", 1)
    ]
    assert facts["confusion"] == expected.tolist()


def test_each_class_has_the_mean_of_its_seeds(section: Section, finished: Findings) -> None:
    assert finished.final
    each = [
        sk.precision_recall_fscore_support(
            one.predictions.labels, one.predictions.probabilities.argmax(1)
        )
        for one in finished.final.families["resnet"]
    ]
    precision, recall, f1, support = np.mean(each, axis=0)
    *rows, every = table(section, "per-class-resnet").records()
    assert [row["recall"] for row in rows] == pytest.approx(recall)
    assert [row["precision"] for row in rows] == pytest.approx(precision)
    assert [row["F1"] for row in rows] == pytest.approx(f1)
    assert [row["images"] for row in rows] == support.tolist()
    accuracies = [one.predictions.correct.mean() for one in finished.final.families["resnet"]]
    assert every["images"] == 3421
    assert every["recall"] == pytest.approx(np.mean(accuracies))
    assert every["F1"] == pytest.approx(np.mean(f1))
    assert every["original's recall"] == 0.9547


def test_every_class_has_an_example_of_its_mistakes(finished: Findings) -> None:
    assert finished.final
    found = finished.final.models[0].predictions
    examples = found.mistakes(8)
    assert len(examples) == 8
    assert {one.true for one in examples} == set(range(8))
    for one in examples:
        assert found.labels[one.index] == one.true
        assert one.probabilities.argmax() != one.true
        assert one.rank > 1


def test_the_originals_results_stand_beside_ours(made: Made, finished: Findings) -> None:
    assert finished.final
    rows = table(made[comparison], "published").records()
    found = {(row["group"], row["model"]): row["accuracy"] for row in rows}
    for family, models in finished.final.families.items():
        ours = np.mean([one.predictions.correct.mean() for one in models])
        assert found["This study", family] == pytest.approx(ours)
    theirs = [row["accuracy"] for row in rows if row["group"] == "The original report"]
    assert theirs == [0.7992, 0.9073, 0.9547]


@pytest.mark.parametrize(
    ("around", "winner", "sentence"),
    [
        (True, True, "around this study's winner, trial"),
        (True, False, "which is no longer the winner"),
        (False, False, "not around a configuration of this study (--around blood makes one)"),
    ],
)
def test_a_grid_says_what_it_is_around(
    finished: Findings, around: bool, winner: bool, sentence: str
) -> None:
    grid = replace(finished.grids["mlp"], around=around, around_winner=winner)
    blocks = effects.section(replace(finished, grids={"mlp": grid})).blocks
    assert any(sentence in str(block) for block in blocks)


@pytest.mark.parametrize(
    ("name", "study"),
    [("stage-mlp", "steps"), ("stage-cnn", "steps"), ("grid-mlp", "blood-mlp-grid")],
)
def test_drawings_of_grids_say_whose_results_are_which(
    finished: Findings, name: str, study: str
) -> None:
    (drawn,) = [one for one in effects.section(finished).figures if one.name == name]
    assert f">study {study}</text>" in drawn.svg
    assert ">original report</text>" in drawn.svg
    assert f"study {study}. D" in drawn.caption  # then: Diamonds, or Dotted


def test_stages_hold_the_best_of_those_before(finished: Findings) -> None:
    assert finished.staged
    first, second = finished.staged.families["mlp"]
    assert first.best.params == {"augmentation": "flips_rotation", "standardise": True, "units": 64}
    held = {"augmentation": "flips_rotation", "standardise": True}
    assert [dict(one.params) for one in second.trials] == [
        {**held, "units": units} for units in (64, 128, 256)
    ]
    assert finished.staged.effect("mlp") is second
    assert [len(one.trials) for one in finished.staged.families["cnn"]] == [2, 4]


def test_a_stage_that_has_compared_nothing_yet_is_left_out() -> None:
    found = staged_grid(count=5)
    assert [len(one.trials) for one in found.families["mlp"]] == [4, 2]
    assert staged_grid(count=4).effect("mlp") is None
    assert staged_grid(count=1).families == {}


def test_stages_stand_beside_the_originals(made: Made) -> None:
    rows = table(made[effects], "stages-mlp").records()
    assert [row["group"] for row in rows] == [
        *["Stage 1: augmentation, standardise"] * 4,
        *["Stage 2: units"] * 3,
    ]
    wide = next(row for row in rows if row["what varied"] == {"units": 128})
    assert (wide["original, mean"], wide["original, sd"]) == (0.7548, 0.0311)
    cells = table(made[effects], "stages-mlp").rows
    bold = [row["what varied"].value for row in cells if row["mean"].best]
    assert bold == [{"augmentation": "flips_rotation", "standardise": True}, {"units": 256}]


def test_the_originals_ninety_two_scores_are_at_hand() -> None:
    assert len(rows_of("original_stages.csv")) == 92
    found = original_scores("accuracy", "cnn", ("kernel_size", "filters"))
    assert found["3", "128"] == (0.8783, 0.0071)
    repeated = original_scores("accuracy", "cnn", ("pooling", "pool_size"))["max", "global"]
    four = [
        float(row["mean"])
        for row in rows_of("original_stages.csv")
        if (row.get("pooling"), row.get("pool_size")) == ("max", "global")
    ]
    assert len(four) == 4
    assert repeated[0] == pytest.approx(np.mean(four))
    assert not original_scores("accuracy", "mlp", ("learning_rate",))


@pytest.mark.parametrize("objective", ["accuracy", "balanced_accuracy"])
def test_the_originals_accuracies_stand_beside_no_other_score(
    finished: Findings, objective: str
) -> None:
    spec = {**finished.study.spec, "objective": objective}
    section = effects.section(replace(finished, study=replace(finished.study, spec=spec)))
    beside = objective == "accuracy"
    for name in ("grid-mlp", "grid-cnn", "stages-mlp", "stages-cnn"):
        rows = table(section, name).records()
        assert any(row["original, mean"] is not None for row in rows) is beside
    for drawn in section.figures:
        assert ("original report" in drawn.svg + drawn.caption) is beside


def test_every_kernel_size_has_its_line(finished: Findings) -> None:
    grid = finished.grids["cnn"]
    sizes = (2, 3, 4, 5, 7)
    trials = tuple(
        replace(one, params={"kernel_size": size, "filters": 8})
        for size, one in zip(sizes, grid.trials, strict=False)
    )
    grids = {"cnn": replace(grid, trials=trials)}
    (drawn,) = effects.section(replace(finished, grids=grids, staged=None)).figures
    for size in sizes:
        assert f">{size} x {size}</text>" in drawn.svg


def test_a_grid_says_on_what_it_was_trained(finished: Findings) -> None:
    said = " ".join(str(block) for block in effects.section(finished).blocks)
    assert "on 40 % of the training images, 3 folds of at most 20 epochs. Held:" in said


def test_official_counts_are_those_of_no_other_file(begun: Findings) -> None:
    other = {**begun.study.data, "official": False}
    for known, counts in ((begun.study.data, True), (other, False)):
        found = replace(begun, study=replace(begun.study, data=known))
        assert ("classes" in [one.name for one in data.section(found).tables]) is counts
    known = {**other, "sha256": RECONSTRUCTED_SHA256}
    again = replace(begun, study=replace(begun.study, data=known))
    (_, _, total, *_) = table(data.section(again), "classes").records()[-1].values()
    assert total == 11_959


def test_five_examples_are_shown_even_if_one_class_alone_is_mistaken(finished: Findings) -> None:
    assert finished.final
    found = finished.final.models[0].predictions
    only = ~found.correct & (found.labels == 3)
    labels = np.where(only, found.labels, found.probabilities.argmax(axis=1))
    few = replace(found, labels=labels, images=found.images[only[found.misclassified]])
    assert [one.index for one in few.mistakes(5)] == np.flatnonzero(only)[:5].tolist()


def test_models_are_compared_image_by_image(made: Made, finished: Findings) -> None:
    assert finished.final
    families = finished.final.families
    first, second = (families[name][0].predictions.correct for name in ("mlp", "cnn"))
    row = table(made[comparison], "mcnemar").records()[0]
    wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
    assert (row["only first right"], row["only second right"]) == (wins, losses)
    assert row["p"] == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert row["p"] <= row["Holm's p"] <= 6 * row["p"]


def test_models_are_compared_seed_by_seed_also_where_one_was_given_up(finished: Findings) -> None:
    assert finished.final
    models = tuple(
        one
        for one in finished.final.models
        if (one.trial.family, one.trial.replicate) != ("mlp", 1)
    )
    section = comparison.section(replace(finished, final=replace(finished.final, models=models)))
    found = {(row["models"], row["seed"]): row for row in table(section, "mcnemar").records()}
    assert found.keys() == {("mlp cnn", 2), ("mlp resnet", 2), ("cnn resnet", 1), ("cnn resnet", 2)}
    whole = table(comparison.section(finished), "mcnemar").records()
    (same,) = [one for one in whole if (one["models"], one["seed"]) == ("mlp cnn", 2)]
    assert found["mlp cnn", 2]["only first right"] == same["only first right"]


def test_differences_between_models_have_an_interval_over_seeds_and_images(
    made: Made,
    finished: Findings,
) -> None:
    assert finished.final
    families = finished.final.families
    first, second = (
        np.mean([one.predictions.scores.macro_auc for one in families[name]])
        for name in ("mlp", "cnn")
    )
    rows = table(made[comparison], "differences").records()
    assert len(rows) == 3 * 4
    row = next(one for one in rows if (one["models"], one["score"]) == ("mlp cnn", "macro AUC"))
    low, high = row["95 % interval"]
    assert row["first less second"] == pytest.approx(first - second)
    assert low < first - second < high < 0


def test_the_scores_without_images_that_were_seen_in_training_stand_beside_the_official_ones(
    section: Section, finished: Findings
) -> None:
    assert finished.final
    first = finished.final.families["mlp"][0].predictions
    assert first.duplicated.tolist() == [5, 6]
    rows = table(section, "duplicates").records()
    assert [row["count"] for row in rows] == [3421, 3419] * 3
    kept = [
        np.delete(one.predictions.correct, [5, 6]).mean() for one in finished.final.families["mlp"]
    ]
    assert rows[1]["accuracy"] == pytest.approx(np.mean(kept))
    said = "1 within training, 1 of training in test (1 with another label), 1 of validation in"
    assert said in str(section.blocks)


def test_with_one_seed_the_page_says_that_the_interval_is_of_images_alone(
    section: Section, finished: Findings
) -> None:
    assert finished.final
    assert "images alone" not in str(section.blocks)
    models = (*finished.final.families["mlp"], finished.final.families["cnn"][0])
    part = replace(finished, final=replace(finished.final, models=models))
    assert "With one seed, as of CNN, the bootstrap is over the images alone." in str(
        test.section(part).blocks
    )


def test_models_of_earlier_plans_are_counted(section: Section, finished: Findings) -> None:
    """The test split has been read for them too."""
    assert finished.final
    assert "earlier plans" not in str(section.blocks)
    models = tuple(finished.final.families["mlp"])
    replanned = replace(finished, final=replace(finished.final, models=models, earlier=3))
    said = (
        "once for each model; 3 models of earlier plans of the study, not shown, were tested too."
    )
    assert said in str(test.section(replanned).blocks)


def test_the_averaged_predictions_stand_beside_the_plain_ones(section: Section) -> None:
    rows = table(section, "seeds").records()
    beside = [(row["model"], row["accuracy"]) for row in rows if row["averaged"] is not None]
    assert [model for model, _ in beside] == ["resnet", "resnet"]
    assert [row["averaged"] for row in rows[-2:]] == [accuracy for _, accuracy in beside]


def test_the_proof_names_the_source_trial(made: Made, finished: Findings) -> None:
    rows = table(made[training], "models").records()
    winner = finished.winners["mlp"].trial.number
    assert rows[0]["source"] == {"recipe": "winner", "trial": winner}
    assert rows[0]["parameters"] == 302_216
    assert rows[-1]["source"] == {"recipe": "recommended", "trial": None}


def test_a_confirmation_shows_every_fold_and_flags_those_that_collapsed(
    made: Made, finished: Findings
) -> None:
    assert finished.confirmation
    found = made[confirmation]
    rows = table(found, "confirmation").records()
    candidates = [one for family in finished.confirmation.families.values() for one in family]
    assert [row["folds"] for row in rows] == [one.by_split for one in candidates]
    assert [row["collapsed"] for row in rows] == [int(bool(one.separable)) for one in candidates]
    assert sum(row["collapsed"] for row in rows) == 2
    assert "Folds that collapsed" in str(found.blocks)


def test_few_folds_are_printed_one_by_one_instead_of_an_interval(finished: Findings) -> None:
    assert finished.confirmation
    few = {
        family: tuple(
            replace(one, by_split=[[0.71, 0.72]], collapsed=0, low=None, high=None)
            for one in candidates
        )
        for family, candidates in finished.confirmation.families.items()
    }
    confirmed = replace(finished.confirmation, families=few)
    section = confirmation.section(replace(finished, confirmation=confirmed))
    for row in table(section, "confirmation").rows:
        assert (row["95 % interval"].value, row["folds"].text) == (None, "0.7100, 0.7200")
    verdicts = [str(block) for block in section.blocks if "wins with" in str(block)]
    assert len(verdicts) == 2
    assert not any("interval" in text for text in verdicts)


def test_what_has_not_happened_yet_is_named_once_with_its_command(
    searched: Findings, begun: Findings
) -> None:
    for found, command in ((searched, "blood-hpo final blood"), (begun, "blood-hpo worker blood")):
        blocks = summary.section(found).blocks
        assert [one.command for one in blocks if isinstance(one, Missing)] == [command]
        for module in (effects, confirmation, training, test, comparison):
            assert not module.section(found).blocks


def test_a_search_that_ended_without_a_complete_trial_is_not_told_to_confirm_any() -> None:
    ended = replace(totals("mlp", [], 26), remaining=0)
    none = replace(study(trials=()), totals={"mlp": ended, "cnn": replace(ended, family="cnn")})
    found = Findings(none, winners={}, grids={}, confirmation=None, final=None)
    (missing,) = [one for one in summary.section(found).blocks if isinstance(one, Missing)]
    assert missing.text == "The search has ended without a complete trial."
    assert missing.command == "blood-hpo trial list blood"


def test_a_paused_study_is_resumed_first(begun: Findings, searched: Findings) -> None:
    assert replace(begun, paused=("blood",)).next_command == (
        "blood-hpo study resume blood && blood-hpo worker blood"
    )
    assert replace(searched, paused=("blood-confirm", "blood-final")).next_command == (
        "blood-hpo study resume blood-confirm && blood-hpo study resume blood-final"
        " && blood-hpo final blood"
    )


def test_a_confirmed_winner_is_shown_as_such_until_it_is_tested(
    finished: Findings, searched: Findings
) -> None:
    assert finished.confirmation
    cards = [one for one in summary.section(replace(finished, final=None)).blocks if one]
    (mlp, cnn) = next(one for one in cards if isinstance(one, list))
    assert isinstance(mlp, Card)
    assert isinstance(cnn, Card)
    winner = finished.confirmation.families["mlp"][0]
    assert (mlp.label, mlp.value) == ("MLP, confirmed", f"{winner.mean:.4f}")
    assert f"over 6 fresh folds of the training split, trial {winner.number}, place 3" in mlp.detail
    (best, _) = next(one for one in summary.section(searched).blocks if isinstance(one, list))
    assert isinstance(best, Card)
    assert best.label == "MLP, best of the search"
    assert best.value == f"{searched.study.places['mlp'][0].trial.score:.4f}"


def test_a_best_mean_that_does_not_win_is_named_as_the_best(finished: Findings) -> None:
    assert finished.confirmation
    best, winner, *others = finished.confirmation.families["mlp"]
    families = {"mlp": (winner, best, *others)}
    section = confirmation.section(
        replace(finished, confirmation=replace(finished.confirmation, families=families))
    )
    (verdict,) = [str(block) for block in section.blocks if "wins with" in str(block)]
    assert f"trial {winner.number} wins" in verdict
    assert f"The best mean: trial {best.number}. Worse than the best: trial" in verdict
    assert "Not separable" not in verdict


@pytest.mark.parametrize(
    ("fraction", "said"),
    [(0.5, "that the search left"), (0.7, "some of which the search had"), (1.0, "divided anew")],
)
def test_the_images_of_a_confirmation_are_told_apart(
    finished: Findings, fraction: float, said: str
) -> None:
    spec = {**finished.study.spec, "data": {"fraction": fraction}}
    section = confirmation.section(replace(finished, study=replace(finished.study, spec=spec)))
    assert said in str(section.blocks[0])


def test_trainings_that_failed_for_good_are_counted(finished: Findings) -> None:
    assert finished.final
    kept = tuple(one for one in finished.final.models if one.trial.number != 1)
    part = replace(finished, final=replace(finished.final, models=kept, failed=1))
    for module in (summary, training):
        (missing,) = [one for one in module.section(part).blocks if isinstance(one, Missing)]
        assert missing.text == "1 of 6 retrainings failed for good. To try again:"
        assert missing.command == "blood-hpo study resume blood-final && blood-hpo final blood"
    assert "with 1 to 2 seeds" in str(training.section(part).blocks[0])


def test_models_whose_test_was_opened_again_are_counted(finished: Findings) -> None:
    assert finished.final
    first, *others = finished.final.models
    models = (replace(first, test_openings=2), *others)
    section = test.section(replace(finished, final=replace(finished.final, models=models)))
    assert "for each model, but again for 1 whose first test did not end" in str(section.blocks[0])


def test_nothing_is_missing_from_a_finished_study(made: Made) -> None:
    blocks = [block for section in made.values() for block in section.blocks]
    assert blocks
    assert not [block for block in blocks if isinstance(block, Missing)]


def test_models_that_are_still_missing_are_counted(finished: Findings) -> None:
    assert finished.final
    part = replace(
        finished, final=replace(finished.final, models=finished.final.models[:1], missing=5)
    )
    for module in (summary, training):
        blocks = module.section(part).blocks
        (missing,) = [block for block in blocks if isinstance(block, Missing)]
        assert missing.text == "5 of 6 retrainings are not finished."
        assert missing.command == "blood-hpo final blood"
