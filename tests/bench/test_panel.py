"""The panel: its widgets without a network behind them.

Colab has an old ipywidgets (7.7.1). Run in an environment with that one (and ``-W ignore::DeprecationWarning``, for the
ipykernel of today), this module and test_bench.py test the bench there.
"""

import ipywidgets
import pytest

from utils.bench.figure import Picture
from utils.bench.panel import TEXT, Panel
from utils.bench.settings import OPTIMIZERS, Settings

SETTINGS = Settings("Adam", 0.01, 32, 8, 3)


@pytest.fixture
def clicks():
    return []


@pytest.fixture
def panel(clicks):
    return Panel(SETTINGS, {name: lambda name=name: clicks.append(name) for name in ("train", "stop", "clear")})


def test_it_holds_the_settings_as_words(panel):
    assert panel.chosen() == Settings("Adam", "0.01", "32", "8", "3")
    panel.fill(Settings("SGD", 1e-5, 1, 2, 500))
    assert panel.chosen() == Settings("SGD", "1e-05", "1", "2", "500")
    panel.fields["units"].value = "many"
    assert panel.chosen().units == "many"
    assert panel.fields["optimizer"].options == OPTIMIZERS


def test_every_widget_is_in_it_and_named(panel):
    def inside(box):
        for child in box.children:
            yield child
            yield from inside(child) if isinstance(child, ipywidgets.Box) else ()

    named = {**panel.fields, "slider": panel.slider, **panel.buttons}
    assert {*named.values(), panel.status, panel.figure} <= set(inside(panel))
    assert {name: widget.description for name, widget in named.items()} == {name: TEXT[name] for name in named}


def test_the_slider_is_logarithmic_and_writes_the_learning_rate(panel):
    assert panel.slider.value == 0.01
    panel.slider.value = 10**-2.5
    assert panel.fields["learning_rate"].value == "0.0032"


def test_a_click_calls_what_belongs_to_the_button(panel, clicks):
    for name in ("clear", "train", "stop", "train"):
        panel.buttons[name].click()
    assert clicks == ["clear", "train", "stop", "train"]


def test_buttons_are_on_when_they_make_sense(panel):
    for training, disabled in ((True, ["train", "clear"]), (False, ["stop"])):
        panel.enable(training)
        assert [name for name, button in panel.buttons.items() if button.disabled] == disabled


def test_what_it_says_and_draws_cannot_break_the_page(panel):
    panel.show("<b> & 'that'")
    assert panel.status.value == '<div role="status">&lt;b&gt; &amp; &#x27;that&#x27;</div>'
    panel.say("failed", number=2, error="no <room>")
    assert panel.status.value == '<div role="status">Run 2 failed: no &lt;room&gt;</div>'
    panel.draw(Picture("aGVsbG8=", 720, 300), 'curves of "SGD"')
    assert panel.figure.value == (
        '<img alt="curves of &quot;SGD&quot;" src="data:image/png;base64,aGVsbG8=" '
        'style="width: 720px; max-width: 100%">'
    )
