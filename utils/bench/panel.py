"""The panel of a bench: its widgets. It knows no network; what its buttons do, it is told.

Colab has ipywidgets 7.7.1, so nothing here needs a later one.
"""

import html

import ipywidgets as widgets

from utils.bench.settings import OPTIMIZERS, Settings
from utils.language import texts

#: The least and the largest learning rate that the slider offers, as powers of ten.
SLIDER = (-5, 1)

TEXT = texts("bench")


class Panel(widgets.VBox):
    """Fields for the settings, buttons, a line that says how it goes, and a picture.

    Parameters
    ----------
    settings : Settings
        What the fields hold at first.
    on_click : dict of str to callable
        What is called, without arguments, at a click on the button "train", "stop" or "clear".

    Attributes
    ----------
    fields : dict of str to widget
        By the name of the setting. Their values are words, as the reader types them.
    slider : widget
        Writes into the field of the learning rate.
    buttons : dict of str to widget
    status, figure : widget
        What :meth:`show` and :meth:`draw` put there.
    """

    def __init__(self, settings, on_click):
        narrow = {"layout": {"width": "160px"}, "style": {"description_width": "initial"}}
        self.fields = {name: widgets.Text(description=TEXT[name], **narrow) for name in Settings._fields}
        self.fields["optimizer"] = widgets.Dropdown(description=TEXT["optimizer"], options=OPTIMIZERS, **narrow)
        self.fields["learning_rate"].layout.width = "190px"
        self.fill(settings)
        rate = {"min": SLIDER[0], "max": SLIDER[1], "step": 0.1, "value": settings.learning_rate}
        self.slider = widgets.FloatLogSlider(description=TEXT["slider"], readout=False, **rate)
        self.slider.observe(self._on_slider, "value")
        self.buttons = {name: widgets.Button(description=TEXT[name]) for name in ("train", "stop", "clear")}
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: on_click[name]())
        # HTML, because Colab cannot take a picture in the binary form that an Image has; and it may have a description.
        self.figure, self.status = widgets.HTML(), widgets.HTML()
        optimizer, learning_rate, *numbers = self.fields.values()
        rows = [[optimizer, learning_rate, self.slider], numbers, self.buttons.values()]
        boxes = [widgets.HBox(list(row), layout={"flex_flow": "row wrap"}) for row in rows]
        super().__init__([*boxes, self.status, self.figure])

    def fill(self, settings):
        """Put settings into the fields."""
        for name, value in settings._asdict().items():
            self.fields[name].value = str(value)

    def chosen(self):
        """Return what the fields hold, as Settings of words that nobody has checked."""
        return Settings(**{name: field.value for name, field in self.fields.items()})

    def enable(self, training):
        """Switch on the buttons that make sense while a run is under way, or while none is; switch off the others."""
        for name, button in self.buttons.items():
            button.disabled = training != (name == "stop")

    def say(self, key, **words):
        """Show the text of that key."""
        self.show(TEXT[key].format(**words))

    def show(self, message):
        """Show a message as the status, which screen readers read out."""
        self.status.value = f'<div role="status">{html.escape(message)}</div>'

    def draw(self, picture, description):
        """Show a picture in place of the one before."""
        source = f'src="data:image/png;base64,{picture.png}" style="width: {picture.width}px; max-width: 100%"'
        self.figure.value = f'<img alt="{html.escape(description)}" {source}>'

    def _on_slider(self, change):
        self.fields["learning_rate"].value = f"{change['new']:.2g}"
