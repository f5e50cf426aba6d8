"""utils.plotting: what the helpers draw is read back from the artists, and the palette's promises are computed."""

import re
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import beyond_adam, optimizers, plotting, surfaces

# Linear-light matrices for full deuteranopia and protanopia: Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
PAGES = {"white": "#ffffff", "near-black": "#121212"}


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


@pytest.fixture
def clean_rcparams():
    with mpl.rc_context():
        yield


def linear_rgb(color):
    rgb = np.array(mpl.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    lighter, darker = sorted((SRGB_TO_XYZ[1] @ linear_rgb(c) for c in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lab(color, vision):
    x, y, z = SRGB_TO_XYZ @ np.clip(vision @ linear_rgb(color), 0, 1) / [0.9505, 1, 1.089]
    fx, fy, fz = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21, rel=1e-3)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_lines_and_text_stand_out_on_light_and_dark_pages(page):
    assert contrast(plotting.INK, page) > 4
    for name, color in plotting.COLORS.items():
        assert contrast(color, page) >= 3, name


@pytest.mark.parametrize("vision", VISION.values(), ids=VISION)
def test_colors_stay_apart_for_every_reader(vision):
    for one, other in combinations(plotting.COLORS, 2):
        distance = np.linalg.norm(lab(plotting.COLORS[one], vision) - lab(plotting.COLORS[other], vision))
        assert distance > 25, (one, other)


def test_every_optimizer_has_its_own_color_and_marker():
    names = ["SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"]
    assert list(plotting.COLORS) == list(plotting.MARKERS) == names
    assert all(hasattr(optimizers, name) for name in names)
    assert len(set(plotting.COLORS.values())) == len(set(plotting.MARKERS.values())) == 6


def test_every_rule_of_the_second_part_has_a_look_that_no_other_is_taken_for():
    rules = [name for name, thing in vars(beyond_adam).items() if hasattr(thing, "step")]
    assert list(plotting.LOOKS)[6:] == rules
    looks = plotting.LOOKS.values()
    assert len({look.marker for look in looks}) == len(plotting.LOOKS)
    assert len({(look.color, look.linestyle) for look in looks}) == len(plotting.LOOKS)
    assert {look.color for look in looks} == set(plotting.COLORS.values())


def test_look_of_takes_a_name_or_an_instance():
    assert plotting.look_of("Adam") == plotting.look_of(optimizers.Adam())
    assert plotting.look_of("Adam")["label"] == "Adam"
    assert plotting.look_of(beyond_adam.Lion()) == {
        "color": plotting.COLORS["Momentum"],
        "marker": "<",
        "linestyle": "--",
        "label": "Lion",
    }
    assert set(plotting.look_of("SGD")) == {"color", "marker", "label"}
    with pytest.raises(ValueError, match=r"one of SGD, Momentum.*'Adamm'"):
        plotting.look_of("Adamm")


def test_use_style_is_transparent_and_sharp(clean_rcparams, monkeypatch):
    formats = []
    monkeypatch.setattr(plotting, "set_matplotlib_formats", formats.append)
    plotting.use_style()
    assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["axes.facecolor"] == "none"
    assert {mpl.rcParams[key] for key in ("text.color", "axes.labelcolor", "xtick.color")} == {plotting.INK}
    assert formats == ["retina"]


def test_plot_surface_draws_levels_minima_and_box(ax):
    contours, minima = plotting.plot_surface(ax, surfaces.himmelblau, levels=9, resolution=51)
    assert len(contours.levels) == 9
    assert np.all(np.diff(contours.levels, 2) > 0), "the spacing must grow with height"
    np.testing.assert_array_equal(minima.get_xydata(), surfaces.himmelblau.minima)
    assert (*ax.get_xlim(), *ax.get_ylim()) == surfaces.himmelblau.box
    assert ax.get_xlabel() == r"$\theta_1$"
    assert ax.get_ylabel() == r"$\theta_2$"


def test_plot_surface_refuses_what_has_no_box(ax):
    with pytest.raises(ValueError, match="quadratic has no box"):
        plotting.plot_surface(ax, surfaces.quadratic([1.0, 2.0, 3.0]))


def surface_of(value, box=(-2.0, 2.0, -1.0, 3.0)):
    """A reader's own surface, of a function of x and y, with its minimum at (1, 1)."""
    return surfaces.Surface(
        "mine", lambda theta: value(theta[..., 0], theta[..., 1]), None, np.array([[1.0, 1.0]]), box, np.zeros(2)
    )


def bowl(x, y):
    return (x - 1) ** 2 + (y - 1) ** 2


UNDEFINED_ON_THE_LEFT = {
    "NaN": lambda x, y: np.where(x < 0, np.nan, bowl(x, y)),
    "infinite": lambda x, y: np.where(x < 0, np.inf, bowl(x, y)),
    "minus infinity": lambda x, y: np.where(x < 0, -np.inf, bowl(x, y)),
    "both": lambda x, y: np.where(x < 0, np.where(y < 0, np.nan, np.inf), bowl(x, y)),
    "with a warning of NumPy": lambda x, y: np.sqrt(x) * 0 + bowl(x, y),
}


@pytest.mark.parametrize("value", UNDEFINED_ON_THE_LEFT.values(), ids=UNDEFINED_ON_THE_LEFT)
def test_plot_surface_draws_the_part_where_the_value_is_finite(ax, value):
    contours, minima = plotting.plot_surface(ax, surface_of(value), levels=9, resolution=101)
    np.testing.assert_allclose(contours.levels, 5 * np.linspace(0, 1, 11)[1:-1] ** 3)  # of what is drawn, 5 is the top
    for level, lines in zip(contours.levels, contours.allsegs, strict=True):
        assert lines, f"nothing is drawn at {level}"
        for points in lines:
            assert points[:, 0].min() >= 0
            np.testing.assert_allclose(bowl(*points.T), level, atol=0.002)
    np.testing.assert_array_equal(minima.get_xydata(), [[1.0, 1.0]])


@pytest.mark.parametrize(
    ("surface", "message"),
    [
        (surface_of(lambda x, y: x * np.nan), "mine has no finite value above 0 in its box"),
        (surface_of(lambda x, y: x + np.inf), "mine has no finite value above 0 in its box"),
        (surface_of(lambda x, y: x * 0), "mine has no finite value above 0 in its box"),
        (surface_of(lambda x, y: -bowl(x, y) - 1), "mine has no finite value above 0 in its box"),
        (surface_of(bowl, box=(-np.inf, np.inf, -1.0, 1.0)), "the box of mine must hold four finite numbers"),
        (surface_of(bowl, box=None), "mine has no box to draw"),
    ],
)
def test_plot_surface_refuses_what_it_cannot_draw_and_draws_nothing(ax, surface, message):
    with pytest.raises(ValueError, match=message):
        plotting.plot_surface(ax, surface)
    assert not ax.has_data()
    if "no finite value" not in message:
        with pytest.raises(ValueError, match=message):
            plotting.plot_path(ax, surface, np.ones((3, 2)))
        assert not ax.has_data()


@pytest.mark.parametrize("wrong", [{"levels": 0}, {"levels": -3}, {"resolution": 1}, {"resolution": 0}], ids=repr)
def test_plot_surface_refuses_too_few_lines_or_points(ax, wrong):
    with pytest.raises(ValueError, match="levels must be at least 1 and resolution at least 2"):
        plotting.plot_surface(ax, surfaces.beale, **wrong)
    assert not ax.has_data()


def test_plot_path_draws_the_path_in_the_optimizers_look(ax):
    ravine = surfaces.ravine()
    path = optimizers.descend(optimizers.Adam(0.1), ravine.gradient, ravine.start, 12)
    line = plotting.plot_path(ax, ravine, path, optimizer=optimizers.Adam(0.1))
    np.testing.assert_array_equal(line.get_xydata(), path)
    assert (line.get_color(), line.get_marker(), line.get_label()) == (plotting.COLORS["Adam"], "*", "Adam")
    assert (*ax.get_xlim(), *ax.get_ylim()) == ravine.box


def test_plot_path_cuts_a_diverging_path_and_keeps_the_window(ax):
    ravine = surfaces.ravine()
    path = optimizers.descend(optimizers.SGD(3.0), ravine.gradient, ravine.start, 2000)
    assert not np.all(np.isfinite(path))
    drawn = plotting.plot_path(ax, ravine, path).get_xydata()
    assert 3 < len(drawn) < 50
    assert np.all(np.isfinite(drawn))
    assert (*ax.get_xlim(), *ax.get_ylim()) == ravine.box


def test_plot_path_leaves_out_what_it_cannot_show(ax):
    path = [[np.nan, 1], [1, 1], [1, 2], [np.inf, 2], [1e9, 0], [2, 2], [0, 1e4], [np.nan, np.nan]]
    drawn = plotting.plot_path(ax, surfaces.ravine(), path).get_xydata()
    nothing = [np.nan, np.nan]
    np.testing.assert_array_equal(drawn, [nothing, [1, 1], [1, 2], nothing, nothing, [2, 2]])


@pytest.mark.parametrize(
    "path",
    [np.full((3, 2), np.nan), np.full((3, 2), -np.inf), [[np.nan, 0.0], [0.0, np.inf]], np.zeros((0, 2)), [[1e9, 0.0]]],
    ids=repr,
)
def test_plot_path_refuses_a_path_without_a_point_to_draw(ax, path):
    with pytest.raises(ValueError, match="path must hold a finite point"):
        plotting.plot_path(ax, surfaces.ravine(), path)
    assert not ax.has_data()


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [np.inf], [0.0, -1.0], [np.nan, -np.inf, 0.0]], ids=repr)
def test_plot_values_refuses_values_of_which_none_can_be_drawn(ax, values):
    with pytest.raises(ValueError, match="values must hold a finite number above 0"):
        plotting.plot_values(ax, values)
    assert not ax.has_data()
    assert ax.get_yscale() == "linear"


def test_complex_numbers_are_refused(ax):
    with pytest.raises(ValueError, match="values must be of real numbers"):
        plotting.plot_values(ax, np.array([1.0 + 1j]))
    with pytest.raises(ValueError, match="path must be of real numbers"):
        plotting.plot_path(ax, surfaces.ravine(), np.ones((3, 2)) * 1j)
    assert not ax.has_data()


def test_plot_values_begins_with_a_gap_where_the_first_is_nan(ax):
    line = plotting.plot_values(ax, [np.nan, 2.0, 1.0])
    np.testing.assert_array_equal(line.get_xydata(), [[0, np.nan], [1, 2.0], [2, 1.0]])


def test_keywords_win_over_the_look(ax):
    ravine = surfaces.ravine()
    path = np.zeros((3, 2))
    line = plotting.plot_path(ax, ravine, path, optimizer="SGD", label="slow", marker="")
    assert (line.get_label(), line.get_marker(), line.get_color()) == ("slow", "", plotting.COLORS["SGD"])


@pytest.mark.parametrize("shape", [(5,), (5, 3), (2, 5, 2)])
def test_plot_path_refuses_other_shapes(ax, shape):
    with pytest.raises(ValueError, match=r"path must have shape \(steps \+ 1, 2\)"):
        plotting.plot_path(ax, surfaces.ravine(), np.zeros(shape))


def test_plot_values_uses_a_log_axis_and_leaves_out_what_it_cannot_show(ax):
    line = plotting.plot_values(ax, [4.0, 2.0, 0.0, np.inf, np.nan, 1.0], optimizer="RMSprop")
    np.testing.assert_array_equal(line.get_ydata(), [4.0, 2.0, np.nan, np.nan, np.nan, 1.0])
    assert (ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "step", "loss")
    assert line.get_color() == plotting.COLORS["RMSprop"]
    with pytest.raises(ValueError, match="values must have shape"):
        plotting.plot_values(ax, np.zeros((3, 2)))


def two_panels():
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(7, 3))
    for ax in axes:
        ax.semilogy([1.23456789, 0.1, 0.01], label="loss")
        ax.set_title(r"rate $\alpha$")
    return figure


def test_a_drawing_keeps_words_as_words_and_little_else():
    svg = plotting.drawing(two_panels())
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert {"0.0", "2.0"} <= set(texts)
    assert re.sub(r"\s|<[^>]*>", "", re.search(r"<text>.*?</text>", svg, re.DOTALL)[0])
    assert not re.search(r"font-family|<style|<metadata|\d\.\d{3}", re.sub(r">[^<]*<", "><", svg))
    names, used = re.findall(r' id="([^"]+)"', svg), re.findall(r'(?:url\(|href=")#([^)"]+)', svg)
    assert set(names) == set(used)


def test_numbers_in_words_keep_their_digits():
    figure, ax = plt.subplots()
    ax.set(xticks=[0.001, 0.002], title="0.98765 of 1.000")
    assert {"0.001", "0.002", "0.98765 of 1.000"} <= set(
        re.findall(r"<text[^>]*>([^<]+)</text>", plotting.drawing(figure))
    )


def test_equal_figures_have_equal_drawings():
    assert plotting.drawing(two_panels()) == plotting.drawing(two_panels())


def test_a_drawing_says_where_panels_in_one_row_begin_and_end():
    svg = plotting.drawing(two_panels())
    first, end, second, last = map(float, re.search(r'data-panels="([^"]*)"', svg)[1].split())
    width = float(re.search(r'viewBox="0 0 (\S+) ', svg)[1])
    assert 0 <= first < end <= second < last <= width
    assert re.findall(r'data-panel="(\d)"', svg) == ["0", "1"]
    for panel in svg.split("data-panel=")[1:]:  # each can be read alone
        assert panel.count("10") >= 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (2, 2)])
def test_other_arrangements_stay_as_they_are(shape):
    figure, _ = plt.subplots(*shape)
    assert 'data-panels=""' in plotting.drawing(figure)


def test_a_scale_of_colours_stays_with_the_last_panel():
    figure, axes = plt.subplots(1, 2)
    meshes = [ax.pcolormesh(np.eye(3)) for ax in axes]
    figure.colorbar(meshes[0], ax=list(axes))
    assert re.findall(r'data-panel="(\d)"', plotting.drawing(figure)) == ["0", "1", "1"]


def test_a_legend_of_the_whole_figure_keeps_panels_together():
    figure = two_panels()
    figure.legend()
    assert 'data-panels=""' in plotting.drawing(figure)
