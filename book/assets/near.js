// Fetches the script of a page's figures to play with, or to draw on, when the reader is a screen away from the first of
// them, or comes by a link to one. Until then the figure keeps room for its controls, so that nothing jumps. Which
// scripts there are is said by the tag of this one: `data-` and the figures' class, and the file beside this.
{
  const { src, attributes } = document.currentScript;
  for (const { name, value } of attributes) {
    const figures = name.startsWith("data-") ? document.querySelectorAll(`.${name.slice(5)}`) : [];
    if (!figures.length) continue;
    const fetched = () => figures.forEach((figure) => figure.classList.remove("awaited"));
    const fetch_it = () => {
      watch.disconnect();
      removeEventListener("hashchange", follow_link);
      document.head.append(Object.assign(document.createElement("script"), { src: new URL(value, src), onload: fetched }));
    };
    const follow_link = () => location.hash.includes("=") && fetch_it();
    const watch = new IntersectionObserver((seen) => {
      if (seen.some(({ isIntersecting }) => isIntersecting)) fetch_it();
    }, { rootMargin: "100%" });
    for (const figure of figures) {
      figure.classList.add("awaited");
      watch.observe(figure);
    }
    addEventListener("hashchange", follow_link);
    follow_link();
  }
}
