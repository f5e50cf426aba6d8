// The engine: trains a network with at most one hidden layer on images. page.js runs it in a Web Worker, tests run it in
// Node, and engine.py is the same in NumPy.

globalThis.trainingEngine ??= () => {
  "use strict";

  const { RULES, uniforms } = optimizerRules();
  const PIXELS = 784, CLASSES = 10;

  // Half of all pixels are black and add nothing to any sum, so only the others are kept: those of image i are
  // pixels[k], with values[k], for k from starts[i] to starts[i + 1].
  function sparse(grey, levels) {
    const count = grey.length / PIXELS, starts = new Uint32Array(count + 1), pixels = [], values = [];
    for (let i = 0; i < grey.length; i++) {
      if (grey[i]) pixels.push(i % PIXELS), values.push(grey[i] / levels);
      if ((i + 1) % PIXELS === 0) starts[(i + 1) / PIXELS] = pixels.length;
    }
    return { count, starts, pixels: Uint16Array.from(pixels), values: Float32Array.from(values) };
  }

  // The numbers of the network are one array, theta; here is where in it each layer has its own. Without hidden units
  // the pixels go right to the classes.
  function layers(theta, units) {
    const width = units || CLASSES, parts = [PIXELS * width, width, units * CLASSES, units && CLASSES];
    let at = 0;
    const [W1, b1, W2, b2] = parts.map((length) => theta.subarray(at, at += length));
    return { units, width, W1, b1, W2, b2 };
  }
  const size_of = (units) => units ? PIXELS * units + units + units * CLASSES + CLASSES : PIXELS * CLASSES + CLASSES;

  // As Keras' Dense: uniform between −limit and limit (Glorot and Bengio, 2010), and biases 0.
  function initial_theta(seed, units) {
    const theta = new Float32Array(size_of(units)), { width, W1, W2 } = layers(theta, units), draw = uniforms(2 * seed);
    for (const [weights, ends] of [[W1, PIXELS + width], [W2, units + CLASSES]]) {
      const limit = Math.sqrt(6 / ends);
      for (let i = 0; i < weights.length; i++) weights[i] = limit * (2 * draw() - 1);
    }
    return theta;
  }

  // Shuffles in place (Fisher and Yates). Every epoch shuffles the order of the one before.
  function shuffle(order, draw) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(draw() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
  }

  // out[at + j] += the sum of scales[k] * matrix[rows[k]][j] for k in [from, to). Eight rows at a time, the last ones
  // made up with zeros: each number of `out` is then read and written an eighth as often. Nearly all of the work is
  // done here.
  function add_rows(out, at, width, matrix, rows, scales, from, to) {
    const scale = (k) => k < to ? scales[k] : 0, row = (k) => k < to ? rows[k] * width : 0;
    for (let k = from; k < to; k += 8) {
      const a = scales[k], b = scale(k + 1), c = scale(k + 2), d = scale(k + 3);
      const e = scale(k + 4), f = scale(k + 5), g = scale(k + 6), h = scale(k + 7);
      const p = rows[k] * width, q = row(k + 1), r = row(k + 2), s = row(k + 3);
      const t = row(k + 4), u = row(k + 5), v = row(k + 6), w = row(k + 7);
      for (let j = 0; j < width; j++) {
        out[at + j] += a * matrix[p + j] + b * matrix[q + j] + c * matrix[r + j] + d * matrix[s + j]
          + e * matrix[t + j] + f * matrix[u + j] + g * matrix[v + j] + h * matrix[w + j];
      }
    }
  }

  // Room for what a mini-batch of up to `most` images computes on its way.
  function workspace(units, most) {
    const width = units || CLASSES, pixels = Math.min(most * PIXELS, 2 ** 23);
    return {
      first: new Float32Array(most * width), back: new Float32Array(most * width), // of the first layer
      scores: new Float32Array(most * CLASSES),
      starts: new Uint32Array(PIXELS + 1), images: new Uint16Array(pixels), values: new Float32Array(pixels),
    };
  }

  // Puts the probabilities of the classes into space.scores; returns the sum of the losses.
  function forward({ units, width, W1, b1, W2, b2 }, { first, scores }, data, rows) {
    let loss = 0;
    first.fill(0);
    for (let n = 0; n < rows.length; n++) {
      const i = rows[n], to = n * CLASSES;
      first.set(b1, n * width);
      add_rows(first, n * width, width, W1, data.pixels, data.values, data.starts[i], data.starts[i + 1]);
      if (units) {
        scores.set(b2, to);
        for (let j = 0; j < units; j++) {
          const h = first[n * units + j] = Math.max(first[n * units + j], 0); // ReLU
          if (h) for (let c = 0; c < CLASSES; c++) scores[to + c] += h * W2[j * CLASSES + c];
        }
      } else scores.set(first.subarray(to, to + CLASSES), to);
      let highest = -Infinity, sum = 0;
      for (let c = 0; c < CLASSES; c++) highest = Math.max(highest, scores[to + c]);
      for (let c = 0; c < CLASSES; c++) sum += Math.exp(scores[to + c] - highest);
      loss += Math.log(sum) + highest - scores[to + data.labels[i]];
      for (let c = 0; c < CLASSES; c++) scores[to + c] = Math.exp(scores[to + c] - highest) / sum;
    }
    return loss;
  }

  function answer(scores, n) {
    let best = 0;
    for (let c = 1; c < CLASSES; c++) if (scores[n * CLASSES + c] > scores[n * CLASSES + best]) best = c;
    return best;
  }

  // Sorts the pixels of a mini-batch that are not black: those of place p are in the images[k], with values[k], for k
  // from starts[p] to starts[p + 1].
  function by_place({ starts, images, values }, data, rows) {
    starts.fill(0);
    for (const i of rows) for (let k = data.starts[i]; k < data.starts[i + 1]; k++) starts[data.pixels[k] + 1]++;
    for (let p = 0; p < PIXELS; p++) starts[p + 1] += starts[p];
    const next = starts.slice();
    for (let n = 0; n < rows.length; n++) {
      for (let k = data.starts[rows[n]]; k < data.starts[rows[n] + 1]; k++) {
        const to = next[data.pixels[k]]++;
        images[to] = n;
        values[to] = data.values[k];
      }
    }
  }

  // Backpropagation: puts the gradient of the mean loss of some images into g. Returns that loss and the right answers.
  function gradient(net, g, space, data, rows) {
    const { units, width, W2 } = net, { first, back, scores } = space, count = rows.length, slopes = layers(g, units);
    const loss = forward(net, space, data, rows) / count;
    let hits = 0;
    g.fill(0);
    for (let n = 0; n < count; n++) {
      const label = data.labels[rows[n]], at = n * CLASSES;
      if (answer(scores, n) === label) hits++;
      for (let c = 0; c < CLASSES; c++) scores[at + c] = (scores[at + c] - (c === label)) / count;
      if (!units) continue;
      for (let c = 0; c < CLASSES; c++) slopes.b2[c] += scores[at + c];
      for (let j = 0; j < units; j++) {
        const h = first[n * units + j];
        let slope = 0;
        if (h > 0) { // else ReLU lets nothing through
          for (let c = 0; c < CLASSES; c++) {
            slopes.W2[j * CLASSES + c] += h * scores[at + c];
            slope += W2[j * CLASSES + c] * scores[at + c];
          }
        }
        back[n * units + j] = slope;
      }
    }
    const delta = units ? back : scores;
    for (let n = 0; n < count; n++) for (let j = 0; j < width; j++) slopes.b1[j] += delta[n * width + j];
    by_place(space, data, rows);
    for (let p = 0; p < PIXELS; p++) {
      add_rows(slopes.W1, p * width, width, delta, space.images, space.values, space.starts[p], space.starts[p + 1]);
    }
    return { loss, hits };
  }

  // The share of alpha that is used in step t of T: all of it, or less and less, along a cosine, as Keras' CosineDecay.
  const SCHEDULES = { constant: () => 1, cosine: (t, T) => 0.5 * (1 + Math.cos(Math.PI * t / T)) };
  const HYPERPARAMETERS = { momentum: 0.9, rho: 0.9, beta_1: 0.9, beta_2: 0.999 }; // as in optimizers.py

  // Trains, and comes back after every mini-batch: a generator.
  function* train(settings, data, theta = initial_theta(settings.seed, settings.units)) {
    const { optimizer, learning_rate, units, epochs, seed, shuffled, schedule } = settings;
    const batch = Math.min(settings.batch_size, data.count), total = epochs * Math.ceil(data.count / batch);
    const net = layers(theta, units), g = new Float32Array(theta.length), space = workspace(units, batch);
    const rule = RULES[optimizer], state = rule.init(theta);
    const order = Uint16Array.from({ length: data.count }, (_, i) => i), draw = uniforms(2 * seed + 1);
    let t = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (shuffled) shuffle(order, draw);
      for (let from = 0; from < data.count; from += batch) {
        const rows = order.subarray(from, from + batch), { loss, hits } = gradient(net, g, space, data, rows);
        rule.step(theta, g, state, { ...HYPERPARAMETERS, learning_rate: learning_rate * SCHEDULES[schedule](t, total) });
        t++;
        yield { t, net, epoch, loss, hits, count: rows.length, ends_epoch: from + batch >= data.count };
      }
    }
  }

  // The answers to all images, and how sure the network is of each.
  function answers(net, data, batch = 500) {
    const space = workspace(net.units, batch), all = new Uint8Array(data.count), sure = new Float32Array(data.count);
    for (let from = 0; from < data.count; from += batch) {
      const rows = Array.from({ length: Math.min(batch, data.count - from) }, (_, n) => from + n);
      forward(net, space, data, rows);
      for (const i of rows) {
        all[i] = answer(space.scores, i - from);
        sure[i] = space.scores[(i - from) * CLASSES + all[i]];
      }
    }
    return { all, sure };
  }

  return { PIXELS, CLASSES, sparse, layers, initial_theta, shuffle, add_rows, by_place, workspace, train, answers };
};
