"""How bad it is when a client lacks a feature, and what to do about it: the part caniemail leaves
open, decided by hand.

Every feature of the table is in one of three places: in HARMS; in OTHER_RULES, when a rule of
another chapter says the same with a better remedy; or in HARMLESS, when nobody misses it, or every
client has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.model import Severity


@dataclass(frozen=True, slots=True)
class Harm:
    """What a reader whose client lacks the feature suffers: an error breaks the layout or loses
    words, a warning changes what they look like, a note is about decoration."""

    severity: Severity
    remedy: str


def _alike(severity: Severity, remedy: str, slugs: str) -> dict[str, Harm]:
    """The same harm for each of the features."""
    return dict.fromkeys(slugs.split(), Harm(severity, remedy))


_GROUPS: tuple[dict[str, Harm], ...] = (
    _alike(
        Severity.ERROR,
        "lay out with table cells; what not all can do belongs into a media query",
        "css-display-flex css-display-grid css-grid-template css-position css-column-count",
    ),
    _alike(
        Severity.ERROR,
        "write the number itself, in px",
        "css-unit-calc css-function-clamp css-function-max css-function-min",
    ),
    _alike(
        Severity.ERROR,
        "let the template write the value itself: the declaration is dropped",
        "css-variables css-function-light-dark",
    ),
    _alike(
        Severity.ERROR,
        "say it in the mail itself: what opens or folds stays shut",
        "html-dialog html-popover",
    ),
    _alike(
        Severity.WARNING,
        "not all have flex or grid: use table cells and their padding",
        "css-align-items css-justify-content css-flex-direction css-flex-wrap css-gap css-inset "
        "css-left-right-top-bottom css-z-index css-column-layout-properties",
    ),
    _alike(
        Severity.WARNING,
        "use table cells, or align on a picture",
        "css-float css-clear",
    ),
    _alike(
        Severity.WARNING,
        "write px",
        "css-unit-rem css-unit-ch css-unit-vh css-unit-vw css-unit-vmin css-unit-vmax "
        "css-intrinsic-size",
    ),
    _alike(
        Severity.WARNING,
        "write the value that you want in its place",
        "css-unit-initial",
    ),
    _alike(
        Severity.WARNING,
        "write left and right: the template knows the direction",
        "css-margin-inline-block css-margin-inline-start-end css-margin-block-start-end "
        "css-padding-inline-block css-padding-inline-start-end css-padding-block-start-end "
        "css-border-inline-block css-border-inline-block-individual "
        "css-border-inline-block-longhand css-border-radius-logical css-text-align",
    ),
    _alike(
        Severity.WARNING,
        "write width and height, or the attributes of the same names",
        "css-block-inline-size css-inline-size css-min-inline-size css-max-inline-size "
        "css-min-block-size css-max-block-size css-aspect-ratio css-object-fit "
        "css-object-position",
    ),
    _alike(
        Severity.WARNING,
        "put the height or width into an attribute of the cell",
        "css-height css-min-height css-min-width",
    ),
    _alike(
        Severity.WARNING,
        "put two cells into a table for Word, inside of <!--[if mso]>",
        "css-display",
    ),
    _alike(
        Severity.WARNING,
        "hide with display:none;max-height:0;overflow:hidden;mso-hide:all, or leave it out",
        "css-display-none css-visibility css-opacity css-max-height html-hidden "
        "css-inert-attribute css-clip-path css-filter css-mask-image",
    ),
    _alike(
        Severity.WARNING,
        "show it to all: many clients know no media query",
        "css-at-media",
    ),
    _alike(
        Severity.WARNING,
        "make a picture of it, or do without",
        "css-transform css-writing-mode css-text-orientation css-mix-blend-mode "
        "css-background-blend-mode css-backdrop-filter",
    ),
    _alike(
        Severity.WARNING,
        "put a background colour beside it",
        "css-linear-gradient css-radial-gradient css-conic-gradient",
    ),
    _alike(
        Severity.WARNING,
        "write the words as you want them, or use <pre>",
        "css-text-transform css-white-space css-white-space-collapse css-tab-size",
    ),
    _alike(
        Severity.WARNING,
        "put the words into the article",
        "css-pseudo-element-before css-pseudo-element-after",
    ),
    _alike(
        Severity.WARNING,
        "give the element a class of its own",
        "css-pseudo-class-first-child css-pseudo-class-first-of-type css-pseudo-class-last-child "
        "css-pseudo-class-last-of-type css-pseudo-class-nth-child "
        "css-pseudo-class-nth-last-child css-pseudo-class-nth-last-of-type "
        "css-pseudo-class-nth-of-type css-pseudo-class-only-child css-pseudo-class-only-of-type "
        "css-pseudo-class-not css-pseudo-class-has css-pseudo-class-lang css-selector-child "
        "css-selector-adjacent-sibling css-selector-general-sibling css-selector-universal",
    ),
    _alike(
        Severity.WARNING,
        "nothing can be switched in a mail: show it all, or link to the web version",
        "css-pseudo-class-checked css-pseudo-class-target css-pseudo-class-default",
    ),
    _alike(
        Severity.WARNING,
        "write it out in words",
        "html-ruby html-meter html-progress html-marquee html-bdi html-lists",
    ),
    _alike(
        Severity.WARNING,
        "name it in words that can be seen",
        "html-aria-label",
    ),
    _alike(
        Severity.WARNING,
        "show a picture that links to it",
        "image-mp4",
    ),
    _alike(
        Severity.WARNING,
        "save it as PNG or JPEG",
        "image-apng image-hdr image-ico image-heif",
    ),
    _alike(
        Severity.INFO,
        "make sure that it looks right without",
        "css-animation css-transition css-border-image css-border-radius "
        "css-border-spacing css-box-shadow css-box-sizing css-caption-side css-empty-cells "
        "css-background-clip css-background-origin css-background-position "
        "css-background-repeat css-background-size css-border css-letter-spacing "
        "css-list-style css-list-style-image css-list-style-position "
        "css-outline css-outline-offset css-overflow "
        "css-scroll-snap css-shape-margin css-shape-outside css-table-layout "
        "css-text-decoration css-text-emphasis css-text-emphasis-position css-text-indent "
        "css-text-overflow css-text-shadow css-word-spacing css-font-stretch "
        "css-font-size-adjust html-dir css-pseudo-element-first-letter "
        "css-pseudo-element-first-line css-pseudo-element-marker",
    ),
)

HARMS: Mapping[str, Harm] = {slug: harm for group in _GROUPS for slug, harm in group.items()}

# Said by a rule of another chapter.
OTHER_RULES: Mapping[str, str] = {
    "css-at-font-face": "font-generic",
    "css-at-import": "stylesheet-linked",
    **{
        f"css-at-media-{name}": "css-media-feature"
        for name in ("device-pixel-ratio", "hover", "orientation", "prefers-reduced-motion")
    },
    "css-background": "background-several",
    "css-background-image": "background-fallback",
    "css-comments": "css-comment",
    "css-font-size": "font-unit",
    "css-font-weight": "font-weight",
    "css-important": "important-inline",
    "css-margin": "box-margin",
    "css-max-width": "width-css-only",
    "css-modern-color": "color-modern",
    "css-nesting": "css-nesting",
    "css-padding": "box-padding",
    "css-rgb": "color-spaces",
    "css-rgba": "color-spaces",
    "css-selector-attribute": "selector-attribute",
    "css-selector-chaining": "selector-chained",
    "css-sytem-ui": "font-generic",
    "css-width": "width-css-only",
    "html-anchor-links": "link-anchor",
    "html-aria-describedby": "aria-reference",
    "html-aria-labelledby": "aria-reference",
    "html-background": "background-fallback",
    "html-link": "stylesheet-linked",
    "html-picture": "image-source",
    "html-semantics": "element-semantic",
    "html-srcset": "image-source",
    "html-style": "style-in-body",
    "html-svg": "image-format",
    "html-width": "image-width",
    "image-base64": "image-source",
    "image-gif": "image-gif",
    **{f"image-{name}": "image-format" for name in ("avif", "bmp", "svg", "tiff", "webp")},
    **{
        f"html-{name}": "element-forbidden"
        for name in (
            *("audio", "base", "button-reset", "button-submit", "form", "input-checkbox"),
            *("input-hidden", "input-radio", "input-reset", "input-submit", "input-text"),
            *("object", "required", "select", "textarea", "video"),
        )
    },
}

# Nobody misses these, or every client has them. The words stay, the mail reads the same.
HARMLESS = frozenset(
    (
        *("amp", "bimi", "html-comments", "html-doctype", "html-meta-color-scheme"),
        # Dark mode is an extra for those that have it; the rules on it measure both states.
        *("css-at-media-prefers-color-scheme", "css-color-scheme"),
        # An extra by its nature: whoever does not know the rule passes it over.
        "css-at-supports",
        # Pointer, selection, link states.
        *("css-accent-color", "css-cursor", "css-resize", "css-user-select"),
        *("css-pseudo-class-active", "css-pseudo-class-focus", "css-pseudo-class-focus-visible"),
        *("css-pseudo-class-focus-within", "css-pseudo-class-hover", "css-pseudo-class-link"),
        *("css-pseudo-class-visited", "css-pseudo-element-placeholder"),
        # How lines are broken and underlined.
        *("css-font-kerning", "css-hyphenate-character", "css-hyphenate-limit-chars"),
        *("css-hyphens", "css-line-height", "css-orphans", "css-overflow-wrap"),
        *("css-text-align-last", "css-text-decoration-color", "css-text-decoration-line"),
        *("css-text-decoration-skip-ink", "css-text-decoration-style"),
        *("css-text-decoration-thickness", "css-text-justify", "css-text-underline-offset"),
        *("css-text-underline-position", "css-text-wrap", "css-widows", "css-word-break"),
        "css-word-wrap",
        # Tags that leave their words.
        *("html-abbr", "html-acronym", "html-address", "html-blockquote", "html-body"),
        *("html-code", "html-del", "html-dfn", "html-small", "html-strike", "html-strong"),
        "html-wbr",
        # Attributes that only help; parts of an annotation, and of an animation.
        *("html-aria-hidden", "html-aria-live", "html-rp", "html-rt", "css-at-keyframes"),
        *("html-lang", "html-loading-attribute", "html-role", "html-target"),
        "html-mailto-links",
        # All clients have them, or nearly so and harmlessly.
        *("css-background-color", "css-border-collapse", "css-direction", "css-font"),
        *("css-list-style-type", "css-selector-class", "css-selector-descendant"),
        *("css-selector-grouping", "css-selector-id", "css-selector-type", "css-unit-cm"),
        *("css-unit-em", "css-unit-ex", "css-unit-in", "css-unit-mm", "css-unit-pc"),
        *("css-unit-percent", "css-unit-pt", "css-unit-px", "css-vertical-align"),
        *("html-align", "html-cellpadding", "html-cellspacing", "html-div", "html-h1-h6"),
        *("html-height", "html-hr", "html-image-maps", "html-img", "html-p", "html-pre"),
        *("html-span", "html-table", "html-valign", "image-jpg", "image-png"),
    )
)
