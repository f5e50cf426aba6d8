// Makes one document of the pages of the book, in the home page that Chromium has open. See tools/pdf.py.
async ({ parts, words, base }) => {
  const root = new URL("./", location.href);
  const names = new Set(parts.flatMap((part) => part.pages));
  const slug = (name) => name.replaceAll("/", ".");
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const withoutIds = (element) => {
    for (const each of [element, ...element.querySelectorAll("[id]")]) each.removeAttribute("id");
    return element;
  };

  // Where a link of a page leads: to a place in this document, or to the site.
  const target = (href, page) => {
    const url = new URL(href, page);
    if (!url.href.startsWith(root.href)) return url.href;
    const name = url.pathname.slice(root.pathname.length).replace(/\.html$/, "") || "index";
    if (names.has(name)) return `#${slug(name)}:${decodeURIComponent(url.hash.slice(1))}`;
    return new URL(url.pathname.slice(root.pathname.length) + url.hash, base).href;
  };

  // A formula in a line of plain text, and what a screen reader says of it: its signs, with a root's.
  const readMath = (node) => {
    if (node.localName === "annotation") return "";
    if (!node.childElementCount) return node.textContent;
    const parts = [...node.children].map(readMath).join(node.localName === "mfrac" ? "/" : "");
    return node.localName === "msqrt" ? `√${parts}` : parts;
  };
  const nameFormulas = (article) => {
    for (const formula of article.querySelectorAll(".katex")) {
      formula.querySelector(".katex-html").removeAttribute("aria-hidden");
      formula.setAttribute("role", "img");
      formula.setAttribute("aria-label", readMath(formula.querySelector("math")).replace(/\s+|[\u2061-\u2064]/g, ""));
    }
  };
  const textOf = (heading) => {
    const copy = heading.cloneNode(true);
    for (const formula of copy.querySelectorAll(".katex")) formula.replaceWith(formula.getAttribute("aria-label"));
    return copy.textContent.replace(/\s+/g, " ").trim();
  };

  // What only a reader at a screen can use goes.
  const strip = (article) => {
    const unseen = "script, .headerlink, .chapter-actions, .downloads, .prev-next-footer, .katex-mathml, .race-again";
    for (const element of article.querySelectorAll(`${unseen}, .toctree-wrapper, details.set-up`)) element.remove();
    for (const link of article.querySelectorAll("a.image-reference")) link.replaceWith(...link.childNodes);
    for (const image of article.querySelectorAll("img")) image.loading = "eager";
    // Of a folded cell without an output nothing would be left, and the text speaks of it.
    const folded = article.querySelectorAll("div.cell:not(:has(.cell_output)) details.hide");
    for (const fold of folded) fold.open = !fold.closest("section#exercises");
    for (const cell of article.querySelectorAll("td")) if (cell.textContent.length < 8) cell.style.whiteSpace = "nowrap";
  };

  // A short cell stays whole, code and what it prints: LINES are a fifth of a sheet.
  const LINES = 14;
  const keepWhole = (article) => {
    for (const cell of article.querySelectorAll("div.cell:not(:has(figure, img, form))")) {
      const lines = [...cell.querySelectorAll("pre")].map((pre) => pre.textContent.trim().split("\n").length);
      cell.classList.toggle("whole", lines.reduce((sum, count) => sum + count, 0) <= LINES);
    }
    for (const input of article.querySelectorAll("div.cell:has(figure, img, .drawing) .cell_input")) {
      if (input.textContent.trim().split("\n").length <= LINES) input.style.breakInside = "avoid";
    }
  };

  // Questions keep their place; what is said to each answer goes to the end of the chapter.
  const moveAnswers = (article) => {
    const forms = [...article.querySelectorAll("form.quiz")];
    if (!forms.length) return;
    const end = make("section", { id: "answers", class: "quiz-answers" }, make("h2", {}, words.paper_answers));
    forms.forEach((form, index) => {
      const details = form.querySelector("details");
      form.id = `question-${index + 1}`;
      const question = make("a", { href: `#${form.id}` }, form.querySelector("legend strong").textContent);
      end.append(make("div", { class: "quiz-answer" }, make("p", {}, question), details.querySelector("ol")));
      for (const element of form.querySelectorAll("details, button, [role=status]")) element.remove();
      for (const label of form.querySelectorAll("label")) label.replaceWith(...label.querySelector("span").childNodes);
    });
    forms[0].closest("div.cell").querySelector(".cell_input")?.remove();
    article.querySelector("section").append(end);
    for (const paragraph of article.querySelectorAll("section#quiz > p")) {
      const [before, after] = paragraph.textContent.split(words.quiz_press);
      if (after === undefined) continue;
      paragraph.replaceChildren(before, words.quiz_decide, " ", make("a", { href: "#answers" }, words.quiz_where), after);
    }
  };

  // A still says where the figure moves.
  const pointToSite = (article, page) => {
    const address = page.replace(root.href, base).replace(/index\.html$/, "");
    for (const still of article.querySelectorAll(".optimizer-playground, .training-bench")) {
      const link = make("a", { href: address }, address.replace("https://", ""));
      still.after(make("p", { class: "alive" }, words.paper_alive, " ", link));
    }
  };

  // The anchors of a page become anchors of the document.
  const rename = (article, name, page) => {
    const own = (id) => `${slug(name)}:${id}`;
    for (const element of article.querySelectorAll("[id]")) element.id = own(element.id);
    for (const element of article.querySelectorAll("*")) {
      for (const { name: key, value } of [...element.attributes]) {
        if (["aria-labelledby", "aria-describedby", "for"].includes(key)) {
          element.setAttribute(key, value.split(/\s+/).map(own).join(" "));
        } else if (value.includes("url(#")) {
          element.setAttribute(key, value.replaceAll("url(#", `url(#${own("")}`));
        } else if (key === "xlink:href" || (key === "href" && element.localName === "use")) {
          if (value.startsWith("#")) element.setAttribute(key, `#${own(value.slice(1))}`);
        } else if (key === "href") element.setAttribute(key, target(value, page));
        else if (key === "src") element.setAttribute(key, new URL(value, page));
      }
    }
    article.id = own("");
  };

  const articles = [], headings = [], entries = [];
  for (const { caption, pages } of parts) {
    if (caption) entries.push(make("p", { class: "part" }, caption));
    for (const name of pages) {
      const page = new URL(`${name}.html`, root).href;
      const parsed = new DOMParser().parseFromString(await (await fetch(page)).text(), "text/html");
      const article = document.adoptNode(parsed.querySelector("article.bd-article"));
      nameFormulas(article);
      strip(article);
      keepWhole(article);
      moveAnswers(article);
      pointToSite(article, page);
      rename(article, name, page);
      const number = /^\d\d/.exec(name)?.[0];
      if (number) article.querySelector("h1").prepend(make("span", { class: "chapter-number" }, number), " ");
      const sheet = `sheet-${slug(name).replaceAll(".", "-")}`;
      article.style.page = sheet;
      for (const heading of article.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
        const level = Number(heading.localName[1]), { id } = heading.closest("section");
        headings.push({ part: caption, page: name, sheet, level, id, text: textOf(heading) });
        if (level > 2) continue;
        const title = make("span", {}, ...withoutIds(heading.cloneNode(true)).childNodes);
        const link = make("a", { href: `#${id}` }, title, make("span", { class: "number" }, "000"));
        entries.push(make("p", { class: `level-${level}` }, link));
      }
      articles.push(article);
    }
  }

  const contents = make("nav", { class: "paper-contents" }, make("h1", {}, words.paper_contents), ...entries);
  const race = withoutIds(articles[0].querySelector("figure.race").cloneNode(true));
  race.querySelector("figcaption").remove();
  const about = make("p", { class: "about" }, words.rights, make("br", {}), words.paper_site, " ", make("a", { href: base }, base.replace("https://", "")));
  const line = (name, text) => make("p", { class: name }, text);
  const cover = make("header", { class: "paper-cover" }, line("title", words.title), line("subtitle", words.cover_about));
  cover.append(race, line("author", words.author), about);
  const box = make("div", { class: "bd-article-container" }, cover, contents, ...articles);
  document.title = words.title;
  document.body.replaceChildren(make("div", { class: "bd-main" }, make("div", { class: "bd-content" }, box)));
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode()));
  return headings;
}
