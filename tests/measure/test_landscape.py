"""utils.measure.landscape against exact derivatives of tiny networks, and surfaces whose Hessian is known."""

import dataclasses
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from utils import surfaces
from utils.measure import eigenvalues, network_surface, on_a_line, plane, plane_of
from utils.optimizers import SGD, descend

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((30, 4)), RNG.integers(0, 3, 30)


@pytest.fixture(scope="module")
def tiny(keras):
    """A network of 27 weights, in float64, with dropout, batch normalisation's statistics and a penalty."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, "tanh", kernel_regularizer=keras.regularizers.L2(0.125)),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def surface(tiny):
    return network_surface(tiny, X, Y)


def loss_by_hand(theta):
    w1, b1, w2, b2 = np.split(theta, np.cumsum([12, 3, 9]))
    hidden = np.tanh(X @ w1.reshape(4, 3) + b1)
    scores = hidden @ w2.reshape(3, 3) + b2
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -log_p[np.arange(30), Y].mean() + 0.125 * np.sum(w1**2)


def hessian_by_hand(theta, step=1e-4):
    n = len(theta)
    eye = step * np.eye(n)
    f = loss_by_hand
    return np.array(
        [
            [(f(theta + a + b) - f(theta + a - b) - f(theta - a + b) + f(theta - a - b)) / (4 * step**2) for b in eye]
            for a in eye
        ]
    )


def test_the_value_is_the_loss_and_the_model_stays_as_it_is(tiny, surface):
    before = [variable.numpy() for variable in tiny.variables]
    assert surface.start.shape == (27,)
    assert surface.start.dtype == np.float64
    thetas = surface.start + RNG.standard_normal((2, 3, 27))
    expected = [[loss_by_hand(theta) for theta in row] for row in thetas]
    np.testing.assert_allclose(surface.value(thetas), expected, rtol=1e-12)
    assert surface.value(surface.start).shape == ()
    np.testing.assert_allclose(surface.value(surface.start), tiny.evaluate(X, Y, verbose=0), rtol=1e-6)
    for one, other in zip(before, tiny.variables, strict=True):
        np.testing.assert_array_equal(one, other.numpy())


def test_the_gradient_is_that_of_the_loss(surface):
    theta = surface.start + 0.3
    eye = 1e-6 * np.eye(27)
    expected = [(loss_by_hand(theta + e) - loss_by_hand(theta - e)) / 2e-6 for e in eye]
    np.testing.assert_allclose(surface.gradient(theta), expected, atol=1e-8)


def test_products_of_the_hessian_and_its_eigenvalues_are_exact(surface):
    theta = surface.start + 0.3
    products = np.array([surface.hessian_product(theta, direction) for direction in np.eye(27)])
    np.testing.assert_allclose(products, products.T, atol=1e-13)
    np.testing.assert_allclose(products, hessian_by_hand(theta), atol=1e-6)
    expected = np.linalg.eigvalsh(products)[::-1]
    values, directions = eigenvalues(surface, theta, 4, tol=1e-10)
    np.testing.assert_allclose(values, expected[:4], rtol=1e-8)
    np.testing.assert_allclose(products @ directions.T, values * directions.T, atol=1e-8)
    np.testing.assert_allclose(directions @ directions.T, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(eigenvalues(surface, theta, 2, which="SA", tol=1e-10)[0], expected[-2:], rtol=1e-7)
    both = eigenvalues(surface, theta, 2, which="BE", tol=1e-10)[0]
    np.testing.assert_allclose(both, expected[[0, -1]], rtol=1e-7)
    assert expected[-1] < 0, "a Hessian without a negative eigenvalue would prove less"


def test_the_tolerance_is_one_of_the_values_and_the_seed_gives_the_same_again(surface):
    exact = eigenvalues(surface, surface.start, 3, tol=1e-12)[0]
    rough, again = (eigenvalues(surface, surface.start, 3)[0] for _ in range(2))
    np.testing.assert_array_equal(rough, again)
    np.testing.assert_allclose(rough, exact, rtol=1e-3)
    other = eigenvalues(surface, surface.start, 3, tol=1e-12, seed=1)[0]
    np.testing.assert_allclose(other, exact, rtol=1e-10)


def test_by_default_the_five_largest_to_a_thousandth(surface):
    defaults = {name: each.default for name, each in inspect.signature(eigenvalues).parameters.items()}
    assert (defaults["k"], defaults["which"], defaults["tol"], defaults["seed"]) == (5, "LA", 1e-3, 0)
    values, _ = eigenvalues(surface=surface, theta=surface.start, k=3)
    assert (np.diff(values) < 0).all()


@pytest.mark.parametrize("k", [0, -1, 27, 28])
def test_as_many_eigenvalues_as_weights_are_refused(surface, k):
    with pytest.raises(ValueError, match=f"^k must be at least 1 and below the number of weights, 27, got {k}"):
        eigenvalues(surface, surface.start, k)


def test_our_rules_descend_on_it_as_keras_does(keras, tiny, surface):
    path = descend(SGD(0.1), surface.gradient, surface.start, steps=5)
    model = keras.models.clone_model(tiny)
    model.layers[1].rate = 0.0
    model.set_weights(tiny.get_weights())
    model.compile(keras.optimizers.SGD(np.float64(0.1)), "sparse_categorical_crossentropy")
    for _ in range(5):
        model.train_on_batch(X, Y)
    np.testing.assert_allclose(path[-1], np.concatenate([np.ravel(w) for w in model.get_weights()]), rtol=1e-10)
    assert surface.value(path[-1]) < surface.value(path[0])


def test_a_surface_cannot_be_changed(surface):
    with pytest.raises(dataclasses.FrozenInstanceError):
        surface.start = np.zeros(27)


def test_what_is_frozen_is_no_coordinate(keras, tiny):
    tiny.layers[0].trainable = False
    try:
        assert network_surface(tiny, X, Y).start.shape == (12,)
    finally:
        tiny.layers[0].trainable = True


def test_a_model_without_a_surface_is_refused(keras, tiny):
    with pytest.raises(TypeError, match=r"give a keras\.Model"):
        network_surface("model", X, Y)
    with pytest.raises(ValueError, match="has no weights to train"):
        network_surface(keras.Sequential([keras.layers.Dense(3)]), X, Y)
    without_weights = keras.Sequential([keras.Input((4,)), keras.layers.Flatten()])
    without_weights.compile(loss="mse")
    with pytest.raises(ValueError, match="has no weights to train"):
        network_surface(without_weights, X, X)
    with pytest.raises(ValueError, match="has no loss"):
        network_surface(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), X, Y)
    with pytest.raises(Exception, match=r"."):
        network_surface(tiny, X[:, :2], Y)


# On surfaces of few coordinates, of which all is known

BOWL = surfaces.quadratic([4.0, 1.0, 0.25, 9.0])
KNOWN = SimpleNamespace(
    value=BOWL.value, gradient=BOWL.gradient, hessian_product=lambda theta, v: np.array([4.0, 1.0, 0.25, 9.0]) * v
)


def test_eigenvalues_of_a_bowl_are_its_curvatures():
    values, directions = eigenvalues(KNOWN, np.ones(4), 3, tol=1e-12)
    np.testing.assert_allclose(values, [9, 4, 1], rtol=1e-10)
    np.testing.assert_allclose(np.abs(directions), np.eye(4)[[3, 0, 1]], atol=1e-8)
    np.testing.assert_allclose(eigenvalues(KNOWN, np.ones(4), 1)[0], [9], rtol=1e-3)


def test_a_line_goes_from_one_point_to_the_other_and_beyond():
    start, end = np.array([1.0, 0.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0, 0.0])
    where, values = on_a_line(KNOWN, start, end, points=5)
    np.testing.assert_allclose(where, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(values, 2 * (1 - 2 * where) ** 2)
    where, values = on_a_line(KNOWN, start, end, points=4, beyond=0.25)
    np.testing.assert_allclose(where, [-0.25, 0.25, 0.75, 1.25])
    np.testing.assert_allclose(values, 2 * (1 - 2 * where) ** 2)
    assert len(on_a_line(surface=KNOWN, start=start, end=end)[0]) == 21
    assert len(on_a_line(KNOWN, start, end, points=2)[0]) == 2
    with pytest.raises(ValueError, match="points must be at least 2, got 1"):
        on_a_line(KNOWN, start, end, points=1)


def test_a_path_in_a_plane_is_found_as_it_is():
    flat = np.array([[3.0, 0.0], [2.0, 1.0], [-1.0, 1.0], [0.0, 0.0]])
    frame = np.linalg.qr(RNG.standard_normal((7, 2)))[0].T
    path = 5.0 + flat @ frame
    origin, directions, coordinates, share = plane_of(path)
    np.testing.assert_array_equal(origin, path[-1])
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(origin + coordinates @ directions, path, atol=1e-12)
    assert share == pytest.approx(1)
    assert np.sum(coordinates[:, 0] ** 2) > np.sum(coordinates[:, 1] ** 2)


def test_the_share_is_what_the_plane_keeps():
    path = np.array([[3.0, 0, 0], [0, 2.0, 0], [0, 0, 1.0], [0, 0, 0]])
    assert plane_of(path)[3] == pytest.approx(13 / 14)


def test_the_path_of_a_random_walk_lies_near_a_plane_too():
    walk = np.cumsum(RNG.standard_normal((200, 2000)), axis=0)
    assert plane_of(walk)[3] > 0.75


@pytest.mark.parametrize("path", [np.ones((2, 5)), np.ones(5), np.full((4, 5), np.nan)], ids=["2 points", "1-d", "nan"])
def test_a_path_without_a_plane_is_refused(path):
    with pytest.raises(ValueError, match=r"^path must be finite and of shape"):
        plane_of(path)


def test_a_plane_is_a_surface_of_two_coordinates():
    origin, directions = np.ones(4), np.array([[1.0, 0, 0, 0], [0, 0, 0.6, 0.8]])
    slice_ = plane(KNOWN, origin, directions, (-1.0, 3.0, 0.0, 1.0))
    points = RNG.standard_normal((2, 3, 2))
    np.testing.assert_allclose(slice_.value(points), BOWL.value(origin + points @ directions), rtol=1e-12)
    assert slice_.value(points[0, 0]).shape == ()
    np.testing.assert_array_equal(slice_.start, [1.0, 0.5])
    assert slice_.box == (-1.0, 3.0, 0.0, 1.0)
    assert slice_.minima.shape == (0, 2)
    eye = 1e-6 * np.eye(2)
    expected = [(slice_.value(points[0, 0] + e) - slice_.value(points[0, 0] - e)) / 2e-6 for e in eye]
    np.testing.assert_allclose(slice_.gradient(points[0, 0]), expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^directions must have shape \(2, 4\), got \(3, 4\)"):
        plane(KNOWN, origin, np.ones((3, 4)), (-1.0, 1.0, -1.0, 1.0))


def test_a_plane_can_be_drawn():
    import matplotlib.pyplot as plt

    from utils.plotting import plot_surface

    contours, minima = plot_surface(
        plt.figure().subplots(),
        plane(KNOWN, np.zeros(4), np.eye(4)[:2], (-1.0, 1.0, -1.0, 1.0)),
        levels=5,
        resolution=11,
    )
    assert len(contours.levels) == 5
    assert len(minima.get_xdata()) == 0
    plt.close("all")
