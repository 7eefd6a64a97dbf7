"""HTML in which text is escaped unless it is marked as HTML: nothing from the user can become a tag."""

import html


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Any value as HTML: `Html` as it is, everything else escaped."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(parts: object, separator: str = "") -> Html:
    """Concatenate parts, each escaped."""
    return Html(separator.join(escape(part) for part in parts))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """`<name attributes>children</name>`, children and attribute values escaped.

    An attribute that is None is left out and True stands alone; `class_` is class, and _ in a name is -.
    """
    pairs = []
    for attribute, value in attributes.items():
        attribute = attribute.rstrip("_").replace("_", "-")
        if value is True:
            pairs.append(f" {attribute}")
        elif value is not None and value is not False:
            pairs.append(f' {attribute}="{escape(value)}"')
    opening = f"<{name}{''.join(pairs)}>"
    return Html(opening) if name in ("img", "br", "meta") else Html(f"{opening}{join(children)}</{name}>")
