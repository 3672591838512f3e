"""How each feature of caniemail shows in a mail: which property, value, tag or selector it is.

One table for two readers: `uses` looks for the features in a mail, `lens` says what a client drops.
Hand-made from the features' names; a test holds that every slug of the table is here or in UNSEEN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def _by_name(prefix: str, names: str) -> dict[str, tuple[str, ...]]:
    """Features that are called as what they are: `css-gap` is the property `gap`."""
    return {f"{prefix}{name}": (name,) for name in names.split()}


def _logical(name: str, parts: str) -> tuple[str, ...]:
    """`margin-inline-start` and the like."""
    return tuple(name.format(part) for part in parts.split())


SIDES = "inline-start inline-end block-start block-end"
AXES = "inline block"

# CSS properties, in whatever value.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    **_by_name(
        "css-",
        "accent-color align-items animation aspect-ratio backdrop-filter background-blend-mode "
        "background-clip background-color background-image background-origin background-position "
        "background-repeat background-size background border-collapse border-image border-radius "
        "border-spacing border box-shadow box-sizing caption-side clear clip-path color-scheme "
        "column-count cursor direction display empty-cells filter flex-direction flex-wrap float "
        "font-kerning font-size-adjust font-size font-stretch font-weight font height "
        "hyphenate-character hyphenate-limit-chars hyphens inline-size inset justify-content "
        "letter-spacing line-height list-style-image list-style-position list-style-type "
        "list-style margin mask-image max-block-size max-height max-inline-size max-width "
        "min-block-size min-height min-inline-size min-width mix-blend-mode object-fit "
        "object-position opacity orphans outline-offset outline overflow-wrap overflow padding "
        "position resize shape-margin shape-outside tab-size table-layout text-align-last "
        "text-align text-decoration-color text-decoration-line text-decoration-skip-ink "
        "text-decoration-style text-decoration-thickness text-decoration text-emphasis-position "
        "text-emphasis text-indent text-justify text-orientation text-overflow text-shadow "
        "text-transform text-underline-offset text-underline-position text-wrap transform "
        "transition user-select vertical-align visibility white-space-collapse white-space widows "
        "width word-break word-spacing word-wrap writing-mode z-index",
    ),
    "css-block-inline-size": ("block-size", "inline-size"),
    "css-border": ("border", "border-top", "border-right", "border-bottom", "border-left"),
    "css-border-inline-block": ("border-inline", "border-block"),
    "css-border-inline-block-individual": tuple(
        f"border-{axis}-{part}" for axis in AXES.split() for part in ("color", "style", "width")
    ),
    "css-border-inline-block-longhand": _logical("border-{}", SIDES),
    "css-border-radius-logical": _logical(
        "border-{}-radius", "start-start start-end end-start end-end"
    ),
    "css-column-layout-properties": (
        *("columns", "column-fill", "column-rule", "column-span", "column-width"),
    ),
    "css-gap": ("gap", "column-gap", "row-gap"),
    "css-grid-template": (
        *("grid-template", "grid-template-areas", "grid-template-columns"),
        "grid-template-rows",
    ),
    "css-left-right-top-bottom": ("left", "right", "top", "bottom"),
    "css-margin": ("margin", "margin-top", "margin-right", "margin-bottom", "margin-left"),
    "css-margin-block-start-end": ("margin-block-start", "margin-block-end"),
    "css-margin-inline-block": ("margin-inline", "margin-block"),
    "css-margin-inline-start-end": ("margin-inline-start", "margin-inline-end"),
    "css-padding": ("padding", "padding-top", "padding-right", "padding-bottom", "padding-left"),
    "css-padding-block-start-end": ("padding-block-start", "padding-block-end"),
    "css-padding-inline-block": ("padding-inline", "padding-block"),
    "css-padding-inline-start-end": ("padding-inline-start", "padding-inline-end"),
    "css-scroll-snap": ("scroll-snap-type", "scroll-snap-align", "scroll-snap-stop"),
    "css-inert-attribute": (),
}

# Words that a property of these names has among its values; no names: any property.
VALUES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "css-display-flex": (("display",), ("flex", "inline-flex")),
    "css-display-grid": (("display",), ("grid", "inline-grid")),
    "css-display-none": (("display",), ("none",)),
    "css-intrinsic-size": ((), ("fit-content", "min-content", "max-content")),
    "css-unit-initial": ((), ("initial",)),
    "css-sytem-ui": (
        ("font-family", "font"),
        ("system-ui", "ui-serif", "ui-sans-serif", "ui-rounded", "ui-monospace"),
    ),
}

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "css-conic-gradient": ("conic-gradient", "repeating-conic-gradient"),
    "css-function-clamp": ("clamp",),
    "css-function-light-dark": ("light-dark",),
    "css-function-max": ("max",),
    "css-function-min": ("min",),
    "css-linear-gradient": ("linear-gradient", "repeating-linear-gradient"),
    "css-modern-color": ("lch", "oklch", "lab", "oklab"),
    "css-radial-gradient": ("radial-gradient", "repeating-radial-gradient"),
    "css-rgb": ("rgb",),
    "css-rgba": ("rgba",),
    "css-unit-calc": ("calc",),
    "css-variables": ("var",),
}

UNITS: Mapping[str, tuple[str, ...]] = {
    **_by_name("css-unit-", "ch cm em ex in mm pc pt px rem vh vmax vmin vw"),
    "css-unit-percent": ("%",),
}

AT_RULES: Mapping[str, tuple[str, ...]] = {
    "css-at-font-face": ("@font-face",),
    "css-at-import": ("@import",),
    "css-at-keyframes": ("@keyframes", "@-webkit-keyframes"),
    "css-at-media": ("@media",),
    "css-at-supports": ("@supports",),
}

# What an @media rule asks for.
MEDIA: Mapping[str, tuple[str, ...]] = {
    "css-at-media-device-pixel-ratio": (
        *("-webkit-device-pixel-ratio", "-webkit-min-device-pixel-ratio", "min-resolution"),
        "-webkit-max-device-pixel-ratio",
    ),
    "css-at-media-hover": ("hover", "any-hover"),
    "css-at-media-orientation": ("orientation",),
    "css-at-media-prefers-color-scheme": ("prefers-color-scheme",),
    "css-at-media-prefers-reduced-motion": ("prefers-reduced-motion",),
}

PSEUDOS: Mapping[str, tuple[str, ...]] = {
    **_by_name(
        "css-pseudo-class-",
        "active checked default first-child first-of-type focus-visible focus-within focus has "
        "hover lang last-child last-of-type link not nth-child nth-last-child nth-last-of-type "
        "nth-of-type only-child only-of-type target visited",
    ),
    **_by_name("css-pseudo-element-", "after before first-letter first-line marker placeholder"),
}

# Kinds of selectors, as `selectors.kinds_of` names them.
SELECTORS: Mapping[str, tuple[str, ...]] = _by_name(
    "css-selector-",
    "adjacent-sibling attribute chaining child class descendant general-sibling grouping id type "
    "universal",
)

ELEMENTS: Mapping[str, tuple[str, ...]] = {
    **_by_name(
        "html-",
        "abbr acronym address audio base bdi blockquote body code del dfn dialog div form hr img "
        "link marquee meter object p picture pre progress rp rt ruby select small span strike "
        "strong style svg table textarea video wbr",
    ),
    "html-h1-h6": ("h1", "h2", "h3", "h4", "h5", "h6"),
    "html-image-maps": ("map", "area"),
    "html-lists": ("ul", "ol", "dl"),
    "html-semantics": (
        *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main"),
        *("mark", "nav", "section", "summary", "time"),
    ),
}

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    **_by_name(
        "html-",
        "align aria-describedby aria-hidden aria-label aria-labelledby aria-live background "
        "cellpadding cellspacing dir height hidden lang popover required role target valign width",
    ),
    "css-inert-attribute": ("inert",),
    "html-loading-attribute": ("loading",),
    "html-srcset": ("srcset", "sizes"),
}

# Elements that are one thing or another by an attribute.
TYPED: Mapping[str, tuple[str, str]] = {
    "html-button-reset": ("button", "reset"),
    "html-button-submit": ("button", "submit"),
    "html-input-checkbox": ("input", "checkbox"),
    "html-input-hidden": ("input", "hidden"),
    "html-input-radio": ("input", "radio"),
    "html-input-reset": ("input", "reset"),
    "html-input-submit": ("input", "submit"),
    "html-input-text": ("input", "text"),
}

PICTURES: Mapping[str, tuple[str, ...]] = {
    **{
        f"image-{suffix}": (f".{suffix}",)
        for suffix in ("apng", "avif", "bmp", "gif", "hdr", "ico", "mp4", "png", "webp")
    },
    "image-heif": (".heif", ".heic"),
    "image-jpg": (".jpg", ".jpeg"),
    "image-svg": (".svg", ".svgz"),
    "image-tiff": (".tif", ".tiff"),
}

# Features that do not show in one place of the HTML, or not in the HTML at all.
UNSEEN = frozenset(
    (
        *("amp", "bimi", "html-doctype", "html-comments", "html-meta-color-scheme"),
        *("css-comments", "css-important", "css-nesting", "html-anchor-links"),
        *("html-mailto-links", "image-base64"),
    )
)


def slugs() -> frozenset[str]:
    """Every feature that can be seen in a mail."""
    tables: tuple[Iterable[str], ...] = (PROPERTIES, VALUES, FUNCTIONS, UNITS, AT_RULES, MEDIA)
    more: tuple[Iterable[str], ...] = (PSEUDOS, SELECTORS, ELEMENTS, ATTRIBUTES, TYPED, PICTURES)
    return frozenset(slug for table in (*tables, *more) for slug in table)


def by_word(table: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The table the other way round: from the word to the features that it is a sign of."""
    found: dict[str, tuple[str, ...]] = {}
    for slug, words in table.items():
        for word in words:
            found[word] = (*found.get(word, ()), slug)
    return found
