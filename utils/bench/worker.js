// The worker: keeps the images and trains on them as it is told, message by message. page.js starts it in the background,
// where even long work does not hold up the page.

globalThis.trainingWorker ??= () => {
  "use strict";

  const { PIXELS, CLASSES, sparse, train, answers } = trainingEngine();
  const PAUSE_BETWEEN_REPORTS = 100; // milliseconds
  let training, held_out, run = null, seen = null, unit = 0; // `seen` is the run whose weights one looks at

  // The file is a script that holds one text, in base64: labels, then greys, two in a byte, compressed by gzip, whose
  // sum tells whether all has arrived.
  async function load({ script, counts, levels }) {
    const text = typeof script === "string" ? script : await script.text();
    const words = atob(text.slice(text.indexOf('"') + 1, text.lastIndexOf('"')));
    const bytes = new Uint8Array(words.length);
    for (let i = 0; i < words.length; i++) bytes[i] = words.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const all = new Uint8Array(await new Response(stream).arrayBuffer());
    const total = counts.train + counts.held_out, grey = new Uint8Array(total * PIXELS);
    for (let i = 0; i < grey.length; i += 2) {
      grey[i] = all[total + i / 2] >> 4;
      grey[i + 1] = all[total + i / 2] & 15;
    }
    const part = (from, to) => ({
      ...sparse(grey.subarray(from * PIXELS, to * PIXELS), levels), labels: all.subarray(from, to),
    });
    training = part(0, counts.train);
    held_out = part(counts.train, total);
  }

  // Lets messages in between two mini-batches; setTimeout would wait longer than a mini-batch takes.
  const channel = new MessageChannel();
  const breathe = () => new Promise((done) => {
    channel.port2.onmessage = done;
    channel.port1.postMessage(0);
  });

  function weights_of({ W1, width }) {
    return Float32Array.from({ length: PIXELS }, (_, p) => W1[p * width + Math.min(unit, width - 1)]);
  }

  function report(more = {}) {
    const { net, id, t } = run, losses = Float32Array.from(run.losses);
    run.losses = [];
    run.reported = performance.now();
    postMessage({ kind: "progress", id, t, losses, weights: weights_of(net), ...more });
  }

  // How the held-out images fare: right answers, who is taken for whom, and the surest of the mistakes.
  function examine() {
    const { all, sure } = answers(run.net, held_out), confusion = new Uint16Array(CLASSES ** 2), wrong = [];
    for (let i = 0; i < held_out.count; i++) {
      confusion[held_out.labels[i] * CLASSES + all[i]]++;
      if (all[i] !== held_out.labels[i]) wrong.push(i);
    }
    const mistakes = wrong.sort((a, b) => sure[b] - sure[a]).slice(0, 6).map((i) => {
      const grey = new Float32Array(PIXELS);
      for (let k = held_out.starts[i]; k < held_out.starts[i + 1]; k++) grey[held_out.columns[k]] = held_out.values[k];
      return { grey, label: held_out.labels[i], answer: all[i], sure: sure[i] };
    });
    return { val_accuracy: 1 - wrong.length / held_out.count, confusion, mistakes };
  }

  function step() {
    const began = performance.now(), { value } = run.steps.next(), { loss, hits, count, net, t } = value;
    run.seconds += (performance.now() - began) / 1000;
    Object.assign(run, { net, t, loss: run.loss + loss * count, hits: run.hits + hits });
    run.losses.push(loss);
    if (run.to_see) seen = run;
    if (!Number.isFinite(loss)) return end("diverged");
    if (value.ends_epoch) {
      const means = { loss: run.loss / training.count, accuracy: run.hits / training.count, seconds: run.seconds };
      report({ epoch: { ...means, ...examine() } });
      Object.assign(run, { loss: 0, hits: 0, seconds: 0 });
      if (value.epoch + 1 === run.settings.epochs) end("finished");
    } else if (!run.going || performance.now() - run.reported > PAUSE_BETWEEN_REPORTS) report();
  }

  function end(how) {
    if (run.net) report();
    postMessage({ kind: "end", id: run.id, how, t: run.t });
    run = null;
  }

  async function go() {
    const mine = run;
    if (mine.at_work) return;
    mine.at_work = true;
    while (run === mine && run.going) {
      step();
      await breathe();
    }
    mine.at_work = false;
  }

  const orders = {
    async load(message) {
      try {
        await load(message);
        postMessage({ kind: "loaded" });
      } catch {
        postMessage({ kind: "damaged" });
      }
    },
    begin({ id, settings, going, to_see }) {
      const steps = train(settings, training);
      run = { id, settings, steps, going, to_see, t: 0, loss: 0, hits: 0, seconds: 0, losses: [], reported: 0 };
      if (going) go();
    },
    go() {
      if (!run || run.going) return;
      run.going = true;
      go();
    },
    pause() {
      if (!run) return;
      run.going = false;
      postMessage({ kind: "paused", id: run.id });
    },
    step() { if (run && !run.going) step(); },
    stop() { if (run) end("stopped"); },
    look(message) {
      unit = message.unit;
      if (seen) postMessage({ kind: "weights", id: seen.id, weights: weights_of(seen.net) });
    },
  };
  globalThis.onmessage = ({ data }) => orders[data.order](data);
};
