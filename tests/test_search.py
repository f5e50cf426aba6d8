"""Search: what people type, in both languages, and what they should be led to first."""

import pytest

# What is typed, and the address of the first hit.
FIRST = {
    **dict.fromkeys(["SGD", "sgd"], "02-sgd.html"),
    **dict.fromkeys(["Momentum", "momentum"], "03-momentum.html"),
    **dict.fromkeys(["Nesterov", "nesterov momentum"], "04-nesterov.html"),
    **dict.fromkeys(["Adagrad", "AdaGrad"], "05-adagrad.html"),
    **dict.fromkeys(["RMSprop", "rmsprop"], "06-rmsprop.html"),
    **dict.fromkeys(["Adam", "adam"], "07-adam.html"),
    "hyperparameters": "01-hyperparameters.html",
    "stochastic gradient descent": "02-sgd.html",
    "fair comparison": "09-fair-comparison.html",
    "Adam Keras walkthrough": "08-adam-keras-walkthrough.html",
    "PyTorch": "framework-differences.html",
    "AMSGrad": "deeper/when-adam-does-not-converge.html",
    **dict.fromkeys(["학습률", "learning rate", "learning rates"], "glossary.html#term-learning-rate"),
    **dict.fromkeys(["모멘텀"], "glossary.html#term-momentum"),
    **dict.fromkeys(["확률적 경사 하강법"], "glossary.html#term-stochastic-gradient-descent-SGD"),
    **dict.fromkeys(["minibatch", "mini-batch", "mini batch", "미니배치"], "glossary.html#term-mini-batch"),
    **dict.fromkeys(["warmup", "warm-up", "워밍업", "웜업"], "glossary.html#term-warm-up"),
    **dict.fromkeys(["weight decay", "가중치 감쇠", "가중치 감소"], "glossary.html#term-weight-decay"),
    **dict.fromkeys(["epoch", "epochs", "에포크"], "glossary.html#term-epoch"),
    **dict.fromkeys(["bias", "절편", "편향"], "glossary.html#term-bias"),
    **dict.fromkeys(["bias correction", "편향 보정"], "glossary.html#term-bias-correction"),
    **dict.fromkeys(["gradient", "그레이디언트"], "glossary.html#term-gradient"),
    **dict.fromkeys(["loss", "손실"], "glossary.html#term-loss"),
    **dict.fromkeys(["saddle point", "saddle points", "안장점"], "glossary.html#term-saddle-point"),
    **dict.fromkeys(["convex", "볼록"], "glossary.html#term-convex"),
    **dict.fromkeys(["ravine"], "glossary.html#term-ravine"),
    **dict.fromkeys(["condition number", "조건수"], "glossary.html#term-condition-number"),
    **dict.fromkeys(["overfitting", "과대적합"], "glossary.html#term-overfitting"),
    **dict.fromkeys(["learning rate schedule"], "glossary.html#term-learning-rate-schedule"),
    **dict.fromkeys(["velocity", "속도"], "glossary.html#term-velocity"),
    **dict.fromkeys(["confusion matrix", "혼동 행렬", "오차 행렬"], "glossary.html#term-confusion-matrix"),
    **dict.fromkeys(["epsilon"], "glossary.html#term-epsilon"),
    **dict.fromkeys(["hidden layer", "은닉층"], "glossary.html#term-hidden-layer"),
    **dict.fromkeys(["ε", "α", "alpha", "μ", "ρ"], "notation.html#the-rules"),
    **dict.fromkeys(["θ", "theta", "λ", "κ", "kappa"], "notation.html#parameters-and-gradients"),
    **dict.fromkeys(["η", "γ", "gamma"], "notation.html#in-one-or-two-chapters-only"),
    "β": "notation.html#the-rules",
}


@pytest.fixture(scope="module")
def found(browser, address):
    """For each thing typed, the results: address and text of each. Beside them, the errors of the page."""
    page, hits, errors = browser.new_page(), {}, []
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    for typed in FIRST:
        page.goto(f"{address}search.html")
        field = page.locator("form.bd-search input:visible").first
        field.fill(typed)
        field.press("Enter")
        page.locator("#search-results li a").first.wait_for()
        page.locator("#search-results > button").wait_for(state="attached")
        hits[typed] = page.evaluate(
            """(start) => [...document.querySelectorAll("#search-results ul.search > li")].map((item) =>
                [decodeURI(item.querySelector("a").href).slice(start), item.textContent])""",
            len(address),
        )
    page.close()
    return hits, errors


def test_what_people_type_leads_where_it_should(found):
    hits, errors = found
    assert len(FIRST) >= 60
    assert {typed: hits[typed][0][0] for typed in FIRST} == FIRST
    assert errors == []


def test_results_are_text_and_show_formulas_once(found):
    texts = [text for hits in found[0].values() for _, text in hits]
    assert len(texts) > 300
    assert [text for text in texts if "\\" in text or "Open in Colab" in text or "\u200b" in text] == []


def test_no_page_is_listed_twice(found):
    for hits in found[0].values():
        pages = [address for address, _ in hits if "#" not in address]
        assert len(pages) == len(set(pages))


def test_a_hit_opens_at_its_section(browser, address):
    page = browser.new_page()
    page.goto(f"{address}search.html?q=critical damping")
    link = page.locator("#search-results li li a").first
    link.click()
    page.wait_for_url(lambda url: "#" in url)
    section = page.evaluate("document.getElementById(decodeURI(location.hash.slice(1))).getBoundingClientRect().top")
    assert -5 <= section < 200
    page.close()


def test_without_a_hit_the_page_says_what_to_try(browser, address):
    page = browser.new_page()
    page.goto(f"{address}search.html?q=龍")
    page.get_by_text("Nothing found for").wait_for()
    page.close()


def test_what_is_typed_is_shown_as_text(browser, address):
    page = browser.new_page()
    page.goto(f"{address}search.html?q=%3Cimg%20src%3Dx%20onerror%3D%22window.hacked%3D1%22%3E")
    page.locator("#search-results [role=status]").get_by_text("onerror").wait_for()
    assert page.evaluate("window.hacked") is None
    page.close()
