r"""What can be seen of a translation without reading it: numbers, formulas, links, terms, particles, marks that show.

Korean particles depend on the last sound of the word before them, and after a formula or a name one has to say it
aloud to know: ``$\alpha$를`` but ``Adam은``. Where it is not known here how something is said, nothing is said of it.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tools.blocks import CODE, FORMULA, LINK, PARSER, words

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"(?<![A-Za-z\d_.,])\d[\d,]*(?:\.\d+)?")
#: Numbers that English writes as words, and Korean may write in digits.
NUMBER_WORDS = {
    "0": ["zero", "zeros", "nothing", "negative", "positive"],
    "0.5": ["half"],
    "1": ["a", "an", "one", "once", "first", "single", "half", "third", "quarter", "smaller", "fewer", "times"],
    "2": ["two", "twice", "second", "both", "half", "double", "pair"],
    "3": ["three", "third", "thirds"],
    "4": ["four", "fourth", "quarter", "quarters"],
    "5": ["five", "fifth"],
    "6": ["six", "sixth"],
    "7": ["seven", "seventh"],
    "8": ["eight", "eighth"],
    "9": ["nine", "ninth"],
    "10": ["ten", "tenth", "tenths", "tens", "hundred", "millionth", "billionth"],
    "11": ["eleven"],
    "12": ["twelve", "dozen"],
    "13": ["thirteen", "thirteenth"],
    "15": ["fifteen", "quarter"],
    "16": ["sixteen"],
    "20": ["twenty"],
    "30": ["thirty", "half"],
    "40": ["forty", "fortieth"],
    "50": ["fifty", "fiftieth"],
    "60": ["sixty"],
    "400": ["hundred"],
    "512": ["twelve"],
    "3000": ["thousandth"],
    "100": ["hundred", "hundreds", "hundredth", "hundredths", "million", "millionth"],
    "1000": ["thousand", "thousands", "thousandth", "thousandths", "million"],
}

VOWEL, RIEUL, CONSONANT = "a vowel", "ㄹ", "a consonant"
DIGITS = dict.fromkeys("036", CONSONANT) | dict.fromkeys("178", RIEUL) | dict.fromkeys("2459", VOWEL)
LETTERS = dict.fromkeys("abcdefghijkopqstuvwxyz", VOWEL) | {"l": RIEUL, "m": CONSONANT, "n": CONSONANT}
GREEK = dict.fromkeys(["alpha", "beta", "gamma", "delta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi"], VOWEL)
GREEK |= dict.fromkeys(["rho", "sigma", "tau", "phi", "varphi", "omega", "nabla"], VOWEL)
GREEK |= dict.fromkeys(["epsilon", "varepsilon"], CONSONANT)
NAMES = dict.fromkeys(["Nesterov", "Adagrad", "AdamW", "AMSGrad", "AdaMax", "Keras", "NumPy", "PyTorch", "JAX"], VOWEL)
NAMES |= dict.fromkeys(["TensorFlow", "optax", "GitHub", "MNIST", "ReLU", "softmax", "rho", "rate", "decay"], VOWEL)
NAMES |= dict.fromkeys(["learning_rate", "weight_decay"], VOWEL)
NAMES |= dict.fromkeys(["Adam", "Nadam", "Momentum", "momentum", "RMSprop", "Lion", "Muon", "Python"], CONSONANT)
NAMES |= dict.fromkeys(["Colab", "JupyterLab", "epsilon", "NaN", "step"], CONSONANT)
#: Particles by what they follow: after a consonant, after a vowel.
PARTICLES = [("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로")]
_ENDING = r"(으로|로|은|는|이|가|을|를|과|와)(?=(?:는|도|만|서|써|부터)?(?![가-힣]))"


class Terms(NamedTuple):
    """The Korean terms: those of the glossary by their English names, and what terms.toml adds."""

    glossary: dict
    never: list
    must: list
    unless: dict


def terms(root=ROOT):
    """Return the Terms: of each in the glossary its Korean names, of which the first is the one that is used."""
    found = {}
    for line in (root / "book" / "glossary.md").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"(\S[^·,]*?)(?: \([A-Z]+\))? · ([^.]*)", line):
            found[match[1].lower()] = [re.sub(r" *\(직역\)", "", name).strip() for name in match[2].split(",")]
    more = tomllib.loads((root / "locale" / "ko" / "terms.toml").read_text(encoding="utf-8"))
    return Terms(found, more["never"], more["must"], more["unless"])


def problems(message, said, known, *, kind="paragraph", page=""):
    """Return what is wrong with a translation, each in a few words.

    Parameters
    ----------
    message, said : str
        The English text and the Korean one.
    known : Terms
    kind : str
        What the message is.
    page : str
        The name of its source; the glossary may name what others may not.
    """
    found = []
    bare, said_bare = CODE.sub(" ", message), CODE.sub(" ", said)
    pairs = {
        "code": ([part for _, part in CODE.findall(message)], [part for _, part in CODE.findall(said)]),
        "formulas": (FORMULA.findall(bare), FORMULA.findall(said_bare)),
        "links": (_links(message), _links(said)),
        "fields": (re.findall(r"\{\w+[^{}]*\}", words(message)), re.findall(r"\{\w+[^{}]*\}", words(said))),
    }
    for name, (ours, theirs) in pairs.items():
        if Counter(ours) != Counter(theirs):
            lost, new = (
                list((Counter(one) - Counter(other)).elements()) for one, other in ((ours, theirs), (theirs, ours))
            )
            found.append(f"{name} differ: lost {lost}, new {new}")
    found += _numbers(message, said)
    if page.startswith(("utils/", "tools")):  # where a few marks are a language of their own: see utils.quiz.markup
        found += [f"the marks {mark} differ" for mark in "*~^" if message.count(mark) != said.count(mark)]
    else:
        found += _marks(message, said)
    found += _terms(message, said, known) if page != "glossary" and said != message else []  # some are names alone
    found += _particles(said)
    if kind != "check" and re.search(r"(?<![니시])다\.(?=\s|$|\))", words(said)):
        found.append("a sentence does not end in -니다 or -시다")
    return found


def _links(text):
    return [one or other for one, other in LINK.findall(CODE.sub(" ", text))]


def _numbers(message, said):
    """Compare which numbers there are; how often one is said again is a matter of style."""
    message = re.sub(r"(\d+) million", lambda match: f"{int(match[1]) * 1_000_000}", message)
    said = re.sub(r"([\d,]+)만(?= 개)", lambda match: f"{int(match[1].replace(',', '')) * 10_000}", said)
    ours, theirs = (
        {number.replace(",", "").rstrip(".") for number in NUMBER.findall(words(text))} for text in (message, said)
    )
    spoken = set(re.findall(r"[a-z]+", words(message).lower()))
    lost = sorted(ours - theirs)
    new = sorted(number for number in theirs - ours if not spoken & set(NUMBER_WORDS.get(number, ())))
    return [f"numbers differ: lost {lost}, new {new}"] if lost or new else []


def _marks(message, said):
    found = []
    inline = PARSER.parseInline(said)[0].children
    shown = "".join(token.content for token in inline if token.type == "text")
    if re.search(r"\*|`|(?<!\\)\$", shown):
        found.append("marks of Markdown show: a closing ** must come before a parenthesis, not after it")
    strong = [
        sum(token.type == "strong_open" for token in PARSER.parseInline(text)[0].children) for text in (message, said)
    ]
    return found + ["bold parts differ in number"] * (strong[0] != strong[1])


def _terms(message, said, known):
    found = [f"{word!r} is never said" for word in known.never if word in said]
    english = re.sub(r"\{\w+[^{}]*\}", " ", words(message).lower())
    used = []
    for term in sorted(known.glossary, key=len, reverse=True):  # of "gradient descent" no "gradient" is left
        pattern = rf"\b{re.escape(term)}(?:e?s)?\b"
        if re.search(pattern, english):
            used.append(term)
            english = re.sub(pattern, " ", english)
    for term in used:
        first, *others = known.glossary[term]
        if term in known.must and first not in said:
            found.append(f"{term!r} is {first!r}, which is missing")
        for other in others:
            if other in _without_terms(said, other, known) and not any(
                word in message.lower() for word in known.unless.get(other, ())
            ):
                found.append(f"{term!r} is {first!r}, not {other!r}")
    return found


def _without_terms(said, name, known):
    """Return a text without the terms in it, but for those that a name is made of: "편향 보정" holds no "편향"."""
    text = words(said)
    for names in sorted(known.glossary.values(), key=lambda names: -len(names[0])):
        if names[0] not in name:
            text = text.replace(names[0], " ")
    return text


def _particles(said):
    found = [
        f"{match[0]!r}: choose one"
        for match in re.finditer(r"은\(는\)|이\(가\)|을\(를\)|와\(과\)|\(으\)로|을/를|은/는", said)
    ]
    kinds = [
        (CODE, lambda match: sound_of_code(match[2])),
        (FORMULA, lambda match: sound_of_formula(match[0].strip("$"))),
        (re.compile(r"[A-Za-z][A-Za-z_\d]*|\d[\d,.]*(?: ?%)?"), lambda match: sound_of_word(match[0])),
        (re.compile(r"([가-힣])(?=\*|\]\()"), lambda match: sound_of_syllable(match[1])),
    ]
    for pattern, sound in kinds:
        text = said if pattern in (CODE, FORMULA) else LINK.sub("](x)", FORMULA.sub("$ $", CODE.sub("` `", said)))
        for match in pattern.finditer(text):
            after = re.match(rf"(?:\*+|\]\([^)]*\))*{_ENDING}", text[match.end() :])
            heard = sound(match) if after else None
            if heard is None:
                continue
            for consonant, vowel in PARTICLES:
                light = heard == VOWEL or (heard == RIEUL and vowel == "로")
                right, wrong = (vowel, consonant) if light else (consonant, vowel)
                if after[1] == wrong:
                    found.append(f"{match[0]}{wrong}: it ends in {heard}, so {right}")
    return found


def sound_of_syllable(syllable):
    """Return what a Korean syllable ends in."""
    final = (ord(syllable) - ord("가")) % 28
    return VOWEL if final == 0 else RIEUL if final == 8 else CONSONANT


def sound_of_word(word):
    """Return what a number, a letter, an abbreviation or a known name ends in, said aloud, or None."""
    word = word.rstrip(".,")
    if word in NAMES:
        return NAMES[word]
    if word.endswith("%"):
        return VOWEL
    if word[-1].isdigit():
        return DIGITS[word[-1]]
    if len(word) == 1 or word.isupper():
        return LETTERS.get(word[-1].lower())
    return None


def sound_of_formula(tex):
    """Return what a formula ends in, read from left to right, or None."""
    tex = re.sub(r"(\\rVert|\\right|\\,|\\;|[\s{})\]|.,])+$", "", tex)
    if tex.endswith("%"):
        return VOWEL
    if match := re.search(r"\\frac\{([^{}]*)\}\{[^{}]*$", tex):  # said from below: its last word is the numerator
        return sound_of_formula(match[1])
    if re.search(r"\^\{?\d+$", tex):
        return CONSONANT  # 제곱
    if re.search(r"\^\{?[^\s{}]*$|\\(top|infty|text\{[^}]*)$", tex):
        return None
    if match := re.search(r"\\([A-Za-z]+)$", tex):
        return GREEK.get(match[1])
    return sound_of_word(tex[-1:]) if tex and tex[-1].isalnum() and tex[-1].isascii() else None


def sound_of_code(code):
    """Return what code ends in, if it ends in a known name or a number, or None."""
    last = re.split(r"[^\w]+", code.rstrip("()"))[-1]
    return sound_of_word(last) if last else None
