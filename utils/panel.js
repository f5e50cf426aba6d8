// What the scripts of the pages' panels share: colours, whether the page is dark, the style of controls, how a panel
// fits into a page or notebook, ticks. A script gets it by calling it.

globalThis.pagePanel ??= () => {
  "use strict";

  const THEMES = {
    light: { paper: "#fffefc", muted: "#4f5a68", ink: "#1d2530", accent: "#1c57b0" },
    dark: { paper: "#15171b", muted: "#aeb8c5", ink: "#e6eaf0", accent: "#8db8fa" },
  };
  const FONT = "system-ui, sans-serif";
  const STYLE = `
    * { box-sizing: border-box; font-family: ${FONT}; }
    [hidden] { display: none !important; }
    .app {
      --control: color-mix(in srgb, var(--muted) 70%, var(--paper));
      --line: color-mix(in srgb, var(--muted) 28%, var(--paper));
      --tint: color-mix(in srgb, var(--muted) 9%, var(--paper));
      container-type: inline-size; max-width: 60rem; padding: 16px; border: 1px solid var(--line); border-radius: 12px;
      background: var(--paper); color: var(--ink); accent-color: var(--accent);
      font-size: 14px; line-height: 1.4; text-align: left; font-variant-numeric: tabular-nums;
    }
    .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
    button, select, [type=number] {
      height: 32px; margin: 0; padding: 0 11px; border: 1px solid var(--control); border-radius: 8px;
      background: var(--paper); color: var(--ink); font-size: 13.5px;
    }
    label select, [type=range] { width: 100%; }
    [type=range] { height: 28px; margin: 0; }
    [type=checkbox] { margin: 0; }
    label > span { display: flex; justify-content: space-between; white-space: nowrap; }
    button, select, summary, [type=range], label:has([type=checkbox]) { cursor: pointer; }
    button:hover, select:hover { background: var(--tint); }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    button:disabled { border-color: var(--line); background: none; color: var(--muted); cursor: default; }
    button.first:enabled { border-color: var(--accent); background: var(--accent); color: var(--paper); font-weight: 600; }
    @media print { .app { display: none; } }
  `;

  // Jupyter Book, Colab, VS Code and JupyterLab state it, else the system does.
  function is_dark() {
    const stated = (theme) => document.querySelector(`html[data-theme=${theme}], html[theme=${theme}],
      body.vscode-${theme}, body[data-jp-theme-light=${theme === "light"}]`);
    return !stated("light") && Boolean(stated("dark") || matchMedia("(prefers-color-scheme: dark)").matches);
  }

  // Gives a panel the colours of the page's theme, now and whenever it has another one, and calls back with them.
  function follow_theme(app, themes, changed = () => {}) {
    let last = null;
    const follow = () => {
      const now = is_dark() ? "dark" : "light";
      if (now === last) return;
      last = now;
      for (const [name, color] of Object.entries(themes[now])) app.style.setProperty(`--${name}`, color);
      app.style.colorScheme = now;
      changed(themes[now]);
    };
    const watch = new MutationObserver(follow);
    for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
    follow();
  }

  // Keys in a panel are no shortcuts of the page around, and it has a ground of its own.
  function settle(host) {
    host.dataset.lmSuppressShortcuts = "true"; // for JupyterLab before 4.1
    host.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && event.key !== "Escape") event.stopPropagation();
    });
    const card = host.closest(".cell_output .text_html"); // Jupyter Book's light card for dark pages
    if (card) Object.assign(card.style, { background: "none", padding: 0 });
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const round = (value, digits = 2) => Number(value.toPrecision(digits));
  const minus = (number) => String(number).replace(/-/g, "−");

  // About `count` round numbers.
  function ticks(from, to, count) {
    const power = 10 ** Math.floor(Math.log10((to - from) / count));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power * count >= to - from);
    const first = Math.ceil(from / step - 1e-9);
    return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => round((first + i) * step, 6));
  }

  return { THEMES, FONT, STYLE, follow_theme, settle, clamp, round, minus, ticks };
};
