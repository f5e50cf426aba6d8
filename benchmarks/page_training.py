"""How long an epoch takes in the page: beside TensorFlow.js, and beside its multiplications alone.

    .venv/bin/python benchmarks/page_training.py [--rounds 5] [--npm FOLDER]

An epoch is 6,000 images, 100 hidden units, mini-batches of 32 and Adam, in headless Chromium on one thread.
TensorFlow.js runs on its WebAssembly backend with SIMD, by `fit` and by a loop of `optimizer.minimize`; the faster one
counts. Its packages are installed by npm into a folder of this benchmark's own (``--npm`` names one that has them).
All have trained an epoch before, and take turns then, so that a busy machine is busy for each. Beside the time by the
clock stands the processor's, which depends less on what else runs; ratios are of medians.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("@tensorflow/tfjs@4", "@tensorflow/tfjs-backend-wasm@4")
LEAST_RATIO = 3

PAGE = """<!doctype html><meta charset="utf-8"><title>Epochs</title>
<script src="node_modules/@tensorflow/tfjs/dist/tf.min.js"></script>
<script src="node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js"></script>
<script src="images.js"></script><script src="rules.js"></script><script src="engine.js"></script>
<script>
const UNITS = 100, BATCH = 32, RATE = 0.001;
let data, grey;
async function prepare() {
  const bytes = Uint8Array.from(atob(fashionMnist), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const all = new Uint8Array(await new Response(stream).arrayBuffer());
  const half = (i) => i % 2 ? all[7500 + (i - 1) / 2] & 15 : all[7500 + i / 2] >> 4;
  grey = Uint8Array.from({ length: 6000 * 784 }, (_, i) => half(i));
  data = { ...trainingEngine().sparse(grey, 15), labels: all.slice(0, 6000) };
  tf.wasm.setWasmPaths("node_modules/@tensorflow/tfjs-backend-wasm/dist/");
  await tf.setBackend("wasm");
  return [tf.version.tfjs, tf.getBackend(), await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")];
}
// Each returns a function that trains one more epoch and returns its mean loss: one sees that all train the same.
const ways = {
  ours() {
    const settings = { optimizer: "Adam", learning_rate: RATE, batch_size: BATCH, units: UNITS, epochs: 1000, seed: 0 };
    const steps = trainingEngine().train({ ...settings, shuffled: true, schedule: "constant" }, data);
    return () => {
      let loss = 0;
      for (;;) {
        const { value } = steps.next();
        loss += value.loss * value.count / 6000;
        if (value.ends_epoch) return loss;
      }
    };
  },
  // What our epoch multiplies at the images, and no more: pixels by weights, and pixels by slopes.
  products() {
    const { gather, transpose, product, workspace, initial_theta, layers } = trainingEngine();
    const net = layers(initial_theta(0, UNITS), UNITS), g = new Float32Array(784 * UNITS), batches = [];
    for (let from = 0; from < 6000; from += BATCH) {
      const rows = Uint16Array.from({ length: Math.min(BATCH, 6000 - from) }, (_, n) => from + n);
      const space = workspace(UNITS, BATCH, data);
      gather(data, rows, space.by_image);
      transpose(space.by_image, space.by_place);
      batches.push(space);
    }
    return () => {
      for (const { first, by_image, by_place } of batches) {
        product(first.fill(0), by_image, net.W1, UNITS);
        product(g, by_place, first, UNITS);
      }
      return g[0];
    };
  },
  fit() {
    const model = tf.sequential(), x = tf.tensor2d(Float32Array.from(grey, (value) => value / 15), [6000, 784]);
    const y = tf.oneHot(tf.tensor1d(Array.from(data.labels), "int32"), 10);
    model.add(tf.layers.dense({ inputShape: [784], units: UNITS, activation: "relu" }));
    model.add(tf.layers.dense({ units: 10, activation: "softmax" }));
    model.compile({ optimizer: tf.train.adam(RATE), loss: "categoricalCrossentropy" });
    const options = { epochs: 1, batchSize: BATCH, verbose: 0, yieldEvery: "never" };
    return async () => (await model.fit(x, y, options)).history.loss[0];
  },
  minimize() {
    const W1 = tf.variable(tf.randomUniform([784, UNITS], -0.082, 0.082)), b1 = tf.variable(tf.zeros([UNITS]));
    const W2 = tf.variable(tf.randomUniform([UNITS, 10], -0.23, 0.23)), b2 = tf.variable(tf.zeros([10]));
    const x = tf.tensor2d(Float32Array.from(grey, (value) => value / 15), [6000, 784]), adam = tf.train.adam(RATE);
    const y = tf.oneHot(tf.tensor1d(Array.from(data.labels), "int32"), 10).toFloat();
    return () => {
      let loss = 0;
      for (let from = 0; from < 6000; from += BATCH) {
        const count = Math.min(BATCH, 6000 - from);
        const cost = tf.tidy(() => adam.minimize(() => tf.losses.softmaxCrossEntropy(y.slice([from, 0], [count, 10]),
          x.slice([from, 0], [count, 784]).matMul(W1).add(b1).relu().matMul(W2).add(b2)), true));
        loss += cost.dataSync()[0] * count / 6000;
        cost.dispose();
      }
      return loss;
    };
  },
};
const epochs = {};
async function train(way) {
  epochs[way] ??= ways[way]();
  const began = performance.now(), loss = await epochs[way]();
  return [(performance.now() - began) / 1000, loss];
}
</script>"""


class Silent(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        """Stay silent."""


def main():
    """Install, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn (5)")
    parser.add_argument("--npm", type=Path, help="a folder whose node_modules hold TensorFlow.js")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        if options.npm:
            (folder / "node_modules").symlink_to(options.npm.resolve() / "node_modules")
        else:
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", *PACKAGES]
            subprocess.run(command, cwd=folder, check=True)
        for file in ("utils/rules.js", "utils/bench/engine.js", "book/assets/fashion-mnist/images.js"):
            shutil.copy(ROOT / file, folder)
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        flags += ["--disable-component-update", "--disable-sync"]
        flags += ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
        path = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        version, backend, simd = page.evaluate("prepare()")
        print(f"Chromium {browser.version}; TensorFlow.js {version} on {backend}, SIMD: {simd}; {os.cpu_count()} cores")
        protocol = browser.new_browser_cdp_session()

        def processor():
            processes = protocol.send("SystemInfo.getProcessInfo")["processInfo"]
            return sum(process["cpuTime"] for process in processes if process["type"] == "renderer")

        clock = {"ours": [], "products": [], "fit": [], "minimize": []}
        busy, losses = {way: [] for way in clock}, {}
        for turn in range(options.rounds + 1):
            for way in clock:
                before = processor()
                time, loss = page.evaluate("way => train(way)", way)
                if turn:  # the first epoch also compiles
                    clock[way].append(time)
                    busy[way].append(processor() - before)
                losses[way] = loss
        browser.close()
        server.shutdown()
    names = {
        "ours": "the page's engine",
        "products": "its multiplications at the images alone",
        "fit": "TensorFlow.js, fit",
        "minimize": "TensorFlow.js, optimizer.minimize",
    }
    print(f"{'':42}{'clock':>8}{'processor':>12}   seconds an epoch, medians of {options.rounds}")
    for way, name in names.items():
        loss = f"   mean loss of the last epoch {losses[way]:.3f}" if way != "products" else ""
        print(f"{name:42}{median(clock[way]):8.3f}{median(busy[way]):12.3f}{loss}")
    for what, times in {"by the clock": clock, "by the processor": busy}.items():
        middle = {way: median(seconds) for way, seconds in times.items()}
        ratio = min(middle["fit"], middle["minimize"]) / middle["ours"]
        more = middle["ours"] / middle["products"]
        print(f"{what}: TensorFlow.js takes {ratio:.1f} times as long ({LEAST_RATIO} are wanted)", end="; ")
        print(f"the engine takes {more:.2f} times as long as its multiplications alone")


if __name__ == "__main__":
    main()
