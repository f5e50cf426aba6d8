// The playground: a figure to drag and play. figure.py puts this script, after rules.js and panel.js, into each output that
// has one; the first copy serves the whole page. In order: surfaces, drawing, controls.

globalThis.optimizerPlayground ??= (() => {
  "use strict";

  // As in surfaces.py.
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
    network: () => plane ??= grid_surface(network),
  };

  const network = {}; // Its loss on a grid: figure.py writes it here.
  const WALL = 0.02;
  let plane;

  // As in grid.py.
  function grid_surface({ box: [left, right, bottom, top], shape: [rows, columns], values, lowest }) {
    const dx = (right - left) / (columns - 1), dy = (top - bottom) / (rows - 1);
    const shares = (f) => [-f + 2 * f ** 2 - f ** 3, 2 - 5 * f ** 2 + 3 * f ** 3, f + 4 * f ** 2 - 3 * f ** 3, f ** 3 - f ** 2];
    const slopes = (f) => [-1 + 4 * f - 3 * f ** 2, 9 * f ** 2 - 10 * f, 1 + 8 * f - 9 * f ** 2, 3 * f ** 2 - 2 * f];
    function along(x, y, x_weights, y_weights) {
      const across = (x - left) / dx || 0, up = (y - bottom) / dy || 0;
      const i = clamp(Math.floor(across), 0, columns - 2), j = clamp(Math.floor(up), 0, rows - 2);
      const a = x_weights(across - i), b = y_weights(up - j);
      let sum = 0;
      for (let n = 0; n < 4; n++) {
        const row = clamp(j - 1 + n, 0, rows - 1) * columns;
        for (let m = 0; m < 4; m++) sum += b[n] * a[m] * values[row + clamp(i - 1 + m, 0, columns - 1)];
      }
      return sum / 4000;
    }
    const inside = (x, y) => [clamp(x, left, right), clamp(y, bottom, top)];
    return {
      value(x, y) {
        const [p, q] = inside(x, y);
        return along(p, q, shares, shares) + 0.5 * WALL * ((x - p) ** 2 + (y - q) ** 2) - lowest;
      },
      gradient(x, y) {
        const [p, q] = inside(x, y);
        return [
          x === p ? along(p, q, slopes, shares) / dx : WALL * (x - p),
          y === q ? along(p, q, shares, slopes) / dy : WALL * (y - q),
        ];
      },
      highest: Math.max(...values) / 1000 - lowest,
    };
  }

  // As in schedules.py, as shares of α: of how many steps, then after how many.
  const SCHEDULES = {
    constant: () => () => 1,
    step(steps) {
      const half = Math.floor(steps / 2), late = Math.max(Math.floor(3 * steps / 4), half + 1);
      return (t) => t <= half ? 1 : t <= late ? 0.1 : 0.01;
    },
    cosine: (steps) => (t) => (1 + Math.cos(Math.PI * Math.min(t / steps, 1))) / 2,
    warmup(steps) {
      const rise = Math.floor(steps / 10), fall = SCHEDULES.cosine(steps - rise);
      return (t) => t < rise ? t / rise : fall(t - rise);
    },
  };

  const { RULES, uniforms } = optimizerRules();
  const { FONT, clamp, round, minus, ticks, ...panel } = pagePanel();

  // Standard normal numbers, as in figure.py: by the formula of Box and Muller.
  function normals(seed, count) {
    const uniform = uniforms(seed), numbers = [];
    while (numbers.length < count) {
      const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
      numbers.push(radius * Math.cos(angle), radius * Math.sin(angle));
    }
    return numbers;
  }

  // `noise` holds two numbers for each step, `share` is a schedule. Diverging runs go on as Infinity or NaN. Where they
  // end, `before` says what the next step is made of: −g, the velocity, if the rule has one, and the step itself.
  function descend(name, settings, surface, start, steps, noise = null, share = () => 1) {
    const rule = RULES[name], theta = Float64Array.from(start), state = rule.init(theta), now = { ...settings };
    const x = new Float64Array(steps + 1), y = new Float64Array(steps + 1), loss = new Float64Array(steps + 1);
    for (let t = 0; ; t++) {
      x[t] = theta[0];
      y[t] = theta[1];
      loss[t] = surface.value(x[t], y[t]);
      const g = surface.gradient(x[t], y[t]);
      if (noise) {
        g[0] += noise[2 * t];
        g[1] += noise[2 * t + 1];
      }
      now.learning_rate = settings.learning_rate * share(t);
      if (t === steps) return { x, y, loss, before: () => forces(rule, theta, g, state, now) };
      rule.step(theta, g, state, now);
    }
  }
  // The velocity is Momentum's, or what Adam and those after it have in its place: the mean gradient, downhill, times α.
  function forces(rule, theta, g, state, now) {
    const { learning_rate: rate } = now, { m } = state;
    const velocity = "momentum" in now ? state.v : m?.map((mean) => -rate * mean);
    const next = theta.slice(), copy = {};
    for (const [name, part] of Object.entries(state)) copy[name] = part.slice?.() ?? part;
    rule.step(next, g, copy, now);
    return {
      downhill: g.map((slope) => 0 - slope), pull: g.map((slope) => 0 - rate * slope), velocity: velocity && [...velocity],
      step: [next[0] - theta[0], next[1] - theta[1]],
    };
  }

  // A run has diverged if from some step on its loss stays above `ceiling`.
  function outcome(loss, at, target, ceiling) {
    let below = at;
    while (below >= 0 && !(loss[below] <= ceiling)) below--;
    if (below < at) return { kind: "diverged", n: below + 1 };
    const n = loss.findIndex((value) => value <= target);
    return n >= 0 && n <= at ? { kind: "reached", n } : { kind: "unreached", n: at };
  }

  // The ground goes from paper at the minimum to `high`.
  const THEMES = {
    light: { ...panel.THEMES.light, high: "#c9d4e2" },
    dark: { ...panel.THEMES.dark, high: "#343f4e" },
  };
  const BANDS = 15;
  const B_DASH = [9, 3, 2, 3];

  const is_number = (value) => typeof value === "number" && Number.isFinite(value);

  // Our surfaces are highest in a corner of the picture, unless they say how high they are.
  const highest_of = (surface, [left, right, bottom, top]) => surface.highest ??
    Math.max(...[left, right].flatMap((x) => [surface.value(x, bottom), surface.value(x, top)]));

  // Colours each pixel by its contour band, h = BANDS (value / highest)^(1/4). The nearest edge is as many pixels away
  // as h is from a whole number, over h's slope; there, colours mix, so that edges are smooth.
  function draw_bands(pen, theme, surface, [left, right, bottom, top]) {
    const { width, height } = pen.canvas, highest = highest_of(surface, [left, right, bottom, top]);
    const [low, high, line] = [theme.paper, theme.high, theme.muted].map((hex) =>
      [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    const row_of_heights = (row) => {
      const y = top - (top - bottom) * (row + 0.5) / height;
      return Float64Array.from({ length: width + 1 }, (_, column) =>
        BANDS * (Math.max(surface.value(left + (right - left) * (column + 0.5) / width, y), 0) / highest) ** 0.25);
    };
    const image = pen.createImageData(width, height), line_width = 0.7 + 0.3 * pen.getTransform().a;
    let here = row_of_heights(0), i = 0;
    for (let row = 0; row < height; row++) {
      const below = row_of_heights(row + 1);
      for (let column = 0; column < width; column++) {
        const h = here[column], edge = Math.round(h), slope = Math.hypot(here[column + 1] - h, below[column] - h);
        const distance = edge ? (h - edge) / (slope || 1e-9) : 9;
        const shade = (edge - 1 + clamp(0.5 + distance, 0, 1)) / BANDS;
        const stroke = 0.3 * clamp(line_width - Math.abs(distance), 0, 1);
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

  function draw_text(pen, theme, words, x, y, align, size = 11.5) {
    Object.assign(pen, {
      font: `${size}px ${FONT}`, textAlign: align, textBaseline: "middle", lineJoin: "round", lineWidth: 3,
      strokeStyle: theme.paper + "a0", fillStyle: theme.muted,
    });
    pen.strokeText(words, x, y);
    pen.fillText(words, x, y);
  }

  function draw_axes(pen, theme, { width, height, x, y }, x_ticks, y_ticks, x_name, y_name, y_words = minus) {
    for (const tick of x_ticks) {
      if (x(tick) > 30 && x(tick) < width - 45) draw_text(pen, theme, minus(tick), x(tick), height - 11, "center");
    }
    for (const tick of y_ticks) {
      if (y(tick) > 26 && y(tick) < height - 26) draw_text(pen, theme, y_words(tick), 7, y(tick), "left");
    }
    draw_text(pen, theme, x_name, width - 9, height - 11, "right");
    draw_text(pen, theme, y_name, 7, 11, "left");
  }

  // Draws a run up to where it leaves for good, marked at the end and where `marked` says so, by the step and the way
  // since the last mark. `dots` show the other steps, unless they would touch.
  function draw_run(pen, theme, look, place, at, dots, marked) {
    const line = new Path2D(), steps = new Path2D(), markers = new Path2D();
    const mark = ([x, y], size) => markers.addPath(look.path, { a: size, d: size, e: x, f: y });
    const far = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
    let last = place(0), dot = last, marker = last;
    line.moveTo(...last);
    for (let t = 0; t <= at; t++) {
      const point = place(t);
      if (!(far(point, last) < 1e5)) break;
      if (marked(t, far(point, marker))) mark(marker = dot = point, 3.6);
      else if (dots && far(point, dot) > 9) {
        dot = point;
        steps.moveTo(...point);
        steps.arc(...point, 2.1, 0, 7);
      }
      if (far(point, last) > 1.5) line.lineTo(...(last = point));
    }
    mark(last, 5.6);
    Object.assign(pen, { lineJoin: "bevel", lineWidth: 4, strokeStyle: theme.paper, fillStyle: look.color });
    if (dots) pen.stroke(line); // an edge, to stand out from the ground
    Object.assign(pen, { lineWidth: 2, strokeStyle: look.color });
    pen.setLineDash(look.dash);
    pen.stroke(line);
    pen.setLineDash([]);
    pen.fill(steps);
    Object.assign(pen, { lineWidth: 3, strokeStyle: theme.paper });
    pen.stroke(markers);
    if (look.open) {
      Object.assign(pen, { lineWidth: 1.6, strokeStyle: look.color, fillStyle: theme.paper });
      pen.fill(markers);
      pen.stroke(markers);
    } else pen.fill(markers);
  }

  // An arrow from one pixel to another, its name at its tip. One that is too long to draw is cut, with a second head.
  function draw_arrow(pen, theme, color, [x, y], [to_x, to_y], width, dash, name) {
    const whole = Math.hypot(to_x - x, to_y - y), length = Math.min(whole, 130);
    if (!(whole > 1)) return;
    const a = (to_x - x) / whole, b = (to_y - y) / whole, head = 6 + width, line = new Path2D(), tip = new Path2D();
    line.moveTo(x, y);
    line.lineTo(x + a * (length - head / 2), y + b * (length - head / 2));
    for (const back of whole > length ? [0, head] : [0]) {
      const p = x + a * (length - back), q = y + b * (length - back), u = head * a, v = head * b;
      tip.moveTo(p, q);
      tip.lineTo(p - u - v / 2, q - v + u / 2);
      tip.lineTo(p - u + v / 2, q - v - u / 2);
      tip.closePath();
    }
    for (const [extra, style] of [[3, theme.paper], [0, color]]) {
      Object.assign(pen, { lineWidth: width + extra, strokeStyle: style, fillStyle: style });
      pen.setLineDash(extra ? [] : dash);
      pen.stroke(line);
      pen.setLineDash([]);
      if (extra) pen.stroke(tip);
      pen.fill(tip);
    }
    const away = length + 12;
    if (name) draw_text(pen, theme, name, x + a * away, y + b * away, a > 0.3 ? "left" : a < -0.3 ? "right" : "center");
  }

  function draw_ground(pen, theme, map, surface, minima) {
    draw_bands(pen, theme, surface, map.view);
    const [left, right, bottom, top] = map.view;
    draw_axes(pen, theme, map, ticks(left, right, 6), ticks(bottom, top, 5), "θ₁", "θ₂");
    for (const [x, y] of minima) draw_text(pen, theme, "×", map.x(x), map.y(y), "center", 22);
  }

  // The path that a real training took, in the plane that shows it.
  function draw_training(pen, theme, map, path) {
    Object.assign(pen, { fillStyle: theme.muted, strokeStyle: theme.muted, lineWidth: 1 });
    pen.beginPath();
    for (const [x, y] of path) pen.lineTo(map.x(x), map.y(y));
    pen.stroke();
    for (const [x, y] of path) pen.fillRect(map.x(x) - 1.5, map.y(y) - 1.5, 3, 3);
  }

  // α(t) as a share of α, with a dot at the step shown, in a strip below the loss.
  function draw_schedule(pen, theme, { steps, at }, share, x, top, bottom, width) {
    const y = (value) => bottom - (bottom - top) * value;
    Object.assign(pen, { lineWidth: 2, strokeStyle: theme.ink, fillStyle: theme.muted + "40" });
    for (const value of [0, 1]) pen.fillRect(x(0), Math.round(y(value)), x(steps) - x(0), 1);
    pen.beginPath();
    for (let t = 0; t <= steps; t++) pen.lineTo(x(t), y(share(t)));
    pen.stroke();
    pen.beginPath();
    pen.arc(x(at), y(share(at)), 4, 0, 7);
    pen.fillStyle = theme.ink;
    pen.fill();
    draw_text(pen, theme, "α(t)", 7, top - 12, "left");
    draw_text(pen, theme, "α", 7, y(1), "left");
    draw_text(pen, theme, "0", 7, y(0), "left");
  }

  function draw_chart(pen, theme, state, runs, ceiling, looks) {
    const { clientWidth: width, clientHeight } = pen.canvas, strip = state.schedule === "constant" ? 0 : 72;
    const height = clientHeight - strip, left = 44, right = width - 9, top = 30, bottom = height - 28;
    const drawn = (value) => value > 0 && value <= ceiling;
    const values = Object.values(runs).flatMap(({ loss }) => [...loss].filter(drawn));
    const low = clamp(Math.floor(Math.log10(Math.min(state.target, ...values))), -9, 9);
    const high = Math.ceil(Math.log10(Math.max(10 * state.target, ...values)));
    const x = (t) => left + (right - left) * t / state.steps;
    const y = (power) => bottom - (bottom - top) * (Math.max(power, low) - low) / (high - low);
    const powers = ticks(low, high, height / 34).filter(Number.isInteger);
    for (const power of [...powers, Math.log10(state.target)]) {
      pen.fillStyle = theme.muted + (powers.includes(power) ? "40" : "");
      pen.fillRect(left, Math.round(y(power)), right - left, 1);
    }
    const steps = ticks(0, state.steps, width / 70).filter(Number.isInteger);
    const words = (power) => power ? `1e${minus(power)}` : "1";
    draw_axes(pen, theme, { width, height, x, y }, steps, powers, text.chart_step, text.chart_loss, words);
    pen.save();
    pen.beginPath();
    pen.rect(0, top - 8, width, height);
    pen.clip();
    const spacing = Math.ceil(state.steps / 5);
    Object.entries(runs).forEach(([name, { loss }], i) => {
      const first = Math.round(spacing * (i + 1) / 7); // so that equal runs show both markers
      const place = (t) => [x(t), y(Math.log10(loss[t]))];
      draw_run(pen, theme, looks[name], place, state.at, false, (t) => t % spacing === first);
    });
    pen.restore();
    if (strip) draw_schedule(pen, theme, state, SCHEDULES[state.schedule](state.steps), x, height + 18, clientHeight - 8);
  }

  const text = {}; // All that a reader reads or hears: figure.py writes the table of the reader's language here.
  const say = (key, values) => text[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // Positions of a slider: 20 for each factor of ten, and one for 0 if that is allowed.
  function logarithmic(low, high) {
    const places = (value) => Math.round(20 * Math.log10(value));
    const min = low ? places(low) : places(high / 1000) - 1;
    return {
      min, max: places(high),
      value: (position) => !low && position === min ? 0 : round(10 ** (position / 20)),
      position: (value) => value ? places(value) : min,
    };
  }
  // In each power of ten, steps of 0.05 up to 3 and of 0.1 from there: fine enough for the limits that chapters speak of.
  function fine(low, high) {
    const value = (position) => {
      const power = Math.floor(position / 110), step = position - 110 * power;
      return round((step < 40 ? 1 + step / 20 : step / 10 - 1) * 10 ** power, 3);
    };
    const position = (value) => {
      const power = Math.floor(Math.log10(value) + 1e-9), first = value / 10 ** power;
      return 110 * power + Math.round(first < 3 ? 20 * first - 20 : 10 * first + 10);
    };
    return { min: position(low), max: position(high), value, position };
  }

  const SCALES = {
    logarithmic,
    fine,
    linear: (min, max) => ({ min, max, value: Number, position: Number }),
    share: (low, high) => ({ // 0, 0.9, 0.99 and 0.999 lie equally far apart
      min: 0, max: Math.round(-20 * Math.log10(1 - high)),
      value: (position) => round(1 - round(10 ** (-position / 20)), 6),
      position: (value) => Math.round(-20 * Math.log10(1 - value)),
    }),
  };

  const STYLE = `
    slot { display: none; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    button.play { min-width: 6em; }
    .chip:hover { background: var(--tint); }
    .chip:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
    svg { width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px; fill: currentColor; overflow: visible; }
    .chip {
      display: flex; align-items: center; height: 32px; padding: 0 11px; border: 1px solid var(--line);
      border-radius: 16px; background: var(--paper); color: var(--muted); font-size: 13.5px;
    }
    .chip svg { fill: none; stroke: var(--control); stroke-width: .3; }
    .chip:has(:checked) { border-color: var(--control); background: var(--tint); color: var(--ink); }
    .chip:has(:checked) svg, li svg, span svg { fill: var(--look); stroke: none; }
    li svg.open { fill: none; stroke: var(--look); stroke-width: .5; }
    li small { display: block; text-indent: 0; font-size: 13px; color: var(--muted); }
    p.about { margin: 0 0 8px; color: var(--muted); }
    summary { min-height: 24px; color: var(--muted); }
    details { margin: 0 0 14px; }
    details .settings { margin-bottom: 0; border: 0; }
    .figure { display: grid; gap: 14px 18px; margin: 12px 0; }
    .map { aspect-ratio: 4 / 3; margin-bottom: 10px; border-radius: 8px; overflow: hidden; cursor: crosshair; }
    .chart { min-height: 200px; }
    .chart.tall { min-height: 270px; }
    .map, .chart { position: relative; }
    canvas { position: absolute; width: 100%; height: 100%; }
    .handle {
      position: absolute; width: 44px; height: 44px; margin: -22px; border-radius: 50%;
      touch-action: none; cursor: grab;
    }
    .handle::before {
      content: ""; position: absolute; inset: 13px; border: 3px solid var(--ink); border-radius: 50%;
      background: var(--paper);
    }
    .play + * + * { flex: 1; min-width: 4em; }
    ul, .settings {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 4px 22px;
      margin: 0; padding: 0;
    }
    li { margin: 0; padding-left: 20px; text-indent: -20px; list-style: none; }
    .settings {
      grid-template-columns: repeat(auto-fill, minmax(min(12rem, 100%), 1fr)); gap: 10px 22px; align-items: end;
      margin: 14px 0; padding-top: 12px; border-top: 1px solid var(--line);
    }
    .settings .row { height: 28px; }
    @container (min-width: 36rem) { .figure { grid-template-columns: minmax(0, 5fr) minmax(0, 3fr); } }
    @media print { slot { display: block; } }
  `;
  const PLAY = "M3 1v12l10-6z", PAUSE = "M3 1h3v12H3zm5 0h3v12H8z", STEP = "M2 1v12l7-6zm8 0h2.5v12H10z";
  const icon = (path, box = "0 0 14 14", color = "", kind = "") =>
    `<svg viewBox="${box}" class="${kind}" aria-hidden="true" style="--look:${color}"><path d="${path}"/></svg>`;

  const keys = [];

  // Makes a still picture live. It stays inside, for print.
  function mount(host) {
    let { key, surfaces, optimizers, limits, preset: said, defaults } = JSON.parse(host.dataset.config);
    const preset = { ...said, ...defaults, ...said }; // in Python's order, with what a call may leave out
    while (keys.includes(key)) key += "+"; // an equal figure has a link of its own
    const names = Object.keys(optimizers), common = names.filter((name) => !optimizers[name].dash.length), looks = {};
    for (const name of names) {
      looks[name] = { ...optimizers[name], path: new Path2D(optimizers[name].shape) };
    }
    const marker = (name, kind) => icon(looks[name].shape, "-1.4 -1.4 2.8 2.8", looks[name].color, kind);

    // What Python's playground() takes, and the step shown.
    const initial = () => ({ ...preset, at: preset.steps });
    let state = initial(), surface, view, ceiling, noise, runs, theme;
    let ground = "", playing = 0, frame = 0, message = 0;

    const shared = () => is_number(state.learning_rate);
    const rate_of = (name) => shared() ? state.learning_rate
      : state.learning_rate[name] ?? surfaces[state.surface].learning_rates[name];
    const uses = (setting) => state.optimizers.filter((name) => looks[name].uses.includes(setting));
    const offered = () => names.filter((name) => common.includes(name) || state.optimizers.includes(name));
    const some_of = (rates) => Object.fromEntries(offered().map((name) => [name, rates[name]]));

    // When to show a slider, and how to get and set its value unless it is the state's of that name.
    const sliders = { learning_rate: { shown: shared } };
    for (const name of names) {
      sliders[name] = {
        label: marker(name) + say("learning_rate_of", { name }), limit: "learning_rate",
        shown: () => !shared() && state.optimizers.includes(name), get: () => rate_of(name),
        set: (value) => ({ learning_rate: { ...state.learning_rate, [name]: value } }),
      };
    }
    const hyperparameters = ["momentum", "rho", "beta_1", "beta_2", "weight_decay"];
    for (const name of hyperparameters) {
      sliders[name] = { shown: () => uses(name).length > 0, label: text[`${name}_of_all`], owner: () => uses(name) };
    }
    Object.assign(sliders, {
      condition_number: { shown: () => state.surface === "ravine" },
      steps: {},
      noise: {},
      seed: { shown: () => state.noise > 0 },
    });
    for (const name of ["learning_rate", ...hyperparameters]) { // those of B
      sliders[`B_${name}`] = {
        label: say("of_b", { name: text[name === "learning_rate" ? name : `${name}_of_all`] }), limit: name, in: "b",
        shown: () => state.beside !== null && name in state.beside, get: () => state.beside[name],
        set: (value) => ({ beside: { ...state.beside, [name]: value } }),
      };
    }
    for (const [name, slider] of Object.entries(sliders)) {
      const [low, high, scale] = limits[slider.limit ?? name];
      slider.scale = SCALES[scale](low, high);
      slider.label ??= text[name];
      slider.shown ??= () => true;
      slider.get ??= () => state[name];
      slider.set ??= (value) => ({ [name]: value });
    }

    const slider_of = ([name, { label, scale }]) => `
      <label><span><span>${label}</span><b></b></span><input type="range" name="${name}" min="${scale.min}"
        max="${scale.max}" aria-label="${label.replace(/<.*>/, "")}"></label>`;
    const settings = Object.entries(sliders).filter(([, slider]) => !slider.in).map(slider_of);
    const settings_of_b = Object.entries(sliders).filter(([, slider]) => slider.in).map(slider_of);
    const menu = (name, choices) => `<label><span>${text[name]}</span><select name="${name}">${choices}</select></label>`;
    const schedules = Object.keys(SCHEDULES).map((name) => `<option value="${name}">${text[`schedule_${name}`]}</option>`);
    const share_box = `<label class="row"><input type="checkbox" name="shared">${text.shared}</label>`;
    settings.splice(1 + names.length, 0, share_box);
    const options = Object.keys(surfaces).map((name) => `<option value="${name}">${text[name]}</option>`);
    const chips = names.map((name) => `<label class="chip"><input class="unseen" type="checkbox" name="optimizers"
      value="${name}">${marker(name)}${name}</label>`);
    const button = (name, look = "") => `<button name="${name}">${look}${text[name]}</button>`;
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${panel.STYLE}${STYLE}</style><slot></slot>
      <div class="app" role="group" aria-label="${text.title}">
        <div class="row">
          <select name="surface" aria-label="${text.surface}">${options}</select>
          <div class="row" role="group" aria-label="${text.optimizers}">${chips.join("")}</div>
        </div>
        <div class="figure">
          <div>
            <div class="map">
              <canvas></canvas><canvas role="img"></canvas>
              <div class="handle" role="slider" tabindex="0" aria-label="${text.handle}"></div>
            </div>
            <div class="row">
              <button class="play first" name="play"></button>${button("step", icon(STEP))}
              <input type="range" name="at" min="0" aria-label="${text.position}"><span></span>
            </div>
          </div>
          <div class="chart"><canvas role="img"></canvas></div>
        </div>
        <p class="about"></p>
        <ul></ul>
        <div class="settings">${settings.join("")}</div>
        <details>
          <summary>${text.more}</summary>
          <div class="settings">
            ${menu("add", "")}${menu("schedule", schedules.join(""))}${menu("beside", "")}
            <label class="row"><input type="checkbox" name="arrows">${text.arrows}</label>${settings_of_b.join("")}
          </div>
        </details>
        <div class="row">${button("reset")}${button("copy_link")}${button("copy_code")}</div>
        <p class="unseen" role="status"></p>
      </div>`;
    const app = root.querySelector(".app"), find = (selector) => app.querySelector(selector);
    const named = (name) => [...app.querySelectorAll(`[name=${name}]`)];
    const [ground_canvas, map_canvas, chart_canvas] = app.querySelectorAll("canvas");
    const map_box = find(".map"), handle = find(".handle");
    find("details").open = Object.keys(defaults).some((name) => preset[name] !== defaults[name]);

    // The page follows with the next frame, screen readers a little later.
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
      noise = state.noise ? normals(state.seed, 2 * state.steps + 2).map((number) => state.noise * number) : null;
      runs = {};
      for (const name of shown_runs()) runs[name] = run(name, state.steps);
    }
    const shown_runs = () => state.beside ? [...state.optimizers, "B"] : state.optimizers;
    const rule_of = (name) => name === "B" ? state.beside.optimizer : name;
    const title_of = (name) => name === "B" || state.beside?.optimizer === name ? `${rule_of(name)} ${name === "B" ? name : "A"}` : name;
    const look_of = (name) => name === "B" ? { ...looks[rule_of(name)], open: true, dash: B_DASH } : looks[name];
    function run(name, steps) {
      const own = name === "B" ? { ...state, ...state.beside } : { ...state, learning_rate: rate_of(name) };
      const used = { learning_rate: own.learning_rate };
      for (const setting of looks[rule_of(name)].uses) used[setting] = own[setting];
      return descend(rule_of(name), used, surface, state.start, steps, noise, SCHEDULES[state.schedule](state.steps));
    }

    function sentence(name) {
      const { loss } = runs[name], { kind, n } = outcome(loss, state.at, state.target, ceiling);
      const key = n === 1 && text[`${kind}_one`] ? `${kind}_one` : kind;
      return say(key, { n, target: state.target, loss: round(loss[n], 3) });
    }

    // A slider says whose setting it is, as long as that is said in a word.
    const own_label = (name, owners) => {
      const whole = { momentum: "Momentum Nesterov", rho: "RMSprop", beta_1: "Adam", beta_2: "Adam" }[name] ?? "";
      return owners.every((owner) => whole.includes(owner)) ? text[name] : text[`${name}_of_all`];
    };
    const fill = (name, none, some, value) => {
      const node = find(`[name=${name}]`), options = some.map((each) => `<option>${each}</option>`).join("");
      const wanted = `<option value="">${none}</option>${options}`;
      if (node.dataset.held !== wanted) node.innerHTML = node.dataset.held = wanted;
      node.value = value;
    };
    const network_words = { share: round(100 * network.share, 3), weights: network.weights.toLocaleString("en") };
    // So many times as long as they are, a round number, arrows can be seen: the longest step is up to a quarter of the map.
    function arrow_factor() {
      if (!state.arrows) return 1;
      const lengths = shown_runs().map((name) => Math.hypot(...run(name, state.at).before().step)).filter(is_number);
      const room = (view[1] - view[0]) / 4 / Math.max(...lengths, 1e-9), power = 10 ** Math.floor(Math.log10(room));
      return clamp(power * [5, 2, 1].find((factor) => factor * power <= room), 1, 1e6);
    }
    // What the next step is made of, in numbers.
    function parts(name) {
      if (!state.arrows) return "";
      const { downhill, velocity, step } = run(name, state.at).before();
      const pair = (values) => `(${values.map((value) => minus(round(value, 3))).join(", ")})`;
      const said = [`−g = ${pair(downhill)}`, velocity && `${text.velocity} ${pair(velocity)}`, `${text.scaled_step} ${pair(step)}`];
      return `<small>${said.filter(Boolean).join(" · ")}</small>`;
    }

    function tell(words) {
      clearTimeout(message);
      message = setTimeout(() => {
        const results = shown_runs().map((name) => `${title_of(name)} ${sentence(name)}`).join("; ");
        find("[role=status]").textContent = words ?? (results || text.choose);
      }, words ? 0 : 700);
    }

    function refresh() {
      frame = 0;
      for (const [name, { shown, get, scale, owner }] of Object.entries(sliders)) {
        const [input] = named(name), label = input.parentNode;
        label.hidden = !shown();
        if (!shown()) continue;
        input.value = scale.position(get());
        label.querySelector("b").textContent = input.ariaValueText = get();
        if (owner) input.ariaLabel = label.querySelector("span span").textContent = own_label(name, owner());
      }
      find("select").value = state.surface;
      for (const chip of named("optimizers")) {
        chip.checked = state.optimizers.includes(chip.value);
        chip.parentNode.hidden = !offered().includes(chip.value);
      }
      fill("add", text.choose_one, names.filter((name) => !offered().includes(name)), "");
      fill("beside", text.beside_none, state.optimizers, state.beside?.optimizer ?? "");
      find("[name=schedule]").value = state.schedule;
      find("[name=arrows]").checked = state.arrows;
      find(".chart").classList.toggle("tall", state.schedule !== "constant");
      const about = [
        state.surface === "network" && say("network_about", network_words), state.arrows && say("arrows_key", { n: arrow_factor() }),
      ].filter(Boolean);
      find(".about").textContent = about.join(" ");
      find(".about").hidden = !about.length;
      find("[name=shared]").checked = shared();
      const [scrubber] = named("at");
      scrubber.max = state.steps;
      scrubber.value = state.at;
      scrubber.nextSibling.textContent = scrubber.ariaValueText = say("position_value", state);
      find(".play").innerHTML = playing ? icon(PAUSE) + text.pause : icon(PLAY) + text.play;
      const [x, y] = state.start, [left, right, bottom, top] = view;
      handle.style.left = `${100 * (x - left) / (right - left)}%`;
      handle.style.top = `${100 * (top - y) / (top - bottom)}%`;
      Object.assign(handle, {
        ariaValueMin: left, ariaValueMax: right, ariaValueNow: x, ariaValueText: say("handle_value", { x, y }),
      });
      const results = shown_runs().map((name) =>
        `<li>${marker(rule_of(name), name === "B" ? "open" : "")}<b>${title_of(name)}</b> ${sentence(name)}${parts(name)}</li>`);
      find("ul").innerHTML = results.join("") || `<li>${text.choose}</li>`;
      const words = { surface: text[state.surface], optimizers: shown_runs().map(title_of).join(", ") };
      map_canvas.ariaLabel = say("map_alt", words);
      const share = SCHEDULES[state.schedule](state.steps)(state.at);
      const falling = state.schedule === "constant" ? "" : ` ${say("schedule_alt", {
        name: text[`schedule_${state.schedule}`], share: round(share, 3), at: state.at })}`;
      chart_canvas.ariaLabel = say("chart_alt", words) + falling;
      draw();
    }

    function pen_of(canvas) {
      const ratio = Math.min(devicePixelRatio, 2), pen = canvas.getContext("2d");
      const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      return pen;
    }

    function draw() {
      const { clientWidth: width, clientHeight: height } = map_canvas, [left, right, bottom, top] = view;
      if (!width) return;
      const x = (theta) => (theta - left) / (right - left) * width;
      const y = (theta) => (top - theta) / (top - bottom) * height;
      const wanted = [state.surface, state.condition_number, width, devicePixelRatio, theme.paper].join();
      if (ground !== wanted) {
        const { minima } = surfaces[state.surface];
        draw_ground(pen_of(ground_canvas), theme, { view, width, height, x, y }, surface, minima);
        if (state.surface === "network") draw_training(ground_canvas.getContext("2d"), theme, { x, y }, network.path);
      }
      ground = wanted;
      const pen = pen_of(map_canvas);
      const all_looks = Object.fromEntries(shown_runs().map((name) => [name, look_of(name)]));
      for (const [name, run] of Object.entries(runs)) {
        const place = (t) => [x(run.x[t]), y(run.y[t])];
        draw_run(pen, theme, all_looks[name], place, state.at, true, (t, far) => far > 80);
      }
      const longer = arrow_factor(), named = shown_runs().length < 3;
      for (const name of state.arrows ? shown_runs() : []) {
        const from_x = runs[name].x[state.at], from_y = runs[name].y[state.at];
        const { pull, velocity, step } = run(name, state.at).before();
        const arrow = (vector, width, dash, words) => vector && draw_arrow(
          pen, theme, all_looks[name].color, [x(from_x), y(from_y)],
          [x(from_x + longer * vector[0]), y(from_y + longer * vector[1])], width, dash, named && words);
        arrow(step, 4, [], text.arrow_step);
        arrow(pull, 2, [5, 3], text.arrow_downhill);
        arrow(velocity, 2, [2, 2], text.arrow_velocity);
      }
      draw_chart(pen_of(chart_canvas), theme, state, runs, ceiling, all_looks);
    }

    // With reduced motion, playing shows eight stills, one a second.
    function play() {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const stride = calm ? Math.ceil(state.steps / 8) : 1, seconds = calm ? 8 : clamp(state.steps / 25, 2, 12);
      const from = state.at % state.steps, began = performance.now();
      const next = (now) => {
        const passed = Math.max(now - began, 0) / 1000 / seconds * state.steps;
        const at = from + Math.floor(passed / stride) * stride;
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

    function snap(value, axis) {
      const grid = 10 ** Math.floor(Math.log10((view[1] - view[0]) / 200));
      return clamp(round(Math.round(value / grid) * grid, 6), view[2 * axis], view[2 * axis + 1]);
    }
    const move_start = (...start) => change({ start: start.map(snap) });
    const place_of = ({ clientX, clientY }) => {
      const box = map_box.getBoundingClientRect(), [left, right, bottom, top] = view;
      const x = (clientX - box.left) / box.width, y = (clientY - box.top) / box.height;
      return [left + (right - left) * x, top - (top - bottom) * y];
    };
    let grip = null; // from the pointer to the starting point, while dragging
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

    const choose = (chosen) => change({
      optimizers: names.filter((name) => chosen.includes(name)),
      beside: chosen.includes(state.beside?.optimizer) ? state.beside : null,
    });

    // What the controls do, by name.
    const react = {
      surface({ value }) { // with a start and learning rates that suit it
        const { start, learning_rates } = surfaces[value], active = state.optimizers.length ? state.optimizers : names;
        const smallest = Math.min(...active.map((name) => learning_rates[name]));
        change({ surface: value, start, learning_rate: shared() ? smallest : some_of(learning_rates) });
      },
      optimizers() {
        choose(named("optimizers").filter((chip) => chip.checked).map((chip) => chip.value));
      },
      add: ({ value }) => choose([...state.optimizers, value]),
      schedule: ({ value }) => change({ schedule: value }),
      arrows: ({ checked }) => change({ arrows: checked }),
      beside({ value }) { // begins as a copy of A
        if (!value) return change({ beside: null });
        const copied = Object.fromEntries(looks[value].uses.map((name) => [name, state[name]]));
        change({ beside: { optimizer: value, learning_rate: rate_of(value), ...copied } });
      },
      shared({ checked }) {
        const each = () => Object.fromEntries(offered().map((name) => [name, state.learning_rate]));
        change({ learning_rate: checked ? rate_of(state.optimizers[0] ?? names[0]) : each() });
      },
      at({ value }) {
        stop();
        change({ at: Number(value) });
      },
      play: () => playing ? stop() : play(),
      step: () => react.at({ value: (state.at + 1) % (state.steps + 1) }),
      reset() {
        stop();
        change(initial());
      },
      copy_link: (button) => copy(button, link()),
      copy_code: (button) => copy(button, code()),
    };
    app.addEventListener("input", ({ target: { name, value, checked } }) => {
      const slider = sliders[name];
      if (slider) change(slider.set(slider.scale.value(Number(value))));
      else react[name]({ value, checked });
    });
    app.addEventListener("click", ({ target }) => {
      const pressed = target.closest("button");
      if (pressed) react[pressed.name](pressed);
    });

    // The old way to copy works in notebooks' frames, too.
    function copy(pressed, words) {
      const field = document.createElement("textarea");
      field.value = words;
      app.append(field);
      field.select();
      if (document.execCommand("copy")) {
        tell(pressed.textContent = text.copied);
        setTimeout(() => { pressed.textContent = text[pressed.name]; }, 1500);
      } else prompt(text[pressed.name], words);
      field.remove();
      pressed.focus();
    }

    function code() { // in Python
      const { at, ...settings } = state;
      const list = Object.entries(settings).filter(([name, value]) => name in said || value !== defaults[name])
        .map(([name, value]) => `${name}=${{ true: "True", null: "None" }[value] ?? JSON.stringify(value)}`);
      return `playground(${list.join(", ")})`;
    }

    // What makes no sense in a link is left out.
    const link = () => `${location.href.split("#")[0]}#playground=${key}=${btoa(JSON.stringify(state))}`;
    function follow_link() {
      const [, whose, words] = location.hash.split("=");
      if (whose !== key) return;
      let given = {};
      try {
        given = JSON.parse(atob(words)) ?? {};
      } catch {}
      const next = initial();
      const keep = (value, [low, high], other) => is_number(value) ? clamp(value, low, high) : other;
      if (Object.hasOwn(surfaces, given.surface)) next.surface = given.surface;
      const { view, start, learning_rates } = surfaces[next.surface];
      next.start = start.map((place, axis) => keep(given.start?.[axis], view.slice(2 * axis), place));
      next.optimizers = names.filter((name) => [given.optimizers].flat().includes(name));
      for (const [name, limit] of Object.entries(limits)) {
        const value = keep(given[name], limit, next[name]);
        next[name] = limit[2] === "linear" ? Math.round(value) : value;
      }
      next.at = Math.round(keep(given.at, [0, next.steps], next.steps));
      if (!is_number(given.learning_rate)) {
        const rate = (name) => keep(given.learning_rate?.[name], limits.learning_rate, learning_rates[name]);
        const some = names.filter((name) => common.includes(name) || next.optimizers.includes(name));
        next.learning_rate = Object.fromEntries(some.map((name) => [name, rate(name)]));
      }
      if (Object.hasOwn(SCHEDULES, given.schedule)) next.schedule = given.schedule;
      next.arrows = given.arrows === true;
      const b = given.beside;
      next.beside = null;
      if (next.optimizers.includes(b?.optimizer)) {
        next.beside = { optimizer: b.optimizer };
        for (const name of ["learning_rate", ...looks[b.optimizer].uses]) {
          next.beside[name] = keep(b[name], limits[name], is_number(next[name]) ? next[name] : next.learning_rate[b.optimizer]);
        }
      }
      stop();
      change(next);
      host.scrollIntoView({ block: "center" });
    }
    // A notebook's address is not the figure's.
    const linkable = window === top && !document.getElementById("jupyter-config-data");
    find("[name=copy_link]").hidden = !linkable;

    panel.settle(host);
    compute();
    panel.follow_theme(app, THEMES, (colors) => {
      theme = colors;
      draw();
    });
    refresh();
    new ResizeObserver(draw).observe(app);
    if (linkable) {
      follow_link();
      addEventListener("hashchange", follow_link);
    }
    host.playground = { get state() { return state; }, get runs() { return runs; }, redraw() { compute(); draw(); } };
    return key;
  }

  function mount_all() {
    for (const host of document.querySelectorAll(".optimizer-playground[data-config]")) {
      if (!host.shadowRoot) keys.push(mount(host));
    }
  }

  return { text, THEMES, SURFACES, SCHEDULES, grid_surface, normals, descend, outcome, mount_all };
})();

if (globalThis.document) optimizerPlayground.mount_all();
