"""Tests of utils.surfaces: gradients against the complex step, minima against Newton's method, boxes and starts."""

import dataclasses

import numpy as np
import pytest

from utils.optimizers import Adam, descend
from utils.surfaces import beale, himmelblau, quadratic, ravine, rosenbrock, saddle

SURFACES = {
    "quadratic 1-D": quadratic([4.0]),
    "quadratic 2-D": quadratic([1.0, 10.0]),
    "quadratic 3-D": quadratic([0.5, 3.0, 7.0]),
    "ravine": ravine(),
    "ravine, turned": ravine(condition_number=50.0, angle=0.6),
    "Rosenbrock": rosenbrock,
    "Beale": beale,
    "Himmelblau": himmelblau,
    "saddle": saddle,
}
every_surface = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES.keys())


def corners(surface):
    """The lowest and the highest corner of the box; of a cube around the minimum where there is no box."""
    if surface.box is None:
        return np.full(surface.start.shape, -2.0), np.full(surface.start.shape, 2.0)
    return np.array(surface.box[0::2]), np.array(surface.box[1::2])


def points_in_the_box(surface, *shape):
    """Random points, read-only: a function that writes to its argument fails."""
    low, high = corners(surface)
    points = np.random.default_rng(0).uniform(low, high, size=(*shape, low.size))
    points.setflags(write=False)
    return points


def derivative(f, theta):
    """Derivatives along the coordinates by the complex step: exact to rounding, for no difference is taken.

    Squire and Trapp (1998). The new last axis counts the coordinates.
    """
    h = 1e-30
    return np.stack([f(theta + 1j * h * axis).imag / h for axis in np.eye(theta.shape[-1])], axis=-1)


@every_surface
def test_gradient_is_the_derivative_of_the_value(surface):
    theta = points_in_the_box(surface, 200)
    expected = derivative(surface.value, theta)
    np.testing.assert_allclose(surface.gradient(theta), expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())


@every_surface
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_leading_axes_are_free(surface, shape):
    theta = points_in_the_box(surface, *shape)
    value, gradient = surface.value(theta), surface.gradient(theta)
    assert value.shape == shape
    assert gradient.shape == theta.shape
    for index in np.ndindex(shape):
        np.testing.assert_allclose(value[index], surface.value(theta[index]), rtol=1e-13)
        np.testing.assert_allclose(gradient[index], surface.gradient(theta[index]), rtol=1e-13, atol=1e-13)


@every_surface
def test_the_minima_are_minima_of_value_0(surface):
    n = surface.start.size
    assert surface.minima.shape == (len(surface.minima), n)
    assert len(np.unique(surface.minima, axis=0)) == len(surface.minima)
    np.testing.assert_allclose(surface.value(surface.minima), 0, atol=1e-25)
    np.testing.assert_allclose(surface.gradient(surface.minima), 0, atol=1e-12)
    assert (np.linalg.eigvalsh(derivative(surface.gradient, surface.minima)) > 0).all()
    assert (surface.value(points_in_the_box(surface, 1000)) > 0).all()


@every_surface
def test_there_are_no_other_minima_in_the_box(surface):
    """Newton's method from everywhere in the box finds all the listed minima, and no other point of value 0."""
    theta = points_in_the_box(surface, 2000)
    for _ in range(50):
        hessian = derivative(surface.gradient, theta)
        newton_step = np.linalg.solve(hessian, surface.gradient(theta)[..., None])[..., 0]
        theta = theta - np.clip(newton_step, -1, 1)
    found = theta[surface.value(theta) < 1e-20]
    distances = np.linalg.norm(found[:, None] - surface.minima, axis=-1)
    assert (distances.min(axis=1) < 1e-8).all(), "Newton's method found a minimum that is not listed"
    assert (distances.min(axis=0) < 1e-8).all(), "a listed minimum was not found"


@every_surface
def test_the_box_holds_the_minima_and_the_start_with_room_to_spare(surface):
    if surface.start.size != 2:
        assert surface.box is None
        return
    low, high = corners(surface)
    assert (low < high).all()
    room = (high - low) / 20
    for point in (*surface.minima, surface.start):
        assert (low + room <= point).all()
        assert (point <= high - room).all()


@every_surface
def test_from_the_start_there_is_a_way_to_go_and_an_optimizer_finds_it(surface):
    assert surface.start.dtype == np.float64
    assert np.linalg.norm(surface.start - surface.minima, axis=-1).min() > 0.5
    path = descend(Adam(learning_rate=0.05), surface.gradient, surface.start, steps=3000)
    assert np.linalg.norm(path[-1] - surface.minima, axis=-1).min() < 1e-3


@pytest.mark.parametrize(
    ("surface", "theta", "value"),
    [
        (quadratic([1.0, 10.0]), [3.0, 2.0], 24.5),
        (quadratic([0.5, 3.0, 7.0]), [2.0, 2.0, 2.0], 21.0),
        (ravine(), [4.0, 3.0], 4.9),
        (ravine(condition_number=4.0), [4.0, 3.0], 6.5),
        (ravine(condition_number=4.0, angle=np.pi / 2), [4.0, 3.0], 9.125),
        (rosenbrock, [-1.2, 1.0], 24.2),  # Rosenbrock's own start
        (rosenbrock, [0.0, 0.0], 1.0),
        (beale, [1.0, 1.0], 14.203125),  # Beale's own start
        (beale, [0.0, 0.0], 14.203125),
        (himmelblau, [0.0, 0.0], 170.0),
        (himmelblau, [1.0, 1.0], 106.0),
        (saddle, [0.0, 0.0], 0.25),
        (saddle, [2.0, 2.0], 4.25),
    ],
)
def test_values_worked_out_by_hand(surface, theta, value):
    assert surface.value(np.array(theta)) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("surface", "start", "box"),
    [
        (quadratic([1.0, 10.0]), [1.5, 1.5], (-2, 2, -2, 2)),
        (quadratic([0.5, 3.0, 7.0]), [1.5, 1.5, 1.5], None),
        (ravine(), [-8, 2], (-10, 10, -4, 4)),
        (ravine(angle=np.pi / 2), [-2, -8], (-4, 4, -10, 10)),
        (rosenbrock, [-1.2, 1], (-2, 2, -1, 3)),
        (beale, [1, 1.5], (-1, 4.5, -2, 2)),
        (himmelblau, [-0.5, -1], (-5, 5, -5, 5)),
        (saddle, [-1.6, 0.01], (-2, 2, -1.6, 1.6)),
    ],
)
def test_start_and_box_are_those_that_the_chapters_show_and_speak_of(surface, start, box):
    np.testing.assert_allclose(surface.start, start, rtol=1e-14)
    if box is None:
        assert surface.box is None
    else:
        np.testing.assert_allclose(surface.box, box, rtol=1e-14)


def test_a_surface_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        saddle.start = np.zeros(2)


@pytest.mark.parametrize("curvatures", [[3.0], [1.0, 10.0], [2, 5, 7], np.array([0.5, 3.0, 7.0, 9.0])])
def test_curvatures_of_a_quadratic_are_the_eigenvalues_of_its_hessian(curvatures):
    surface = quadratic(curvatures)
    hessian = derivative(surface.gradient, surface.start)
    np.testing.assert_allclose(hessian, np.diag(curvatures), rtol=1e-14)


def test_a_quadratic_keeps_its_own_curvatures():
    curvatures = np.array([1.0, 2.0])
    surface = quadratic(curvatures)
    curvatures[0] = -5.0
    assert surface.value(np.array([1.0, 1.0])) == 1.5


@pytest.mark.parametrize("condition_number", [1, 20.0, 1e4])
@pytest.mark.parametrize("angle", [0.0, 0.6, -2.0])
def test_curvature_of_a_ravine_is_1_across_and_1_over_the_condition_number_along(condition_number, angle):
    surface = ravine(condition_number, angle)
    hessian = derivative(surface.gradient, surface.start)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    np.testing.assert_allclose(hessian @ along, along / condition_number, atol=1e-15)
    np.testing.assert_allclose(hessian @ across, across, atol=1e-15)


def test_angle_turns_the_ravine_and_its_start_together():
    turn = np.array([[np.cos(0.6), np.sin(0.6)], [-np.sin(0.6), np.cos(0.6)]])  # acts on rows, counter-clockwise
    straight, turned = ravine(50.0), ravine(50.0, angle=0.6)
    theta = points_in_the_box(straight, 20)
    np.testing.assert_allclose(turned.value(theta @ turn), straight.value(theta), rtol=1e-12)
    np.testing.assert_array_equal(straight.start, [-8.0, 2.0])
    np.testing.assert_allclose(turned.start, straight.start @ turn, rtol=1e-14)


def test_the_saddle_has_a_saddle_point_of_height_a_quarter_at_the_origin():
    origin = np.zeros(2)
    assert saddle.value(origin) == 0.25
    np.testing.assert_array_equal(saddle.gradient(origin), 0)
    np.testing.assert_array_equal(np.linalg.eigvalsh(derivative(saddle.gradient, origin)), [-1, 1])


@pytest.mark.parametrize(
    "curvatures", [[], 3.0, [[1.0, 2.0]], [1.0, 0.0], [1.0, -2.0], [1.0, np.nan], [1.0, np.inf]], ids=repr
)
def test_quadratic_refuses_curvatures_that_make_no_bowl(curvatures):
    with pytest.raises(ValueError, match="curvatures must be") as error:
        quadratic(curvatures)
    assert repr(np.array(curvatures, dtype=float)) in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("condition_number", 0.99),
        ("condition_number", -20.0),
        ("condition_number", np.nan),
        ("condition_number", np.inf),
        ("angle", np.nan),
        ("angle", -np.inf),
    ],
)
def test_ravine_refuses_what_makes_no_valley(name, value):
    with pytest.raises(ValueError, match=f"{name} must be") as error:
        ravine(**{name: value})
    assert repr(value) in str(error.value)
