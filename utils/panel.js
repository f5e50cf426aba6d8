// What the scripts of the pages' panels share: colours, whether the page is dark, the style of controls, ticks. A script
// gets it by calling it.

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
      max-width: 60rem; padding: 16px; border: 1px solid var(--line); border-radius: 12px;
      background: var(--paper); color: var(--ink); accent-color: var(--accent);
      font-size: 14px; line-height: 1.4; text-align: left; font-variant-numeric: tabular-nums;
    }
    .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
    button, input {
      height: 32px; margin: 0; padding: 0 11px; border: 1px solid var(--control); border-radius: 8px;
      background: var(--paper); color: var(--ink); font-size: 13.5px;
    }
    button, summary { cursor: pointer; }
    button:hover { background: var(--tint); }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    button:disabled { border-color: var(--line); background: none; color: var(--muted); cursor: default; }
    button.first:enabled { border-color: var(--accent); background: var(--accent); color: var(--paper); font-weight: 600; }
  `;

  // Jupyter Book, Colab, VS Code and JupyterLab state it, else the system does.
  function is_dark() {
    const stated = (theme) => document.querySelector(`html[data-theme=${theme}], html[theme=${theme}],
      body.vscode-${theme}, body[data-jp-theme-light=${theme === "light"}]`);
    return !stated("light") && Boolean(stated("dark") || matchMedia("(prefers-color-scheme: dark)").matches);
  }

  // Calls back now, and whenever it may have become dark or light.
  function follow_theme(apply) {
    const follow = () => apply(is_dark() ? "dark" : "light");
    const watch = new MutationObserver(follow);
    for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
    follow();
  }

  const round = (value, digits = 2) => Number(value.toPrecision(digits));
  const minus = (number) => String(number).replace(/-/g, "−");

  // About `count` round numbers.
  function ticks(from, to, count) {
    const power = 10 ** Math.floor(Math.log10((to - from) / count));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power * count >= to - from);
    const first = Math.ceil(from / step - 1e-9);
    return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => round((first + i) * step, 6));
  }

  return { THEMES, FONT, STYLE, follow_theme, round, minus, ticks };
};
