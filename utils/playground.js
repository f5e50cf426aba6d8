// The playground: a figure that a reader can drag and play, drawn by this one script with no library.
//
// From top to bottom: what it says, the surfaces and the update rules (the same as in utils/surfaces.py and
// utils/optimizers.py), the drawing, the controls. utils/playground.py writes this file, after a figure's settings, into
// the cell's output. Several figures on a page share the copy that runs first.

globalThis.optimizerPlayground ??= (() => {
  "use strict";

  // Everything a reader gets to read or hear, by language. Strict JSON, because playground.py reads it too.
  const TEXT = {
    "en": {
      "title": "Optimizer playground",
      "map_alt": "Contour lines of the {surface} surface with the paths of {optimizers} from one starting point.",
      "still_caption": "{optimizers} on the {surface} surface, {steps} steps. A still picture: where scripts run (in the published page, in Colab, in JupyterLab) this is a figure to drag and play.",
      "ravine": "Ravine",
      "rosenbrock": "Rosenbrock",
      "beale": "Beale",
      "himmelblau": "Himmelblau",
      "saddle": "Saddle",
      "surface": "Surface",
      "optimizers": "Optimizers",
      "choose": "Choose an optimizer.",
      "handle": "Starting point",
      "handle_value": "θ₁ = {x}, θ₂ = {y}; arrow keys move it, with Shift further",
      "play": "Play",
      "pause": "Pause",
      "step": "Step",
      "position": "Step shown",
      "position_value": "{at} of {steps}",
      "chart_alt": "Loss against the number of steps, on a logarithmic axis: {optimizers}.",
      "chart_loss": "loss",
      "chart_step": "step",
      "reached": "reaches {target} after {n} steps",
      "reached_one": "reaches {target} after 1 step",
      "reached_zero": "starts below {target}",
      "diverged": "diverges at step {n}",
      "unreached": "loss {loss} after {n} steps",
      "unreached_one": "loss {loss} after 1 step",
      "unreached_zero": "loss {loss} at the start",
      "learning_rate": "Learning rate α",
      "learning_rate_of": "{name}’s learning rate",
      "shared": "One learning rate for all",
      "momentum": "Momentum μ",
      "rho": "RMSprop’s decay ρ",
      "beta_1": "Adam’s β₁",
      "beta_2": "Adam’s β₂",
      "condition_number": "Condition number κ",
      "steps": "Steps",
      "noise": "Gradient noise",
      "start_0": "Start θ₁",
      "start_1": "Start θ₂",
      "reset": "Reset",
      "reseed": "New noise",
      "copy_link": "Copy link",
      "copy_code": "Copy as Python",
      "copied": "Copied",
      "by_hand": "Ctrl+C copies this"
    }
  };

  // The surfaces: value and gradient, as in utils/surfaces.py.

  const SURFACES = {
    ravine: (condition_number) => ({
      value: (x, y) => 0.5 * (x ** 2 / condition_number + y ** 2),
      gradient: (x, y) => [x / condition_number, y],
    }),
    rosenbrock: () => ({
      value: (x, y) => (1 - x) ** 2 + 100 * (y - x ** 2) ** 2,
      gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x ** 2), 200 * (y - x ** 2)],
    }),
    beale: () => ({
      value: (x, y) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
      gradient(x, y) {
        const a = 1.5 - x + x * y, b = 2.25 - x + x * y ** 2, c = 2.625 - x + x * y ** 3;
        return [2 * (a * (y - 1) + b * (y ** 2 - 1) + c * (y ** 3 - 1)), 2 * x * (a + 2 * b * y + 3 * c * y ** 2)];
      },
    }),
    himmelblau: () => ({
      value: (x, y) => (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2,
      gradient(x, y) {
        const a = x ** 2 + y - 11, b = x + y ** 2 - 7;
        return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
      },
    }),
    saddle: () => ({
      value: (x, y) => 0.5 * x ** 2 + 0.25 * (y ** 2 - 1) ** 2,
      gradient: (x, y) => [x, y * (y ** 2 - 1)],
    }),
  };

  // The update rules, for one coordinate: they treat each alone. As in utils/optimizers.py.

  const EPSILON = 1e-7;
  const INITIAL_ACCUMULATOR_VALUE = 0.1;

  const RULES = {
    SGD: {
      init: () => ({}),
      step: (theta, g, state, { learning_rate }) => [theta - learning_rate * g, state],
    },
    Momentum: {
      init: () => ({ v: 0 }),
      step(theta, g, state, { learning_rate, momentum }) {
        const v = momentum * state.v - learning_rate * g;
        return [theta + v, { v }];
      },
    },
    Nesterov: {
      init: () => ({ v: 0 }),
      step(theta, g, state, { learning_rate, momentum }) {
        const v = momentum * state.v - learning_rate * g;
        return [theta + momentum * v - learning_rate * g, { v }];
      },
    },
    Adagrad: {
      init: () => ({ G: INITIAL_ACCUMULATOR_VALUE }),
      step(theta, g, state, { learning_rate }) {
        const G = state.G + g ** 2;
        return [theta - learning_rate * g / Math.sqrt(G + EPSILON), { G }];
      },
    },
    RMSprop: {
      init: () => ({ s: 0 }),
      step(theta, g, state, { learning_rate, rho }) {
        const s = rho * state.s + (1 - rho) * g ** 2;
        return [theta - learning_rate * g / Math.sqrt(s + EPSILON), { s }];
      },
    },
    Adam: {
      init: () => ({ m: 0, v: 0, t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const t = state.t + 1;
        const m = beta_1 * state.m + (1 - beta_1) * g;
        const v = beta_2 * state.v + (1 - beta_2) * g ** 2;
        const alpha_t = learning_rate * (1 - beta_2 ** t) ** 0.5 / (1 - beta_1 ** t);
        return [theta - alpha_t * m / (Math.sqrt(v) + EPSILON), { m, v, t }];
      },
    },
  };

  // Standard normal numbers, the same ones for the same seed: Marsaglia's xorshift makes uniform numbers, the formula
  // of Box and Muller turns two of them into two normal ones. playground.py has the same generator.
  function normals(seed, count) {
    let bits = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
    const uniform = () => {
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      return ((bits >>> 0) - 0.5) / 2 ** 32;
    };
    for (let i = 0; i < 16; i++) uniform(); // the first numbers of neighbouring seeds resemble each other
    const numbers = [];
    while (numbers.length < count) {
      const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
      numbers.push(radius * Math.cos(angle), radius * Math.sin(angle));
    }
    return numbers;
  }

  // Runs one optimizer. `noise` has two numbers for each step, added to the gradient. The answer holds the starting
  // point and the point after each step; a run that diverges goes on as Infinity or NaN.
  function descend(name, settings, surface, start, steps, noise = null) {
    const rule = RULES[name];
    const x = new Float64Array(steps + 1), y = new Float64Array(steps + 1), loss = new Float64Array(steps + 1);
    let state_x = rule.init(), state_y = rule.init();
    [x[0], y[0]] = start;
    loss[0] = surface.value(x[0], y[0]);
    for (let t = 0; t < steps; t++) {
      let [g_x, g_y] = surface.gradient(x[t], y[t]);
      if (noise) {
        g_x += noise[2 * t];
        g_y += noise[2 * t + 1];
      }
      [x[t + 1], state_x] = rule.step(x[t], g_x, state_x, settings);
      [y[t + 1], state_y] = rule.step(y[t], g_y, state_y, settings);
      loss[t + 1] = surface.value(x[t + 1], y[t + 1]);
    }
    return { x, y, loss };
  }

  // What became of a run after `at` steps. It diverged if from some step on its loss stays above `ceiling`.
  function outcome(loss, at, target, ceiling) {
    let below = at;
    while (below >= 0 && !(loss[below] <= ceiling)) below--;
    if (below < at) return { kind: "diverged", n: below + 1 };
    const n = loss.findIndex((value) => value <= target);
    return n >= 0 && n <= at ? { kind: "reached", n } : { kind: "unreached", n: at };
  }

  // high: the ground at the top of the picture; at the minimum it is the paper.
  const THEMES = {
    light: {
      paper: "#ffffff", tint: "#f1f4f8", line: "#d3dae3", control: "#8793a2", muted: "#4f5a68", ink: "#1d2530",
      accent: "#1f5fbf", high: "#c9d4e2",
    },
    dark: {
      paper: "#14181e", tint: "#1f2630", line: "#353e4a", control: "#6b7788", muted: "#aeb8c5", ink: "#e6eaf0",
      accent: "#8ab4f8", high: "#343f4e",
    },
  };
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
  const BANDS = 15;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const round = (value, digits = 2) => Number(value.toPrecision(digits));
  const is_number = (value) => typeof value === "number" && Number.isFinite(value);

  // Round numbers to label an axis with, at most about `count` of them.
  function ticks(from, to, count) {
    const power = 10 ** Math.floor(Math.log10((to - from) / count));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power * count >= to - from);
    const first = Math.ceil(from / step);
    return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => round((first + i) * step, 6));
  }

  // The highest value in the picture, found on a coarse grid.
  function highest_of(surface, [left, right, bottom, top]) {
    const values = [];
    for (let i = 0; i <= 40; i++) {
      for (let j = 0; j <= 40; j++) {
        values.push(surface.value(left + (right - left) * i / 40, bottom + (top - bottom) * j / 40));
      }
    }
    return Math.max(...values);
  }

  // Colours every pixel by the contour band it lies in. The height in bands, h = BANDS (value / highest)^(1/4), gives the
  // valley its share of lines. A pixel's distance from a band's edge is h's distance from a whole number over h's slope:
  // pixels closer than one are mixed, so that edges are smooth at any size.
  function draw_bands(pen, surface, [left, right, bottom, top], theme) {
    const { width, height } = pen.canvas, highest = highest_of(surface, [left, right, bottom, top]);
    const [low, high, line] = [theme.paper, theme.high, theme.muted].map((hex) =>
      [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    const row_of_heights = (row) => {
      const y = top - (top - bottom) * (row + 0.5) / height;
      return Float64Array.from({ length: width + 1 }, (_, column) =>
        BANDS * (surface.value(left + (right - left) * (column + 0.5) / width, y) / highest) ** 0.25);
    };
    const image = pen.createImageData(width, height);
    let here = row_of_heights(0), i = 0;
    for (let row = 0; row < height; row++) {
      const below = row_of_heights(row + 1);
      for (let column = 0; column < width; column++) {
        const h = here[column], edge = Math.round(h), slope = Math.hypot(here[column + 1] - h, below[column] - h);
        const distance = edge ? (h - edge) / (slope || 1e-9) : 9;
        const shade = (edge - 1 + clamp(0.5 + distance, 0, 1)) / BANDS;
        const stroke = 0.3 * clamp(1.3 - Math.abs(distance), 0, 1);
        for (let k = 0; k < 3; k++) {
          const ground = low[k] + (high[k] - low[k]) * shade;
          image.data[i++] = ground + (line[k] - ground) * stroke;
        }
        image.data[i++] = 255;
      }
      here = below;
    }
    pen.putImageData(image, 0, 0);
  }

  function draw_text(pen, words, x, y, align, color, halo) {
    pen.font = `11.5px ${FONT}`;
    pen.textAlign = align;
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = halo;
    pen.strokeText(words, x, y);
    pen.fillStyle = color;
    pen.fillText(words, x, y);
  }

  function draw_marker(pen, look, [x, y], size, theme) {
    pen.save();
    pen.translate(x, y);
    pen.scale(size, size);
    pen.lineWidth = 3 / size;
    pen.strokeStyle = theme.paper;
    pen.stroke(look.path);
    pen.fillStyle = look.color;
    pen.fill(look.path);
    pen.restore();
  }

  // One run, as a line with an edge of paper around it, the optimizer's marker now and then, and large where it ends.
  // With `dots`, each step gets a dot unless it would touch the last one.
  function draw_run(pen, points, look, theme, dots, spacing) {
    const line = new Path2D(), steps = new Path2D(), markers = [], far = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
    let last = points[0], dot = last, marker = last;
    line.moveTo(...last);
    for (const point of points) {
      if (far(point, last) < 0.6) continue;
      last = point;
      line.lineTo(...point);
      if (far(point, marker) > spacing) markers.push(marker = dot = point);
      else if (dots && far(point, dot) > 9) {
        dot = point;
        steps.moveTo(...point);
        steps.arc(...point, 2.1, 0, 7);
      }
    }
    pen.lineJoin = "bevel";
    pen.lineWidth = 4;
    pen.strokeStyle = theme.paper + "c0";
    pen.stroke(line);
    pen.lineWidth = 1.9;
    pen.strokeStyle = pen.fillStyle = look.color;
    pen.stroke(line);
    pen.fill(steps);
    for (const point of markers) draw_marker(pen, look, point, 3.6, theme);
    draw_marker(pen, look, last, 5.6, theme);
  }

  // The picture's points of a run, up to where it leaves for good.
  function points_of(x, y, at, to_x, to_y) {
    const points = [];
    for (let t = 0; t <= at; t++) {
      const point = [to_x(x ? x[t] : t), to_y(y[t])];
      if (!point.every((place) => Math.abs(place) < 1e5)) break;
      points.push(point);
    }
    return points;
  }

  // What stays while paths change: the ground, the axes' numbers, a cross at each minimum.
  function draw_ground(pen, surface, map, minima, theme) {
    draw_bands(pen, surface, map.view, theme);
    const label = (words, x, y, align) => draw_text(pen, words, x, y, align, theme.muted, theme.paper + "a0");
    const [left, right, bottom, top] = map.view;
    for (const x of ticks(left, right, 6)) if (map.x(x) > 30 && map.x(x) < map.width - 36) label(minus(x), map.x(x), map.height - 11, "center");
    for (const y of ticks(bottom, top, 5)) if (map.y(y) > 28 && map.y(y) < map.height - 26) label(minus(y), 7, map.y(y), "left");
    label("θ₂", 7, 13, "left");
    label("θ₁", map.width - 8, map.height - 11, "right");
    pen.beginPath();
    for (const [x, y] of minima) {
      for (const way of [1, -1]) {
        pen.moveTo(map.x(x) - 4.5, map.y(y) - 4.5 * way);
        pen.lineTo(map.x(x) + 4.5, map.y(y) + 4.5 * way);
      }
    }
    pen.lineWidth = 2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
  }

  // The loss of each run against the number of steps.
  function draw_chart(pen, width, height, state, runs, ceiling, looks, theme) {
    const left = 36, right = width - 9, top = 24, bottom = height - 24;
    const values = Object.values(runs).flatMap(({ loss }) => [...loss]).filter((value) => value > 0 && value <= ceiling);
    const low = clamp(Math.floor(Math.log10(Math.min(state.target, ...values))), -10, 9);
    const high = Math.ceil(Math.log10(Math.max(10 * state.target, ...values)));
    const to_x = (t) => left + (right - left) * t / state.steps;
    const to_y = (value) => bottom - (bottom - top) * (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
    const label = (words, x, y, align) => draw_text(pen, words, x, y, align, theme.muted, theme.paper);
    const rule = (x, y, to_x, to_y, color, dash) => {
      pen.setLineDash(dash);
      pen.lineWidth = 1;
      pen.strokeStyle = color;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(to_x, to_y);
      pen.stroke();
      pen.setLineDash([]);
    };
    for (let power = high; power >= low; power -= Math.ceil(34 * (high - low) / height)) {
      rule(left, to_y(10 ** power), right, to_y(10 ** power), theme.line, []);
      label(power ? `1e${minus(power)}` : "1", left - 6, to_y(10 ** power), "right");
    }
    for (const t of ticks(0, state.steps, width / 70)) {
      if (Number.isInteger(t) && to_x(t) < right - 24) label(t, to_x(t), height - 9, "center");
    }
    label(text.chart_step, right, height - 9, "right");
    label(text.chart_loss, 4, 8, "left");
    rule(left, to_y(state.target), right, to_y(state.target), theme.muted, [2, 4]);
    pen.save();
    pen.beginPath();
    pen.rect(0, top - 8, width, height);
    pen.clip();
    Object.entries(runs).forEach(([name, { loss }], i) => // markers at different places, so that equal runs show both
      draw_run(pen, points_of(null, loss, state.at, to_x, to_y), looks[name], theme, false, 46 + 9 * i));
    pen.restore();
  }

  const text = TEXT[globalThis.document?.documentElement.lang.slice(0, 2)] ?? TEXT.en;
  const say = (key, values) => text[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const minus = (number) => String(number).replace("-", "−");

  // How whole-numbered positions of a slider map to values. If `low` is 0, the first position is 0.
  function logarithmic(low, high) {
    const places = (value) => Math.round(20 * Math.log10(value));
    const min = low ? places(low) : places(high / 1000) - 1;
    return {
      min, max: places(high),
      value: (position) => !low && position === min ? 0 : round(10 ** (position / 20)),
      position: (value) => value ? places(value) : min,
    };
  }
  const SCALES = {
    learning_rate: logarithmic,
    condition_number: logarithmic,
    noise: logarithmic,
    steps: (min, max) => ({ min, max, value: Number, position: Number }),
    // 0, 0.9, 0.99 and 0.999 lie equally far apart.
    share: (low, high) => ({
      min: 0, max: Math.round(-20 * Math.log10(1 - high)),
      value: (position) => round(1 - round(10 ** (-position / 20)), 6),
      position: (value) => Math.round(-20 * Math.log10(1 - value)),
    }),
  };

  // The page's theme, as Jupyter Book, Colab, VS Code and JupyterLab state it; else the system's.
  function is_dark() {
    const stated = (theme) => document.querySelector(`html[data-theme=${theme}], html[theme=${theme}], body.vscode-${theme},
      body[data-jp-theme-light=${theme === "light"}]`);
    return !stated("light") && (Boolean(stated("dark")) || matchMedia("(prefers-color-scheme: dark)").matches);
  }

  const STYLE = `
    :host { display: block; }
    slot { display: none; }
    * { box-sizing: border-box; font-family: ${FONT}; }
    [hidden] { display: none !important; }
    .app { container-type: inline-size; max-width: 60rem; padding: 1rem; border: 1px solid var(--line); border-radius: 12px;
      background: var(--paper); color: var(--ink); accent-color: var(--accent); font-size: 14px; line-height: 1.4; text-align: left;
      font-variant-numeric: tabular-nums; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
    button, select, .chip, [type=number], [readonly] { height: 32px; margin: 0; padding: 0 11px; border: 1px solid var(--control); border-radius: 8px;
      background: var(--paper); color: var(--ink); font-size: 13.5px; }
    button, select, label, [type=range] { cursor: pointer; }
    button:hover, select:hover, .chip:hover { background: var(--tint); }
    :focus-visible, .chip:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
    svg { width: 14px; height: 14px; vertical-align: -2px; margin-right: 6px; fill: currentColor; overflow: visible; }
    .chip { display: flex; align-items: center; border-color: var(--line); border-radius: 16px; color: var(--muted); }
    .chip svg { fill: none; stroke: var(--control); stroke-width: .3; }
    .chip:has(:checked) { border-color: var(--control); background: var(--tint); color: var(--ink); }
    .chip:has(:checked) svg, li svg, span svg { fill: var(--look); stroke: none; }
    .figure { display: grid; gap: 14px 18px; margin-top: 12px; }
    .map { position: relative; aspect-ratio: 4 / 3; margin-bottom: 10px; border-radius: 8px; overflow: hidden; cursor: crosshair; }
    canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
    .handle { position: absolute; width: 44px; height: 44px; margin: -22px; border-radius: 50%; touch-action: none; cursor: grab; }
    .handle::before { content: ""; position: absolute; inset: 13px; border: 3px solid var(--ink); border-radius: 50%; background: var(--paper);
      box-shadow: 0 0 0 2px var(--paper); }
    .handle:focus-visible { outline-offset: -8px; }
    .play { min-width: 6em; border-color: var(--accent); font-weight: 600; background: var(--accent) !important; color: var(--paper); }
    .grow { flex: 1; min-width: 4em; }
    .side { display: flex; flex-direction: column; gap: 10px; }
    .chart { position: relative; flex: 1; min-height: 170px; }
    ul { display: grid; gap: 4px; margin: 0; padding: 0; list-style: none; }
    li { margin: 0; padding-left: 20px; text-indent: -20px; }
    .settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 100%), 1fr)); gap: 10px 22px; align-items: end;
      margin: 16px 0; padding-top: 12px; border-top: 1px solid var(--line); }
    .settings span { display: flex; justify-content: space-between; white-space: nowrap; }
    output { font-weight: 600; }
    [type=range] { display: block; width: 100%; height: 28px; margin: 0; }
    [type=checkbox] { width: 16px; height: 16px; margin: 0; }
    .settings .row { min-height: 28px; }
    .starts { display: flex; gap: 12px; }
    [type=number] { width: 100%; height: 28px; }
    @container (min-width: 36rem) { .figure { grid-template-columns: minmax(0, 5fr) minmax(0, 3fr); } }
    @media (pointer: coarse) { button, select, .chip, [type=range] { height: 40px; } }
    @media print { .app { display: none; } slot { display: block; } }
  `;
  const PLAY = "M3 1v12l10-6z", PAUSE = "M3 1h3v12H3zm5 0h3v12H8z", STEP = "M2 1v12l7-6zm8 0h2.5v12H10z";
  const icon = (path, box = "0 0 14 14", color = "") =>
    `<svg viewBox="${box}" aria-hidden="true" style="--look:${color}"><path d="${path}"/></svg>`;

  const figures = [];

  // Makes a live figure of the element that playground.py wrote. The still picture stays inside, for print.
  function mount(host) {
    const { key: own_key, surfaces, optimizers, limits, preset } = JSON.parse(host.dataset.config);
    const twins = figures.filter((figure) => figure.own_key === own_key).length;
    const key = own_key + (twins ? `.${twins}` : "");
    const names = Object.keys(optimizers), looks = {};
    for (const name of names) looks[name] = { color: optimizers[name].color, path: new Path2D(optimizers[name].shape) };
    const marker = (name) => icon(optimizers[name].shape, "-1.4 -1.4 2.8 2.8", looks[name].color);

    // The state is what Python's playground() takes, and `at`, the step shown.
    const initial = () => ({ ...structuredClone(preset), at: preset.steps });
    let state = initial(), surface, view, ceiling, runs, theme, ground = "", playing = 0, frame = 0, message = 0;

    const shared = () => is_number(state.learning_rate);
    const rate_of = (name) => shared() ? state.learning_rate : state.learning_rate[name];
    const uses = (...some) => () => some.some((name) => state.optimizers.includes(name));

    // The sliders: when each is of use, and, if it is not the state's value of that name, how to get and set it.
    const sliders = { learning_rate: { shown: shared } };
    for (const name of names) {
      sliders[name] = {
        label: marker(name) + say("learning_rate_of", { name }), scale: "learning_rate",
        shown: () => !shared() && uses(name)(), get: () => rate_of(name),
        set: (value) => ({ learning_rate: { ...state.learning_rate, [name]: value } }),
      };
    }
    Object.assign(sliders, {
      momentum: { shown: uses("Momentum", "Nesterov") }, rho: { shown: uses("RMSprop") },
      beta_1: { shown: uses("Adam") }, beta_2: { shown: uses("Adam") },
      condition_number: { shown: () => state.surface === "ravine" }, steps: { shown: () => true }, noise: { shown: () => true },
    });
    for (const [name, slider] of Object.entries(sliders)) {
      slider.limit = limits[slider.scale ?? name] ?? limits.share;
      slider.scale = (SCALES[slider.scale ?? name] ?? SCALES.share)(...slider.limit);
      slider.label ??= text[name];
      slider.get ??= () => state[name];
      slider.set ??= (value) => ({ [name]: value });
    }

    const app = document.createElement("div");
    app.className = "app";
    app.setAttribute("role", "group");
    app.setAttribute("aria-label", text.title);
    const button = (name, look = "") => `<button type="button" name="${name}">${look}${text[name] ?? ""}</button>`;
    const range = ([name, { label, scale }]) => `<label><span>${label.startsWith("<") ? `<i>${label}</i>` : label}<output></output></span>
      <input type="range" name="${name}" min="${scale.min}" max="${scale.max}" aria-label="${label.replace(/<.*>/, "")}"></label>`;
    app.innerHTML = `
      <div class="row">
        <select name="surface" aria-label="${text.surface}">${Object.keys(surfaces).map((name) => `<option value="${name}">${text[name]}</option>`)}</select>
        <div class="row" role="group" aria-label="${text.optimizers}">${names.map((name) =>
          `<label class="chip"><input class="unseen" type="checkbox" name="optimizers" value="${name}">${marker(name)}${name}</label>`).join("")}</div>
      </div>
      <div class="figure">
        <div>
          <div class="map"><canvas></canvas><canvas role="img"></canvas><div class="handle" role="slider" tabindex="0" aria-label="${text.handle}"></div></div>
          <div class="row"><button type="button" class="play" name="play"></button>${button("step", icon(STEP))}
            <input class="grow" type="range" name="at" min="0" aria-label="${text.position}"><span class="position"></span></div>
        </div>
        <div class="side"><div class="chart"><canvas role="img"></canvas></div><ul></ul></div>
      </div>
      <div class="settings">${Object.entries(sliders).map(range).join("")}
        <label class="row"><input type="checkbox" name="shared">${text.shared}</label>
        <div class="starts">${[0, 1].map((i) => `<label>${text[`start_${i}`]}<input type="number" name="start" step="any"></label>`).join("")}</div>
      </div>
      <div class="row">${["reset", "reseed", "copy_link", "copy_code"].map((name) => button(name)).join("")}
        <label class="row grow" hidden><input class="grow" readonly>${text.by_hand}</label></div>
      <p class="unseen" role="status"></p>`;
    const find = (selector) => app.querySelector(selector), named = (name) => [...app.querySelectorAll(`[name=${name}]`)];
    const [ground_canvas, map_canvas, chart_canvas] = app.querySelectorAll("canvas");
    const map_box = find(".map"), handle = find(".handle"), by_hand = find("[readonly]");

    // Every change of the state goes through here; the page follows once per frame, and in time tells it aloud.
    function change(changes, spoken = true) {
      const complete = state.at === state.steps && !playing;
      state = { ...state, ...changes };
      if (!("at" in changes)) state.at = complete ? state.steps : Math.min(state.at, state.steps);
      compute();
      frame ||= requestAnimationFrame(refresh);
      if (spoken) tell();
    }

    function compute() {
      surface = SURFACES[state.surface](state.condition_number);
      view = surfaces[state.surface].view;
      ceiling = 10 * highest_of(surface, view);
      const noise = state.noise ? normals(state.seed, 2 * state.steps).map((number) => state.noise * number) : null;
      runs = {};
      for (const name of state.optimizers) {
        runs[name] = descend(name, { ...state, learning_rate: rate_of(name) }, surface, state.start, state.steps, noise);
      }
    }

    function sentence(name) {
      const { loss } = runs[name], { kind, n } = outcome(loss, state.at, state.target, ceiling);
      const number = kind === "diverged" ? "" : ["_zero", "_one"][n] ?? "";
      return say(kind + number, { n, target: state.target, loss: round(loss[n], 3) });
    }

    function tell(words) {
      clearTimeout(message);
      message = setTimeout(() => {
        find("[role=status]").textContent = words ?? (state.optimizers.map((name) => `${name} ${sentence(name)}`).join("; ") || text.choose);
      }, words ? 0 : 700);
    }

    function refresh() {
      frame = 0;
      for (const [name, { shown, get, scale }] of Object.entries(sliders)) {
        const [input] = named(name);
        input.parentNode.hidden = !shown();
        if (!shown()) continue;
        input.value = scale.position(get());
        input.setAttribute("aria-valuetext", get());
        input.parentNode.querySelector("output").textContent = get();
      }
      find("select").value = state.surface;
      for (const chip of named("optimizers")) chip.checked = state.optimizers.includes(chip.value);
      named("start").forEach((input, i) => { input.value = state.start[i]; });
      find("[name=shared]").checked = shared();
      find("[name=reseed]").hidden = !state.noise;
      const [scrubber] = named("at"), [play] = named("play"), where = say("position_value", state);
      scrubber.max = state.steps;
      scrubber.value = state.at;
      scrubber.setAttribute("aria-valuetext", where);
      find(".position").textContent = where;
      play.innerHTML = playing ? icon(PAUSE) + text.pause : icon(PLAY) + text.play;
      const [x, y] = state.start, [left, right, bottom, top] = view;
      handle.style.left = `${100 * (x - left) / (right - left)}%`;
      handle.style.top = `${100 * (top - y) / (top - bottom)}%`;
      const says = { valuemin: left, valuemax: right, valuenow: x, valuetext: say("handle_value", { x: minus(x), y: minus(y) }) };
      for (const name of Object.keys(says)) handle.setAttribute(`aria-${name}`, says[name]);
      find("ul").innerHTML = state.optimizers.map((name) => `<li>${marker(name)}<b>${name}</b> ${sentence(name)}</li>`).join("") || `<li>${text.choose}</li>`;
      const words = { surface: text[state.surface], optimizers: state.optimizers.join(", ") };
      map_canvas.setAttribute("aria-label", say("map_alt", words));
      chart_canvas.setAttribute("aria-label", say("chart_alt", words));
      draw();
    }

    // The canvas's pen, with the canvas fitted to its place on the page.
    function pen_of(canvas) {
      const ratio = Math.min(devicePixelRatio, 2), width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      return pen;
    }

    function draw() {
      const { clientWidth: width, clientHeight: height } = map_canvas, [left, right, bottom, top] = view;
      if (!width) return; // not on show
      const map = { view, width, height, x: (x) => (x - left) / (right - left) * width, y: (y) => (top - y) / (top - bottom) * height };
      const wanted = [state.surface, state.condition_number, width, devicePixelRatio, theme.paper].join();
      if (ground !== wanted) draw_ground(pen_of(ground_canvas), surface, map, surfaces[state.surface].minima, theme);
      ground = wanted;
      const pen = pen_of(map_canvas);
      for (const name of state.optimizers) {
        draw_run(pen, points_of(runs[name].x, runs[name].y, state.at, map.x, map.y), looks[name], theme, true, 80);
      }
      draw_chart(pen_of(chart_canvas), chart_canvas.clientWidth, chart_canvas.clientHeight, state, runs, ceiling, looks, theme);
    }

    function follow_theme() {
      const now = is_dark() ? "dark" : "light";
      if (theme === THEMES[now]) return;
      theme = THEMES[now];
      for (const [name, color] of Object.entries(theme)) app.style.setProperty(`--${name}`, color);
      app.style.colorScheme = now;
      draw();
    }

    // Playing runs through the steps in 2 to 12 seconds; with reduced motion, it shows eight stills, one a second.
    function play() {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, stride = calm ? Math.ceil(state.steps / 8) : 1;
      const seconds = calm ? 8 : clamp(state.steps / 25, 2, 12), from = state.at % state.steps, began = performance.now();
      const next = (now) => {
        const at = from + Math.floor(Math.max(now - began, 0) / 1000 / seconds * state.steps / stride) * stride;
        if (at >= state.steps) stop();
        else playing = requestAnimationFrame(next);
        if (at !== state.at) change({ at: Math.min(at, state.steps) }, !playing);
      };
      next(began);
    }
    function stop() {
      cancelAnimationFrame(playing);
      playing = 0;
      change({ at: state.at });
    }

    // Starting points lie on a grid of round numbers, so that settings stay short to read and to share.
    function move_start(x, y) {
      const grid = 10 ** Math.floor(Math.log10((view[1] - view[0]) / 200));
      const snap = (value, low, high) => clamp(round(Math.round(value / grid) * grid, 6), low, high);
      change({ start: [snap(x, view[0], view[1]), snap(y, view[2], view[3])] });
    }
    const place_of = ({ clientX, clientY }) => {
      const { left, top, width, height } = map_box.getBoundingClientRect();
      return [view[0] + (view[1] - view[0]) * (clientX - left) / width, view[3] - (view[3] - view[2]) * (clientY - top) / height];
    };
    let grip = null; // while dragging: from the pointer to the starting point
    map_box.addEventListener("pointerdown", (event) => {
      const on_handle = event.target === handle, [x, y] = place_of(event);
      if (event.button || !on_handle && event.pointerType !== "mouse") return; // a finger elsewhere scrolls the page
      event.preventDefault();
      map_box.setPointerCapture(event.pointerId);
      grip = on_handle ? [state.start[0] - x, state.start[1] - y] : [0, 0];
      move_start(x + grip[0], y + grip[1]);
      handle.focus({ preventScroll: true });
    });
    map_box.addEventListener("pointermove", (event) => {
      if (grip) move_start(...place_of(event).map((place, i) => place + grip[i]));
    });
    map_box.addEventListener("lostpointercapture", () => { grip = null; });
    map_box.addEventListener("click", (event) => {
      if (event.pointerType !== "mouse" && event.target !== handle) move_start(...place_of(event)); // a tap
    });
    handle.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const stride = (view[1] - view[0]) / (event.shiftKey ? 20 : 100);
      move_start(state.start[0] + stride * way[0], state.start[1] + stride * way[1]);
    });

    // A surface brings its own starting point, and learning rates that suit its slopes.
    function choose_surface(name) {
      const { start, learning_rates } = name === preset.surface ? { ...surfaces[name], start: preset.start } : surfaces[name];
      const smallest = Math.min(...(state.optimizers.length ? state.optimizers : names).map((each) => learning_rates[each]));
      change({ surface: name, start, learning_rate: shared() ? smallest : learning_rates });
    }

    app.addEventListener("input", ({ target: { name, value, checked } }) => {
      const slider = sliders[name];
      if (slider) change(slider.set(clamp(slider.scale.value(Number(value)), ...slider.limit)));
      if (name === "surface") choose_surface(value);
      if (name === "optimizers") change({ optimizers: named(name).filter((chip) => chip.checked).map((chip) => chip.value) });
      if (name === "shared") {
        change({ learning_rate: checked ? rate_of(state.optimizers[0] ?? names[0]) : Object.fromEntries(names.map((each) => [each, state.learning_rate])) });
      }
      if (name === "at") {
        stop();
        change({ at: Number(value) });
      }
    });
    app.addEventListener("change", ({ target: { name } }) => {
      if (name === "start") change({ start: named(name).map((input, i) =>
        is_number(input.valueAsNumber) ? clamp(input.valueAsNumber, view[2 * i], view[2 * i + 1]) : state.start[i]) });
    });
    const actions = {
      play: () => playing ? stop() : play(),
      step() {
        stop();
        change({ at: (state.at + 1) % (state.steps + 1) });
      },
      reset() {
        stop();
        change(initial());
      },
      reseed: () => change({ seed: (state.seed + 1) % limits.seed[1] }),
      copy_link: (target) => copy(target, link()),
      copy_code: (target) => copy(target, code()),
    };
    app.addEventListener("click", ({ target }) => {
      const pressed = target.closest("button");
      if (pressed) actions[pressed.name](pressed);
    });

    async function copy(pressed, words) {
      const label = text[pressed.name];
      by_hand.parentNode.hidden = true;
      try {
        await navigator.clipboard.writeText(words);
        tell(pressed.textContent = text.copied);
        setTimeout(() => { pressed.textContent = label; }, 1500);
      } catch { // no clipboard, as in some notebooks' frames
        by_hand.value = words;
        by_hand.parentNode.hidden = false;
        by_hand.select();
        tell(text.by_hand);
      }
    }

    // The call of playground() in Python that makes this figure.
    function code() {
      const list = (items) => `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
      const rates = () => `{${state.optimizers.map((name) => `"${name}": ${rate_of(name)}`).join(", ")}}`;
      const settings = [`"${state.surface}"`, `optimizers=${list(state.optimizers.map((name) => `"${name}"`))}`,
        `learning_rate=${shared() ? state.learning_rate : rates()}`, `start=${list(state.start)}`];
      for (const name of [...Object.keys(sliders).filter((name) => name in state && name !== "learning_rate" && sliders[name].shown()), "seed", "target"]) {
        settings.push(`${name}=${state[name]}`);
      }
      return `playground(${settings.join(", ")})`;
    }

    // A link's fragment holds the state, for the figure of this key.
    function link() {
      const rates = shared() ? state.learning_rate : JSON.stringify(state.learning_rate);
      return `${location.href.split("#")[0]}#${new URLSearchParams({ playground: key, ...state, learning_rate: rates })}`;
    }
    function follow_link() {
      const { playground, ...given } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
      if (playground !== key) return;
      const next = initial(); // whatever in the link makes no sense is left out
      const keep = (value, limit, other) => value && is_number(Number(value)) ? clamp(Number(value), ...limit) : other;
      if (Object.hasOwn(surfaces, given.surface)) next.surface = given.surface;
      const { view, start } = surfaces[next.surface], [x, y] = (given.start ?? "").split(",");
      next.start = [keep(x, view.slice(0, 2), start[0]), keep(y, view.slice(2), start[1])];
      next.optimizers = names.filter((name) => (given.optimizers ?? "").split(",").includes(name));
      for (const name of ["momentum", "rho", "beta_1", "beta_2", "condition_number", "noise", "seed", "steps"]) {
        next[name] = keep(given[name], limits[name] ?? limits.share, next[name]);
      }
      next.seed = Math.round(next.seed);
      next.steps = Math.round(next.steps);
      next.at = Math.round(keep(given.at, [0, next.steps], next.steps));
      next.learning_rate = keep(given.learning_rate, limits.learning_rate, null);
      if (next.learning_rate === null) {
        let rates = {};
        try {
          rates = JSON.parse(given.learning_rate);
        } catch {} // the surface's own will do
        next.learning_rate = Object.fromEntries(names.map((name) =>
          [name, keep(rates[name], limits.learning_rate, surfaces[next.surface].learning_rates[name])]));
      }
      stop();
      change(next);
      host.scrollIntoView({ block: "center" });
    }
    // Only where the page itself is at its address: not in a notebook's frame, not in JupyterLab.
    const linkable = window === top && !document.getElementById("jupyter-config-data");
    find("[name=copy_link]").hidden = !linkable;

    host.dataset.lmSuppressShortcuts = "true"; // JupyterLab: keys pressed in here are not its shortcuts
    host.addEventListener("keydown", (event) => { // nor the page's, such as an arrow key for the next chapter
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    });
    const card = host.closest(".cell_output .text_html"); // Jupyter Book puts a light card behind outputs on dark pages
    if (card) Object.assign(card.style, { background: "none", padding: 0 });
    host.attachShadow({ mode: "open" }).innerHTML = `<style>${STYLE}</style><slot></slot>`;
    host.shadowRoot.append(app);
    compute();
    follow_theme();
    refresh();
    new ResizeObserver(draw).observe(app);
    if (linkable) {
      follow_link();
      addEventListener("hashchange", follow_link);
    }
    host.playground = { change, get state() { return state; }, get runs() { return runs; }, redraw() { compute(); draw(); } };
    return { own_key, follow_theme };
  }

  function mount_all() {
    for (const host of document.querySelectorAll(".optimizer-playground[data-config]")) {
      if (!host.shadowRoot) figures.push(mount(host));
    }
  }

  if (globalThis.document) {
    const follow = () => figures.forEach((figure) => figure.follow_theme());
    for (const node of [document.documentElement, document.body]) new MutationObserver(follow).observe(node, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
  }
  return { TEXT, THEMES, SURFACES, RULES, normals, descend, outcome, mount_all };
})();

if (globalThis.document) optimizerPlayground.mount_all();
