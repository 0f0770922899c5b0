"""Executed notebooks as HTML pages that need no network, and the page of contents.

Nothing is executed here.
"""

import re
from html import escape
from pathlib import Path

import jinja2
from bs4 import BeautifulSoup
from jinja2 import pass_context
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_TEMPLATES = Path(__file__).parent / "templates"
# What latex2mathml leaves behind where it does not know a command, instead of raising.
_NOT_UNDERSTOOD = re.compile(r"<m[io]>(&<|\\)")


def notebook_page(notebook, name, *, folder, previous=None, following=None):
    """The HTML page of an executed notebook, complete in itself.

    Formulas become MathML, alternative text comes from the outputs' metadata, and cells tagged
    `hide-cell` are folded.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    name : str
        The page's name, without a suffix.
    folder : Path
        Where the notebook lies; pictures its text names are embedded from there.
    previous, following : str, optional
        Names of the neighbouring pages, to link to.
    """
    title, _ = title_and_sentence(notebook)
    resources = {
        "metadata": {"name": title or name, "path": str(folder)},
        "course": {"previous": previous, "following": following},
    }
    return _Page().from_notebook_node(notebook, resources)[0]


def contents_page(rows):
    """The HTML page that lists the notebooks.

    Parameters
    ----------
    rows : list of dict
        Each with `name`, `title`, `sentence` (HTML), `result`, `seconds` (or None), `data`,
        `error` and `page` (whether there is a page to link to).
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES / "course"), autoescape=True
    )
    return environment.get_template("contents.html.j2").render(rows=rows)


def title_and_sentence(notebook):
    """A notebook's first heading as plain text, and the first sentence after it as HTML."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    soup = BeautifulSoup(_markdown("\n\n".join(texts[:2])), "html.parser")
    heading = soup.find("h1")
    paragraph = heading.find_next("p") if heading else soup.find("p")
    sentence = paragraph.decode_contents() if paragraph else ""
    return (
        heading.get_text() if heading else "",
        re.split(r"(?<=[.!?])\s", sentence, maxsplit=1)[0],
    )


class _Page(HTMLExporter):
    """Lab's own page without what it would fetch from elsewhere; see templates/course."""

    def __init__(self, **options):
        super().__init__(
            template_name="course",
            extra_template_basedirs=[str(_TEMPLATES)],
            exclude_anchor_links=True,
            **options,
        )

    def default_filters(self):
        yield from super().default_filters()
        yield "fold_label", _fold_label

    @pass_context
    def markdown2html(self, context, source):
        return _markdown(
            source,
            attachments=context.get("cell", {}).get("attachments", {}),
            path=context["resources"]["metadata"]["path"],
            embed_images=True,
        )


class _Renderer(IPythonRenderer):
    def block_math(self, body):
        return _formula(body, "block")

    def inline_math(self, body):
        return _formula(body, "inline")

    def latex_environment(self, name, body):
        return _formula(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def link(self, text, url, title=None):
        between_notebooks = re.sub(r"^([^:#]+)\.ipynb(?=#|$)", r"\1.html", url)
        return super().link(text, between_notebooks, title)


def _markdown(source, **options):
    renderer = _Renderer(escape=False, exclude_anchor_links=True, **options)
    return MarkdownWithMath(renderer=renderer).render(source)


def _formula(tex, display):
    """MathML, which browsers show without a script; the TeX itself where that fails."""
    tex = tex.strip()
    try:
        result = mathml(re.sub(r"\{aligned\}", "{align*}", tex), display=display)
    except Exception:  # the converter raises IndexError and others besides its own
        result = ""
    if not result or _NOT_UNDERSTOOD.search(result):
        return f'<code class="tex">{escape(tex)}</code>'
    return result.replace("<math ", f'<math alttext="{escape(tex)}" ', 1)


def _fold_label(cell):
    """What a folded cell is called: its opening comment or heading, else «Solution»."""
    first_line = cell.source.lstrip().partition("\n")[0]
    return first_line.lstrip("# ").rstrip(" .:") if first_line.startswith("#") else "Solution"
