"""The frame of a page: one file, in which the browser may load nothing from anywhere."""

import json
from html import escape
from importlib import resources
from typing import Any

POLICY = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def write_document(title: str, body: str, *, style: str = "", script: str = "") -> str:
    """A whole page; `body` is HTML, `style` comes after the style that all pages share."""
    css = read_text(__package__, "base.css") + style
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n"
        + (f"<script>\n{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def embed_json(name: str, value: Any) -> str:
    """An element that holds a JSON document, for a script: JSON.parse(document.getElementById(name).textContent)."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def read_text(package: str, name: str) -> str:
    """A file that lies beside the modules of a package."""
    return resources.files(package).joinpath(name).read_text("utf-8")
