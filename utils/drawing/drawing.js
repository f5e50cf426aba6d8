// You draw it: before a figure, the reader draws the curve that she expects; then the measured one appears over hers.
// drawing.py puts this script, after panel.js, into each output that has one; the first copy serves the whole page. In
// order: what is computed, which needs no page, then what is seen.

globalThis.youDrawIt ??= (() => {
  "use strict";

  const text = {}; // All that a reader reads or hears: drawing.py writes the table of the reader's language here.
  const say = (key, values) => text[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const { THEMES, STYLE, clamp, follow_theme, settle, round, minus, ticks } = pagePanel();

  const COLUMNS = 81; // of a drawn curve, evenly spaced over the axis
  const ANCHORS = [0, 20, 40, 60, 80]; // those that have a number to type
  const NEAR = 0.1, CLEAR = 0.08; // shares of the picture's height: what counts as near, and as a difference

  // An axis knows at which share of its length a value lies, and which value lies there.
  function axis_of({ limits: [low, high], scale }) {
    const to = scale === "log" ? Math.log10 : Number, from = scale === "log" ? (power) => 10 ** power : Number;
    return {
      share: (value) => (to(value) - to(low)) / (to(high) - to(low)),
      value: (share) => from(to(low) + share * (to(high) - to(low))),
    };
  }
  const place = (column) => column / (COLUMNS - 1);

  // Draws from where the pen was to where it is: all columns between the two.
  function stroke(guess, [from_x, from_y], [x, y]) {
    const next = [...guess], ends = [from_x, x].map((share) => Math.round(clamp(share, 0, 1) * (COLUMNS - 1)));
    for (let column = Math.min(...ends); column <= Math.max(...ends); column++) {
      const way = ends[0] === ends[1] ? 1 : (column - ends[0]) / (ends[1] - ends[0]);
      next[column] = clamp(from_y + (y - from_y) * way, 0, 1);
    }
    return next;
  }

  // Fills in what was left out: straight lines between what there is, level beyond its ends.
  function whole(guess) {
    const known = [...guess.keys()].filter((column) => guess[column] !== null);
    if (!known.length) return guess;
    return guess.map((own, column) => {
      const before = known.findLast((each) => each <= column) ?? known[0];
      const after = known.find((each) => each >= column) ?? known.at(-1);
      const way = after === before ? 0 : (column - before) / (after - before);
      return own ?? guess[before] + (guess[after] - guess[before]) * way;
    });
  }

  // The heights of a measured curve at the columns, null where it has none.
  function heights(x, y, axes) {
    const shares = x.map(axes.x.share), ups = y.map((value) => value === null ? NaN : axes.y.share(value));
    return Array.from({ length: COLUMNS }, (_, column) => {
      const at = place(column), after = shares.findIndex((share) => share >= at - 1e-9);
      if (after < 0 || after === 0 && shares[0] > at + 1e-9) return null;
      const before = Math.max(after - 1, 0), span = shares[after] - shares[before];
      const way = span ? clamp((at - shares[before]) / span, 0, 1) : 0;
      const height = way < 1 ? ups[before] + (ups[after] - ups[before]) * way : ups[after];
      return Number.isFinite(height) ? clamp(height, 0, 1) : null;
    });
  }

  // Whether a usual wrong guess was made: of what kind, and between which two values of x.
  function is_made([kind, from, to], guess, measured, axes) {
    const inside = [...guess.keys()].filter((column) => {
      const share = place(column);
      return share >= axes.x.share(from) - 1e-9 && share <= axes.x.share(to) + 1e-9 && measured[column] !== null;
    });
    const own = inside.map((column) => guess[column]);
    const lead = inside.reduce((sum, column) => sum + guess[column] - measured[column], 0) / inside.length;
    const falls = (heights) => {
      let highest = -Infinity, most = 0;
      for (const height of heights) most = Math.max(most, (highest = Math.max(highest, height)) - height);
      return most;
    };
    const all = guess.map((height, column) => measured[column] === null ? NaN : height);
    const extreme = (best) => {
      const column = all.indexOf(best(...all.filter(Number.isFinite)));
      return inside.includes(column);
    };
    return {
      above: () => lead > CLEAR,
      below: () => lead < -CLEAR,
      falling: () => falls(own.map((height) => -height)) < CLEAR && falls(own) >= CLEAR,
      rising: () => falls(own) < CLEAR && falls(own.map((height) => -height)) >= CLEAR,
      flat: () => Math.max(...own) - Math.min(...own) < CLEAR,
      peak: () => extreme(Math.max),
      dip: () => extreme(Math.min),
    }[kind]();
  }

  // Where the two part most, and which of the usual wrong guesses it was, if any.
  function compare(guess, measured, guesses, axes) {
    let column = 0;
    const gap = (at) => measured[at] === null ? 0 : Math.abs(guess[at] - measured[at]);
    for (let at = 0; at < COLUMNS; at++) if (gap(at) > gap(column)) column = at;
    const found = guesses.findIndex((each) => is_made(each, guess, measured, axes));
    return { column, gap: gap(column), near: gap(column) < NEAR, guess: gap(column) < NEAR ? -1 : found };
  }

  // Outputs of the same cell wait until she has drawn; where no script runs, and on paper, they stand there.
  const COVER = `@media screen {
    :is(.cell_output, .jp-OutputArea, #output-area, #output-body):has(.draw-it[data-waiting]) > :not(:has(.draw-it)) {
      display: none !important;
    }
  }`;

  const DASHES = ["", "2 3", "8 3 2 3", "12 4"];
  const LEFT = 52, RIGHT = 14, TOP = 26, BOTTOM = 30, HEIGHT = 300;

  function mount(host) {
    const { name, x, curves, draw, axes: given, looks, guesses, question } = JSON.parse(host.dataset.config);
    const axes = { x: axis_of(given.x), y: axis_of(given.y) }, others = Object.keys(curves).filter((each) => each !== draw);
    const measured = heights(x, curves[draw], axes), empty = () => Array(COLUMNS).fill(null);
    const numbers = (axis, share) => minus(round(axes[axis].value(share), 3));
    let state = { guess: empty(), shown: false, compared: false }, width = 0, pen = null;

    const root = host.attachShadow({ mode: "open" });
    const button = (key, look = "") => `<button name="${key}" class="${look}">${text[key]}</button>`;
    const inputs = ANCHORS.map((column) => `<label><span>${numbers("x", place(column))}</span><input type="number"
      step="any" data-column="${column}" aria-label="${say("at", {
        y: given.y.label, x: given.x.label, value: numbers("x", place(column)) })}"></label>`);
    root.innerHTML = `<style>${STYLE}
        p { margin: 0 0 8px; }
        .chart { display: block; width: 100%; height: ${HEIGHT}px; touch-action: none; cursor: crosshair; user-select: none; }
        .chart.done { touch-action: auto; cursor: default; }
        .chart text { font-size: 12px; fill: var(--muted); }
        .chart .hint { font-size: 14px; }
        .chart path, li path { fill: none; stroke-linejoin: round; stroke-width: 2; }
        .own { stroke: var(--accent); stroke-width: 3.5 !important; stroke-dasharray: 7 5; }
        .gap { stroke: var(--ink); stroke-width: 1.5; }
        ul { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 10px; padding: 0; list-style: none; }
        li svg { width: 34px; height: 12px; margin-right: 6px; vertical-align: -1px; }
        details { margin-top: 10px; }
        summary { min-height: 24px; color: var(--muted); }
        .numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); gap: 8px; margin-top: 6px; }
        label span { display: block; }
        input { width: 100%; }
        .verdict:not(:empty) { margin: 10px 0 0; padding: 8px 12px; border-left: 3px solid var(--accent); background: var(--tint); }
        @media (forced-colors: active) {
          .app { --paper: Canvas !important; --ink: CanvasText !important; --muted: CanvasText !important; --accent: Highlight !important; }
          .chart path, li path { forced-color-adjust: none; }
        }
      </style>
      <div class="app" role="group" aria-label="${text.title}">
        <p class="question"><b>${text.title}.</b> ${question}</p>
        <svg class="chart" role="img"></svg>
        <ul></ul>
        <div class="row">${button("compare", "first")}${button("again", "first")}${button("skip")}</div>
        <details><summary>${text.by_numbers}</summary><p>${say("numbers_hint", { y: given.y.label, x: given.x.label })}</p>
          <div class="numbers">${inputs.join("")}</div></details>
        <p class="verdict" role="status"></p>
      </div>`;
    const find = (selector) => root.querySelector(selector), chart = find(".chart");
    const fields = [...root.querySelectorAll("input")];

    const right = () => width - RIGHT, px = (share) => LEFT + (right() - LEFT) * share;
    const py = (share) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
    const line = (heights) => {
      let pen_down = false;
      return heights.map((height, column) => {
        if (height === null) return (pen_down = false, "");
        const word = `${pen_down ? "L" : "M"}${px(place(column)).toFixed(1)} ${py(height).toFixed(1)}`;
        pen_down = true;
        return word;
      }).join("");
    };
    // All the points of a measured curve, which may swing faster than columns can show.
    const line_of = (key) => {
      let pen_down = false;
      return x.map((value, i) => {
        const share = axes.x.share(value), height = curves[key][i] === null ? NaN : axes.y.share(curves[key][i]);
        if (!(share >= -0.001 && share <= 1.001) || !Number.isFinite(height)) return (pen_down = false, "");
        const word = `${pen_down ? "L" : "M"}${px(share).toFixed(1)} ${py(clamp(height, -0.5, 1.5)).toFixed(1)}`;
        pen_down = true;
        return word;
      }).join("");
    };
    const ticks_of = ({ limits: [low, high], scale }, count) => {
      if (scale !== "log") return ticks(low, high, count);
      const powers = ticks(Math.log10(low), Math.log10(high), count).filter(Number.isInteger);
      return powers.map((power) => 10 ** power);
    };
    const words = (value) => {
      const power = Math.log10(Math.abs(value));
      return value && (power < -3 || power >= 5) ? minus(value.toExponential(0).replace("+", "")) : minus(round(value, 6));
    };
    const style_of = (key) => key === draw ? `stroke="${looks[key]}"`
      : `stroke="${looks[key]}" stroke-dasharray="${DASHES[1 + others.indexOf(key) % 3]}"`;

    function refresh() {
      const { guess, shown, compared } = state, drawn = guess.some((height) => height !== null);
      const done = shown || compared;
      const parts = [];
      const y_ticks = ticks_of(given.y, 5), x_ticks = ticks_of(given.x, Math.max(2, width / 64));
      for (const tick of y_ticks) {
        const at = py(axes.y.share(tick));
        parts.push(`<path d="M${LEFT} ${at}H${right()}" stroke="var(--line)" style="stroke-width:1"/>
          <text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${words(tick)}</text>`);
      }
      for (const tick of x_ticks) {
        const at = px(axes.x.share(tick));
        if (at < right() - 60) parts.push(`<text x="${at}" y="${HEIGHT - 10}" text-anchor="middle">${words(tick)}</text>`);
      }
      parts.push(`<text x="4" y="12">${given.y.label}</text>
        <text x="${right()}" y="${HEIGHT - 10}" text-anchor="end">${given.x.label}</text>
        <clipPath id="frame"><rect x="${LEFT}" y="${TOP - 2}" width="${Math.max(right() - LEFT, 0)}"
          height="${HEIGHT - TOP - BOTTOM + 4}"/></clipPath><g clip-path="url(#frame)">`);
      for (const key of others) parts.push(`<path d="${line_of(key)}" ${style_of(key)}/>`);
      if (done) parts.push(`<path d="${line_of(draw)}" ${style_of(draw)} class="measured"/>`);
      if (drawn) parts.push(`<path d="${line(compared ? whole(guess) : guess)}" class="own"/>`);
      if (compared) {
        const { column, near } = compare(whole(guess), measured, guesses, axes), at = px(place(column));
        if (!near) parts.push(`<path class="gap" d="M${at} ${py(whole(guess)[column])}V${py(measured[column])}"/>`);
      }
      parts.push("</g>");
      if (!drawn && !done) parts.push(`<text class="hint" x="${(LEFT + right()) / 2}" y="${HEIGHT / 2}" text-anchor="middle">${text.hint}</text>`);
      chart.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      chart.innerHTML = parts.join("");
      chart.classList.toggle("done", done);
      chart.ariaLabel = described();
      const sample = (style) => `<svg viewBox="0 0 34 12" aria-hidden="true"><path d="M0 6H34" ${style}/></svg>`;
      const legend = others.map((key) => `<li>${sample(style_of(key))}${key}</li>`);
      if (drawn) legend.unshift(`<li>${sample('class="own"')}${say("yours", { name: draw })}</li>`);
      if (done) legend.push(`<li>${sample(style_of(draw))}${say("measured", { name: draw })}</li>`);
      find("ul").innerHTML = legend.join("");
      find("[name=compare]").hidden = done;
      find("[name=compare]").disabled = !drawn;
      find("[name=again]").hidden = !done;
      find("[name=skip]").hidden = done;
      find("details").hidden = done;
      const verdict = compared ? judged() : done ? say("only_shown", { name: draw }) : "";
      if (find(".verdict").textContent !== verdict) find(".verdict").textContent = verdict;
      host.toggleAttribute("data-waiting", !done);
    }

    function judged() {
      const guess = whole(state.guess), { column, near, guess: made } = compare(guess, measured, guesses, axes);
      const values = {
        x: `${given.x.label} ${numbers("x", place(column))}`, drawn: numbers("y", guess[column]),
        measured: numbers("y", measured[column] ?? 0),
      };
      const first = say(near ? "near" : "apart", values);
      return made < 0 ? first : `${first} ${guesses[made][3]}`;
    }

    function described() {
      const ends = (axis) => ({ from: numbers(axis, 0), to: numbers(axis, 1), label: given[axis].label });
      const values = (heights) => ANCHORS.filter((column) => heights[column] !== null).map((column) =>
        say("point", { x: numbers("x", place(column)), y: numbers("y", heights[column]) })).join("; ");
      const known = others.map((key) => `${key}: ${values(heights(x, curves[key], axes))}.`);
      if (state.guess.some((height) => height !== null)) {
        known.push(`${say("yours", { name: draw })}: ${values(whole(state.guess))}.`);
      }
      if (state.shown || state.compared) known.push(`${say("measured", { name: draw })}: ${values(measured)}.`);
      const [across, up] = [ends("x"), ends("y")].map((each) => say("axis", each));
      return [say("chart_alt", { across, up }), ...known].join(" ");
    }

    // Kept in her browser only; where that is refused it lasts as long as the page.
    const store = `you-draw-it:${name}`;
    function keep() {
      try {
        if (state.guess.some((height) => height !== null) || state.shown) localStorage.setItem(store, JSON.stringify(state));
        else localStorage.removeItem(store);
      } catch {}
    }
    function kept() {
      try {
        const { guess, shown, compared } = JSON.parse(localStorage.getItem(store));
        const sound = guess.length === COLUMNS && guess.every((height) => height === null || height >= 0 && height <= 1);
        if (sound) state = { guess, shown: shown === true, compared: compared === true && guess.some((each) => each !== null) };
      } catch {}
    }
    function change(changes) {
      state = { ...state, ...changes };
      refresh();
    }
    function fill_fields() {
      const guess = whole(state.guess);
      for (const field of fields) {
        const height = guess[field.dataset.column];
        field.value = height === null ? "" : round(axes.y.value(height), 3);
      }
    }

    const spot = ({ clientX, clientY }) => {
      const box = chart.getBoundingClientRect();
      return [(clientX - box.left - LEFT) / (right() - LEFT), (HEIGHT - BOTTOM - clientY + box.top) / (HEIGHT - BOTTOM - TOP)];
    };
    chart.addEventListener("pointerdown", (event) => {
      if (event.button || state.shown || state.compared) return;
      event.preventDefault();
      chart.setPointerCapture(event.pointerId);
      pen = spot(event);
      change({ guess: stroke(state.guess, pen, pen) });
    });
    chart.addEventListener("pointermove", (event) => {
      if (!pen) return;
      const now = spot(event);
      change({ guess: stroke(state.guess, pen, now) });
      pen = now;
    });
    chart.addEventListener("lostpointercapture", () => {
      pen = null;
      change({ guess: between(state.guess) });
      fill_fields();
      keep();
    });
    // Gaps inside are closed at once, so that she sees what will be compared; the ends wait.
    function between(guess) {
      const known = [...guess.keys()].filter((column) => guess[column] !== null);
      return whole(guess).map((height, column) => column < known[0] || column > known.at(-1) ? null : height);
    }
    root.addEventListener("input", () => {
      const guess = empty();
      for (const { dataset, value } of fields) {
        const share = value === "" ? NaN : axes.y.share(Number(value));
        if (!Number.isNaN(share)) guess[dataset.column] = clamp(share, 0, 1);
      }
      change({ guess: guess.some((height) => height !== null) ? between(guess) : guess });
      keep();
    });
    const react = {
      compare: () => change({ compared: true, guess: whole(state.guess) }),
      skip: () => change({ shown: true }),
      again() {
        change({ guess: empty(), shown: false, compared: false });
        fill_fields();
      },
    };
    root.addEventListener("click", ({ target }) => {
      const pressed = target.closest("button")?.name;
      if (!pressed) return;
      react[pressed]();
      keep();
      find(pressed === "again" ? "[name=skip]" : "[name=again]").focus({ preventScroll: true });
    });
    settle(host);
    kept();
    fill_fields();
    follow_theme(find(".app"), THEMES);
    new ResizeObserver(() => {
      if (chart.clientWidth && chart.clientWidth !== width) {
        width = chart.clientWidth;
        refresh();
      }
    }).observe(find(".app"));
    width = chart.clientWidth || 600;
    refresh();
    host.drawing = { get state() { return state; } };
  }

  function mount_all() {
    if (!document.getElementById("draw-it-cover")) {
      document.head.append(Object.assign(document.createElement("style"), { id: "draw-it-cover", textContent: COVER }));
    }
    for (const host of document.querySelectorAll(".draw-it[data-config]")) {
      if (!host.shadowRoot) mount(host);
    }
  }
  return { COLUMNS, axis_of, stroke, whole, heights, is_made, compare, mount_all };
})();

if (globalThis.document) youDrawIt.mount_all();
