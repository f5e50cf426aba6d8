// The engine: trains a network with at most one hidden layer on images. page.js runs it in a Web Worker, tests run it in
// Node, and engine.py is the same in NumPy.

globalThis.trainingEngine ??= () => {
  "use strict";

  const { RULES, uniforms } = optimizerRules();
  const PIXELS = 784, CLASSES = 10;

  // Half of all pixels are black and add nothing to any sum, so only the others are kept. A sparse matrix has in row r,
  // for k from starts[r] to starts[r + 1], values[k] in column columns[k]. Images are its rows, their pixels the columns.
  function room_for(rows, most) {
    return {
      count: rows, starts: new Uint32Array(rows + 1), columns: new Uint16Array(most), values: new Float32Array(most),
    };
  }
  function sparse(grey, levels) {
    const matrix = room_for(grey.length / PIXELS, grey.reduce((count, value) => count + (value > 0), 0));
    for (let i = 0, k = 0; i < grey.length; i++) {
      if (grey[i]) {
        matrix.columns[k] = i % PIXELS;
        matrix.values[k++] = grey[i] / levels;
      }
      if ((i + 1) % PIXELS === 0) matrix.starts[(i + 1) / PIXELS] = k;
    }
    return matrix;
  }

  // Puts some of the rows into another sparse matrix.
  function gather(data, rows, to) {
    to.count = rows.length;
    for (let n = 0; n < rows.length; n++) {
      const from = data.starts[rows[n]], end = data.starts[rows[n] + 1];
      to.columns.set(data.columns.subarray(from, end), to.starts[n]);
      to.values.set(data.values.subarray(from, end), to.starts[n]);
      to.starts[n + 1] = to.starts[n] + end - from;
    }
  }

  // Puts the same numbers into another one, whose rows are the columns of the first.
  function transpose({ count, starts, columns, values }, to) {
    const end = starts[count];
    to.starts.fill(0);
    for (let k = 0; k < end; k++) to.starts[columns[k] + 1]++;
    for (let p = 0; p < to.count; p++) to.starts[p + 1] += to.starts[p];
    const next = to.starts.slice();
    for (let n = 0; n < count; n++) {
      for (let k = starts[n]; k < starts[n + 1]; k++) {
        const place = next[columns[k]]++;
        to.columns[place] = n;
        to.values[place] = values[k];
      }
    }
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

  // Adds to `out` the product of a sparse matrix and a dense one of rows of some width. Nearly all of the work is done
  // here: eight rows at a time, the last ones made up with zeros, so that `out` is read and written less often.
  function multiply(out, { count, starts, columns, values }, dense, width) {
    for (let r = 0; r < count; r++) {
      const end = starts[r + 1], at = r * width;
      const value = (k) => k < end ? values[k] : 0, row = (k) => k < end ? columns[k] * width : 0;
      for (let k = starts[r]; k < end; k += 8) {
        const a = values[k], b = value(k + 1), c = value(k + 2), d = value(k + 3);
        const e = value(k + 4), f = value(k + 5), g = value(k + 6), h = value(k + 7);
        const p = columns[k] * width, q = row(k + 1), s = row(k + 2), t = row(k + 3);
        const u = row(k + 4), v = row(k + 5), w = row(k + 6), x = row(k + 7);
        for (let j = 0; j < width; j++) {
          out[at + j] += a * dense[p + j] + b * dense[q + j] + c * dense[s + j] + d * dense[t + j]
            + e * dense[u + j] + f * dense[v + j] + g * dense[w + j] + h * dense[x + j];
        }
      }
    }
  }

  // The same in WebAssembly, which multiplies four numbers at once: put together from the names of its instructions. Its
  // function adds up one row of `out`. What it is given (0: where that row is, 1: the width, 2: where the dense matrix
  // is, 3 and 4: columns and values of the sparse row, 5: how many) is in bytes; 6, 7 and 8 are its variables.
  const INSTRUCTIONS = {
    block: [2, 64], loop: [3, 64], end: [11], leave_if: [13], again: [12], get: [32], set: [33], tee: [34], number: [65],
    is_zero: [69], less: [73], add: [106], subtract: [107], multiply: [108], load_16_bits: [47, 1, 0],
    load_float: [42, 2, 0], load_four: [253, 0, 2, 0], store_four: [253, 11, 2, 0], four_times: [253, 19],
    add_four: [253, 228, 1], multiply_four: [253, 230, 1],
  };
  const ROW_SUM = `block loop
      get 5 is_zero leave_if 1
      get 2 get 3 load_16_bits get 1 multiply add set 7
      get 4 load_float four_times set 8
      get 0 set 6
      loop
        get 6 get 6 load_four get 7 load_four get 8 multiply_four add_four store_four
        get 7 number 16 add set 7
        get 6 number 16 add tee 6 get 0 get 1 add less leave_if 0
      end
      get 3 number 2 add set 3 get 4 number 4 add set 4 get 5 number 1 subtract set 5
      again 0
    end end end`;

  // Returns `multiply`, four at once where WebAssembly may run and knows how to.
  function fastest() {
    const part = (number, ...content) => [number, content.length, ...content], int = 127, four = 123;
    const code = ROW_SUM.split(/\s+/).flatMap((word) => INSTRUCTIONS[word] ?? Number(word));
    const body = [2, 2, int, 1, four, ...code];
    const length = [body.length & 127 | 128, body.length >> 7]; // below 2 ** 14
    const after = [body.length + 3 & 127 | 128, body.length + 3 >> 7];
    const bytes = [
      0, 97, 115, 109, 1, 0, 0, 0, ...part(1, 1, 96, 6, int, int, int, int, int, int, 0), // a function of six numbers
      ...part(2, 1, 1, 109, 1, 109, 2, 0, 1), ...part(3, 1, 0), ...part(7, 1, 1, 102, 0, 0), // memory m.m, function f
      10, ...after, 1, ...length, ...body,
    ];
    let add_row, memory;
    try {
      memory = new WebAssembly.Memory({ initial: 1 });
      const module = new WebAssembly.Module(Uint8Array.from(bytes));
      add_row = new WebAssembly.Instance(module, { m: { m: memory } }).exports.f;
    } catch {
      return multiply;
    }
    return (out, matrix, dense, width) => {
      if (width % 4) return multiply(out, matrix, dense, width);
      const { count, starts, columns, values } = matrix, entries = starts[count], rows = count * width;
      const at = { dense: 4 * rows, values: 4 * (rows + dense.length), columns: 4 * (rows + dense.length + entries) };
      const missing = at.columns + 2 * entries - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / 2 ** 16));
      const sums = new Float32Array(memory.buffer, 0, rows);
      sums.set(out.subarray(0, rows));
      new Float32Array(memory.buffer, at.dense).set(dense);
      new Float32Array(memory.buffer, at.values).set(values.subarray(0, entries));
      new Uint16Array(memory.buffer, at.columns).set(columns.subarray(0, entries));
      for (let r = 0; r < count; r++) {
        const from = starts[r], many = starts[r + 1] - from;
        add_row(4 * r * width, 4 * width, at.dense, at.columns + 2 * from, at.values + 4 * from, many);
      }
      out.set(sums);
    };
  }
  const product = fastest();

  // Room for what a mini-batch of up to `most` images computes on its way.
  function workspace(units, most, data) {
    const width = units || CLASSES, pixels = Math.min(most * PIXELS, data.values.length);
    return {
      first: new Float32Array(most * width), back: new Float32Array(most * width), // of the first layer
      scores: new Float32Array(most * CLASSES), by_image: room_for(most, pixels), by_place: room_for(PIXELS, pixels),
    };
  }

  // Puts the probabilities of the classes into space.scores; returns the sum of the losses.
  function forward({ units, width, W1, b1, W2, b2 }, { first, scores, by_image }, data, rows) {
    let loss = 0;
    for (let n = 0; n < rows.length; n++) first.set(b1, n * width);
    gather(data, rows, by_image);
    product(first, by_image, W1, width);
    for (let n = 0; n < rows.length; n++) {
      const to = n * CLASSES;
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
      loss += Math.log(sum) + highest - scores[to + data.labels[rows[n]]];
      for (let c = 0; c < CLASSES; c++) scores[to + c] = Math.exp(scores[to + c] - highest) / sum;
    }
    return loss;
  }

  function answer(scores, n) {
    let best = 0;
    for (let c = 1; c < CLASSES; c++) if (scores[n * CLASSES + c] > scores[n * CLASSES + best]) best = c;
    return best;
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
    transpose(space.by_image, space.by_place);
    product(slopes.W1, space.by_place, delta, width);
    return { loss, hits };
  }

  // The share of alpha that is used in step t of T: all of it, or less and less, along a cosine, as Keras' CosineDecay.
  const SCHEDULES = { constant: () => 1, cosine: (t, T) => 0.5 * (1 + Math.cos(Math.PI * t / T)) };
  const HYPERPARAMETERS = { momentum: 0.9, rho: 0.9, beta_1: 0.9, beta_2: 0.999 }; // as in optimizers.py

  // Trains, and comes back after every mini-batch: a generator.
  function* train(settings, data, theta = initial_theta(settings.seed, settings.units)) {
    const { optimizer, learning_rate, units, epochs, seed, shuffled, schedule } = settings;
    const batch = Math.min(settings.batch_size, data.count), total = epochs * Math.ceil(data.count / batch);
    const net = layers(theta, units), g = new Float32Array(theta.length), space = workspace(units, batch, data);
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
    const space = workspace(net.units, batch, data), all = new Uint8Array(data.count), sure = new Float32Array(data.count);
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

  return {
    PIXELS, CLASSES, sparse, layers, initial_theta, shuffle, gather, transpose, multiply, product, workspace, train, answers,
  };
};
