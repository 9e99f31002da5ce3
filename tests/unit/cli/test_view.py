"""The view of a study in windows of several widths, in a pipe, and without colour."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from blood_hpo.cli.views.progress import line
from blood_hpo.cli.views.snapshot import Snapshot, Stage
from blood_hpo.cli.views.study_view import alerts, print_view, view
from blood_hpo.cli.views.trial_view import trial_view

WORKER = "0d4e9f3c2a1b:1:ab12cd34"


def family(name: str = "cnn", **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"budget": 40, "counted": 12, "complete": 9, "pruned": 3}
    known |= {"running": 2, "waiting": 0}
    known |= {"failed": 1, "remaining": 28, "best_score": 0.8812, "eta_seconds": 754.0}
    return {"family": name, **known, **changes}


def running(**changes: Any) -> dict[str, Any]:
    known = {"number": 17, "family": "cnn", "epoch": 12, "score": 0.8731, "attempt": 2}
    known["most_epochs"] = None
    known |= {"worker": WORKER, "seconds_running": 84.0, "seconds_since_heartbeat": 2.0}
    return {**known, **changes}


def worker(name: str = WORKER, **changes: Any) -> dict[str, Any]:
    known = {"worker": name, "trial": 17, "family": "cnn", "epoch": 12, "finished": 5, "failed": 1}
    return {**known, "seconds_since_heartbeat": 2.0, "trials_per_hour": 31.4, **changes}


def stage(label: str = "", **changes: Any) -> Stage:
    name = f"paper-{label}" if label else "paper"
    study = {
        "study": name,
        "label": "BloodMNIST",
        "synthetic": False,
        "most_epochs": 50,
        "paused": None,
        "last_activity_at": datetime.now(UTC),
        "stage": label or "search",
        "spec": {"final": None},
        "finished_at": None,
    }
    known: dict[str, Any] = {
        "study": {**study, **changes.pop("study", {})},
        "families": [family("mlp", running=0), family("cnn")],
        "running": [running()],
        "workers": [worker()],
        "improvements": [
            {"family": "cnn", "place": 1, "score": 0.71},
            {"family": "cnn", "place": 4, "score": 0.8812},
        ],
        "failing": [],
        "collapsed": [],
    }
    return Stage(label, **{**known, **changes})


def snapshot(*stages: Stage, free_bytes: int | None = 10**12) -> Snapshot:
    return Snapshot(stages or (stage(),), 30.0, free_bytes, Path("home"))


def shown(found: Snapshot, width: int, **console: Any) -> list[str]:
    target = Console(file=io.StringIO(), width=width, markup=False, emoji=False, **console)
    target.print(view(found, width), soft_wrap=True)
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue().splitlines()


@pytest.mark.parametrize(("seconds", "there"), [(590.0, True), (610.0, False)])
def test_an_idle_worker_is_shown_for_ten_minutes(seconds: float, there: bool) -> None:
    known = {"trial": None, "family": None, "epoch": None, "seconds_since_heartbeat": seconds}
    idle = worker("host:9:x", **known)
    lines = shown(snapshot(stage(running=[], workers=[idle])), 80)
    assert any(one.startswith("host:9") for one in lines) is there


@pytest.mark.parametrize("width", [80, 120, 200])
def test_every_line_fits_and_nothing_is_cut(width: int) -> None:
    whole = snapshot(stage(), stage("confirm", families=[family("resnet", budget=1000)]))
    lines = shown(whole, width)
    assert max(map(len, lines)) <= width
    assert "…" not in "\n".join(lines)
    (row,) = [one for one in lines if one.startswith("cnn ")]
    for word in ("12/40", "0.8812", "12:34 min", "█", "▁"):
        assert word in row
    (row,) = [one for one in lines if one.startswith("0d4e9f3c2a1b:1") and "confirm" not in one]
    for word in ("2 s", "17", "12/50", "0.8731", "31.4"):
        assert word in row
    assert any("confirm resnet" in one for one in lines)


def test_a_retraining_has_epochs_of_its_own() -> None:
    final = stage("final", running=[running(most_epochs=120)])
    assert any("12/120" in one for one in shown(snapshot(final), 80))


def test_there_is_more_where_there_is_room() -> None:
    narrow, wide = ("\n".join(shown(snapshot(), width)) for width in (80, 200))
    assert WORKER in wide
    assert WORKER not in narrow
    assert "attempt" in wide
    assert wide.count("█") > narrow.count("█")


def test_the_last_stage_says_when_all_is_done() -> None:
    done = stage(families=[family(counted=40, remaining=0)], running=[], workers=[])
    left = replace(done, study={**done.study, "last_activity_at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert "paper  finished" in shown(snapshot(done), 80)[0]
    asked: dict[str, Any] = {"spec": {"final": {}}}
    begun = stage(families=[family(remaining=0)], study=asked)
    assert "paper  search finished" in shown(snapshot(begun), 80)[0]
    ended = stage(families=[family(remaining=0)], study={**asked, "finished_at": datetime.now(UTC)})
    assert "paper  finished" in shown(snapshot(ended), 80)[0]
    assert snapshot(done).finished(final=False)
    assert not snapshot(done).finished(final=True)
    assert snapshot(left).finished(final=True)
    assert snapshot(done, stage("final", families=[family(remaining=0)])).finished(final=True)


def test_a_stage_that_is_being_planned_is_waited_for() -> None:
    """It has no budget and no trial yet."""
    done = stage(families=[family(counted=40, remaining=0)], running=[], workers=[])
    for label in ("confirm", "final"):
        made = {"last_activity_at": None, "created_at": datetime.now(UTC)}
        planned = stage(label, families=[], running=[], workers=[], study=made)
        assert not snapshot(done, planned).finished(final=True)


def test_of_many_workers_the_first_are_shown() -> None:
    many = [worker(f"host:{place}:a") for place in range(40)]
    lines = shown(snapshot(stage(workers=many, running=[])), 200)
    assert sum(one.startswith("host:") for one in lines) == 24
    assert "and 16 more" in lines


def test_a_family_with_nothing_left_to_try_is_done() -> None:
    closed = stage(families=[family(counted=4, remaining=0, running=0)])
    (row,) = [
        one for one in shown(snapshot(closed), 80) if one.startswith("cnn ") and "4/40" in one
    ]
    assert "█" * 10 in row
    assert row.rstrip().endswith("done")


def test_the_time_left_is_that_of_the_study_once_a_trial_has_ended() -> None:
    assert snapshot().seconds_left == 754
    assert snapshot(stage(families=[family(), family(eta_seconds=None)])).seconds_left is None


def test_the_best_so_far_is_drawn_from_its_steps() -> None:
    (row,) = [one for one in shown(snapshot(), 200) if one.startswith("cnn ")]
    assert "▁▁▁██████" in row


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"study": {"paused": "disk is full"}}, "paper is paused (disk is full): go on with"),
        ({"running": [running(seconds_since_heartbeat=95.0)]}, "last heard of 1:35 min ago"),
        ({"running": [running(seconds_since_heartbeat=None)]}, "last heard of never"),
        (
            {"failing": [{"family": "cnn", "number": 9, "failed": 3, "reason": "loss is nan"}]},
            "cnn trial 9 failed, 3 times so far (loss is nan): look with"
            " `blood-hpo trial show paper 9`",
        ),
        (
            {"collapsed": [{"family": "mlp", "number": 8, "fold": fold} for fold in (1, 3)]},
            "mlp trial 8 learnt nothing on 2 of its folds, so its mean says little: look with"
            " `blood-hpo trial show paper 8`",
        ),
    ],
)
def test_what_needs_attention_is_said(changes: dict[str, Any], said: str) -> None:
    (found,) = alerts(snapshot(stage(**changes)))
    assert said in found
    assert any(one.startswith("! ") for one in shown(snapshot(stage(**changes)), 80))


def test_a_low_disk_is_said_and_calm_is_not() -> None:
    assert "500 MB are left" in alerts(snapshot(free_bytes=5 * 10**8))[0]
    assert alerts(snapshot()) == alerts(snapshot(free_bytes=None)) == []


def test_many_of_a_kind_are_counted() -> None:
    failing = [{"family": "cnn", "number": n, "failed": 1, "reason": "x"} for n in range(9)]
    found = alerts(snapshot(stage(failing=failing)))
    assert len(found) == 4
    assert found[-1].startswith("6 more configurations")


def test_without_colour_the_words_are_the_same() -> None:
    failing = [{"family": "cnn", "number": 9, "failed": 1, "reason": "x"}]
    found = snapshot(stage(failing=failing))
    colourful = shown(found, 80, force_terminal=True, color_system="truecolor")
    plain = shown(found, 80, force_terminal=True, no_color=True)
    assert "\x1b[33m" in "".join(colourful)
    assert "\x1b[3" not in "".join(plain)
    assert shown(found, 80) == [Text.from_ansi(one).plain for one in colourful]


def test_in_a_pipe_no_line_is_cut_or_padded(capsys: pytest.CaptureFixture[str]) -> None:
    found = snapshot(stage(running=[running(worker="host" * 40, seconds_since_heartbeat=99)]))
    print_view(found)
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b" not in "".join(lines)
    assert all(one == one.rstrip() for one in lines)
    assert any("host" * 40 in one and one.endswith("takes the trial over") for one in lines)


def test_a_watch_in_a_pipe_is_one_line_of_the_stage_in_work() -> None:
    searched = [family(remaining=0)]
    later = stage("confirm", families=[family("mlp", best_score=None, eta_seconds=None)])
    assert line(snapshot(stage(families=searched), later)) == (
        "confirm mlp 12/40 done, 2 running, 3 pruned, 1 failed, best -, - left"
    )
    paused = stage(families=searched, study={"paused": "disk is full"})
    assert line(snapshot(paused, later)).endswith("; paused: disk is full")
    assert line(snapshot(stage(), later)).startswith("mlp 12/40")  # its budget was raised


def trial(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "study": "paper", "number": 12, "family": "cnn", "state": "COMPLETE", "score": 0.8812,
        "attempt": 2, "reason": None, "worker": WORKER, "seed": 7, "seconds": 84.0,
        "started_at": datetime(2026, 3, 1, 12, tzinfo=UTC), "epochs": 9,
        "parameter_count": 176648, "fold_scores": [0.87, 0.88, 0.89],
        "fold_best_epochs": [3, 2, 3], "fold_epochs": [3, 3, 3],
        "params": {"filters": 128, "kernel_size": 3},
        "config": {"filters": 128, "kernel_size": 3, "optimizer": "adam"},
    }  # fmt: skip
    return {**known, **changes}


def facts(**changes: Any) -> dict[str, Any]:
    curves = [
        {"fold": fold, "epoch": epoch, "score": 0.25 * epoch, "validation": 0.5}
        for fold in (1, 2, 3)
        for epoch in (1, 2, 3)
    ]
    reported = [{"epoch": epoch, "score": 0.25 * epoch} for epoch in (1, 2, 3)]
    attempt = {"state": "FAIL", "worker": "a:1:b", "reason": "lost"}
    attempts = [
        {**attempt, "number": 8, "attempt": 1},
        {**attempt, "number": 12, "attempt": 2, "state": "COMPLETE", "reason": None},
    ]
    return {
        "trial": trial(**changes), "curves": curves, "reported": reported, "attempts": attempts,
        "collapsed": [],
    }  # fmt: skip


def printed(found: dict[str, Any]) -> str:
    return "".join(f"{line}\n" for line in trial_view(found, 80))


def test_a_trial_shows_configuration_folds_curve_and_attempts() -> None:
    said = printed(facts())
    assert "trial 12 of paper: cnn, COMPLETE, score 0.8812, attempt 2" in said
    assert "searched: filters=128 kernel_size=3\n" in said
    assert "fixed:    optimizer=adam\n" in said
    assert said.count("▁▅█") == 3
    assert "0.7500 ┤" in said
    assert "lost" in said
    assert max(map(len, said.splitlines())) <= 80


def test_folds_that_learnt_nothing_are_named() -> None:
    found = {**facts(), "collapsed": [1, 3]}
    assert "learnt nothing, no better than chance: fold 1, 3\n" in printed(found)
    assert "learnt nothing" not in printed(facts())


def test_a_trial_that_has_not_begun_shows_what_is_known() -> None:
    nothing = dict.fromkeys(trial())
    known = {"study": "paper", "number": 3, "family": "mlp", "state": "WAITING"}
    found = {**dict.fromkeys(facts(), ()), "trial": {**nothing, **known}}
    assert printed(found).strip() == "trial 3 of paper: mlp, WAITING"
