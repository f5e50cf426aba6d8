"""Draw the pictures that stand for the course: shown with a shared link, and the covers of the book as a file.

They are stored as ``book/assets/social.png`` and in ``book/covers``. Needs Chromium and, for the Korean cover, a font
with Hangul. Run it when the course's name changes: ``python -m tools.social_picture``.
"""

import base64
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tools import chromium, race
from tools.pdf import words_of_book

BOOK = Path(__file__).resolve().parent.parent / "book"
ASSETS = BOOK / "assets"
PAGE = """<!doctype html><meta charset="utf-8"><style>
@font-face {{ font-family: Literata; src: url(data:font/woff2;base64,{font}); }}
body {{ margin: 0; width: 1200px; height: 630px; background: #fffefc; color: #16191d; font-family: Literata; }}
h1 {{ margin: 0; padding: 56px 64px 10px; font-size: 66px; letter-spacing: -.01em; }}
p {{ margin: 0; padding: 0 66px; font-size: 32px; color: #5a616a; }}
svg {{ position: absolute; left: 0; bottom: 0; width: 1200px; height: 400px;
  mask: linear-gradient(transparent, #000 12%); }}
</style><h1>Optimizers: from SGD to Adam</h1><p>How a neural network learns its weights</p>{race}"""
# The valley runs from the top down, which leaves the words their place.
COVER = """<!doctype html><html lang="{language}"><meta charset="utf-8"><style>
@font-face {{ font-family: Literata; src: url(data:font/woff2;base64,{font}); }}
body {{ margin: 0; width: 1000px; height: 1600px; background: #fffefc; color: #16191d; overflow: hidden;
  font-family: Literata, "Noto Serif KR", "Noto Serif CJK KR", serif; word-break: keep-all; }}
h1, p, address {{ position: relative; z-index: 1; margin: 0; padding: 0 80px; }}
h1 {{ padding-top: 90px; font-size: 120px; line-height: 1.15; letter-spacing: -.015em; }}
h1 small {{ display: block; font-size: 72px; }}
p {{ padding-top: 24px; font-size: 40px; color: #5a616a; }}
body::before {{ content: ""; position: absolute; z-index: 1; inset: 0 0 auto; height: 560px;
  background: linear-gradient(#fffefc 78%, #fffefc00); }}
svg {{ position: absolute; left: 245px; top: 345px; width: 1326px; height: 510px; overflow: visible;
  transform: rotate(90deg) translateY(-510px); transform-origin: 0 0; }}
address {{ position: absolute; left: 0; bottom: 56px; font: 32px Literata, serif; color: #5a616a; }}
</style><h1>{title}:<small>{subtitle}</small></h1><p>{about}</p>{race}<address>{author}</address>"""


def cover(language, font):
    """Return the page of a cover."""
    said = words_of_book(language)
    title, subtitle = said["title"].split(": ")
    return COVER.format(
        font=font,
        language=language,
        title=title,
        subtitle=subtitle,
        about=said["cover_about"],
        author=said["author"],
        race=race.svg(""),
    )


def main():
    """Draw and store the pictures."""
    font = base64.b64encode((ASSETS / "fonts" / "literata-latin-600-normal.woff2").read_bytes()).decode()
    pages = {ASSETS / "social.png": (PAGE.format(font=font, race=race.svg("")), 1200, 630)}
    pages |= {BOOK / "covers" / f"{language}.png": (cover(language, font), 1000, 1600) for language in ("en", "ko")}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for file, (content, width, height) in pages.items():
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            page.set_content(content)
            page.evaluate("document.fonts.ready")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            file.parent.mkdir(exist_ok=True)
            picture.quantize(128).save(file, optimize=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
