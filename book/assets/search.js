// The page of results. It looks into the index that tools/site_search.py made; from file://, where no script may read
// that, it calls Sphinx' own search instead.
{
  const TEXT = {}; // from tools/en.json, or the table of another language, when the book is built
  const said = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const AT_ONCE = 10, SECTIONS = 3;
  const root = document.documentElement.dataset.content_root;
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const plain = (name) => name.toLowerCase().replace(/[\s\-’']/g, "").replace(/s$/, ""); // as in tools/site_search.py

  // An entry's text comes as an element, or as HTML from Pagefind, which escapes it and adds <mark>.
  const entry = ({ url, title, kind, text, excerpt }) => {
    const item = element("li", {}, element("a", { href: url, textContent: title }));
    if (kind) item.append(" ", element("span", { className: "search-kind", textContent: kind }));
    item.append(text ? element("p", { textContent: text }) : element("p", { innerHTML: excerpt }));
    return item;
  };

  const result = ({ url, meta: { title, kind }, excerpt, sub_results }) => {
    const parts = sub_results.filter((part) => part.title !== title).slice(0, SECTIONS);
    const item = entry({ url, title, kind, excerpt });
    if (sub_results.length && parts.length === sub_results.length) item.querySelector("p").remove();
    if (parts.length) item.append(element("ul", {}, ...parts.map(entry)));
    return item;
  };

  const search = async () => {
    const place = document.getElementById("search-results");
    const status = element("p", { className: "search-summary" });
    status.setAttribute("role", "status");
    const list = element("ul", { className: "search" });
    place.replaceChildren(element("h2", { textContent: TEXT.title }), status, list);
    try {
      const pagefind = await import(new URL(`${root}_static/pagefind/pagefind.js`, location));
      await pagefind.options({ baseUrl: new URL(root, location).pathname, excerptLength: 24 });
      const named = await (await fetch(new URL(`${root}_static/pagefind/names.json`, location))).json();
      const called = named.filter(({ names }) => names.includes(plain(query)))
        .map((each) => ({ ...each, url: new URL(root + each.url, location).href }));
      const { results } = await pagefind.search(query);
      const count = Math.max(results.length, called.length);
      const text = [TEXT.none, TEXT.found_one][count] ?? TEXT.found;
      status.textContent = said(text, { count, query });
      list.append(...called.map(entry));
      const more = element("button", { type: "button", textContent: TEXT.more });
      let shown = 0;
      const show = async () => {
        const next = results.slice(shown, shown += AT_ONCE);
        const found = await Promise.all(next.map((each) => each.data()));
        const begin = list.children.length;
        const known = new Set(called.map(({ url }) => url));
        list.append(...found.filter(({ url }) => !known.has(new URL(url, location).href)).map(result));
        more.hidden = shown >= results.length;
        if (shown > AT_ONCE) list.children[begin]?.querySelector("a").focus();
      };
      more.addEventListener("click", show);
      await show();
      place.append(more);
    } catch (error) {
      status.textContent = TEXT.broken;
      throw error;
    }
  };

  const load = (name) => new Promise((done) => {
    const script = element("script", { src: `${root}${name}`, onload: done });
    document.head.append(script);
  });
  if (location.protocol === "file:") {
    load("_static/language_data.js").then(() => load("_static/searchtools.js")).then(() => load("searchindex.js"));
  } else if (query) {
    for (const input of document.querySelectorAll('input[name="q"]')) input.value = query;
    search();
  }
}
