// A reader's own marks: the contents show which quizzes she has answered. They are kept in her browser and sent nowhere.
// Where nothing may be stored, or no script runs, there are none: the page's first script has put a store in the place of
// the browser's then, which forgets.
if (!localStorage.forgets) {
  const TEXT = {}; // from tools/en.json, or the table of another language, when the book is built
  const said = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const root = new URL(document.documentElement.dataset.content_root, location).pathname;
  const KEY = `quizzes of ${root}`; // several courses may share an address
  const pageOf = (address) => new URL(address, location).pathname.replace(root, "").replace(/\.html$/, "");

  // For each page with a quiz, a digit for each question: 1 if it has been answered right.
  const read = () => {
    const stored = localStorage.getItem(KEY);
    try {
      return Object.entries(JSON.parse(stored)).filter(([, answers]) => /^[01]*1[01]*$/.test(answers));
    } catch {
      return [];
    }
  };

  const note = Object.assign(document.createElement("p"), { className: "quiz-note", tabIndex: -1 });
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: TEXT.clear });
  const show = () => {
    const marks = new Map(read());
    for (const link of document.querySelectorAll("nav.bd-links li > a")) {
      const answers = marks.get(pageOf(link.href));
      let mark = link.querySelector(".quiz-mark");
      if (!answers) {
        mark?.remove();
        continue;
      }
      if (!mark) link.append(" ", mark = Object.assign(document.createElement("span"), { className: "quiz-mark" }));
      const right = answers.replaceAll("0", "").length;
      const [sign, words] = right < answers.length
        ? [`${right}/${answers.length}`, said(TEXT.some, { right, count: answers.length })] : ["✓", TEXT.all];
      Object.assign(mark, { textContent: sign, role: "img", ariaLabel: words, title: words });
      link.closest("ul").after(note);
    }
    if (marks.size) note.replaceChildren(TEXT.note, " ", button);
    else note.replaceChildren();
  };

  const answer = () => {
    const page = pageOf(location);
    const before = new Map(read()).get(page) ?? "";
    const forms = [...document.querySelectorAll("form.quiz")];
    const answers = forms.map((form, n) => Number(form.dataset.verdict === "right" || before[n] === "1")).join("");
    localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(read()), [page]: answers }));
    show();
  };

  show();
  addEventListener("storage", show); // from another tab
  document.addEventListener("click", ({ target }) => { // the quiz's own script has heard it already
    if (target.closest("form.quiz button")) answer();
  });
  button.addEventListener("click", () => {
    localStorage.removeItem(KEY);
    show();
    note.textContent = TEXT.cleared;
    note.focus();
  });
}
