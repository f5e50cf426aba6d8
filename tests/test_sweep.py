"""utils.sweep: the table, what is kept on disk, and going on after Ctrl-C, a killed worker and a killed program."""

import doctest
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster

import utils.sweep
from utils.sweep import grid, sweep

ROOT = Path(__file__).resolve().parent.parent


class Counting:
    """A trial that notes each of its runs in a folder, so that runs in other processes are counted too."""

    def __init__(self, folder):
        self.folder = str(folder)
        os.makedirs(folder, exist_ok=True)

    def __call__(self, a, b=0):
        note = Path(self.folder, f"{a}-{b}-{os.getpid()}-{time.monotonic_ns()}")
        note.touch()
        return {"product": a * b, "pid": os.getpid()}

    def runs(self):
        return sorted(tuple(map(int, path.name.split("-")[:2])) for path in Path(self.folder).iterdir())


class KilledOnce(Counting):
    """Dies by SIGKILL the first time it meets the trial (2, 2), then behaves."""

    def __call__(self, a, b=0):
        marker = Path(self.folder + "-killed")
        if (a, b) == (2, 2) and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        time.sleep(0.02)
        return super().__call__(a, b)


@pytest.fixture
def trial(tmp_path):
    return Counting(tmp_path / "runs")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "results.jsonl"


def test_documentation_example():
    assert doctest.testmod(utils.sweep).failed == 0


def test_grid_is_every_combination():
    assert len(grid(a=[1, 2], b=[3, 4, 5], c=["x"])) == 6
    assert grid() == [{}]


def test_table_has_a_row_for_each_setting_in_the_order_given(trial, path):
    settings = [{"a": 3, "b": 2}, {"a": 1, "b": 5}]
    table = sweep(trial, settings, path)
    pd.testing.assert_frame_equal(
        table[["a", "b", "product"]], pd.DataFrame({"a": [3, 1], "b": [2, 5], "product": [6, 5]})
    )
    assert set(table["pid"]) == {os.getpid()}


def test_finished_trials_are_not_repeated(trial, path):
    sweep(trial, grid(a=[1, 2], b=[1]), path)
    table = sweep(trial, grid(a=[2, 3], b=[1]), path)
    assert trial.runs() == [(1, 1), (2, 1), (3, 1)]
    assert table["a"].tolist() == [2, 3]
    assert len(path.read_text().splitlines()) == 3


def test_order_of_the_arguments_does_not_matter(trial, path):
    sweep(trial, [{"a": 1, "b": 2}], path)
    sweep(trial, [{"b": 2, "a": 1}], path)
    assert trial.runs() == [(1, 2)]


def test_numpy_values_arrays_and_nan_survive_the_file(path):
    def run(rate):
        return {"losses": np.array([1.5, np.nan]), "best": np.float32(0.25)}

    first = sweep(run, [{"rate": np.float64(0.1)}], path)
    again = sweep(None, [{"rate": 0.1}], path)  # nothing is left to run, so the trial is never called
    for table in (first, again):
        assert table["best"].tolist() == [0.25]
        np.testing.assert_array_equal(table["losses"][0], [1.5, np.nan])


def test_interrupted_sweep_goes_on_where_it_stopped(trial, path):
    class Interrupted(Counting):
        def __call__(self, a, b=0):
            if a == 3:
                raise KeyboardInterrupt
            return super().__call__(a, b)

    with pytest.raises(KeyboardInterrupt):
        sweep(Interrupted(trial.folder), grid(a=[1, 2, 3, 4]), path)
    assert len(path.read_text().splitlines()) == 2
    table = sweep(trial, grid(a=[1, 2, 3, 4]), path)
    assert trial.runs() == [(1, 0), (2, 0), (3, 0), (4, 0)]
    assert len(table) == 4


def test_failing_trial_shows_its_error_and_costs_no_other(trial, path):
    def fails(a):
        return {"product": 1 / (a - 2)}

    with pytest.raises(ZeroDivisionError):
        sweep(fails, grid(a=[1, 2, 3]), path)
    assert len(path.read_text().splitlines()) == 1


def test_line_cut_off_in_mid_write_is_run_again(trial, path):
    sweep(trial, grid(a=[1, 2], b=[1]), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    table = sweep(trial, grid(a=[1, 2], b=[1]), path)
    assert trial.runs() == [(1, 1), (2, 1), (2, 1)]
    assert table["product"].tolist() == [1, 2]
    assert [json.loads(line)["setting"]["a"] for line in path.read_text().splitlines()] == [1, 2]


def test_full_disk_is_named_and_costs_nothing_that_had_finished(trial, path):
    resource = pytest.importorskip("resource")
    sweep(trial, grid(a=[1], b=[1]), path)
    room = path.stat().st_size * 7 // 2  # the third line fits, the fourth in part
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # the system then refuses bytes as a full disk does
    try:
        with pytest.raises(RuntimeError, match=r"not be written \(File too large\); 3 of 5 .* make room") as caught:
            sweep(trial, grid(a=range(1, 6), b=[1]), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(path) in str(caught.value)
    assert path.stat().st_size == room, "the fourth line is cut off"
    table = sweep(trial, grid(a=range(1, 6), b=[1]), path)
    assert table["product"].tolist() == [1, 2, 3, 4, 5]
    assert [trial.runs().count((a, 1)) for a in range(1, 6)] == [1, 1, 1, 2, 1]


def test_error_of_a_trial_is_not_taken_for_a_full_disk(path):
    def fails(a):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sweep(fails, grid(a=[1]), path)


def test_other_files_are_refused_and_left_alone(trial, path):
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"line 1 of .*results\.jsonl is no result of a sweep"):
        sweep(trial, grid(a=[1]), path)
    assert path.read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize(
    "content",
    [b"my notes", b"a,b\n1,2", b'{"setting": {"a": 1}, "result": {"b": 2}}\nmy notes', b'my notes\n{"setting": {"a"'],
)
def test_other_files_without_a_last_newline_are_refused_and_left_alone(trial, path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"line (1 )?of .*results\.jsonl is no result of a sweep"):
        sweep(trial, grid(a=[1]), path)
    assert path.read_bytes() == content
    assert trial.runs() == []


@pytest.mark.parametrize("length", range(1, 12))
def test_a_line_may_be_cut_off_at_any_place(trial, path, length):
    sweep(trial, grid(a=[1]), path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: 4 * length])
    sweep(trial, grid(a=[1]), path)
    assert path.read_bytes() == whole
    assert trial.runs() == [(1, 0)]


def test_a_sweep_that_keeps_nothing_leaves_no_file(trial, path):
    def fails(a):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep(fails, grid(a=[1]), path)
    assert not path.parent.exists()


def test_where_nothing_can_be_written_is_said_before_the_first_trial(trial, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(IsADirectoryError):
        sweep(trial, grid(a=[1]), tmp_path)
    with pytest.raises(NotADirectoryError, match=re.escape(str(tmp_path / "file" / "results.jsonl"))):
        sweep(trial, grid(a=[1]), tmp_path / "file" / "results.jsonl")
    monkeypatch.setattr(os, "access", lambda place, mode: place != tmp_path)  # root may write anywhere
    with pytest.raises(PermissionError, match=re.escape(str(tmp_path / "new" / "results.jsonl"))):
        sweep(trial, grid(a=[1]), tmp_path / "new" / "results.jsonl")
    assert trial.runs() == []


def test_a_file_that_is_moved_away_in_mid_sweep_costs_none_of_the_later_results(path):
    def moves(a):
        if a == 2:
            path.rename(path.with_name("moved"))
        return {"b": a}

    sweep(moves, grid(a=[1, 2, 3]), path)
    assert [path.with_name("moved").read_bytes().count(b"\n"), path.read_bytes().count(b"\n")] == [1, 2]


def test_bad_settings_and_results_are_refused(trial, path):
    with pytest.raises(ValueError, match="more than once"):
        sweep(trial, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], path)
    with pytest.raises(ValueError, match="must hold numbers, strings"):
        sweep(trial, [{"a": object()}], path)
    with pytest.raises(ValueError, match="returns 'a', which is the name of a setting"):
        sweep(lambda a: {"a": 1}, [{"a": 1}], path)
    assert trial.runs() == []


def test_all_cores(trial, path):
    with joblib.parallel_config("loky", n_jobs=2):
        table = sweep(trial, grid(a=range(8), b=[1]), path)
    assert table["product"].tolist() == list(range(8))
    assert os.getpid() not in set(table["pid"])
    assert len(trial.runs()) == 8


def test_killed_worker_is_named_and_costs_nothing_that_had_finished(tmp_path, path):
    trial = KilledOnce(tmp_path / "runs")
    settings = grid(a=[1, 2], b=[1, 2, 3])
    with joblib.parallel_config("loky", n_jobs=2), pytest.raises(RuntimeError, match="make the same call again"):
        sweep(trial, settings, path)
    kept = {tuple(json.loads(line)["setting"].values()) for line in path.read_text().splitlines()}
    assert (2, 2) not in kept
    before = trial.runs()
    with joblib.parallel_config("loky", n_jobs=2):
        table = sweep(trial, settings, path)
    assert table["product"].tolist() == [1, 2, 3, 2, 4, 6]
    repeated = [run for run in trial.runs() if trial.runs().count(run) > before.count(run) and run in kept]
    assert not repeated


def test_killed_program_goes_on_where_it_stopped(trial, path):
    program = f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from tests.test_sweep import Counting
        from utils.sweep import grid, sweep

        class Slow(Counting):
            def __call__(self, a, b=0):
                time.sleep(0.05)
                return super().__call__(a, b)

        sweep(Slow({trial.folder!r}), grid(a=range(1000)), {str(path)!r})
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    deadline = time.monotonic() + 60
    while not (path.exists() and len(path.read_bytes().splitlines()) >= 3):
        assert process.poll() is None
        assert time.monotonic() < deadline, "the sweep wrote nothing"
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = path.read_bytes().count(b"\n")
    assert 3 <= kept < 1000
    table = sweep(trial, grid(a=range(kept + 5)), path)
    assert table["a"].tolist() == list(range(kept + 5))
    runs = trial.runs()
    assert all(runs.count((a, 0)) == 1 for a in range(kept)), "a finished trial was repeated"


def test_dask_cluster_that_loses_a_worker_completes_the_table(tmp_path, path):
    trial = KilledOnce(tmp_path / "runs")
    settings = grid(a=[1, 2, 3], b=[1, 2, 3, 4])
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        table = sweep(trial, settings, path)
    assert Path(trial.folder + "-killed").exists()
    assert table["product"].tolist() == [s["a"] * s["b"] for s in settings]
    assert os.getpid() not in set(table["pid"])
    assert len(path.read_text().splitlines()) == len(settings)
