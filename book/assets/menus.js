// The two menus of the theme, contents of the book and of the page, say whether they are open, keep the focus, and close
// when something in them is chosen. Both are bars where there is room, and dialogs where there is none.
{
  const wide = matchMedia("(min-width: 992px)"); // as the theme has it
  const menus = ["primary", "secondary"].map((name) => ({
    name,
    button: document.querySelector(`.${name}-toggle`),
    bar: document.getElementById(`pst-${name}-sidebar`),
    dialog: document.getElementById(`pst-${name}-sidebar-modal`),
  })).filter(({ button, bar, dialog }) => button && bar && dialog);

  // The theme takes the focus off a button that is pressed, and so a reader with a keyboard begins at the top again.
  for (const name of ["theme-switch-button", "search-button", "primary-toggle", "secondary-toggle"]) {
    const button = document.querySelector(`.${name}`);
    if (button) button.blur = () => { globalThis.bootstrap?.Tooltip.getInstance(button)?.hide(); };
  }

  const say = () => {
    for (const { name, button, bar, dialog } of menus) {
      const asBar = name === "primary" && wide.matches;
      const open = asBar ? !bar.classList.contains("pst-sidebar-hidden") : dialog.open;
      button.setAttribute("aria-expanded", open);
      button.setAttribute("aria-controls", asBar ? bar.id : dialog.id);
    }
  };
  for (const { bar, dialog } of menus) {
    new MutationObserver(say).observe(bar, { attributeFilter: ["class"] });
    new MutationObserver(say).observe(dialog, { attributeFilter: ["open"] });
    dialog.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      if (!link || link.pathname !== location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault(); // Firefox would go there after all this, and take the focus away again
      const place = (document.getElementById(decodeURIComponent(link.hash.slice(1))) ?? document).querySelector("h1, h2, h3");
      dialog.addEventListener("close", () => { // after the theme's own, which gives the focus to the button
        location.hash = link.hash;
        place.tabIndex = -1;
        place.focus({ preventScroll: true });
        place.scrollIntoView({ behavior: "instant" }); // where the browser scrolls by and by, closing has stopped it
      }, { once: true });
      dialog.close();
    });
  }
  wide.addEventListener("change", () => {
    for (const { dialog } of menus) if (dialog.open) dialog.close(); // there is a bar now, or none was open
    say();
  });
  say();
}
