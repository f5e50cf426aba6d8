"""The bench as a whole, used as a reader does: by clicks, from a cell, and once in a live JupyterLab.

Colab has an old ipywidgets (7.7.1): test_panel.py says how to test with that one.
"""

import base64
import inspect
import re
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import ipywidgets
import keras
import nbformat
import numpy as np
import pytest
from PIL import Image

from utils.bench import training_bench
from utils.bench.bench import TEXT
from utils.plotting import DRAWING
from utils.training import restart, train

ROOT = Path(__file__).resolve().parents[2]
VIEW = "application/vnd.jupyter.widget-view+json"
LONG = {"epochs": "500", "batch_size": "1"}  # 400 steps an epoch: far from its end when Stop is pressed


@pytest.fixture(scope="module")
def opened(data, settings):
    """A bench, and what it shows as it opens. What is compiled is kept from test to test."""
    bench = training_bench(data, **settings)
    fields = {name: field.value for name, field in bench.panel.fields.items()}
    return bench, list(bench.runs), (fields, curves(bench), message(bench), disabled(bench))


@pytest.fixture
def bench(opened, settings):
    """The bench again as it opens: with one run."""
    bench = opened[0]
    bench.panel.buttons["clear"].click()
    bench.train(**settings)
    yield bench
    if bench.training:
        bench.panel.buttons["stop"].click()
        bench.worker.join()


def choose(bench, **values):
    for name, value in values.items():
        bench.panel.fields[name].value = value


def click(bench, name, wait=True):
    bench.panel.buttons[name].click()
    if name == "train" and wait:
        bench.worker.join(timeout=60)
        assert not bench.worker.is_alive()


def message(bench):
    return re.fullmatch(r'<div role="status">(.*)</div>', bench.panel.status.value)[1]


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def curves(bench):
    """(label, loss, accuracy) of each curve in the figure, as it would be drawn now."""
    left, right = bench.make_figure().axes
    return [
        (one.get_label(), one.get_ydata(), two.get_ydata())
        for one, two in zip(left.get_lines(), right.get_lines(), strict=True)
    ]


def disabled(bench):
    return [name for name, button in bench.panel.buttons.items() if button.disabled]


def test_it_opens_with_a_finished_run_at_the_given_settings(opened, settings):
    _, (run,), (fields, ((label, loss, accuracy),), said, off) = opened
    assert fields == {name: str(value) for name, value in settings.items()}
    assert label == "1: Adam, learning rate 0.01, batch 32, 8 units, seed 0"
    np.testing.assert_array_equal(loss, run.history.loss)
    np.testing.assert_array_equal(accuracy, run.history.val_accuracy)
    assert said == f"Run 1 is finished: validation accuracy {accuracy[-1]:.1%} after epoch 3."
    assert off == ["stop"]


def test_a_click_on_train_does_what_train_does(bench, data):
    choose(bench, optimizer="Nesterov", learning_rate="0.02", batch_size="50", units="200", epochs="2")
    for seed in (0, 1):
        click(bench, "train")
        keras.utils.set_random_seed(seed)
        if seed == 0:
            hidden, output = keras.layers.Dense(200, activation="relu"), keras.layers.Dense(3, activation="softmax")
            model = keras.Sequential([keras.Input((4, 3)), keras.layers.Flatten(), hidden, output])
            model.compile(loss="sparse_categorical_crossentropy")
            rule = keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True)
        else:
            restart(model, rule)
        expected = train(model, rule, data, epochs=2, batch_size=50, seed=seed)
        label, loss, accuracy = curves(bench)[-1]
        assert label == f"{seed + 2}: Nesterov, learning rate 0.02, batch 50, 200 units, seed {seed}"
        np.testing.assert_allclose(loss, expected.loss, rtol=1e-5)
        np.testing.assert_allclose(accuracy, expected.val_accuracy, atol=0.011)


def test_the_same_settings_again_take_the_next_seed(bench):
    click(bench, "train")
    choose(bench, learning_rate="0.02")
    click(bench, "train")
    choose(bench, learning_rate="1e-2", epochs="2")
    click(bench, "train")
    assert [run.seed for run in bench.runs] == [0, 1, 0, 2]
    one, two = bench.runs[0].history.loss, bench.runs[1].history.loss
    assert not np.allclose(one, two, rtol=1e-3)
    click(bench, "clear")
    choose(bench, epochs="3")
    click(bench, "train")
    np.testing.assert_allclose(bench.runs[0].history.loss, one, rtol=1e-5)


def test_a_run_can_be_stopped_and_keeps_what_it_has(bench):
    choose(bench, **LONG)
    start = time.monotonic()
    click(bench, "train", wait=False)
    assert time.monotonic() - start < 5, "the click comes back at once"
    assert disabled(bench) == ["train", "clear"]
    wait_until(lambda: bench.runs[1].history is not None)
    click(bench, "stop")
    assert message(bench) == TEXT["stopping"].format(number=2)
    bench.worker.join(timeout=60)
    epochs = len(curves(bench)[1][1])
    assert 1 <= epochs < 500
    assert message(bench).startswith(f"Run 2 was stopped after {epochs} of 500 epochs: validation accuracy ")
    assert disabled(bench) == ["stop"]
    choose(bench, epochs="1")
    click(bench, "train")
    assert len(curves(bench)[2][1]) == 1


def test_a_long_run_shows_how_far_it_is(bench):
    pictures, messages = set(), set()
    bench.panel.figure.observe(lambda change: pictures.add(change["new"]), "value")
    bench.panel.status.observe(lambda change: messages.add(change["new"]), "value")
    choose(bench, **LONG)
    click(bench, "train", wait=False)
    wait_until(lambda: len(pictures) > 2 and len(messages) > 3)
    assert any(re.search(r"Run 2: \d+ of 500 epochs, validation accuracy \d+\.\d%\.", text) for text in messages)


def test_clicks_that_come_too_late_do_nothing(bench):
    choose(bench, **LONG)
    click(bench, "train", wait=False)
    worker = bench.worker
    click(bench, "train", wait=False)
    click(bench, "clear")
    assert bench.worker is worker
    assert len(bench.runs) == 2
    with pytest.raises(RuntimeError, match="stop it first"):
        bench.train()
    click(bench, "stop")
    worker.join(timeout=60)
    before = message(bench)
    click(bench, "stop")
    assert message(bench) == before


def test_clear_takes_the_curves_away(bench):
    click(bench, "clear")
    assert curves(bench) == []
    assert "of no run" in bench.panel.figure.value
    assert message(bench) == TEXT["cleared"]


BAD = [
    ("learning_rate", "fast", "Learning rate: give a number above 0 and at most 100, not &#x27;fast&#x27;."),
    ("learning_rate", "0,001", "Learning rate: give a number above 0 and at most 100, not &#x27;0,001&#x27;."),
    ("learning_rate", "-0.1", "Learning rate: give a number above 0 and at most 100, not &#x27;-0.1&#x27;."),
    ("learning_rate", "nan", "Learning rate: give a number above 0 and at most 100, not &#x27;nan&#x27;."),
    ("learning_rate", "", "Learning rate: give a number above 0 and at most 100, not &#x27;&#x27;."),
    ("batch_size", "0", "Batch size: give a whole number from 1 to 400, not &#x27;0&#x27;."),
    ("batch_size", "401", "Batch size: give a whole number from 1 to 400, not &#x27;401&#x27;."),
    ("units", "1.5", "Hidden units: give a whole number from 1 to 2,000, not &#x27;1.5&#x27;."),
    ("epochs", "<b>", "Epochs: give a whole number from 1 to 500, not &#x27;&lt;b&gt;&#x27;."),
]


def test_a_bad_value_gets_a_clear_answer_and_nothing_is_lost(bench, settings):
    before = curves(bench)
    for name, value, expected in BAD:
        choose(bench, **{name: value})
        click(bench, "train", wait=False)
        assert message(bench) == expected
        assert bench.panel.fields[name].value == value
        np.testing.assert_equal(curves(bench), before)
        assert disabled(bench) == ["stop"]
        choose(bench, **{name: str(settings[name])})


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"optimizer": "adam"}, "Optimizer: choose one of SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, not 'adam'"),
        ({"learning_rate": 0}, "Learning rate: give a number above 0"),
        ({"batch_size": 4.5}, "Batch size: give a whole number from 1 to 400, not 4.5"),
    ],
)
def test_bad_arguments_are_refused(bench, data, wrong, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        training_bench(data, **wrong)
    with pytest.raises(ValueError, match=re.escape(expected)):
        bench.train(**wrong)
    assert len(bench.runs) == 1
    with pytest.raises(TypeError, match="momentum"):
        bench.train(momentum=0.9)


def test_a_run_that_diverges_is_stopped_and_says_where(bench):
    bench.train(optimizer="Nesterov", learning_rate=100, units=200, batch_size=400, epochs=500)
    step = bench.runs[1].history.diverged_at
    assert len(bench.runs[1].history.loss) < 500
    assert message(bench) == f"Run 2 diverged: from step {step} on, its loss is not a number any more."
    assert bench.make_figure().axes[0].get_ylim()[1] < 2, "the other curves can still be read"


def test_a_run_that_fails_says_so_and_leaves_the_others(bench, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr("utils.bench.runs.train", fail)
    click(bench, "train")
    assert message(bench) == "Run 2 failed: no room"
    assert len(bench.runs) == 1
    assert disabled(bench) == ["stop"]
    with pytest.raises(MemoryError):
        bench.train()
    monkeypatch.undo()
    click(bench, "train")
    assert message(bench).startswith("Run 2 is finished")


def test_wrong_data_are_refused_as_by_train(data):
    x, y, x_val, y_val = data
    with pytest.raises(ValueError, match="y_train has shape"):
        training_bench((x, y[:10], x_val, y_val))


def test_what_is_stored_is_a_picture_and_says_what_it_shows(bench):
    bundle, metadata = bench._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "Training bench: loss and accuracy, epoch by epoch, of 1: Adam, learning rate 0.01, batch 32, 8 units, seed 0"
    )
    picture = Image.open(BytesIO(base64.b64decode(bundle["image/png"])))
    size = metadata["image/png"]
    assert picture.size == (2 * size["width"], 2 * size["height"])
    words = bundle[DRAWING].replace("\N{NO-BREAK SPACE}", " ")
    for line in ("1: Adam, learning rate 0.01,", "batch 32, 8 units, seed 0", "training loss", "validation accuracy"):
        assert f">{line}<" in words, "the legend has lines of its own, which fit below one panel"
    assert len(re.search(r'data-panels="([^"]*)"', words)[1].split()) == 4
    assert bundle[VIEW]["model_id"] == bench.panel.model_id
    assert f'alt="{bundle["text/plain"]}"' in bench.panel.figure.value
    assert bundle["image/png"] in bench.panel.figure.value


def test_no_widget_is_stored_by_make_notebooks(classification, tmp_path):
    cells = ["from utils.bench import training_bench\nimport numpy as np", inspect.getsource(classification)]
    cells += ["training_bench(classification(), epochs=1)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "bench.ipynb")
    command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--to", "notebook", "--inplace", "--execute"]
    command += ["--config", ROOT / "nbconvert_config.py", tmp_path / "bench.ipynb"]
    subprocess.run(command, check=True, capture_output=True)
    stored = nbformat.read(tmp_path / "bench.ipynb", 4)
    (output,) = stored.cells[2].outputs
    assert set(output.data) == {"text/plain", "image/png", DRAWING}
    assert "widgets" not in stored.metadata


@pytest.mark.parametrize("path", sorted((ROOT / "book").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_no_notebook_holds_a_dead_widget(path):
    assert "vnd.jupyter.widget" not in path.read_text(encoding="utf-8")


@pytest.mark.skipif(int(ipywidgets.__version__[0]) < 8, reason="JupyterLab 4 takes ipywidgets 8 only")
def test_it_works_in_jupyterlab(classification, run_in_jupyterlab):
    page, errors = run_in_jupyterlab(
        "import numpy as np\nfrom utils.bench import training_bench",
        inspect.getsource(classification),
        "bench = training_bench(classification(), learning_rate=0.01, units=8, epochs=2)\nbench",
    )
    status = page.get_by_role("status").filter(has_text=re.compile("Run|Learning rate"))
    picture = page.get_by_role("img", name=re.compile("^Training bench"))
    button = {name: page.get_by_role("button", name=TEXT[name], exact=True) for name in ("train", "stop", "clear")}
    status.get_by_text("Run 1 is finished").wait_for()
    assert picture.count() == 1, "the panel, and not the still beside it"

    page.get_by_label("Optimizer").select_option("SGD")
    button["train"].click()
    status.get_by_text("Run 2 is finished: validation accuracy").wait_for()
    assert "2: SGD, learning rate 0.01, batch 32, 8 units, seed 0" in picture.get_attribute("alt")

    page.get_by_label("Epochs").fill("500")
    page.get_by_label("Batch size").fill("1")
    button["train"].click()
    status.get_by_text(re.compile(r"Run 3: \d+ of 500 epochs")).wait_for()
    assert button["train"].is_disabled()
    button["stop"].click()
    status.get_by_text(re.compile(r"Run 3 was stopped after \d+ of 500 epochs")).wait_for()

    page.get_by_label("Learning rate").fill("fast")
    button["train"].click()
    status.get_by_text("Learning rate: give a number above 0 and at most 100, not 'fast'.").wait_for()
    assert "3: SGD" in picture.get_attribute("alt")
    button["clear"].click()
    page.get_by_role("img", name="of no run").wait_for()
    assert errors == []
