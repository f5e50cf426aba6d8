"""Draw the picture that is shown with a shared link, and store it as book/assets/social.png.

Needs Chromium. Run it when the course's name changes: ``python -m tools.social_picture``.
"""

import base64
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tools import race

ASSETS = Path(__file__).resolve().parent.parent / "book" / "assets"
PAGE = """<!doctype html><meta charset="utf-8"><style>
@font-face {{ font-family: Literata; src: url(data:font/woff2;base64,{font}); }}
body {{ margin: 0; width: 1200px; height: 630px; background: #fffefc; color: #16191d; font-family: Literata; }}
h1 {{ margin: 0; padding: 56px 64px 10px; font-size: 66px; letter-spacing: -.01em; }}
p {{ margin: 0; padding: 0 66px; font-size: 32px; color: #5a616a; }}
svg {{ position: absolute; left: 0; bottom: 0; width: 1200px; height: 400px;
  mask: linear-gradient(transparent, #000 12%); }}
</style><h1>Optimizers: from SGD to Adam</h1><p>How a neural network learns its weights</p>{race}"""


def main():
    """Draw and store the picture."""
    font = base64.b64encode((ASSETS / "fonts" / "literata-latin-600-normal.woff2").read_bytes()).decode()
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 630}, reduced_motion="reduce")
        page.set_content(PAGE.format(font=font, race=race.svg("")))
        page.evaluate("document.fonts.ready")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture.quantize(128).save(ASSETS / "social.png", optimize=True)


if __name__ == "__main__":
    main()
