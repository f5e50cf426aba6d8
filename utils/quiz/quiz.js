// A quiz's feedback. quiz.py puts this script behind the questions; without it, a reader unfolds the answers instead.
for (const form of document.querySelectorAll("form.quiz:not([data-ready])")) {
  form.dataset.ready = "";
  const [button, verdict, answers] = ["button", "[role=status]", "details"].map((part) => form.querySelector(part));
  const reasons = answers.querySelectorAll("li");
  button.hidden = false;
  answers.hidden = true;
  const say = (kind, ...words) => {
    form.dataset.verdict = kind;
    verdict.replaceChildren(...words);
  };
  form.addEventListener("change", () => say(""));
  button.addEventListener("click", (event) => { // Enter, too, arrives as a click
    event.preventDefault();
    const chosen = [...form.elements.answer].findIndex((answer) => answer.checked);
    if (chosen < 0) say("none", button.dataset.choose);
    else say(reasons[chosen].className, ...reasons[chosen].cloneNode(true).childNodes);
  });
  form.addEventListener("keydown", (event) => { // keys in here are no shortcuts of the notebook
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
}
