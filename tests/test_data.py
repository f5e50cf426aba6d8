"""Fashion-MNIST: how its files are checked, repaired and fetched (small made-up files, no network), and its arrays."""

import errno
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras  # here, because Keras reads KERAS_HOME when it is first imported, and the tests below change it
import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from utils import data

ROOT = Path(__file__).parents[1]
NAMES = tuple(data.SHA256)
CONTENTS = {name: f"what is in {name}".encode() * 1000 for name in NAMES}
REAL_CACHE = data.cache_folder()  # read before any test changes KERAS_HOME
# Looked at before the first test runs, since the first that loads the data repairs them.
DAMAGED = [name for name in NAMES if (REAL_CACHE / name).exists() and not data._is_right(REAL_CACHE / name)]
_, KERAS, APT = data.SOURCES


def test_the_data_were_intact_when_the_tests_began():
    assert DAMAGED == [], "fetched again in the meantime; what was there is kept beside it, named .damaged"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four small files take the place of the real ones; the cache is empty and every source has nothing."""
    monkeypatch.setattr(data, "SHA256", {name: hashlib.sha256(CONTENTS[name]).hexdigest() for name in NAMES})
    monkeypatch.setattr(data, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setattr(data, "KERAS_URL", (tmp_path / "server").as_uri() + "/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "home" / "datasets" / "fashion-mnist"


def fill(folder, names=NAMES):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(CONTENTS[name])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def never(names, scratch):
    pytest.fail(f"this source must not be asked, and was asked for {names}")  # no Exception: not taken for a reason


def only(monkeypatch, **sources):
    monkeypatch.setattr(data, "SOURCES", sources)


def fake_apt(tmp_path, monkeypatch, package):
    """Put an apt-get and a dpkg-deb on PATH that take exactly the documented arguments; the .deb holds ``package``."""
    scripts = {
        "apt-get": '[ "$*" = "download dataset-fashion-mnist" ] && echo deb > dataset-fashion-mnist_0.1_all.deb',
        "dpkg-deb": '[ "$*" = "-x dataset-fashion-mnist_0.1_all.deb ." ] && mkdir -p usr/share/datasets '
        f'&& cp -r "{package}" usr/share/datasets/fashion-mnist',
    }
    for name, script in scripts.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}")


# --- a cache that is right ---------------------------------------------------------------------------------------


def test_a_right_cache_is_left_alone_and_quiet_is_quiet(folder, monkeypatch, capfd):
    fill(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    only(monkeypatch, unused=never)
    assert data.ensure_data(quiet=True) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert capfd.readouterr() == ("", "")


def test_a_right_cache_shows_a_full_bar_unless_quiet(folder, monkeypatch, capfd):
    fill(folder)
    only(monkeypatch, unused=never)
    data.ensure_data()
    assert "4/4" in capfd.readouterr().err


def test_checking_and_copying_import_no_tensorflow(tmp_path):
    fill(tmp_path / "debian")
    code = (
        "import sys, hashlib, pathlib; from utils import data\n"
        f"data.DEBIAN_FOLDER = pathlib.Path({str(tmp_path / 'debian')!r})\n"
        "data.SHA256 = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in data.DEBIAN_FOLDER.iterdir()}\n"
        "assert len(list(data.ensure_data().iterdir())) == 4\n"
        "print([name for name in ('tensorflow', 'keras', 'sklearn') if name in sys.modules])"
    )
    environ = {**os.environ, "KERAS_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


# --- where the files come from, in which order -------------------------------------------------------------------


def test_the_sources_are_tried_in_this_order():
    assert list(data.SOURCES.values()) == [data.from_debian_folder, data.from_keras, data.from_debian_package]


def test_debian_folder_serves_alone(folder, monkeypatch, capfd):
    fill(data.DEBIAN_FOLDER)
    only(monkeypatch, debian=data.from_debian_folder, unused=never)
    assert data.ensure_data(quiet=True) == folder
    assert contents(folder) == CONTENTS
    assert contents(data.DEBIAN_FOLDER) == CONTENTS
    assert "4/4" in capfd.readouterr().err  # quiet hides a check, not a fetch


def test_keras_download_comes_next(folder, tmp_path, monkeypatch):
    fill(tmp_path / "server")
    monkeypatch.setitem(data.SOURCES, APT, never)
    data.ensure_data()
    assert contents(folder) == CONTENTS


def test_debian_package_without_root_comes_last(folder, tmp_path, monkeypatch):
    fill(tmp_path / "package")
    fake_apt(tmp_path, monkeypatch, tmp_path / "package")
    data.ensure_data()
    assert contents(folder) == CONTENTS  # and nothing of the package stays behind


def test_only_what_is_missing_is_asked_for(folder, monkeypatch):
    fill(folder, NAMES[:1] + NAMES[2:])
    asked = []

    def source(names, scratch):
        asked.append(names)
        for name in names:
            (scratch / name).write_bytes(CONTENTS[name])
            yield scratch / name

    only(monkeypatch, source=source, unused=never)
    data.ensure_data()
    assert asked == [(NAMES[1],)]
    assert contents(folder) == CONTENTS


def test_what_one_source_lacks_the_next_one_gives(folder, tmp_path, monkeypatch):
    fill(data.DEBIAN_FOLDER, NAMES[:3])
    fill(tmp_path / "server", NAMES[3:])
    monkeypatch.setitem(data.SOURCES, APT, never)
    data.ensure_data()
    assert contents(folder) == CONTENTS


def test_a_wrong_file_from_a_source_is_refused(folder, tmp_path):
    fill(data.DEBIAN_FOLDER)
    (data.DEBIAN_FOLDER / NAMES[1]).write_bytes(CONTENTS[NAMES[1]][:-1])
    with pytest.raises(data.DataUnavailableError, match=rf"its {NAMES[1]} is not the published file"):
        data.ensure_data()
    assert contents(folder) == {NAMES[0]: CONTENTS[NAMES[0]]}


def test_with_no_source_left_one_message_lists_what_to_do(folder):
    with pytest.raises(data.DataUnavailableError) as caught:
        data.ensure_data()
    message = str(caught.value)
    for part in (str(folder), *NAMES, *data.SOURCES, "no apt-get", "URL fetch failure", str(data.DEBIAN_FOLDER)):
        assert part in message
    for way in ("internet", "sudo apt-get install dataset-fashion-mnist", "copy the files", "KERAS_HOME"):
        assert way in message.replace("sudo apt-get update && ", "")
    assert list(folder.iterdir()) == []


# --- damaged files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: content[:-1] + b"?", id="altered"),
        pytest.param(lambda content: b"", id="empty"),
    ],
)
def test_a_damaged_file_is_named_set_aside_and_replaced(name, damage, folder, capfd):
    fill(folder)
    fill(data.DEBIAN_FOLDER)
    (folder / name).write_bytes(damage(CONTENTS[name]))
    data.ensure_data(quiet=True)
    assert contents(folder) == CONTENTS | {f"{name}.damaged": damage(CONTENTS[name])}
    assert re.search(rf"{name} was damaged .*{name}\.damaged\n", capfd.readouterr().err)


def test_a_file_set_aside_earlier_is_kept(folder):
    fill(data.DEBIAN_FOLDER)
    for damaged in (b"first", b"second", b"third"):
        fill(folder)
        (folder / NAMES[0]).write_bytes(damaged)
        data.ensure_data()
    name = NAMES[0]
    aside = {f"{name}.damaged": b"first", f"{name}.damaged2": b"second", f"{name}.damaged3": b"third"}
    assert contents(folder) == CONTENTS | aside


def test_a_folder_in_the_place_of_a_file_is_set_aside(folder):
    fill(data.DEBIAN_FOLDER)
    (folder / NAMES[0] / "inside").mkdir(parents=True)
    data.ensure_data()
    assert (folder / NAMES[0]).read_bytes() == CONTENTS[NAMES[0]]
    assert (folder / f"{NAMES[0]}.damaged" / "inside").is_dir()


def test_a_damaged_file_is_kept_and_named_when_nothing_can_replace_it(folder):
    fill(folder)
    (folder / NAMES[2]).write_bytes(b"")
    with pytest.raises(data.DataUnavailableError, match=rf"no right copy of {NAMES[2]}\.\n(.|\n)*{NAMES[2]} was dam"):
        data.ensure_data()
    assert set(contents(folder)) == set(NAMES) - {NAMES[2]} | {f"{NAMES[2]}.damaged"}


# --- interrupted, full, read-only --------------------------------------------------------------------------------


def half_way(stop):
    """Make a source that gives one file, then is stopped in the middle of the second."""

    def source(names, scratch):
        (scratch / names[0]).write_bytes(CONTENTS[names[0]])
        yield scratch / names[0]
        (scratch / names[1]).write_bytes(CONTENTS[names[1]][:100])
        raise stop

    return source


def test_ctrl_c_leaves_whole_files_only(folder, monkeypatch):
    only(monkeypatch, source=half_way(KeyboardInterrupt()), unused=never)
    with pytest.raises(KeyboardInterrupt):
        data.ensure_data()
    assert contents(folder) == {NAMES[0]: CONTENTS[NAMES[0]]}


def test_ctrl_c_in_the_program_ends_in_one_sentence(folder, monkeypatch):
    only(monkeypatch, source=half_way(KeyboardInterrupt()))
    with pytest.raises(SystemExit, match=r"^Interrupted\. Files that were complete are kept"):
        data.main()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_no_other_source_is_blamed(code, folder, monkeypatch):
    only(monkeypatch, source=half_way(OSError(code, os.strerror(code))), unused=never)
    with pytest.raises(data.DataUnavailableError) as caught:
        data.ensure_data()
    for part in (os.strerror(code), str(folder), "100 MB free", "KERAS_HOME", *NAMES[1:]):
        assert part in str(caught.value)
    assert contents(folder) == {NAMES[0]: CONTENTS[NAMES[0]]}


def test_another_error_of_a_source_is_not_taken_for_a_full_disk(folder, monkeypatch):
    fill(data.DEBIAN_FOLDER)
    only(monkeypatch, unplugged=half_way(OSError(errno.EIO, "unplugged")), debian=data.from_debian_folder)
    data.ensure_data()
    assert contents(folder) == CONTENTS


@pytest.mark.parametrize("in_the_way", ["home", "home/datasets", "home/datasets/fashion-mnist"])
def test_a_folder_that_cannot_be_made_is_named(in_the_way, folder, tmp_path):
    fill(data.DEBIAN_FOLDER)
    (tmp_path / in_the_way).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / in_the_way).write_text("a file where the folder should be")
    with pytest.raises(data.DataUnavailableError, match=rf"stored in {re.escape(str(folder))}(.|\n)*KERAS_HOME"):
        data.ensure_data()


def test_a_damaged_file_in_a_folder_that_cannot_be_written_is_named(folder, monkeypatch):
    fill(folder)
    (folder / NAMES[0]).write_bytes(b"")

    def rename(path, target):  # root may write anywhere, so permissions cannot show it
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(data.DataUnavailableError, match=rf"^{NAMES[0]}: cannot be stored in .*: Permission denied"):
        data.ensure_data()


@pytest.mark.parametrize("home", ["home", "~/home", "new/deeper", "a file/no folder", ""])
def test_the_folder_is_the_one_that_keras_reads(home, tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("so that no folder can be made below it")
    home = home if home in ("~/home", "") else str(tmp_path / home)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", home)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", home)  # what Keras made of KERAS_HOME on import
    folder = data.cache_folder()
    with monkeypatch.context() as patch:  # Keras takes the file to be there, so it makes and downloads nothing
        patch.setattr(os, "makedirs", lambda *args, **kwargs: None)
        patch.setattr(os.path, "exists", lambda path: True)
        path = keras.utils.get_file("name", "http://127.0.0.1:9/", cache_subdir="datasets/fashion-mnist")
    assert Path(path) == folder / "name"


def test_without_keras_home_the_folder_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.cache_folder() == tmp_path / ".keras" / "datasets" / "fashion-mnist"


# --- a server that misbehaves ------------------------------------------------------------------------------------


class Misbehaving(BaseHTTPRequestHandler):
    """Serve CONTENTS, but break the third request in the way that the server's ``fault`` says."""

    def do_GET(self):
        self.server.requests += 1
        body = CONTENTS[self.path.lstrip("/")]
        fault = self.server.fault if self.server.requests == 3 else None
        if fault == "mute":
            self.server.over.wait(5)
            return
        self.send_response(404 if fault == "404" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if fault in ("drop", "stall") else body)
        if fault == "stall":
            self.server.over.wait(5)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(folder, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.requests, server.fault, server.over = 0, None, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(data, "KERAS_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_keras_download_works_over_http(folder, server):
    data.ensure_data()
    assert (contents(folder), server.requests) == (CONTENTS, 4)


@pytest.mark.parametrize(
    ("fault", "said"),
    [("404", "404"), ("drop", "retrieval incomplete"), ("stall", "timed out"), ("mute", "timed out")],
)
def test_a_download_that_breaks_leaves_whole_files_and_its_reason(fault, said, folder, server, monkeypatch):
    server.fault = fault
    monkeypatch.setattr(data, "TIMEOUT", 0.3)
    before = socket.getdefaulttimeout()
    with pytest.raises(data.DataUnavailableError, match=f"{KERAS}: .*{said}"):
        data.ensure_data()
    assert contents(folder) == {name: CONTENTS[name] for name in NAMES[:2]}
    assert socket.getdefaulttimeout() == before

    data.ensure_data()  # the next run goes on from there
    assert contents(folder) == CONTENTS
    assert server.requests == 3 + 2


def test_a_broken_download_is_completed_from_debian_package(folder, server, tmp_path, monkeypatch):
    server.fault = "drop"
    fill(tmp_path / "package", NAMES[2:])
    fake_apt(tmp_path, monkeypatch, tmp_path / "package")
    data.ensure_data()
    assert contents(folder) == CONTENTS


def test_what_apt_says_is_passed_on(folder, tmp_path, monkeypatch):
    fake_apt(tmp_path, monkeypatch, tmp_path / "package")
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    with pytest.raises(data.DataUnavailableError, match=rf"{APT}: .*failed: E: Unable to locate package"):
        data.ensure_data()


# --- the program -------------------------------------------------------------------------------------------------


def run_program(**environ):
    command = [sys.executable, "-m", "utils.data"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True)


def test_program_says_where_the_data_are():
    done = run_program()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Fashion-MNIST is complete in {REAL_CACHE}\n"
    assert "4/4" in done.stderr


def test_program_without_any_source_exits_1_with_the_message_alone(tmp_path):
    # The program has no switch to turn its sources off, so the child process finds them broken: no such folder, a
    # Keras that cannot download, no apt-get.
    (tmp_path / "sitecustomize.py").write_text(
        "import shutil\ndef copyfile(source, target):\n    raise FileNotFoundError(2, 'No such file', str(source))\n"
        "shutil.copyfile = copyfile\n"
    )
    (tmp_path / "keras.py").write_text("raise OSError('no network here')")
    home = tmp_path / "home"
    done = run_program(KERAS_HOME=str(home), PYTHONPATH=str(tmp_path), PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert f"Fashion-MNIST is not complete in {home / 'datasets' / 'fashion-mnist'}: no right copy of" in done.stderr
    for reason in ("No such file", "no network here", "no apt-get"):
        assert reason in done.stderr
    assert done.stderr.rstrip().endswith("before Python starts.")


def test_program_names_a_folder_that_it_cannot_write(tmp_path):
    (tmp_path / "home").write_text("not a folder")
    done = run_program(KERAS_HOME=str(tmp_path / "home"))
    assert done.returncode == 1
    assert f"cannot be stored in {tmp_path / 'home'}" in done.stderr
    assert "Traceback" not in done.stderr


# --- the arrays (the real data: run `python -m utils.data` first) -------------------------------------------------


@pytest.fixture(scope="module")
def fashion():
    return data.load_fashion_mnist()


@pytest.fixture(scope="module")
def published():
    """What Keras makes of the files: ((x, y), (x_test, y_test))."""
    return keras.datasets.fashion_mnist.load_data()


def test_shapes_and_dtypes(fashion):
    expected = {
        "x_train": ((48_000, 28, 28), np.float32),
        "y_train": ((48_000,), np.uint8),
        "x_val": ((12_000, 28, 28), np.float32),
        "y_val": ((12_000,), np.uint8),
        "x_test": ((10_000, 28, 28), np.float32),
        "y_test": ((10_000,), np.uint8),
    }
    assert {name: (array.shape, array.dtype) for name, array in fashion._asdict().items()} == expected
    assert all(array.flags.writeable for array in fashion)


def test_pixels_fill_the_range_0_to_1(fashion):
    for images in (fashion.x_train, fashion.x_val, fashion.x_test):
        np.testing.assert_array_equal(np.unique(images), (np.arange(256) / 255).astype(np.float32))


def test_split_equals_one_done_by_hand(fashion, published):
    x, y = published[0]
    # What train_test_split does: shuffle, hold out the first 20 %, train on the rest.
    shuffled = np.random.RandomState(42).permutation(60_000)
    val, train = shuffled[:12_000], shuffled[12_000:]
    assert fashion.y_train[:10].tolist() == y[train[:10]].tolist() == [7, 3, 5, 8, 6, 9, 3, 3, 9, 9]
    assert fashion.y_val[:10].tolist() == y[val[:10]].tolist() == [8, 8, 7, 4, 8, 4, 1, 0, 4, 5]
    for images, labels, index in (
        (fashion.x_train, fashion.y_train, train),
        (fashion.x_val, fashion.y_val, val),
    ):
        np.testing.assert_array_equal(labels, y[index])
        np.testing.assert_array_equal(np.rint(images * 255).astype(np.uint8), x[index])


def test_test_set_is_the_published_one_in_its_order(fashion, published):
    x, y = published[1]
    np.testing.assert_array_equal(fashion.x_test, (x / 255.0).astype(np.float32))
    np.testing.assert_array_equal(fashion.y_test, y)


def test_no_image_is_in_both_parts_and_none_is_lost():
    train, val = train_test_split(np.arange(60_000), test_size=0.2, random_state=42)
    assert (len(train), len(val)) == (48_000, 12_000)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, val])), np.arange(60_000))


def test_classes_are_balanced(fashion):
    train, val, test = (
        np.bincount(labels, minlength=10) for labels in (fashion.y_train, fashion.y_val, fashion.y_test)
    )
    np.testing.assert_array_equal(train + val, np.full(10, 6_000))
    np.testing.assert_array_equal(test, np.full(10, 1_000))
    # The split is not stratified, so its parts are balanced only nearly.
    assert val.tolist() == [1202, 1219, 1205, 1184, 1202, 1211, 1218, 1159, 1197, 1203]


def test_class_names_are_those_that_keras_documents():
    rows = re.findall(r"\|\s+(\d)\s+\| (.+?)\s+\|", keras.datasets.fashion_mnist.load_data.__doc__)
    assert rows == [(str(label), name) for label, name in enumerate(data.CLASS_NAMES)]
    assert len(data.CLASS_NAMES) == 10


@pytest.fixture
def real_copy(tmp_path, monkeypatch):
    """A copy of the real cache, in which a test may damage a file."""
    home = tmp_path / "home"
    monkeypatch.setenv("KERAS_HOME", str(home))
    return Path(shutil.copytree(REAL_CACHE, home / "datasets" / "fashion-mnist"))


def test_load_repairs_a_truncated_file(real_copy, fashion, monkeypatch, capfd):
    name = "t10k-images-idx3-ubyte.gz"
    half = (real_copy / name).read_bytes()[:2_000_000]
    (real_copy / name).write_bytes(half)
    monkeypatch.setattr(data, "DEBIAN_FOLDER", REAL_CACHE)
    np.testing.assert_array_equal(data.load_fashion_mnist().x_test, fashion.x_test)
    assert f"{name} was damaged" in capfd.readouterr().err
    assert (real_copy / f"{name}.damaged").read_bytes() == half
    assert (real_copy / name).read_bytes() == (REAL_CACHE / name).read_bytes()


def test_load_says_what_to_do_when_it_cannot_repair(real_copy, monkeypatch):
    name = "train-labels-idx1-ubyte.gz"
    (real_copy / name).write_bytes(b"")
    only(monkeypatch)
    with pytest.raises(data.DataUnavailableError, match=f"no right copy of {name}"):
        data.load_fashion_mnist()
