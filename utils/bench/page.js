// The bench in the page: controls, curves, and what the network sees. page.py joins this script with panel.js, the
// rules, the engine and the worker; the page loads it when a reader comes near. The training itself goes on in a Web Worker.

globalThis.trainingBench ??= (() => {
  "use strict";

  const text = {}; // All that a reader reads or hears: page.py writes the table of the reader's language here.
  const say = (key, values = {}) => text[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const here = document.currentScript.src;

  const { FONT, clamp, round, ticks, ...panel } = pagePanel();
  const THEMES = { // the weights of a unit have a colour above 0 and one below
    light: { ...panel.THEMES.light, plus: "#1c57b0", minus: "#b3541e" },
    dark: { ...panel.THEMES.dark, plus: "#8db8fa", minus: "#f0a36b" },
  };
  const DASHES = [[], [7, 4], [2, 3], [8, 3, 2, 3], [12, 4], [1, 5]];
  const GUESSING = Math.log(10); // the loss of a network that knows nothing
  const RATES = Array.from({ length: 13 }, (_, i) => round(10 ** (i / 2 - 5), 1)); // of a sweep
  const SIDE = 28;

  const count_of = (number) => number.toLocaleString(document.documentElement.lang);
  const percent = (share) => say("percent", { n: (100 * share).toFixed(1) });
  const seconds = (time) => time < 10 ? time.toFixed(1) : time.toFixed(0);

  // One worker for the page, made of the source of three functions, and the images that it was given.
  function start_worker() {
    const source = Object.entries({ optimizerRules, trainingEngine, trainingWorker })
      .map(([name, part]) => `globalThis.${name} = ${part};`).join("\n");
    return new Worker(URL.createObjectURL(new Blob([source, "\ntrainingWorker();"], { type: "text/javascript" })));
  }

  // From a disk a page may not fetch, but it may load a script, which says nothing of how far it is.
  function load_script(address) {
    return new Promise((done, fail) => {
      const node = document.createElement("script");
      node.onload = () => {
        node.remove();
        if (globalThis.fashionMnist) done(`"${globalThis.fashionMnist}"`);
        else fail(new Error("damaged"));
        delete globalThis.fashionMnist;
      };
      node.onerror = () => fail(new Error("missing"));
      node.src = address;
      document.head.append(node);
    });
  }
  async function fetch_images(address, signal, again, on_bytes) {
    if (location.protocol === "file:") return load_script(address);
    const answer = await fetch(address, { signal, cache: again ? "reload" : "default" });
    if (!answer.ok) throw new Error("missing");
    const reader = answer.body.getReader(), parts = [];
    for (let bytes = 0; ;) {
      const { done, value } = await reader.read();
      if (done) return new Blob(parts);
      parts.push(value);
      on_bytes(bytes += value.length);
    }
  }

  // Drawing -----------------------------------------------------------------------------------------------------------
  function pen_of(canvas) {
    const ratio = Math.min(devicePixelRatio, 2), pen = canvas.getContext("2d");
    const { clientWidth, clientHeight } = canvas;
    const width = Math.round(clientWidth * ratio), height = Math.round(clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    pen.reset();
    pen.scale(ratio, ratio);
    return pen;
  }

  // Axes with their ticks; returns the pen and where on the canvas a value lies.
  function axes(canvas, theme, { x_range, y_range, x_ticks, y_ticks, x_name, y_name, x_words = String, y_words = String }) {
    const pen = pen_of(canvas), width = canvas.clientWidth, height = canvas.clientHeight;
    const left = 42, right = width - 12, top = 24, bottom = height - 36;
    const x = (value) => left + (right - left) * (value - x_range[0]) / (x_range[1] - x_range[0]);
    const y = (value) => bottom - (bottom - top) * (clamp(value, ...y_range) - y_range[0]) / (y_range[1] - y_range[0]);
    Object.assign(pen, { font: `11.5px ${FONT}`, fillStyle: theme.muted, textBaseline: "middle", textAlign: "right" });
    for (const tick of y_ticks) pen.fillText(y_words(tick), left - 6, y(tick));
    pen.textAlign = "center";
    const widest = Math.max(...x_ticks.map((tick) => pen.measureText(x_words(tick)).width));
    const every = widest + 4 > x(x_ticks[1]) - x(x_ticks[0]) ? 2 : 1; // on a phone, rates would run into each other
    x_ticks.forEach((tick, i) => i % every || pen.fillText(x_words(tick), x(tick), bottom + 12));
    pen.fillText(x_name, (left + right) / 2, height - 8);
    pen.textAlign = "left";
    pen.fillText(y_name, 6, 10);
    pen.fillStyle = theme.muted + "40";
    for (const tick of y_ticks) pen.fillRect(left, Math.round(y(tick)), right - left, 1);
    pen.beginPath();
    pen.rect(left - 1, top - 6, width, bottom - top + 12);
    pen.clip();
    return { pen, x, y };
  }

  function mark(pen, theme, look, x, y, open = false) {
    const path = new Path2D(), size = open ? 3.4 : 4.4;
    path.addPath(new Path2D(look.shape), { a: size, d: size, e: x, f: y });
    Object.assign(pen, { fillStyle: open ? theme.paper : look.color, strokeStyle: open ? look.color : theme.paper });
    pen.setLineDash([]);
    pen.lineWidth = open ? 1.8 : 1;
    pen.fill(path);
    pen.stroke(path);
  }

  function curve(pen, theme, run, points, place, open = false) {
    const { look, dash } = run;
    Object.assign(pen, { strokeStyle: look.color, lineWidth: 2, globalAlpha: open ? 0.6 : 1 });
    pen.setLineDash(dash);
    pen.beginPath();
    for (const point of points) pen.lineTo(...place(point));
    pen.stroke();
    for (const point of points) mark(pen, theme, look, ...place(point), open);
    pen.globalAlpha = 1;
  }

  // The losses of thousands of mini-batches as a band: of each column of dots, the lowest and the highest.
  function draw_losses({ pen, x, y }, { look, losses, steps }, globalAlpha) {
    Object.assign(pen, { strokeStyle: look.color, lineWidth: 1, globalAlpha });
    pen.setLineDash([]);
    pen.beginPath();
    for (let t = 0; t < losses.length;) {
      const column = Math.round(x((t + 1) / steps));
      let low = Infinity, high = -Infinity;
      for (; t < losses.length && Math.round(x((t + 1) / steps)) === column; t++) {
        low = Math.min(low, losses[t]);
        high = Math.max(high, losses[t]);
      }
      pen.lineTo(column, y(low));
      pen.lineTo(column, y(high));
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  function draw_curves([loss_canvas, accuracy_canvas], theme, runs) {
    const last = Math.max(1, ...runs.map(({ settings }) => settings.epochs));
    const common = { x_range: [0, last], x_ticks: ticks(0, last, 5).filter(Number.isInteger), x_name: text.epoch };
    const highest = Math.max(0, ...runs.map(({ losses }) => losses[0] || 0), ...runs.flatMap(({ epochs }) =>
      epochs.map(({ loss }) => loss)));
    const top = clamp(1.05 * highest, 1, 1.2 * GUESSING);
    const left = axes(loss_canvas, theme, {
      ...common, y_range: [0, top], y_ticks: ticks(0, top, 5), y_name: text.page_loss,
    });
    const shares = runs.flatMap(({ epochs }) => epochs.flatMap(({ accuracy, val_accuracy }) => [accuracy, val_accuracy]));
    const [worst, best] = shares.length ? [Math.min(...shares), Math.max(...shares)] : [0, 1];
    const y_range = [Math.floor(10 * worst) / 10, Math.floor(10 * best + 1) / 10].map((share) => Math.min(share, 1));
    const right = axes(accuracy_canvas, theme, {
      ...common, y_range, y_ticks: ticks(...y_range, 5), y_name: text.page_accuracy,
    });
    for (const run of runs) draw_losses(left, run, run === runs.at(-1) ? 0.45 : 0.2);
    for (const run of runs) { // a mean over an epoch stands in its middle
      const { epochs } = run, middle = (e) => e + 0.5;
      curve(left.pen, theme, run, [...epochs.keys()], (e) => [left.x(middle(e)), left.y(epochs[e].loss)]);
      const place = (key, at) => (e) => [right.x(at(e)), right.y(epochs[e][key])];
      curve(right.pen, theme, run, [...epochs.keys()], place("accuracy", middle), true);
      curve(right.pen, theme, run, [...epochs.keys()], place("val_accuracy", (e) => e + 1));
    }
  }

  function draw_sweep(canvas, theme, sweeps) {
    const powers = [-5, -4, -3, -2, -1, 0, 1];
    const { pen, x, y } = axes(canvas, theme, {
      x_range: [-5.2, 1.2], y_range: [0, 1.2 * GUESSING], x_ticks: powers, y_ticks: [0, 0.5, 1, 1.5, 2, 2.5],
      x_name: text.sweep_rate, y_name: text.sweep_loss, x_words: (power) => String(round(10 ** power)),
    });
    for (const sweep of sweeps) {
      const points = sweep.points.map(({ rate, loss }) => [x(Math.log10(rate)), y(loss ?? Infinity)]);
      curve(pen, theme, sweep, points, (point) => point);
      sweep.points.forEach(({ loss }, i) => {
        if (loss === null) Object.assign(pen, { fillStyle: theme.ink, textAlign: "center" }).fillText("∞", points[i][0], 24);
      });
    }
  }

  // 28 × 28 numbers as a picture: greys from 0 to 1, or weights, of which one colour is above 0 and one below.
  function draw_picture(canvas, numbers, theme) {
    Object.assign(canvas, { width: SIDE, height: SIDE });
    const pen = canvas.getContext("2d"), image = pen.createImageData(SIDE, SIDE), white = [255, 255, 255];
    const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const paper = theme ? rgb(theme.paper) : [0, 0, 0], ends = theme && [rgb(theme.minus), rgb(theme.plus)];
    const most = numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 1e-9);
    numbers.forEach((number, i) => {
      const share = theme ? Math.abs(number) / most : number, end = theme ? ends[Number(number > 0)] : white;
      for (let k = 0; k < 3; k++) image.data[4 * i + k] = paper[k] + (end[k] - paper[k]) * share;
      image.data[4 * i + 3] = 255;
    });
    pen.putImageData(image, 0, 0);
    return most;
  }

  const STYLE = `
    slot { display: block; }
    .app { margin: 0 0 12px; }
    button[aria-disabled=true] { border-color: var(--line); background: none; color: var(--muted); cursor: default; }
    button.train { min-width: 6em; }
    .settings, .curves, .inside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px 22px; }
    .settings { grid-template-columns: repeat(auto-fill, minmax(min(10rem, 44%), 1fr)); align-items: end; margin: 12px 0; }
    .settings .wide { grid-column: span 2; }
    .settings .row { flex-wrap: nowrap; min-height: 32px; }
    progress { width: 100%; accent-color: var(--accent); }
    p { margin: 8px 0; }
    .question { margin-top: 8px; padding: 8px 12px; border-left: 3px solid var(--accent); background: var(--tint); }
    .question p { margin: 4px 0; }
    .chart { height: 220px; margin-top: 8px; }
    .chart canvas { width: 100%; height: 100%; }
    canvas { display: block; background: var(--paper); forced-color-adjust: none; }
    ul { margin: 8px 0; padding: 0; list-style: none; }
    .runs li { padding-left: 34px; text-indent: -34px; }
    li svg { width: 26px; height: 14px; margin-right: 8px; vertical-align: -2px; overflow: visible; }
    .inside { margin-top: 10px; padding-top: 12px; border-top: 1px solid var(--line); }
    .head { margin: 0 0 6px; font-weight: 600; }
    .picture { width: 140px; height: 140px; image-rendering: pixelated; border: 1px solid var(--line); }
    .mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 8px; }
    .mistakes canvas { flex: none; width: 56px; height: 56px; image-rendering: pixelated; }
    .mistakes li { display: flex; gap: 8px; font-size: 12.5px; line-height: 1.3; overflow-wrap: anywhere; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 12px; }
    th { padding: 2px 6px; font-weight: 400; text-align: right; white-space: nowrap; }
    thead th { padding: 2px; vertical-align: bottom; }
    thead th span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); }
    thead td { border: 0; }
    td { min-width: 26px; height: 24px; padding: 0 2px; border: 1px solid var(--line); text-align: center; }
    td.right { font-weight: 600; outline: 2px solid var(--control); outline-offset: -2px; }
    caption { padding-bottom: 4px; text-align: left; }
    caption span { display: inline-block; max-width: 100cqi; } /* the table may be wider than what is seen of it */
    @container (min-width: 36rem) {
      .curves { grid-template-columns: 1fr 1fr; }
      .inside { grid-template-columns: 10rem minmax(0, 1fr); }
      .inside .whole { grid-column: 1 / -1; }
    }
    @media (forced-colors: active) { button[aria-disabled=true] { border-color: GrayText; color: GrayText; } }
    @media print { slot[hidden] { display: block !important; } }
  `;

  // Puts the bench below its still picture, which goes when there are curves to show, and stands in on paper.
  function mount(host) {
    const config = JSON.parse(host.dataset.config), { looks, choices, preset, questions, file } = config;
    const names = Object.keys(looks), classes = text.classes.split("|");
    let runs = [], sweeps = [], queue = [], run = null, status = "idle", worker = null, images = "none", theme, frame = 0, stale = false;
    let asked = null, shown = null, abort = null, tried = false, next_id = 0;

    const option = (value, words = value) => `<option value="${value}">${words}</option>`;
    const choose = (name, words = (value) => value) => `<label><span>${text[name]}</span><select name="${name}"
      aria-label="${text[name]}">${[...new Set([...choices[name], preset[name]])].map((value) => option(value, words(value))).join("")}</select></label>`;
    const button = (name, look = "") => `<button name="${name}" class="${look}">${text[name]}</button>`;
    const root = host.attachShadow({ mode: "open" });
    host.style.paddingBottom = 0; // the room that was kept
    root.innerHTML = `<style>${panel.STYLE}${STYLE}</style><slot></slot>
      <div class="app" role="group" aria-label="${text.title}">
        <label><span>${text.preset}</span><select name="preset" aria-label="${text.preset}">${option("", text.own)}${
          Object.entries(questions).map(([key, { title }]) => option(key, title)).join("")}</select></label>
        <div class="question" hidden><p></p><details><summary>${text.answer}</summary><p></p></details></div>
        <div class="settings">
          ${choose("optimizer")}
          <label class="wide"><span>${text.learning_rate}<b></b></span><input type="range" name="learning_rate" min="-100"
            max="20" aria-label="${text.learning_rate}"></label>
          ${choose("schedule", (value) => text[`schedule_${value}`])}
          ${choose("batch_size")}${choose("units", (value) => value || text.no_units)}${choose("epochs")}${choose("seed")}
          <label class="row"><input type="checkbox" name="shuffled">${text.shuffled}</label>
        </div>
        <div class="row">${button("train", "train first")}${button("step")}${button("stop")}${button("sweep")}${button("clear")}
        </div>
        <progress max="1" hidden aria-label="${text.loading_bar}"></progress>
        <p role="status"></p>
        <div class="results" hidden>
          <div class="curves">
            <div class="chart"><canvas role="img"></canvas></div><div class="chart"><canvas role="img"></canvas></div>
          </div>
          <p>${text.legend}</p>
          <ul class="runs"></ul>
        </div>
        <div class="swept" hidden><div class="chart"><canvas role="img"></canvas></div><ul class="runs"></ul></div>
        <div class="inside" hidden>
          <div><p class="head">${text.sees}</p><canvas class="picture" role="img"></canvas>
            <label><span>${text.unit}<b></b></span><input type="range" name="unit" min="1" value="1" aria-label="${text.unit}"></label>
          </div>
          <div><p class="head"></p><ul class="mistakes"></ul></div>
          <details class="whole"><summary>${text.confusion}</summary><div class="scroll" role="region" tabindex="0"
            aria-label="${text.confusion}"></div></details>
        </div>
      </div>`;
    const app = root.querySelector(".app"), find = (selector) => app.querySelector(selector);
    const named = (name) => find(`[name=${name}]`);
    const curves = [...app.querySelectorAll(".curves canvas")], sweep_canvas = find(".swept canvas");

    // Settings ----------------------------------------------------------------------------------------------------------
    const rate = () => round(10 ** (named("learning_rate").value / 20));
    function chosen() {
      const number = (name) => Number(named(name).value);
      return {
        optimizer: named("optimizer").value, learning_rate: rate(), schedule: named("schedule").value,
        batch_size: number("batch_size"), units: number("units"), epochs: number("epochs"), seed: number("seed"),
        shuffled: named("shuffled").checked,
      };
    }
    function fill(settings) {
      for (const [name, value] of Object.entries(settings)) {
        if (name === "learning_rate") named(name).value = Math.round(20 * Math.log10(value));
        else if (name === "shuffled") named(name).checked = value;
        else named(name).value = value;
      }
      show_rate();
    }
    function show_rate() {
      const input = named("learning_rate");
      input.parentNode.querySelector("b").textContent = input.ariaValueText = rate();
    }
    // Equal settings, epochs aside, take the next seed, so that one sees how much is chance.
    function fresh(settings) {
      const same = (other) => Object.keys(settings).every((name) => name === "epochs" || settings[name] === other[name]);
      while (runs.some((other) => same(other.settings)) && settings.seed < Math.max(...choices.seed)) {
        settings = { ...settings, seed: settings.seed + 1 };
      }
      return settings;
    }
    function ask(key) {
      asked = questions[key]?.runs ?? null;
      find(".question").hidden = !asked;
      if (!asked) return;
      const [question, answer] = app.querySelectorAll(".question p");
      question.textContent = questions[key].question;
      answer.textContent = questions[key].answer;
      find(".question details").hidden = true;
      find(".question details").open = false;
      fill({ ...config.defaults, ...asked.at(-1) });
    }

    // Words -------------------------------------------------------------------------------------------------------------
    const tell = (key, values) => { find("[role=status]").textContent = say(key, values); };
    const words_of = ({ settings }) => {
      const more = (settings.shuffled ? "" : text.unshuffled) + (settings.schedule === "cosine" ? text.decaying : "");
      return say("page_run", { ...settings, units: settings.units || text.no_units }) + more;
    };
    function result_of({ epochs, how, losses, settings }) {
      if (how === "diverged") return say("page_diverged", { step: losses.length });
      const last = epochs.at(-1);
      if (!last) return say("page_steps", { step: losses.length });
      const time = seconds(epochs.reduce((sum, epoch) => sum + epoch.seconds, 0) / epochs.length);
      const values = { accuracy: percent(last.val_accuracy), loss: last.loss.toFixed(3), epoch: epochs.length, time };
      return say("page_result", { ...values, epochs: settings.epochs });
    }
    const sample = ({ look, dash }) => `<svg viewBox="-13 -7 26 14" aria-hidden="true"><path d="M-13 0H13" fill="none"
      stroke="${look.color}" stroke-width="2" stroke-dasharray="${dash}"/><path d="${look.shape}" fill="${look.color}"
      transform="scale(4.4)"/></svg>`;

    // What the worker says ----------------------------------------------------------------------------------------------
    function hear({ data }) {
      if (data.kind === "loaded" || data.kind === "damaged") return loaded(data.kind);
      if (data.kind === "weights" && shown?.run.id === data.id) {
        shown.weights = data.weights;
        redraw();
      }
      if (!run || data.id !== run.id || data.kind === "weights") return;
      if (data.kind === "end") return ended(data.how);
      if (data.kind === "paused") {
        if (status === "paused") tell("page_paused", run);
        return;
      }
      for (const loss of data.losses) run.losses.push(loss);
      if (!run.sweep) shown = { run, weights: data.weights, results: shown?.run === run ? shown.results : null };
      if (data.epoch) {
        run.epochs.push(data.epoch);
        if (!run.sweep) {
          shown.results = data.epoch;
          const { val_accuracy, seconds: time } = data.epoch, values = { number: run.number, epoch: run.epochs.length };
          tell("page_training", {
            ...values, epochs: run.settings.epochs, accuracy: percent(val_accuracy), time: seconds(time),
          });
        }
      }
      if (data.epoch || status === "paused" || run.losses.length === data.losses.length) later();
      else if (!matchMedia("(prefers-reduced-motion: reduce)").matches) redraw();
    }
    function ended(how) {
      run.how = how;
      if (run.sweep) {
        run.sweep.points.push({ rate: run.settings.learning_rate, loss: run.epochs.at(-1)?.loss ?? null });
        if (how === "stopped") run.sweep.points.pop();
      }
      const last = run;
      run = null;
      if (how !== "stopped" && queue.length) begin(queue.shift());
      else {
        queue = [];
        set("idle");
        if (last.sweep) {
          const best = last.sweep.points.filter(({ loss }) => loss !== null).sort((a, b) => a.loss - b.loss)[0];
          tell(best ? "sweep_done" : "page_stopped", best && { rate: best.rate, loss: best.loss.toFixed(3) });
        } else {
          const values = { number: last.number, epoch: last.epochs.length, step: last.losses.length };
          const accuracy = percent(last.epochs.at(-1)?.val_accuracy ?? 0);
          tell(`page_${how === "diverged" ? "diverged_run" : how}`, { ...values, accuracy });
          if (last.asked && how !== "stopped") {
            const answer = find(".question details");
            answer.hidden = false;
            answer.open = true;
          }
        }
      }
      later();
    }
    function broken() {
      worker?.terminate();
      worker = null;
      abort?.abort();
      loaded("broken");
      run = null;
      queue = [];
      set("idle");
      tell("no_worker");
    }

    // Training ----------------------------------------------------------------------------------------------------------
    async function get_ready() {
      if (images === "there") return true;
      if (!globalThis.DecompressionStream) return tell("too_old");
      try {
        worker ??= start_worker();
      } catch {
        return broken();
      }
      worker.onmessage = hear;
      worker.onerror = broken;
      set("loading");
      const bar = find("progress"), megabytes = (bytes) => (bytes / 1e6).toFixed(1), began = performance.now();
      let arrived = 0, moved = performance.now();
      bar.removeAttribute("value");
      tell("loading", { size: megabytes(file.bytes) });
      const watch = setInterval(() => { // a slow line is no failure, but one wants to know
        if (performance.now() - moved > 8000) tell("slow", { done: megabytes(arrived), size: megabytes(file.bytes) });
      }, 2000);
      abort = new AbortController();
      try {
        const script = await fetch_images(new URL(file.name, here), abort.signal, tried, (bytes) => {
          bar.value = bytes / file.bytes;
          arrived = bytes;
          moved = performance.now();
        });
        if (abort.signal.aborted) throw new DOMException("", "AbortError");
        const done = new Promise((resolve) => { images = resolve; });
        worker.postMessage({ order: "load", script, counts: file.counts, levels: file.levels });
        if (await done !== "loaded") throw new Error("damaged");
        images = "there";
        return true;
      } catch (error) {
        images = "none";
        if (!worker) return; // which has been said
        tried = true;
        set("idle");
        tell({ AbortError: "load_stopped" }[error.name] ?? (error.message === "damaged" ? "damaged" : "missing"));
      } finally {
        clearInterval(watch);
        bar.hidden = true;
        abort = null;
      }
    }
    const loaded = (how) => images instanceof Function && images(how);

    async function train(jobs, going = true) {
      if (!await get_ready()) return;
      queue = jobs;
      set(going ? "running" : "paused");
      begin(queue.shift(), going);
    }
    function begin({ settings, sweep, asked: question }, going = status === "running") {
      const { train: count } = file.counts, { batch_size, optimizer } = settings;
      const steps = Math.ceil(count / batch_size), look = looks[optimizer];
      const dash = DASHES[runs.filter((other) => other.settings.optimizer === optimizer).length % DASHES.length];
      run = { id: ++next_id, settings, sweep, look, dash, steps, losses: [], epochs: [], how: "", asked: question };
      if (!sweep) {
        runs.push(run);
        run.number = runs.length;
        tell("page_starting", run);
        named("unit").max = settings.units || 10;
        show_unit();
      }
      worker.postMessage({ order: "begin", id: run.id, settings, going, to_see: !sweep });
      later();
    }
    const send = (order, more) => worker?.postMessage({ order, ...more });

    // The page ----------------------------------------------------------------------------------------------------------
    function set(now) {
      status = now;
      named("train").textContent = text[{ idle: "train", loading: "train", running: "pause", paused: "go_on" }[now]];
      const off = {
        train: now === "loading", step: now === "loading" || now === "running", stop: now === "idle",
        sweep: now !== "idle", clear: now !== "idle",
      };
      for (const [name, value] of Object.entries(off)) named(name).ariaDisabled = String(value);
      find("progress").hidden = now !== "loading";
    }
    function show_unit() {
      const input = named("unit");
      input.parentNode.querySelector("b").textContent = input.ariaValueText = say("unit_value", { n: input.value, all: input.max });
    }
    // The curves follow every report of the worker, words and pictures only what changes them.
    function later() {
      stale = true;
      redraw();
    }
    function redraw() {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        if (stale) write();
        stale = false;
        draw();
      });
    }
    function write() {
      root.querySelector("slot").hidden = runs.length + sweeps.length > 0;
      find(".results").hidden = !runs.length;
      find(".swept").hidden = !sweeps.length;
      find(".inside").hidden = !shown;
      const [list, sweep_list] = app.querySelectorAll(".runs");
      list.innerHTML = runs.map((each) => `<li>${sample(each)}${each.number}: ${words_of(each)}: ${result_of(each)}</li>`).join("");
      sweep_list.innerHTML = sweeps.map((each) => `<li>${sample(each)}${say("sweep_of", {
        ...each.settings, n: each.points.length, all: RATES.length, units: each.settings.units || text.no_units,
      })}</li>`).join("");
      for (const [i, canvas] of curves.entries()) {
        canvas.ariaLabel = say(i ? "accuracy_alt" : "loss_alt", {
          runs: runs.map((each) => `${each.number}: ${words_of(each)}: ${result_of(each)}`).join("; "),
        });
      }
      sweep_canvas.ariaLabel = say("sweep_alt", {
        points: sweeps.map(({ settings, points }) => `${settings.optimizer}: ${points.map(({ rate, loss }) =>
          `${rate}: ${loss === null ? "∞" : loss.toFixed(2)}`).join(", ")}`).join("; "),
      });
      if (shown) show_inside();
    }
    function draw() {
      if (runs.length && curves[0].clientWidth) draw_curves(curves, theme, runs);
      if (sweeps.length && sweep_canvas.clientWidth) draw_sweep(sweep_canvas, theme, sweeps);
      if (!shown?.weights) return;
      const picture = find(".picture"), most = draw_picture(picture, shown.weights, theme);
      picture.ariaLabel = say("picture_alt", { n: named("unit").value, most: most.toFixed(2) });
    }
    let examined = null;
    function show_inside() {
      const { results } = shown;
      if (examined === results) return;
      examined = results;
      find(".inside > div:nth-child(2)").hidden = find(".inside details").hidden = !results;
      if (!results) return;
      const { mistakes, confusion } = results, counted = file.counts.held_out;
      const count = Math.round((1 - results.val_accuracy) * counted);
      find(".mistakes").previousElementSibling.textContent = say("wrong", { n: count_of(count), all: count_of(counted) });
      find(".mistakes").innerHTML = mistakes.map(({ label, answer, sure }) => `<li><canvas role="img" aria-label="${
        classes[label]}"></canvas>${say("mistake", { answer: classes[answer], label: classes[label], sure: percent(sure) })}</li>`).join("");
      app.querySelectorAll(".mistakes canvas").forEach((canvas, i) => draw_picture(canvas, mistakes[i].grey));
      const most = Math.max(...confusion);
      const cell = (i, j, n) => `<td class="${i === j ? "right" : ""}" style="background: color-mix(in srgb, var(--${
        i === j ? "accent" : "minus"}) ${Math.round(45 * Math.sqrt(n / most))}%, var(--paper))">${n || ""}</td>`;
      find(".scroll").innerHTML = `<table><caption><span>${text.confusion_caption}</span></caption><thead><tr><td></td>${
        classes.map((name) => `<th scope="col"><span>${name}</span></th>`).join("")}</tr></thead><tbody>${
        classes.map((name, i) => `<tr><th scope="row">${name}</th>${
          classes.map((_, j) => cell(i, j, confusion[10 * i + j])).join("")}</tr>`).join("")}</tbody></table>`;
    }

    // What the controls do, by name.
    const react = {
      preset: ({ value }) => ask(value),
      learning_rate: show_rate,
      unit({ value }) {
        show_unit();
        send("look", { unit: value - 1 });
      },
      train() {
        if (status === "running") {
          send("pause"); // what ended just before is still announced: that it rests is said when the worker says so
          set("paused");
        } else if (status === "paused") {
          send("go");
          set("running");
          tell("page_goes_on", run);
        } else if (asked) {
          train(asked.map((settings, i) => ({
            settings: fresh({ ...config.defaults, ...settings }), asked: i === asked.length - 1,
          })));
        } else {
          const settings = fresh(chosen());
          fill(settings);
          train([{ settings }]);
        }
      },
      step() {
        if (status === "paused") send("step");
        else {
          const settings = fresh(chosen());
          fill(settings);
          train([{ settings }], false).then(() => send("step"));
        }
      },
      stop() {
        if (abort) abort.abort();
        else {
          queue = [];
          send("stop");
        }
      },
      sweep() {
        const settings = { ...chosen(), epochs: 1 };
        const count = sweeps.filter((other) => other.settings.optimizer === settings.optimizer).length;
        const sweep = { settings, look: looks[settings.optimizer], dash: DASHES[count % DASHES.length], points: [] };
        const jobs = RATES.map((learning_rate) => ({ settings: { ...settings, learning_rate }, sweep }));
        train(jobs).then(() => {
          if (images !== "there") return;
          sweeps.push(sweep);
          tell("sweeping", { n: RATES.length });
          later();
        });
      },
      clear() {
        runs = [];
        sweeps = [];
        shown = examined = null;
        tell("page_cleared");
        later();
      },
    };
    app.addEventListener("input", ({ target }) => {
      if (asked && !["preset", "unit"].includes(target.name)) { // her own settings now
        named("preset").value = "";
        ask("");
      }
      react[target.name]?.(target);
    });
    app.addEventListener("click", ({ target }) => {
      if (target.name in react && target.localName === "button" && target.ariaDisabled !== "true") react[target.name](target);
    });
    panel.settle(host);

    fill({ ...config.defaults, ...preset });
    set("idle");
    tell("page_ready", { size: (file.bytes / 1e6).toFixed(1), n: count_of(file.counts.train) });
    panel.follow_theme(app, THEMES, (colors) => {
      theme = colors;
      draw();
    });
    new ResizeObserver(redraw).observe(app);
    host.bench = { get runs() { return runs; }, get sweeps() { return sweeps; }, get status() { return status; } };
  }

  function mount_all() {
    for (const host of document.querySelectorAll(".training-bench[data-config]")) if (!host.shadowRoot) mount(host);
  }
  mount_all();
  return { mount_all };
})();
