"""The worker of the page, in Node.js: what it answers to orders, and that it stops within a mini-batch."""

import base64
import gzip

import numpy as np
import pytest

from tests.bench.in_node import in_node

pytestmark = pytest.mark.slow  # each test starts Node.js

COUNTS = {"train": 64, "held_out": 10}
SETTINGS = {
    "optimizer": "SGD",
    "learning_rate": 0.1,
    "batch_size": 8,
    "units": 8,
    "epochs": 2,
    "seed": 0,
    "shuffled": True,
    "schedule": "constant",
}
# Takes orders one after the other; the words "after 3" wait until three mini-batches are done.
DRIVE = """async (_, { orders, load }) => {
    const heard = [], plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => v?.buffer ? [...v] : v));
    let losses = 0;
    globalThis.postMessage = (message) => {
        losses += message.losses?.length ?? 0;
        const { kind, how, t, epoch } = message;
        heard.push(plain({ kind, how, t, losses, epoch, first: message.weights?.[300] }));
    };
    const until = async (condition) => {
        for (let i = 0; !condition() && i < 4000; i++) await new Promise((done) => setTimeout(done, 1));
    };
    trainingWorker();
    onmessage({ data: { order: "load", ...load } });
    await until(() => heard.length);
    for (const order of orders) {
        if (order.after) await until(() => losses >= order.after || heard.at(-1).kind === "end");
        else if (order.wait) await new Promise((done) => setTimeout(done, order.wait));
        else onmessage({ data: order });
    }
    await until(() => heard.at(-1).kind === "end" || heard.at(-1).kind === "damaged" || orders.at(-1).wait);
    return heard;
}"""


def file_of(content):
    return f'// images\nglobalThis.fashionMnist = "{base64.b64encode(content).decode()}";\n'


def packed():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 74).astype(np.uint8)
    return gzip.compress(labels.tobytes() + rng.integers(0, 256, 74 * 392).astype(np.uint8).tobytes())


def drive(*orders, script=None, changed=()):
    script = file_of(packed()) if script is None else script
    load = {"script": script, "counts": COUNTS, "levels": 15}
    return in_node(DRIVE, {"orders": list(orders), "load": load}, changed)


def begin(going=True, **settings):
    return {"order": "begin", "id": 1, "settings": SETTINGS | settings, "going": going}


def test_a_run_reports_each_epoch_and_its_end():
    heard = drive(begin())
    assert heard[0]["kind"] == "loaded"
    epochs = [each["epoch"] for each in heard if each.get("epoch")]
    assert len(epochs) == 2
    assert heard[-1] == heard[-1] | {"kind": "end", "how": "finished", "t": 16, "losses": 16}
    for epoch in epochs:
        assert epoch["loss"] > 0
        assert 0 <= epoch["accuracy"] <= 1
        assert sum(epoch["confusion"]) == 10
        assert sum(epoch["confusion"][::11]) == pytest.approx(10 * epoch["val_accuracy"])
        assert len(epoch["mistakes"]) <= 6
        assert all(each["label"] != each["answer"] for each in epoch["mistakes"])
        assert epoch["seconds"] > 0


def test_it_stops_within_a_mini_batch():
    heard = drive(begin(epochs=10_000), {"after": 3}, {"order": "stop"}, {"wait": 100})
    before, end = heard[-2], heard[-1]
    assert end["how"] == "stopped"
    assert end["losses"] == end["t"] == before["t"], "nothing is trained after the order"


def test_it_pauses_steps_and_goes_on():
    orders = [{"order": "step"}, {"order": "step"}, {"wait": 50}, {"order": "go"}, {"after": 5}, {"order": "pause"}]
    heard = drive(begin(going=False), *orders, {"wait": 50}, {"order": "go"})
    assert [each["losses"] for each in heard if each["kind"] == "progress"][:2] == [1, 2]
    assert heard[-1]["t"] == 16


def test_it_shows_the_weights_of_the_unit_that_one_looks_at():
    orders = [{"order": "step"}, {"order": "look", "unit": 5}, {"order": "look", "unit": 0}, {"order": "stop"}]
    run = begin(going=False) | {"to_see": True}
    shown = [each["first"] for each in drive(run, *orders) if each["kind"] in ("progress", "weights")]
    assert shown[0] == shown[2] != shown[1]
    assert "weights" in [each["kind"] for each in drive(run | {"going": True}, {"after": 16}, orders[1], {"wait": 9})]


def test_a_loss_that_is_no_number_ends_the_run():
    heard = drive(begin(learning_rate=1e30))
    assert heard[-1]["how"] == "diverged"
    assert 2 <= heard[-1]["t"] < 16


@pytest.mark.parametrize("trouble", ["truncated", "cut within the text", "another byte", "not an image"])
def test_damaged_images_are_noticed(trouble):
    whole = file_of(packed())
    at = len(whole) // 2
    script = {
        "truncated": whole[:at],
        "cut within the text": whole[: at - at % 4] + '";',
        "another byte": whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :],
        "not an image": "<!doctype html><title>Not found</title>",
    }[trouble]
    assert [each["kind"] for each in drive({"wait": 1}, script=script)] == ["damaged"]


def test_a_mini_batch_that_is_skipped_changes_what_it_reports():
    skipped = drive(begin(), changed=[("run.losses.push(loss);", "if (t !== 5) run.losses.push(loss);")])
    assert skipped[-1]["losses"] == 15
