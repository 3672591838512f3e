"""Uses with a fallback beside them, or that do nothing where they stand: no fault in any client.

Enters: a Use. Leaves: whether it may stay. Each judgement is what the shipped templates do, or what
every email developer does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from newsletter.lint import colour, css
from newsletter.lint.caniemail.selectors import is_hook
from newsletter.lint.caniemail.uses import Use, Where, signs
from newsletter.lint.layout import is_bounded
from newsletter.lint.page import squeeze, style_of, words_in

_BACKGROUNDS = ("background-color", "background")


def is_spared(use: Use) -> bool:
    """Whether nobody suffers from the use, whatever the client."""
    if use.selector and is_hook(use.selector):
        return True
    if use.slug in _REPLACED and _has_plain_twin(use):
        return True
    spare = _SPARES.get(use.slug)
    return spare is not None and spare(use)


def _said(use: Use, name: str) -> str:
    """The value of another property at the same place."""
    return css.longhand(use.beside, name).lower()


def _value(*values: str) -> Callable[[Use], bool]:
    return lambda use: use.value.lower() in values


def _has_plain_twin(use: Use) -> bool:
    """The same property, declared before in a way that all clients know."""
    name = next((d.name for d in use.beside if d.value == use.value), "")
    for other in use.beside:
        if other.value == use.value:
            return False
        plain = not any(slug == use.slug for slug, _, _ in signs(f"{other.name}:{other.value}"))
        if other.name == name and plain:
            return True
    return False


def _has_ground(use: Use) -> bool:
    """A background colour beside it."""
    if use.element is not None and use.element.get("bgcolor"):
        return True
    values = (_said(use, name) for name in _BACKGROUNDS)
    return any(colour.parse(value) is not None for value in values if value)


def _has_shape(use: Use) -> bool:
    """A background or a border whose corners are round: elsewhere they are square."""
    bordered = any(d.name.startswith("border") and "radius" not in d.name for d in use.beside)
    return "/" not in use.value and (bordered or _has_ground(use))


def _is_away(use: Use) -> bool:
    """Hidden by all means there are: Gmail on the mobile web knows no display:none, and Word's
    does not reach into tables."""
    return (
        css.is_nothing(_said(use, "max-height") or "1px")
        and _said(use, "overflow") == "hidden"
        and _said(use, "mso-hide") == "all"
    )


def _is_column(use: Use) -> bool:
    """A column that Word gets a cell for, or something small inside of a line or cell."""
    element = use.element
    if element is None or use.tag in ("a", "img", "span", "table", "td", "th"):
        return True
    return is_bounded(element) or _said(use, "width") == "100%"


def _is_measured(use: Use) -> bool:
    """The height is automatic, a rule's, or in an attribute too."""
    has_attribute = use.element is not None and "height" in use.element.attrib
    return use.value.lower() == "auto" or use.tag == "hr" or has_attribute


def _is_literal(use: Use) -> bool:
    return use.tag in ("pre", "code") or use.value.lower() in ("normal", "inherit")


def _is_said(use: Use) -> bool:
    """The label repeats what is there, or is no link's."""
    return use.element is None or use.tag != "a" or bool(squeeze(words_in(use.element)))


def _has_attribute(*names: str) -> Callable[[Use], bool]:
    return lambda use: use.element is not None and any(n in use.element.attrib for n in names)


def _is_hidden(use: Use) -> bool:
    style = style_of(use.element) if use.element is not None else ()
    return css.longhand(style, "display") == "none"


# Where a plain declaration before it serves those that lack it.
_REPLACED = frozenset(
    (
        *("css-unit-calc", "css-unit-rem", "css-unit-ch", "css-unit-vh", "css-unit-vw"),
        *("css-unit-vmin", "css-unit-vmax", "css-variables", "css-function-clamp"),
        *("css-function-max", "css-function-min", "css-function-light-dark", "css-unit-initial"),
        *("css-intrinsic-size", "css-linear-gradient", "css-radial-gradient"),
        *("css-conic-gradient", "css-display-flex", "css-display-grid", "css-text-align"),
    )
)
_SPARES: Mapping[str, Callable[[Use], bool]] = {
    "css-border-radius": _has_shape,
    "css-border-spacing": _has_attribute("cellspacing"),
    "css-clear": _value("none"),
    "css-conic-gradient": _has_ground,
    "css-display": _is_column,
    "css-display-none": lambda use: use.where is not Where.BODY or _is_away(use),
    "css-float": lambda use: use.value.lower() == "none" or _has_attribute("align")(use),
    "css-height": _is_measured,
    "css-left-right-top-bottom": lambda use: _said(use, "position") in ("", "static", "relative"),
    "css-linear-gradient": _has_ground,
    "css-list-style-position": _value("outside"),
    "css-max-height": lambda use: _said(use, "display") == "none",
    "css-min-height": _has_attribute("height"),
    "css-min-width": _is_column,
    "css-opacity": _value("1", "100%"),
    "css-overflow": _value("hidden", "visible"),
    "css-position": _value("static", "relative"),
    "css-radial-gradient": _has_ground,
    "css-table-layout": _has_attribute("width"),
    "css-text-transform": _value("none"),
    "css-transform": _value("none"),
    "css-visibility": _value("visible"),
    "css-white-space": _is_literal,
    "html-aria-label": _is_said,
    "html-dir": lambda use: use.value.lower() != "rtl",
    "html-hidden": _is_hidden,
}
